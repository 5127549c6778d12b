/** Refusals that must look alike: whether time or text tells one from another. */
import { openConnection, type Answer } from './client.ts';
import { median, type Row } from './harness.ts';
import type { Host } from './host.ts';

/** Tries that do not count, while the host warms up. */
const WARM_UP = 10;

/** An own address of the loopback network, 127.1.0.1 and on (Linux and Windows route them all). */
export function loopback(index: number): string {
  const host = index + 1;
  return `127.${1 + (host >> 16)}.${(host >> 8) & 255}.${host & 255}`;
}

/** Tries `kinds` in turns, each from an address of its own, so that nobody has to wait. */
export async function compareRefusals(
  host: Host,
  kinds: Readonly<Record<string, (turn: number) => Buffer>>,
  tries: number,
): Promise<Row[]> {
  const tookMs: Record<string, number[]> = {};
  const answers = new Set<string>();
  for (let i = 0, address = 0; i < WARM_UP + tries; i++) {
    for (const [kind, requestOf] of inTurn(Object.entries(kinds), i)) {
      const connection = await openConnection(host, { localAddress: loopback(address++), anyStatus: true });
      const request = requestOf(i);
      const startedAt = performance.now();
      const answer = await connection.exchange(request);
      if (i >= WARM_UP) (tookMs[kind] ??= []).push(performance.now() - startedAt);
      answers.add(withoutDate(answer));
      connection.close();
    }
  }
  const medians = Object.values(tookMs).map(median);
  return [
    ...Object.entries(tookMs).map(([kind, samples]): Row => ({
      what: kind,
      unit: 'ms',
      rounds: [median(samples)],
    })),
    {
      what: 'the slowest median beyond the fastest',
      unit: '%',
      rounds: [(Math.max(...medians) / Math.min(...medians) - 1) * 100],
      target: { kind: 'below', limit: 5 },
    },
    {
      what: 'different answers, head and body',
      unit: '',
      rounds: [answers.size],
      target: { kind: 'below', limit: 2 },
    },
  ];
}

/** Begins with another one each time: what follows what must not matter. */
function inTurn<Item>(items: readonly Item[], turn: number): Item[] {
  const first = turn % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

function withoutDate({ head, body }: Answer): string {
  return `${head.replace(/^date: .*$/im, '')}\r\n${body}`;
}
