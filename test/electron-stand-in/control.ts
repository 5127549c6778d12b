/** How a test looks into the app: it sends functions, which run here with the `electron` module as in Playwright's own driver. */
export interface Question {
  readonly id: number;
  /** Source of `(electron, argument) => answer`. */
  readonly source: string;
  readonly argument: unknown;
}

export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** Answers whoever started this process with a channel to it, and ends when they are gone. */
export function takeQuestions(electron: object): void {
  if (process.send === undefined) return;
  process.on('message', (question: Question) => {
    void answer(question, electron).then((reply) => process.send?.(reply));
  });
  process.on('disconnect', () => process.exit(1));
}

async function answer({ id, source, argument }: Question, electron: object): Promise<Answer> {
  try {
    const ask = (0, eval)(`(${source})`) as (electron: object, argument: unknown) => unknown;
    return { id, value: await ask(electron, argument) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}
