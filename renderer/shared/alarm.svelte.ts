/** The emergency sessions that live now, as `/ws` tells this page, signed in or not. */
import type { EmergencyView } from '../../server/http/contract.ts';
import { Live } from './live.svelte.ts';
import type { Shell } from './shell.ts';

export class Alarm {
  emergencies = $state.raw<readonly EmergencyView[]>([]);
}

/** Follows the emergencies alone, for a page that neither signs in at an app nor is signed in; ends when called. */
export function watchEmergencies({ alarm, api, clock, ports }: Shell): () => void {
  const live = new Live(ports, api, clock, {
    request: { type: 'subscribe', topic: 'emergencies' },
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
