/** The storm at the change of shift: how long a screen waits for its session while fifty people sign in. */
import { join } from 'node:path';
import { openConnections, type Endpoint } from './client.ts';
import type { CheckerInput, CheckerOutput } from './checker.ts';
import { percentile, runChild, startLoad, takeTurns, type Bench, type Row, type Target } from './harness.ts';
import {
  peerSessionRequest,
  peerSignInRequest,
  prepareDataFolder,
  sessionRequest,
  signInRequest,
  startHost,
  startPeer,
} from './host.ts';

const CLIENTS = 50;
const INTERVAL_MS = 5;
const ROUNDS = 3;
const SECONDS = 5;

export const storm: Bench = {
  title: `a session check every ${INTERVAL_MS} ms while ${CLIENTS} clients sign in`,
  async run() {
    await using host = await startHost(await prepareDataFolder());
    await using peer = await startPeer(host);
    const rounds = await takeTurns(ROUNDS, {
      calm: async () => check(host, (await sessionRequest(host)).request),
      host: async () => checkInStorm(host, signInRequest(host), (await sessionRequest(host)).request),
      peer: async () => checkInStorm(peer, peerSignInRequest(peer), await peerSessionRequest(peer)),
    });

    const at = (side: keyof typeof rounds, percent: number, what: string): Row => ({
      what,
      unit: 'ms',
      rounds: rounds[side].map(({ tookMs }) => percentile(tookMs, percent)),
    });
    const row = (percent: number, what: string, target?: Target): Row => ({
      ...at('host', percent, what),
      against: at('peer', percent, 'better-auth'),
      ...(target !== undefined && { target }),
    });
    return [
      row(50, 'half of the answers within'),
      row(99, '99 of 100 within', { kind: 'below', limit: 25 }),
      row(100, 'the slowest'),
      at('calm', 99, '99 of 100 within, nobody signing in'),
      {
        what: 'answers that the one client got',
        unit: '/s',
        rounds: rounds.host.map(({ answers }) => answers / SECONDS),
        against: {
          what: 'better-auth',
          unit: '/s',
          rounds: rounds.peer.map(({ answers }) => answers / SECONDS),
        },
      },
    ];
  },
};

async function checkInStorm(server: Endpoint, signIn: Buffer, request: Buffer): Promise<CheckerOutput> {
  const connections = await openConnections(server, CLIENTS);
  const load = startLoad(connections, signIn);
  const checked = await Promise.race([check(server, request), load.ended]);
  await load.stop();
  for (const connection of connections) connection.close();
  if (checked === undefined) throw new Error('the load ended before the checks');
  return checked;
}

async function check({ url, ca }: Endpoint, request: Buffer): Promise<CheckerOutput> {
  const input: CheckerInput = {
    endpoint: { url, ca },
    request: request.toString(),
    intervalMs: INTERVAL_MS,
    seconds: SECONDS,
  };
  const printed = await runChild([join(import.meta.dirname, 'checker.ts')], { input: JSON.stringify(input) });
  return JSON.parse(printed) as CheckerOutput;
}
