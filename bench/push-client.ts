/** The subscribers of both servers in a process of their own: the servers take turns to tell them something; input as JSON. */
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { openConnection, requestTo, type Endpoint } from './client.ts';
import { openSubscribers, type Form, type Subscribers } from './subscribers-client.ts';

export interface PushInput {
  readonly host: Endpoint;
  readonly bare: Endpoint;
  readonly form: Form;
  readonly count: number;
  readonly appId: string;
  /** The whole request that brings somebody to the app. */
  readonly signIn: string;
  readonly rounds: number;
}

/** In milliseconds, one of each for each round. */
export interface Pushed {
  /** From the moment when the first subscriber had it. */
  readonly fromFirst: number[];
  readonly fromRequest: number[];
}

export interface PushOutput {
  readonly host: Pushed;
  readonly bare: Pushed;
}

const WARM_UPS = 3;
/** So that what one side leaves to be done is not in the time of the other. */
const PAUSE_MS = 100;

const { host, bare, form, count, appId, signIn, rounds } = JSON.parse(await text(process.stdin)) as PushInput;
const atHost = await openSubscribers(host, { forms: [form], count, appId });
const atBare = await openSubscribers(bare, { forms: ['bare'], count, appId });
const [toHost, toBare] = await Promise.all([openConnection(host), openConnection(bare)]);
const signOut = requestTo(host, `/api/Token/${appId}`, { method: 'DELETE' });
const output: PushOutput = {
  host: { fromFirst: [], fromRequest: [] },
  bare: { fromFirst: [], fromRequest: [] },
};

for (let round = -WARM_UPS; round < rounds; round++) {
  const signedIn = atHost.next();
  await toHost.exchange(Buffer.from(signIn));
  await signedIn;
  const byHost = await push(atHost, () => toHost.exchange(signOut));
  const broadcast = requestTo(bare, '/broadcast', { body: { message: atHost.lastMessage() } });
  const byBare = await push(atBare, () => toBare.exchange(broadcast));
  if (round < 0) continue;
  note(output.host, byHost);
  note(output.bare, byBare);
}
process.stdout.write(JSON.stringify(output), () => process.exit());

type Times = Readonly<Record<keyof Pushed, number>>;

async function push(subscribers: Subscribers, change: () => Promise<unknown>): Promise<Times> {
  await sleep(PAUSE_MS);
  const told = subscribers.next();
  const sentAt = performance.now();
  const [{ firstAt, lastAt }] = await Promise.all([told, change()]);
  return { fromFirst: lastAt - firstAt, fromRequest: lastAt - sentAt };
}

function note(pushed: Pushed, times: Times): void {
  pushed.fromFirst.push(times.fromFirst);
  pushed.fromRequest.push(times.fromRequest);
}
