/** Holds subscribers of one server, in a process of their own, while something changes there; looks at the server's memory. Input as JSON. */
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { openConnection, type Endpoint } from './client.ts';
import { residentMib } from './harness.ts';
import { openSubscribers, type Form } from './subscribers-client.ts';

export interface HolderInput {
  readonly endpoint: Endpoint;
  readonly pid: number;
  readonly forms: readonly Form[];
  readonly count: number;
  readonly appId: string;
  /** Whole requests, each of which changes what the subscribers follow; sent in turn. */
  readonly changes: readonly string[];
  readonly intervalMs: number;
  readonly seconds: number;
}

export interface HolderOutput {
  /** What the server held without any of them. */
  readonly beforeMib: number;
  /** After each change. */
  readonly heldMib: readonly number[];
  /** From each request to the moment when all of them had been told, in milliseconds. */
  readonly toldMs: readonly number[];
}

/** What the first changes leave in memory for good is no subscriber's. */
const WARM_UPS = 200;
const SETTLE_MS = 2000;

const { endpoint, pid, forms, count, appId, changes, intervalMs, seconds } = JSON.parse(
  await text(process.stdin),
) as HolderInput;
const changeOf = (index: number): Buffer => Buffer.from(changes[index % changes.length] ?? '');

const warmUp = await openConnection(endpoint);
for (let i = 0; i < WARM_UPS; i++) await warmUp.exchange(changeOf(i));
warmUp.close();
await sleep(SETTLE_MS);
const beforeMib = residentMib(pid);
const subscribers = await openSubscribers(endpoint, { forms, count, appId });
await sleep(SETTLE_MS);
const connection = await openConnection(endpoint);

const heldMib: number[] = [];
const toldMs: number[] = [];
for (let i = 0; i < (seconds * 1000) / intervalMs; i++) {
  const told = subscribers.next();
  const sentAt = performance.now();
  const [{ lastAt }] = await Promise.all([told, connection.exchange(changeOf(i))]);
  toldMs.push(lastAt - sentAt);
  await sleep(Math.max(intervalMs - (performance.now() - sentAt), 0));
  heldMib.push(residentMib(pid));
}
const output: HolderOutput = { beforeMib, heldMib, toldMs };
process.stdout.write(JSON.stringify(output), () => process.exit());
