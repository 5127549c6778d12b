/** A screen in a process of its own: asks on one connection at a fixed beat and prints how long the answers took; input as JSON. */
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { openConnection, type Endpoint } from './client.ts';

export interface CheckerInput {
  readonly endpoint: Endpoint;
  /** The whole request. */
  readonly request: string;
  readonly intervalMs: number;
  readonly seconds: number;
}

export interface CheckerOutput {
  /** Answers that came. */
  readonly answers: number;
  /** How long each took that was due, in milliseconds; those that could not even be asked for included. */
  readonly tookMs: readonly number[];
}

const { endpoint, request, intervalMs, seconds } = JSON.parse(await text(process.stdin)) as CheckerInput;
const connection = await openConnection(endpoint);
const bytes = Buffer.from(request);
await connection.exchange(bytes);

const tookMs: number[] = [];
let answers = 0;
const end = performance.now() + seconds * 1000;
while (performance.now() < end) {
  const sentAt = performance.now();
  await connection.exchange(bytes);
  answers++;
  const took = performance.now() - sentAt;
  // A slow answer also holds up the questions that fall due meanwhile: without them it would count as one among
  // many, however long it was.
  for (let ms = took; ms > 0; ms -= intervalMs) tookMs.push(ms);
  await sleep(Math.max(intervalMs - took, 0));
}
connection.close();
process.stdout.write(JSON.stringify({ answers, tookMs } satisfies CheckerOutput));
