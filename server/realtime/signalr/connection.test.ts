import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeyswitchError } from '../../errors.ts';
import { createFixedClock } from '../../ports/clock.ts';
import { createMemoryLog } from '../../ports/log.ts';
import { createFixedRandom } from '../../ports/random.ts';
import type { Payload } from '../outbox.ts';
import { createPlaces } from '../places.ts';
import { createConnections } from './connections.ts';
import type { Hub, HubClient } from './hub.ts';
import { jsonProtocol } from './json-protocol.ts';
import { messagePackProtocol } from './messagepack-protocol.ts';
import { TYPE, type HubMessage } from './messages.ts';
import type { Ending, Traits, Transport } from './transport.ts';

const DUPLEX: Traits = { isBinary: true, keepsAlive: false, opensLate: false, isDuplex: true };
const EVENTS: Traits = { isBinary: false, keepsAlive: false, opensLate: true, isDuplex: false };
const POLLS: Traits = { isBinary: true, keepsAlive: true, opensLate: false, isDuplex: false };

/** A transport that keeps what it is given. */
class Wire implements Transport {
  readonly traits: Traits;
  written: Payload[] = [];
  ended: Ending | null = null;
  isBehind = false;

  constructor(traits: Traits = DUPLEX) {
    this.traits = traits;
  }

  write(payload: Payload): void {
    this.written.push(payload);
  }

  end(ending: Ending): void {
    this.ended = ending;
  }

  /** What was written since this was last asked, in JSON. */
  said(): unknown[] {
    const records = this.written.splice(0).join('').split('\x1e').slice(0, -1);
    return records.map((record) => JSON.parse(record) as unknown);
  }
}

interface Room {
  readonly maxConnections?: number;
  readonly maxConnectionsPerAddress?: number;
}

/** A hub whose clients are kept, and whose method `Ask` fails as it is asked to. */
function setUp({ maxConnections = 10, maxConnectionsPerAddress = 10 }: Room = {}) {
  const clock = createFixedClock();
  const log = createMemoryLog();
  const clients: HubClient[] = [];
  const calls: unknown[] = [];
  let gone = 0;
  const hub: Hub = {
    admit: async () => null,
    connected(client) {
      clients.push(client);
      return {
        invoke(target, args) {
          calls.push([target, ...args]);
          if (target === 'Refuse') throw new KeyswitchError('not-found', 'There is none.');
          if (target === 'Break') throw new Error('broken on purpose');
        },
        gone: () => void (gone += 1),
      };
    },
  };
  const places = createPlaces({ clock, log }, { maxConnections, maxConnectionsPerAddress });
  const connections = createConnections(
    { hub, clock, log, places, random: createFixedRandom() },
    { maxMessageBytes: 4096, maxBehindMs: 10_000 },
  );
  const negotiate = (isStateful = false, address = '192.0.2.1') =>
    connections.negotiate({ key: null, isStateful, hasToken: true, address });
  /** With its handshake made. */
  function open({ isStateful = false, wire = new Wire() } = {}) {
    const connection = negotiate(isStateful);
    connection.attach(wire);
    const say = (message: unknown): void => connection.receive(wire, frame(message));
    say({ protocol: 'json', version: isStateful ? 2 : 1 });
    expect(wire.said()).toEqual([{}]);
    return { connection, wire, say, client: clients.at(-1) as HubClient };
  }
  return { clock, log, connections, places, calls, clients, negotiate, open, gone: () => gone };
}

const frame = (message: unknown): Buffer => Buffer.from(`${JSON.stringify(message)}\x1e`);
const change = (value: unknown) =>
  jsonProtocol.encode({ type: 1, target: 'UserChanged', arguments: [value] });
const changed = (value: unknown) => ({ type: 1, target: 'UserChanged', arguments: [value] });

describe('the handshake', () => {
  test('is answered, and what came with it in one piece is read', () => {
    const { negotiate, calls } = setUp();
    const wire = new Wire();
    const connection = negotiate();
    connection.attach(wire);
    const call = { type: TYPE.invocation, invocationId: '1', target: 'Ask', arguments: [7] };
    connection.receive(wire, Buffer.concat([frame({ protocol: 'json', version: 1 }), frame(call)]));
    expect(wire.said()).toEqual([{}, { type: 3, invocationId: '1' }]);
    expect(calls).toEqual([['Ask', 7]]);
  });

  test('is answered in bytes where bytes were agreed on', () => {
    const { negotiate } = setUp();
    const wire = new Wire();
    const connection = negotiate();
    connection.attach(wire);
    connection.receive(wire, frame({ protocol: 'messagepack', version: 1 }));
    expect(wire.written).toEqual([Buffer.from('{}\x1e')]);
  });

  test.each([
    ['for a protocol that is not spoken', DUPLEX, { protocol: 'xml', version: 1 }],
    ['for bytes where only text can be sent', EVENTS, { protocol: 'messagepack', version: 1 }],
    ['that is a call', DUPLEX, { type: 1, target: 'Ask', arguments: [] }],
  ])('is refused %s, and its client told why', (_, traits, message) => {
    const { negotiate, connections, gone } = setUp();
    const wire = new Wire(traits);
    const connection = negotiate();
    connection.attach(wire);
    connection.receive(wire, frame(message));
    expect(wire.said()).toEqual([{ error: expect.any(String) }]);
    expect(wire.ended).toBe('bad-message');
    expect(connections.find(connection.token)).toBeNull();
    expect(gone()).toBe(0);
  });

  test('that does not come in 15 s ends the connection', async () => {
    const { clock, negotiate, connections } = setUp();
    const wire = new Wire();
    const connection = negotiate();
    connection.attach(wire);
    await clock.advance(14_000);
    expect(wire.ended).toBeNull();
    await clock.advance(2_000);
    expect(wire.said()).toEqual([{ error: 'the handshake did not come in time' }]);
    expect(connections.find(connection.token)).toBeNull();
  });

  test('that does not come over events is waited for until they are gone', async () => {
    const { clock, negotiate, connections } = setUp();
    const wire = new Wire(EVENTS);
    const connection = negotiate();
    connection.attach(wire);
    await clock.advance(86_400_000);
    expect({ said: wire.said(), ended: wire.ended }).toEqual({ said: [], ended: null });
    connection.lost(wire);
    expect(connections.find(connection.token)).toBeNull();
  });
});

describe('a call', () => {
  test.each([
    ['that succeeds is completed', 'Ask', {}],
    [
      "that is refused is completed with the hub's own words",
      'Refuse',
      { error: "An unexpected error occurred invoking 'Refuse' on the server. HubException: There is none." },
    ],
    [
      'that is broken is completed without a word of the defect',
      'Break',
      { error: "An unexpected error occurred invoking 'Break' on the server." },
    ],
  ])('%s, and the connection stays', (_, target, outcome) => {
    const { open, log } = setUp();
    const { say, wire } = open();
    say({ type: 1, invocationId: 'a', target, arguments: [] });
    expect(wire.said()).toEqual([{ type: 3, invocationId: 'a', ...outcome }]);
    expect(wire.ended).toBeNull();
    expect(log.lines.filter(({ level }) => level === 'error')).toHaveLength(target === 'Break' ? 1 : 0);
  });

  test('that nobody waits for is not answered, and closes the connection where it is refused', () => {
    const { open, gone } = setUp();
    const { say, wire } = open();
    say({ type: 1, target: 'Ask', arguments: [] });
    expect(wire.said()).toEqual([]);
    say({ type: 1, target: 'Refuse', arguments: [] });
    expect(wire.said()).toEqual([{ type: 7, error: expect.stringContaining('There is none.') }]);
    expect([wire.ended, gone()]).toEqual(['bad-message', 1]);
  });

  test('of a stream is refused, for there are none', () => {
    const { open, calls } = setUp();
    const { say, wire } = open();
    say({ type: 4, invocationId: 'a', target: 'Ask', arguments: [] });
    expect(wire.said()).toEqual([{ type: 3, invocationId: 'a', error: expect.any(String) }]);
    expect(calls).toEqual([]);
  });
});

describe('a message', () => {
  test.each([
    ['that is none', { type: 1 }],
    ['that is too large', { type: 6, padding: 'x'.repeat(4096) }],
  ])('%s closes the connection, and says why', (_, message) => {
    const { open, gone, connections } = setUp();
    const { say, wire, connection } = open();
    say(message);
    expect(wire.said()).toEqual([{ type: 7, error: expect.any(String) }]);
    expect([wire.ended, gone(), connections.find(connection.token)]).toEqual(['bad-message', 1, null]);
    say({ type: 6 });
    expect(wire.said()).toEqual([]);
  });

  test.each([
    ['of a type to come', { type: 12 }],
    ['that is part of a stream', { type: 2, invocationId: 'a', item: 1 }],
    ['that completes something', { type: 3, invocationId: 'a' }],
    ['that cancels something', { type: 5, invocationId: 'a' }],
    ['that acknowledges where nothing is numbered', { type: 8, sequenceId: 3 }],
    ['that goes on where nothing was lost', { type: 9, sequenceId: 3 }],
  ])('%s is passed over', (_, message) => {
    const { open } = setUp();
    const { say, wire } = open();
    say(message);
    expect([wire.said(), wire.ended]).toEqual([[], null]);
  });

  test('that closes ends the connection without a word', () => {
    const { open, gone } = setUp();
    const { say, wire } = open();
    say({ type: 7 });
    expect([wire.said(), wire.ended, gone()]).toEqual([[], 'done', 1]);
  });

  test('of any bytes in any pieces never throws', () => {
    const { open } = setUp();
    const chunks = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
        fc.json().map((text) => Buffer.from(`${text}\x1e`)),
        fc
          .record({ type: fc.integer({ min: 0, max: 10 }), sequenceId: fc.integer(), target: fc.string() })
          .map(frame),
      ),
    );
    fc.assert(
      fc.property(chunks, fc.boolean(), (pieces, isStateful) => {
        const { connection, wire } = open({ isStateful });
        for (const piece of pieces) connection.receive(wire, piece);
        connection.hangUp();
      }),
    );
  });
});

describe('keeping alive', () => {
  test('says something every 15 s, and hears something every 30 s or ends', async () => {
    const { clock, open } = setUp();
    const { wire } = open();
    await clock.advance(14_000);
    expect(wire.said()).toEqual([]);
    await clock.advance(2_000);
    expect(wire.said()).toEqual([{ type: 6 }]);
    await clock.advance(16_000);
    expect(wire.said()).toEqual([{ type: 7, error: expect.any(String), allowReconnect: true }]);
    expect(wire.ended).toBe('silent');
  });

  test('goes on as long as the client is heard, and says nothing where it has said something else', async () => {
    const { clock, open } = setUp();
    const { wire, say, client } = open();
    for (let round = 0; round < 10; round += 1) {
      say({ type: 6 });
      client.post('x', () => change(round));
      await clock.advance(10_000);
    }
    expect(wire.said()).toHaveLength(10);
    expect(wire.ended).toBeNull();
  });

  test('is the matter of the polls where there are any', async () => {
    const { clock, open } = setUp();
    const { wire } = open({ wire: new Wire(POLLS) });
    await clock.advance(300_000);
    expect([wire.said(), wire.ended]).toEqual([[], null]);
  });

  test('forgets after 15 s what was negotiated and never connected', async () => {
    const { clock, negotiate, connections, places } = setUp({ maxConnections: 1 });
    const { token } = negotiate();
    expect(() => negotiate()).toThrow(expect.objectContaining({ code: 'busy' }));
    await clock.advance(14_000);
    expect(connections.find(token)).not.toBeNull();
    await clock.advance(2_000);
    expect(connections.find(token)).toBeNull();
    expect(places.take('192.0.2.1')).toBe('taken');
  });

  test('leaves no timer behind where nobody is connected', async () => {
    const { clock, open } = setUp();
    const { connection } = open();
    connection.hangUp();
    let fired = 0;
    const { after } = clock;
    clock.after = (ms, callback) => after(ms, () => ((fired += 1), callback()));
    await clock.advance(60_000);
    expect(fired).toBe(0);
  });
});

describe('a client that is behind', () => {
  test('is told the newest when it has caught up, answers to its calls included', () => {
    const { open } = setUp();
    const { client, wire, connection, say } = open();
    wire.isBehind = true;
    client.post('x', () => change(1));
    say({ type: 1, invocationId: 'a', target: 'Ask', arguments: [] });
    say({ type: 1, invocationId: 'b', target: 'Ask', arguments: [] });
    client.post('x', () => change(2));
    expect(wire.said()).toEqual([]);
    wire.isBehind = false;
    connection.drained(wire);
    expect(wire.said()).toEqual([changed(2), { type: 3, invocationId: 'a' }, { type: 3, invocationId: 'b' }]);
  });

  test('for too long is dropped, and may come back', async () => {
    const { clock, open, connections, gone } = setUp();
    const { client, wire, connection, say } = open();
    wire.isBehind = true;
    client.post('x', () => change(1));
    await clock.advance(9_000);
    say({ type: 6 });
    expect(wire.ended).toBeNull();
    await clock.advance(2_000);
    expect(wire.said()).toEqual([{ type: 7, error: expect.any(String), allowReconnect: true }]);
    expect([wire.ended, gone(), connections.find(connection.token)]).toEqual(['too-slow', 1, null]);
  });

  test('is not pinged on top of it', async () => {
    const { clock, open } = setUp();
    const { wire } = open();
    wire.isBehind = true;
    await clock.advance(20_000);
    expect(wire.said()).toEqual([]);
  });
});

describe('a client that keeps its state', () => {
  test('is told on another transport what it missed, in order and once, and acknowledges it', async () => {
    const { open, gone, calls } = setUp();
    const { client, wire, connection, say } = open({ isStateful: true });
    for (const value of [1, 2]) client.post('x', () => change(value));
    say({ type: 8, sequenceId: 1 });
    say({ type: 1, invocationId: 'a', target: 'Ask', arguments: [1] });
    connection.lost(wire);
    for (const value of [3, 4]) client.post('x', () => change(value));
    const next = new Wire();
    connection.attach(next);
    expect(next.said()).toEqual([
      { type: 9, sequenceId: 2 },
      changed(2),
      { type: 3, invocationId: 'a' },
      changed(3),
      changed(4),
    ]);
    // The client sends again what it does not know to have come, and what is new.
    connection.receive(next, frame({ type: 9, sequenceId: 1 }));
    for (const value of [1, 2]) {
      connection.receive(
        next,
        frame({ type: 1, invocationId: `${value}`, target: 'Ask', arguments: [value] }),
      );
    }
    expect(calls).toEqual([
      ['Ask', 1],
      ['Ask', 2],
    ]);
    expect(next.said()).toEqual([{ type: 3, invocationId: '2' }]);
    expect(gone()).toBe(0);
  });

  test('is told how far it was heard, once', async () => {
    const { open, clock } = setUp();
    const { wire, say } = open({ isStateful: true });
    say({ type: 1, target: 'Ask', arguments: [] });
    say({ type: 1, target: 'Ask', arguments: [] });
    await clock.advance(3_000);
    expect(wire.said()).toEqual([{ type: 8, sequenceId: 2 }]);
  });

  test('may come by another transport before the first is known to be lost', () => {
    const { open } = setUp();
    const { client, wire, connection } = open({ isStateful: true });
    client.post('x', () => change(1));
    const next = new Wire();
    connection.attach(next);
    expect(wire.ended).not.toBeNull();
    expect(next.said()).toEqual([{ type: 9, sequenceId: 1 }, changed(1)]);
    connection.receive(next, frame({ type: 9, sequenceId: 1 }));
    connection.receive(wire, frame({ type: 7 }));
    connection.lost(wire);
    client.post('x', () => change(2));
    expect(next.said()).toEqual([changed(2)]);
  });

  test('half a message of the lost transport does not spoil the next one', () => {
    const { open, calls } = setUp();
    const { wire, connection } = open({ isStateful: true });
    connection.receive(wire, Buffer.from('{"type":1,"tar'));
    connection.lost(wire);
    const next = new Wire();
    connection.attach(next);
    connection.receive(next, frame({ type: 9, sequenceId: 1 }));
    connection.receive(next, frame({ type: 1, target: 'Ask', arguments: [] }));
    expect([calls, next.ended]).toEqual([[['Ask']], null]);
  });

  test('that acknowledges nothing is told the newest only, and then dropped', async () => {
    const { open, clock } = setUp();
    const { client, wire, say } = open({ isStateful: true });
    const large = 'x'.repeat(40_000);
    for (const value of [1, 2, 3, 4, 5]) client.post('x', () => change([value, large]));
    expect(wire.said()).toHaveLength(3);
    say({ type: 8, sequenceId: 2 });
    expect(wire.said()).toEqual([changed([5, large])]);
    for (const value of [6, 7, 8]) client.post('x', () => change([value, large]));
    await clock.advance(11_000);
    expect(wire.ended).toBe('too-slow');
  });

  test('is waited for 15 s, and holds a place meanwhile', async () => {
    const { open, clock, connections, negotiate, gone } = setUp({ maxConnections: 1 });
    const { wire, connection } = open({ isStateful: true });
    connection.lost(wire);
    expect(() => negotiate()).toThrow(expect.objectContaining({ code: 'busy' }));
    await clock.advance(14_000);
    expect(connections.find(connection.token)).toBe(connection);
    await clock.advance(2_000);
    expect([connections.find(connection.token), gone()]).toEqual([null, 1]);
    negotiate();
  });

  test('is not waited for where there is no place', () => {
    const { open, places, gone } = setUp({ maxConnections: 1 });
    const { wire, connection } = open({ isStateful: true });
    expect(places.take('192.0.2.9')).toBe('taken');
    connection.lost(wire);
    expect(gone()).toBe(1);
  });
});

describe('another transport', () => {
  test('is refused while the first is in use', () => {
    const { open } = setUp();
    const { connection, wire } = open();
    expect(() => connection.attach(new Wire())).toThrow(expect.objectContaining({ code: 'already-exists' }));
    expect(wire.ended).toBeNull();
  });

  test('is refused to a client that asked for stateful reconnect and then spoke version 1', () => {
    const { negotiate } = setUp();
    const connection = negotiate(true);
    const wire = new Wire();
    connection.attach(wire);
    connection.receive(wire, frame({ protocol: 'json', version: 1 }));
    expect(() => connection.attach(new Wire())).toThrow(expect.objectContaining({ code: 'already-exists' }));
  });

  test('that is lost ends the connection at once where no state is kept', () => {
    const { open, gone, connections } = setUp();
    const { connection, wire } = open();
    connection.lost(wire);
    expect([gone(), connections.find(connection.token)]).toEqual([1, null]);
  });
});

describe('places', () => {
  test('are held by what is no WebSocket, and given back once', () => {
    const { negotiate, places } = setUp({ maxConnectionsPerAddress: 2 });
    const [first, second] = [negotiate(), negotiate()];
    expect(() => negotiate()).toThrow(expect.objectContaining({ code: 'too-many-connections' }));
    first.attach(new Wire(EVENTS));
    expect(() => negotiate()).toThrow(expect.objectContaining({ code: 'too-many-connections' }));
    // A WebSocket holds a place of its own.
    second.attach(new Wire());
    negotiate();
    second.hangUp();
    expect(() => negotiate()).toThrow(expect.objectContaining({ code: 'too-many-connections' }));
    first.hangUp();
    expect([1, 2].map(() => places.take('192.0.2.1'))).toEqual(['taken', 'full-for-address']);
  });
});

describe('a host that stops', () => {
  test('tells each client that it may come back', () => {
    const { open, connections, negotiate, gone } = setUp();
    const { wire } = open();
    const waiting = negotiate();
    connections.close();
    expect(wire.said()).toEqual([{ type: 7, error: 'The host is stopping.', allowReconnect: true }]);
    expect([wire.ended, gone(), connections.find(waiting.token)]).toEqual(['stopping', 1, null]);
  });
});

test('ids and tokens have 128 bits each, and are not the same', () => {
  const { negotiate, connections } = setUp();
  const { id, token } = negotiate();
  expect([Buffer.from(id, 'base64url').length, Buffer.from(token, 'base64url').length]).toEqual([16, 16]);
  expect(connections.find(id)).toBeNull();
});

test('bytes are counted and read in MessagePack as well', () => {
  const { negotiate, calls } = setUp();
  const wire = new Wire();
  const connection = negotiate();
  connection.attach(wire);
  connection.receive(wire, frame({ protocol: 'messagepack', version: 1 }));
  wire.written = [];
  const call = messagePackProtocol.encode({
    type: 1,
    invocationId: '1',
    target: 'Ask',
    arguments: ['x'],
  }) as Buffer;
  for (const byte of call) connection.receive(wire, Buffer.of(byte));
  expect(calls).toEqual([['Ask', 'x']]);
  const answers = wire.written.map((payload): HubMessage | null => {
    const framing = messagePackProtocol.framing(4096);
    framing.append(payload as Buffer);
    return messagePackProtocol.decode(framing.next() as Buffer);
  });
  expect(answers).toEqual([{ type: 3, invocationId: '1' }]);
});
