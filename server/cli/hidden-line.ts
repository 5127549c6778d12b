/** Asking at a terminal for what nobody is to read there. */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { Writable, type Readable } from 'node:stream';

/** Asks and shows nothing of the answer; Ctrl+C and Ctrl+D answer nothing. */
export async function askHidden(question: string, input: Readable, output: Writable): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input, output: nowhere, terminal: true });
  const givenUp = once(terminal, 'close').then(() => '');
  terminal.on('SIGINT', () => terminal.close());
  output.write(question);
  try {
    return await Promise.race([givenUp, terminal.question('').catch(() => '')]);
  } finally {
    terminal.close();
    output.write('\n');
  }
}
