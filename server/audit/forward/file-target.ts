/** Appends to a file, such as one on a share: a line of JSON for each entry, with all that proves its hash. */
import { open } from 'node:fs/promises';
import type { Clock } from '../../ports/clock.ts';
import type { ForwardCheckpoint, ForwardEntry } from './forward-store.ts';
import type { Batch, Target } from './target.ts';

const TIMEOUT_MS = 15_000;
const LINE_FEED = 0x0a;

export function createFileTarget(path: string, clock: Clock): Target {
  /** A share that hangs answers in minutes or never: no second call is put behind the first. */
  let isUnderWay = false;

  async function append(batch: Batch): Promise<void> {
    isUnderWay = true;
    try {
      const handle = await open(path, 'a+', 0o600);
      try {
        const text = linesOf(batch);
        await handle.appendFile((await endsInMidLine(handle)) ? `\n${text}` : text);
        await handle.datasync();
      } finally {
        await handle.close();
      }
    } finally {
      isUnderWay = false;
    }
  }

  return {
    kind: 'file',
    place: `file ${path}`,
    async deliver(batch) {
      if (isUnderWay) throw new Error('the file system does not answer');
      const late = Promise.withResolvers<never>();
      const cancel = clock.after(TIMEOUT_MS, () => late.reject(new Error('the file system does not answer')));
      await Promise.race([append(batch), late.promise]).finally(cancel);
    },
    close: () => {},
  };
}

/** A line that was cut is left as it is, and comes again whole: from a copy nothing is ever taken away. */
async function endsInMidLine(handle: Awaited<ReturnType<typeof open>>): Promise<boolean> {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== LINE_FEED;
}

/** Each checkpoint stands after the last entry of the batch. */
function linesOf({ entries, checkpoints }: Batch): string {
  const lines: (ForwardEntry | { readonly checkpoint: ForwardCheckpoint })[] = [
    ...entries,
    ...checkpoints.map((checkpoint) => ({ checkpoint })),
  ];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
