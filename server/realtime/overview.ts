/** The topic `overview`: who is at the controls of each app, and how the PLC links are, for signed-in pages. */
import type { Apps } from '../apps/apps.ts';
import type { Bus, EventName } from '../events.ts';
import type { OverviewMessage } from '../http/contract.ts';
import { instant, viewAppState, viewEmergencies, viewOverviewLink } from '../http/views.ts';
import type { LinkStatus } from '../plc/link.ts';
import type { Clock } from '../ports/clock.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { createTopic, type Topic } from './topic.ts';

export interface OverviewNeeds {
  readonly bus: Bus;
  readonly apps: Apps;
  readonly sessions: Sessions;
  readonly clock: Clock;
  linkStatus(): readonly LinkStatus[];
}

/** The sessions page takes each as a hint to ask anew, those of other browsers too. */
const CHANGES: readonly EventName[] = ['SessionOpened', 'SessionEnded', 'AppChanged', 'LinkChanged'];

export function createOverview({ bus, apps, sessions, clock, linkStatus }: OverviewNeeds): Topic {
  const topic = createTopic(
    clock,
    () =>
      JSON.stringify({
        type: 'overview',
        serverTime: instant(clock.now()),
        apps: apps.list().map(({ id, name, station }) => ({
          id,
          name,
          station,
          state: viewAppState(sessions.ofApp(id)),
        })),
        links: linkStatus().map(viewOverviewLink),
        emergencies: viewEmergencies(sessions.list(), true),
      } satisfies OverviewMessage),
    { name: 'overview' },
  );
  for (const name of CHANGES) bus.on(name, topic.change);
  return topic;
}
