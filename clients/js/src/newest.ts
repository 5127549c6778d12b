/** Which of an app's states is the newest: no older one is ever shown after it. */
import type { AppMessage, UnchangedMessage } from './messages.ts';

export interface Newest {
  /** A connection has been made: one host, and one run of it, for as long as it lasts. */
  connected(): void;
  /** Tells whether `message` brings a state that is newer than all before. */
  takes(message: AppMessage | UnchangedMessage): boolean;
  /** The newest state known, for a subscription that goes on from there. */
  since(): { readonly run: string; readonly revision: number } | null;
}

export function createNewest(): Newest {
  let known: AppMessage | null = null;
  let run: string | null = null;
  return {
    connected() {
      run = null;
    },
    takes(message) {
      run ??= message.run;
      if (message.type === 'unchanged' || message.run !== run) return false;
      if (known?.run === run && known.revision >= message.revision) return false;
      known = message;
      return true;
    },
    since: () => known && { run: known.run, revision: known.revision },
  };
}
