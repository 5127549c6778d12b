/** The emergency sessions that live now, as `/ws` tells this page, signed in or not. */
import type { EmergencyView } from '../../server/http/contract.ts';
import { Live } from './live.svelte.ts';
import type { Shell } from './shell.ts';

export class Alarm {
  emergencies = $state.raw<readonly EmergencyView[]>([]);
}

/** Follows the emergencies alone, for a page that is not signed in; ends when called. */
export function watchEmergencies({
  alarm,
  clock,
  line,
}: Pick<Shell, 'alarm' | 'clock' | 'line'>): () => void {
  const live = new Live(line, clock, {
    topic: { topic: 'emergencies' },
    onMessage: (message) => {
      if (message.type === 'emergencies') alarm.emergencies = message.emergencies;
    },
  });
  live.start();
  return () => {
    live.stop();
    alarm.emergencies = [];
  };
}
