/** The topic `emergencies`: that emergency accounts are signed in, for everyone; who and why stay out of it. */
import type { Bus } from '../events.ts';
import type { EmergenciesMessage } from '../http/contract.ts';
import { instant, viewEmergencies } from '../http/views.ts';
import type { Clock } from '../ports/clock.ts';
import type { Session } from '../sessions/session.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { createTopic, type Topic } from './topic.ts';

export interface EmergenciesNeeds {
  readonly bus: Bus;
  readonly sessions: Sessions;
  readonly clock: Clock;
}

export function createEmergencies({ bus, sessions, clock }: EmergenciesNeeds): Topic {
  const topic = createTopic(
    clock,
    () =>
      JSON.stringify({
        type: 'emergencies',
        serverTime: instant(clock.now()),
        emergencies: viewEmergencies(sessions.list(), false),
      } satisfies EmergenciesMessage),
    { name: 'emergencies' },
  );
  const hear = ({ session }: { session: Session }): void => {
    if (session.emergencyReason !== null) topic.change();
  };
  bus.on('SessionOpened', hear);
  bus.on('SessionEnded', hear);
  return topic;
}
