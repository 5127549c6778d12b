/** Between a user and a word of a PLC: how soon a sign-in is in the PLC, and how soon a change there is on a screen. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { AppStateMessage } from '../server/http/contract.ts';
import { startS7Server } from '../test/s7-server.ts';
import { openConnection, type Endpoint } from './client.ts';
import { median, percentile, runChild, takeTurns, type Bench, type Row } from './harness.ts';
import { addUser, keyswitch, prepareDataFolder, signInRequest, startHost } from './host.ts';
import { openS7, type S7 } from './s7-client.ts';

const POLL_INTERVAL_MS = 100;
const SIGN_INS = 40;
const CHANGES = 60;
/** A value that takes longer does not come. */
const PATIENCE_MS = 10_000;
/** The word that the link follows, and one that nobody follows. */
const LINKED = 'DB250,WORD188';
const FREE = 'DB250,WORD200';
const USERS = [
  { user: 'bench', value: 5 },
  { user: 'second', value: 9 },
] as const;

export const plc: Bench = {
  title: `a link to an S7 server, read every ${POLL_INTERVAL_MS} ms`,
  async run() {
    await runChild([join(import.meta.dirname, '..', 'build', 'snap7.ts')]);
    await using server = await startS7Server();
    const folder = await prepareDataFolder();
    const appId = await prepareLink(folder, server.port);
    await using host = await startHost(folder, ['--set', `plc.pollIntervalMs=${POLL_INTERVAL_MS}`]);
    using writer = await openS7(server.port);
    return [
      ...(await fromSignInToWord(host, appId, writer, server.port)),
      ...(await fromWordToScreen(host, appId, writer, server.port)),
    ];
  },
};

async function prepareLink(folder: string, port: number): Promise<string> {
  const data = ['--data', folder];
  await addUser(folder, USERS[1].user);
  const { id } = JSON.parse(await keyswitch(['app', 'add', 'HMI', '--json', ...data])) as { id: string };
  for (const { user, value } of USERS) await keyswitch(['app', 'grant', 'HMI', user, String(value), ...data]);
  const connection = ['--connection', `Data Source=127.0.0.1:${port},0,2`];
  await keyswitch([
    'link',
    'add',
    ...connection,
    '--area',
    'DB250',
    '--address',
    'W188',
    '--app',
    'HMI',
    ...data,
  ]);
  return id;
}

/** Both ways end where a client that reads without pause first sees the word, so that its delay is in both alike. */
async function fromSignInToWord(host: Endpoint, appId: string, writer: S7, port: number): Promise<Row[]> {
  using watcher = await watch(port, 0);
  const connection = await openConnection(host);
  const signIns = USERS.map(({ user, value }) => ({ value, request: signInRequest(host, { user, appId }) }));
  let turn = 0;
  const delays = await takeTurns(SIGN_INS, {
    async signIn() {
      const { request, value } = signIns[turn++ % signIns.length] as (typeof signIns)[number];
      const seen = watcher.next(LINKED, value);
      await connection.exchange(request);
      const answeredAt = performance.now();
      return (await seen) - answeredAt;
    },
    async write() {
      const seen = watcher.next(FREE, turn);
      const sentAt = performance.now();
      await writer.write(FREE, turn);
      return (await seen) - sentAt;
    },
  });
  connection.close();
  return [
    {
      what: 'from the answer of a sign-in to its value in the PLC',
      unit: 'ms',
      rounds: delays.signIn,
      against: { what: 'one write of nodes7', unit: 'ms', rounds: delays.write },
      target: { kind: 'beyond', limit: 5 },
    },
  ];
}

/** The bare reader has the host's interval; each change comes at a chance moment between two reads. */
async function fromWordToScreen(host: Endpoint, appId: string, writer: S7, port: number): Promise<Row[]> {
  using watcher = await watch(port, POLL_INTERVAL_MS);
  using screen = await openScreen(host, appId);
  const delays: { screen: number; reader: number }[] = [];
  for (let change = 0; change < CHANGES; change++) {
    const { value } = USERS[change % USERS.length] as (typeof USERS)[number];
    await sleep(POLL_INTERVAL_MS * Math.random());
    const [read, shown] = [watcher.next(LINKED, value), screen.next(String(value))];
    const changedAt = performance.now();
    await writer.write(LINKED, value);
    delays.push({ reader: (await read) - changedAt, screen: (await shown) - changedAt });
  }
  const row = (what: string, of: (samples: readonly number[]) => number): Row => ({
    what,
    unit: 'ms',
    rounds: [of(delays.map((delay) => delay.screen))],
    against: {
      what: 'nodes7 reading as often',
      unit: 'ms',
      rounds: [of(delays.map(({ reader }) => reader))],
    },
    target: { kind: 'below', limit: POLL_INTERVAL_MS + 10 },
  });
  return [
    row('from a change in the PLC to the message at a screen, median', median),
    row('the same, 95 of 100 within', (samples) => percentile(samples, 95)),
  ];
}

/** Waits for values of named things, and tells when each came. */
function createWaiting<Value>() {
  const waiting = new Map<string, { value: Value; resolve(at: number): void }>();
  return {
    next(name: string, value: Value): Promise<number> {
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const overdue = new Error(`${name} did not become ${String(value)} within ${PATIENCE_MS} ms`);
      const timeout = setTimeout(reject, PATIENCE_MS, overdue);
      waiting.set(name, { value, resolve });
      return promise.finally(() => clearTimeout(timeout));
    },
    came(name: string, value: Value): void {
      const waiter = waiting.get(name);
      if (waiter?.value !== value) return;
      waiting.delete(name);
      waiter.resolve(performance.now());
    },
  };
}

/** Reads both words every `intervalMs`, or without pause. */
async function watch(port: number, intervalMs: number) {
  const { next, came } = createWaiting<unknown>();
  const client = await openS7(port);
  let isStopped = false;
  const read = async (): Promise<void> => {
    while (!isStopped) {
      const startedAt = performance.now();
      const values = await client.read([LINKED, FREE]);
      for (const [name, value] of Object.entries(values)) came(name, value);
      if (intervalMs > 0) await sleep(startedAt + intervalMs - performance.now());
    }
  };
  void read();
  return {
    next,
    [Symbol.dispose]() {
      isStopped = true;
      client[Symbol.dispose]();
    },
  };
}

async function openScreen({ url, ca }: Endpoint, appId: string) {
  const { next, came } = createWaiting<string | null>();
  const socket = new WebSocket(new URL('/ws', url.replace('https', 'wss')), { ca });
  const subscribed = Promise.withResolvers<void>();
  socket.on('error', subscribed.reject);
  socket.on('open', () => socket.send(JSON.stringify({ type: 'subscribe', topic: 'app', appId })));
  socket.on('message', (data) => {
    const { state } = JSON.parse(String(data)) as AppStateMessage;
    came(appId, state.role);
    subscribed.resolve();
  });
  await subscribed.promise;
  return {
    next: (role: string) => next(appId, role),
    [Symbol.dispose]: () => socket.terminate(),
  };
}
