import { describe, expect, test } from 'vitest';
import { createBus, type Events } from './events.ts';
import { createMemoryLog } from './ports/log.ts';
import type { User } from './users/user.ts';

const OPERATOR: User = {
  id: 'u1',
  name: 'operator',
  displayName: 'Olivia Operator',
  type: 'Active',
  enabled: true,
  logoutTimeInMin: null,
};
const CHANGED: Events['UserChanged'] = { user: OPERATOR };

function openBus() {
  const log = createMemoryLog();
  return { bus: createBus(log), log };
}

describe('the bus', () => {
  test('calls those who listen to an event, in the order they came, and nobody else', () => {
    const { bus } = openBus();
    const heard: unknown[] = [];
    bus.on('UserChanged', (event) => heard.push(['first', event]));
    bus.on('UserChanged', (event) => heard.push(['second', event]));
    bus.on('LinkChanged', (event) => heard.push(['other', event]));
    bus.publish('UserChanged', CHANGED);
    expect(heard).toEqual([
      ['first', CHANGED],
      ['second', CHANGED],
    ]);
  });

  test('passes over a listener that throws, and logs it with the name of the event', () => {
    const { bus, log } = openBus();
    const heard: string[] = [];
    bus.on('UserChanged', () => {
      throw new Error('a defect');
    });
    bus.on('UserChanged', () => heard.push('second'));
    expect(() => bus.publish('UserChanged', CHANGED)).not.toThrow();
    expect(heard).toEqual(['second']);
    expect(log.lines).toMatchObject([{ level: 'error', event: 'UserChanged', err: { message: 'a defect' } }]);
  });

  test('calls nobody who has stopped listening, and stopping twice harms no one', () => {
    const { bus } = openBus();
    const heard: string[] = [];
    const stop = bus.on('UserChanged', () => heard.push('stopped'));
    bus.on('UserChanged', () => heard.push('still there'));
    stop();
    stop();
    bus.publish('UserChanged', CHANGED);
    expect(heard).toEqual(['still there']);
  });

  test('lets a listener stop itself while it is called', () => {
    const { bus } = openBus();
    const heard: string[] = [];
    const stop = bus.on('UserChanged', () => {
      heard.push('once');
      stop();
    });
    bus.on('UserChanged', () => heard.push('always'));
    bus.publish('UserChanged', CHANGED);
    bus.publish('UserChanged', CHANGED);
    expect(heard).toEqual(['once', 'always', 'always']);
  });

  test('publishing what nobody listens to does nothing', () => {
    const { bus, log } = openBus();
    bus.publish('UserChanged', CHANGED);
    expect(log.lines).toEqual([]);
  });
});
