/** Whatever the network does to connections and messages, a listener sees states in their order, and the newest at the end. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createFixedClock } from '../../../server/ports/clock.ts';
import { createClient } from './client.ts';
import type { FollowedApp } from './followed-app.ts';
import type { AppState } from './messages.ts';
import { testSockets } from './testing.ts';

const APP_ID = '11111111-1111-4111-8111-111111111111';

/** A host whose every state has its number in the order of all, runs included; and the way to one client. */
function createHost() {
  let [run, revision, age] = [0, 0, 0];
  const serverTime = new Date(0).toISOString();
  const state = () => ({ user: String(age) }) as AppState;
  const message = (type: 'app' | 'unchanged') => ({
    ...{ type, serverTime, appId: APP_ID, run: `run ${run}`, revision, token: null },
    ...(type === 'app' && { state: state() }),
  });
  return {
    age: () => age,
    change() {
      [revision, age] = [revision + 1, age + 1];
      return message('app');
    },
    restart() {
      [run, revision, age] = [run + 1, 0, age + 1];
    },
    answer(since?: { run: string; revision: number }) {
      const isKnown = since?.run === `run ${run}` && since.revision === revision;
      return message(isKnown ? 'unchanged' : 'app');
    },
  };
}

type Step =
  | { readonly kind: 'change' | 'lose' | 'restart' | 'connect' }
  /** Something that is on its way arrives, also on sockets that were let go of. */
  | { readonly kind: 'deliver' | 'repeat'; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom<Step>({ kind: 'change' }, { kind: 'lose' }, { kind: 'restart' }, { kind: 'connect' }),
  fc.record({ kind: fc.constantFrom('deliver' as const, 'repeat' as const), which: fc.nat(50) }),
);

async function play(steps: readonly Step[]) {
  const clock = createFixedClock();
  const host = createHost();
  const { WebSocket, sockets } = testSockets();
  const client = createClient({ url: 'https://host', WebSocket, clock, random: () => 0 });
  const seen: FollowedApp[] = [];
  client.follow(APP_ID, (app) => seen.push(app));
  const onTheWay: { socket: (typeof sockets)[number]; message: object }[] = [];
  const connected = new Set<(typeof sockets)[number]>();

  function connect(): void {
    const socket = sockets.at(-1)!;
    if (connected.has(socket) || socket.closed) return;
    connected.add(socket);
    socket.open();
    const [{ since }] = socket.sent as [{ since?: { run: string; revision: number } }];
    onTheWay.push({ socket, message: host.answer(since) });
  }

  async function lose(): Promise<void> {
    const count = sockets.length;
    sockets.at(-1)!.end();
    while (sockets.length === count) await clock.advance(250);
  }

  const acts: { [Kind in Step['kind']]: (which: number) => void | Promise<void> } = {
    connect,
    lose,
    change() {
      const socket = sockets.at(-1)!;
      const message = host.change();
      if (connected.has(socket)) onTheWay.push({ socket, message });
    },
    async restart() {
      host.restart();
      await lose();
    },
    deliver(which) {
      const [arrived] = onTheWay.splice(which % Math.max(onTheWay.length, 1), 1);
      arrived?.socket.tell(arrived.message);
    },
    repeat(which) {
      const arrived = onTheWay[which % Math.max(onTheWay.length, 1)];
      arrived?.socket.tell(arrived.message);
    },
  };
  for (const step of steps) await acts[step.kind]('which' in step ? step.which : 0);
  // At last the network is whole, and all that is on its way arrives, the newest first.
  connect();
  for (const { socket, message } of onTheWay.toReversed()) socket.tell(message);
  client.close();
  return { seen, newest: host.age() };
}

test('no older state is seen after a newer one, and the newest at the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { seen, newest } = await play(steps);
      const ages = seen.flatMap(({ state }) => (state === null ? [] : [Number(state.user)]));
      expect(ages).toEqual(ages.toSorted((a, b) => a - b));
      expect(seen.at(-1)).toMatchObject({ connection: { state: 'live' }, state: { user: String(newest) } });
    }),
    { numRuns: 500 },
  );
});
