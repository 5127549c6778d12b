/** Sign-ins a second: how little the house adds to the hash that it must compute. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { measureThroughput, runChild, takeTurns, type Bench, type Row, type Throughput } from './harness.ts';
import {
  peerSignInRequest,
  prepareDataFolder,
  signInRequest,
  startHost,
  startPeer,
  type Server,
} from './host.ts';

const CLIENTS = 50;
const ROUNDS = 5;
const SECONDS = 6;

export const signIns: Bench = {
  title: `sign-ins, ${CLIENTS} clients at once`,
  async run() {
    await using host = await startHost(await prepareDataFolder());
    await using peer = await startPeer(host);
    const measure = (server: Server, request: Buffer): Promise<Throughput> =>
      measureThroughput(server, request, { count: CLIENTS, seconds: SECONDS });
    const rounds = await takeTurns(ROUNDS, {
      host: () => measure(host, signInRequest(host)),
      argon2: rawArgon2,
      peer: () => measure(peer, peerSignInRequest(peer)),
    });

    const rate = (side: keyof typeof rounds, what: string): Row => ({
      what,
      unit: '/s',
      rounds: rounds[side].map((figure) => figure.rate),
    });
    const frugality = (side: keyof typeof rounds, what: string): Row => ({
      what,
      unit: '',
      rounds: rounds[side].map((figure) => figure.rate / figure.cores),
    });
    const what = 'POST /api/v1/sign-in';
    return [
      {
        ...rate('host', what),
        against: rate('argon2', 'argon2 alone'),
        target: { kind: 'times', limit: 0.9 },
      },
      {
        ...frugality('host', 'for a second of its processor time'),
        against: frugality('argon2', 'argon2 alone'),
      },
      { ...rate('host', what), against: rate('peer', 'better-auth (scrypt)') },
    ];
  },
};

/** With as many threads as the launcher gives the host. */
async function rawArgon2(): Promise<Throughput> {
  const threads = String(availableParallelism() + 4);
  const args = [join(import.meta.dirname, 'raw-argon2.ts'), String(SECONDS)];
  return JSON.parse(await runChild(args, { env: { UV_THREADPOOL_SIZE: threads } })) as Throughput;
}
