/** The topic `plc`: how every PLC link is, after each change and every second for the round trips. */
import type { Bus } from '../events.ts';
import type { PlcMessage } from '../http/contract.ts';
import { instant, viewLinkStatus } from '../http/views.ts';
import type { LinkStatus } from '../plc/link.ts';
import type { Clock } from '../ports/clock.ts';
import { createTopic, type Topic } from './topic.ts';

export interface PlcTopicNeeds {
  readonly bus: Bus;
  readonly clock: Clock;
  linkStatus(): readonly LinkStatus[];
}

const REPEAT_MS = 1000;

export function createPlcTopic({ bus, clock, linkStatus }: PlcTopicNeeds): Topic {
  const topic = createTopic(
    clock,
    () =>
      JSON.stringify({
        type: 'plc',
        serverTime: instant(clock.now()),
        links: linkStatus().map(viewLinkStatus),
      } satisfies PlcMessage),
    { name: 'plc', repeatMs: REPEAT_MS },
  );
  bus.on('LinkChanged', topic.change);
  return topic;
}
