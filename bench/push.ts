/** The push: how much longer than a bare broadcast it takes until everybody at an app knows who is at the controls. */
import { join } from 'node:path';
import { runChild, type Bench, type Row } from './harness.ts';
import {
  prepareApp,
  prepareDataFolder,
  signInRequest,
  startBarePush,
  startHost,
  type Host,
  type Server,
} from './host.ts';
import type { PushInput, PushOutput } from './push-client.ts';
import type { Form } from './subscribers-client.ts';

const SUBSCRIBERS = 1000;
const ROUNDS = 21;
const FORMS: readonly (readonly [Form, string])[] = [
  ['iauth', 'iAuth, AppId over /ws'],
  ['native', 'our protocol over /ws'],
];

export const push: Bench = {
  title: `one change of state to ${SUBSCRIBERS} subscribers over TLS`,
  async run() {
    const folder = await prepareDataFolder();
    const appId = await prepareApp(folder);
    await using host = await startHost(folder);
    await using bare = await startBarePush(host);
    const rows: Row[] = [];
    for (const [form, name] of FORMS) rows.push(...rowsOf(name, await pushed(host, bare, form, appId)));
    return rows;
  },
};

async function pushed(host: Host, bare: Server, form: Form, appId: string): Promise<PushOutput> {
  const [{ url, ca }, signIn] = [host, signInRequest(host, { appId }).toString()];
  const input: PushInput = {
    host: { url, ca },
    bare: { url: bare.url, ca },
    ...{ form, count: SUBSCRIBERS, appId, signIn, rounds: ROUNDS },
  };
  const printed = await runChild([join(import.meta.dirname, 'push-client.ts')], {
    input: JSON.stringify(input),
    timeoutMs: 300_000,
  });
  return JSON.parse(printed) as PushOutput;
}

/** From the first who knows it is the broadcast alone; from the request it holds the host's commit on disk as well. */
function rowsOf(name: string, { host, bare }: PushOutput): Row[] {
  const row = (side: PushOutput['host'], what: string): Row => ({ what, unit: 'ms', rounds: side.fromFirst });
  return [
    {
      ...row(host, `${name}: from the first who has it to the last`),
      against: row(bare, 'ws alone'),
      target: { kind: 'within', limit: 1.5 },
    },
    {
      what: `${name}: from the request for the change to the last`,
      unit: 'ms',
      rounds: host.fromRequest,
      against: { what: 'ws alone', unit: 'ms', rounds: bare.fromRequest },
      target: { kind: 'within', limit: 1.5 },
    },
  ];
}
