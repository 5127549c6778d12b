/** What the desktop remembers from one start to the next: `window.json` in its folder, and nothing that matters. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { replaceFile } from '../../server/config/replace-file.ts';
import type { Clock } from '../../server/ports/clock.ts';

const place = z.object({
  x: z.int(),
  y: z.int(),
  width: z.int().min(1),
  height: z.int().min(1),
});

const remembered = z.object({
  /** Which of the two was last used. */
  view: z.enum(['window', 'bar']).catch('window'),
  /** So that a start fills the screen before the settings have been read. */
  kiosk: z.boolean().catch(false),
  maximised: z.boolean().catch(false),
  window: place.nullable().catch(null),
  bar: place.nullable().catch(null),
});

export type Remembered = Readonly<z.output<typeof remembered>>;

export interface Memory {
  readonly now: Remembered;
  /** Notes what has changed; it is written a little later, for a window that is pulled changes often. */
  note(changes: Partial<Remembered>): void;
  /** Writes at once what has not been written yet. */
  flush(): void;
}

const WRITE_AFTER_MS = 500;

/** Opens the file; where there is none, or a broken one, everything is as at the first start. */
export function openMemory(path: string, clock: Clock): Memory {
  let now: Remembered = remembered.catch(remembered.parse({})).parse(read(path));
  let cancel: (() => void) | null = null;

  function flush(): void {
    if (cancel === null) return;
    cancel();
    cancel = null;
    try {
      replaceFile(path, `${JSON.stringify(now)}\n`);
    } catch {
      // A folder that has gone is the host's to report; a window is not lost with its place.
    }
  }

  return {
    get now() {
      return now;
    },
    note(changes) {
      now = { ...now, ...changes };
      cancel ??= clock.after(WRITE_AFTER_MS, flush);
    },
    flush,
  };
}

function read(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}
