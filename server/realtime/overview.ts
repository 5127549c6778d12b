/** What a signed-in page is told: who is at the controls of each app, and how the PLC links are. */
import type { Apps } from '../apps/apps.ts';
import type { Bus, EventName } from '../events.ts';
import type { OverviewMessage } from '../http/contract.ts';
import { instant, viewAppState, viewEmergencies, viewLinkStatus } from '../http/views.ts';
import type { LinkStatus } from '../plc/link.ts';
import type { Clock } from '../ports/clock.ts';
import type { Sessions } from '../sessions/sessions.ts';

export interface Overview {
  /** The present state, as JSON text. */
  text(): string;
  /** Calls back after changes; those of one turn of the event loop count as one. */
  onChange(listener: () => void): () => void;
  close(): void;
}

export interface OverviewNeeds {
  readonly bus: Bus;
  readonly apps: Apps;
  readonly sessions: Sessions;
  readonly clock: Clock;
  linkStatus(): readonly LinkStatus[];
}

const CHANGES: readonly EventName[] = ['SessionOpened', 'SessionEnded', 'AppChanged', 'LinkChanged'];

export function createOverview({ bus, apps, sessions, clock, linkStatus }: OverviewNeeds): Overview {
  const listeners = new Set<() => void>();
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      for (const listener of listeners) listener();
    });
  }
  const stops = CHANGES.map((name) => bus.on(name, schedule));

  return {
    text: () =>
      JSON.stringify({
        type: 'overview',
        serverTime: instant(clock.now()),
        apps: apps.list().map(({ id, name, station }) => ({
          id,
          name,
          station,
          state: viewAppState(sessions.ofApp(id)),
        })),
        links: linkStatus().map(viewLinkStatus),
        emergencies: viewEmergencies(sessions.list(), true),
      } satisfies OverviewMessage),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      for (const stop of stops) stop();
    },
  };
}
