/** Session checks a second: what every poll of every screen costs, against a bare server and against the peer. */
import { requestTo } from './client.ts';
import { measureThroughput, takeTurns, type Bench, type Row, type Throughput } from './harness.ts';
import {
  peerSessionRequest,
  prepareDataFolder,
  sessionRequest,
  startHello,
  startHost,
  startPeer,
  type Server,
} from './host.ts';

const CONNECTIONS = 20;
const ROUNDS = 5;
const SECONDS = 3;

export const sessionChecks: Bench = {
  title: `session checks, ${CONNECTIONS} kept connections`,
  async run() {
    await using host = await startHost(await prepareDataFolder());
    await using hello = await startHello(host);
    await using peer = await startPeer(host);
    const { request, headers } = await sessionRequest(host);
    const measure = (server: Server, asked: Buffer): Promise<Throughput> =>
      measureThroughput(server, asked, { count: CONNECTIONS, seconds: SECONDS });
    const rounds = await takeTurns(ROUNDS, {
      host: () => measure(host, request),
      hello: () => measure(hello, requestTo(hello, '/hello', { headers })),
      peer: async () => measure(peer, await peerSessionRequest(peer)),
    });

    const row = (
      side: keyof typeof rounds,
      what: string,
      unit = '/s',
      of = ({ rate }: Throughput) => rate,
    ): Row => ({ what, unit, rounds: rounds[side].map(of) });
    const bare = 'bare Express and helmet';
    return [
      {
        ...row('host', 'GET /api/v1/session'),
        against: row('hello', bare),
        target: { kind: 'times', limit: 0.7 },
      },
      {
        ...row('host', 'GET /api/v1/session'),
        against: row('peer', 'better-auth'),
        target: { kind: 'times', limit: 10 },
      },
      // Both servers have one thread that answers: about 1 core each, or somebody else wanted it.
      {
        ...row('host', 'busy meanwhile', 'cores', ({ cores }) => cores),
        against: row('hello', bare, 'cores', ({ cores }) => cores),
      },
      {
        ...row('host', 'for a second of its processor time', '', ({ rate, cores }) => rate / cores),
        against: row('hello', bare, '', ({ rate, cores }) => rate / cores),
      },
    ];
  },
};
