/** What the host has answered is true after a power cut: it is killed in the middle of its work, again and again. */
import { rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { createFixedRandom } from './ports/random.ts';
import { keyswitch, serve, type Serving } from '../test/command-line.ts';
import { newFolder, PASSWORD, send, startTestHost, type Answer, type Ask } from '../test/host.ts';

/** Passwords are mistyped here without end. */
const NO_LOCKOUT = 'lockout: { delayAfter: 0, tries: 0, addressTries: 0 }\n';
const KILLS = 6;
const USERS = ['ann', 'ben', 'cleo', 'dan'];
/** Each client has an app of its own, so that the order of its answers is the order of what happened there. */
const CLIENTS = ['HMI 1', 'HMI 2', 'HMI 3', 'HMI 4', 'HMI 5', 'HMI 6'];

/** What a client knows of one session. */
interface Known {
  readonly id: string;
  readonly token: string;
  readonly app: string | null;
  /** `open`: it must be good. `ended`: it must not. `unsure`: what would have ended it was never answered. */
  state: 'open' | 'ended' | 'unsure';
  signedOut: boolean;
}

test('every sign-in, refusal and sign-out that was answered is there after each of several kills', async () => {
  const folder = newFolder();
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const appIds = await populate(folder);
  writeFileSync(join(folder, 'keyswitch.yaml'), NO_LOCKOUT);
  const random = createFixedRandom('kill -9');
  const below = (limit: number): number => random.bytes(4).readUInt32BE() % limit;
  const known: Known[] = [];
  const refused = { answered: 0, asked: 0 };
  let answers = 0;

  async function work(ask: Asking, app: string, isOver: () => boolean): Promise<void> {
    const appId = appIds.get(app);
    const mine = (at: string | null) =>
      known.findLast((session) => session.app === at && session.state !== 'ended');
    try {
      while (!isOver()) {
        const username = USERS[below(USERS.length)]!;
        const action = below(10);
        if (action < 4) await signIn(ask, { username, password: PASSWORD, appId }, app, mine(app));
        else if (action < 7) await signIn(ask, { username, password: PASSWORD }, null, undefined);
        else if (action < 9) await refuse(ask, { username, password: 'wrong', appId });
        else await signOut(ask, mine(below(2) === 0 ? app : null));
        answers += 1;
      }
    } catch (error) {
      // The connection was cut: what this client asked last was never answered.
      if (!isOver()) throw error;
    }
  }

  async function signIn(
    ask: Asking,
    json: object,
    app: string | null,
    former: Known | undefined,
  ): Promise<void> {
    const before = former?.state;
    if (former !== undefined) former.state = 'unsure';
    const { status, body } = await ask('POST', '/api/v1/sign-in', { json });
    expect(status).toBe(200);
    const { accessToken: token, session } = body as { accessToken: string; session: { id: string } };
    if (former !== undefined && before !== undefined) former.state = 'ended';
    known.push({ id: session.id, token, app, state: 'open', signedOut: false });
  }

  async function refuse(ask: Asking, json: object): Promise<void> {
    refused.asked += 1;
    const { status } = await ask('POST', '/api/v1/sign-in', { json });
    expect(status).toBe(401);
    refused.answered += 1;
  }

  async function signOut(ask: Asking, session: Known | undefined): Promise<void> {
    if (session === undefined || session.state !== 'open') return;
    session.state = 'unsure';
    const { status } = await ask('POST', '/api/v1/sign-out', { token: session.token });
    expect(status).toBe(204);
    session.state = 'ended';
    session.signedOut = true;
  }

  async function expectAllAsAnswered(ask: Asking): Promise<void> {
    const look = async (session: Known): Promise<void> => {
      const { status } = await ask('GET', '/api/v1/session', { token: session.token });
      if (session.state === 'unsure') session.state = status === 200 ? 'open' : 'ended';
      expect(status, `session ${session.id} at ${session.app}`).toBe(session.state === 'open' ? 200 : 401);
    };
    await Promise.all(known.map(look));
  }

  for (let kill = 0; kill < KILLS; kill += 1) {
    const host = await serve(folder);
    const ask = asking(host);
    await expectAllAsAnswered(ask);
    const enough = answers + 20 + below(40);
    let isOver = false;
    const clients = CLIENTS.map((app) => work(asking(host), app, () => isOver));
    while (answers < enough) await Promise.race([...clients, turn()]);
    for (let turns = below(5); turns > 0; turns -= 1) await turn();
    isOver = true;
    expect(await host.stop('SIGKILL')).toMatchObject({ code: null, signal: 'SIGKILL' });
    await Promise.all(clients);
  }

  const host = await serve(folder);
  await expectAllAsAnswered(asking(host));
  expect((await host.stop()).code).toBe(0);
  expectTrail(folder, known, refused);
  expect(await keyswitch(['audit', 'verify', '--data', folder])).toMatchObject({ code: 0 });
  expect([known.length > 60, known.some(({ signedOut }) => signedOut), refused.answered > 20]).toEqual([
    true,
    true,
    true,
  ]);
});

type Asking = (method: string, path: string, ask?: Ask) => Promise<Answer>;

function asking({ url, control }: Serving): Asking {
  const agent = new Agent({ ca: control.trust, keepAlive: true, maxSockets: 4 });
  return (method, path, ask) => send(url, agent, method, path, ask);
}

/** Makes users and apps, and stops; resolves with the AppIds by name. */
async function populate(dataFolder: string): Promise<Map<string, string>> {
  await using host = await startTestHost({ dataFolder });
  for (const user of USERS) await host.addUser(user);
  const users = Object.fromEntries(USERS.map((user, at) => [user, String(at)]));
  const ids = new Map<string, string>();
  for (const name of CLIENTS) ids.set(name, (await host.addApp(name, { users, logoutTimeInMin: 60 })).app.id);
  return ids;
}

/** Holds the audit trail, as it is on disk, against what was answered. */
function expectTrail(
  folder: string,
  known: readonly Known[],
  refused: { answered: number; asked: number },
): void {
  const db = new Database(join(folder, 'keyswitch.db'), { readonly: true });
  const rows = db.prepare('select action, reason, detail from audit').all() as Record<
    'action' | 'reason' | 'detail',
    string
  >[];
  db.close();
  const sessionsOf = (action: string, reason: string) =>
    rows
      .filter((row) => row.action === action && row.reason === reason)
      .map(({ detail }) => (JSON.parse(detail) as { session?: string }).session);
  const signedIn = sessionsOf('sign-in', 'password');
  const signedOut = sessionsOf('session-ended', 'signed-out');
  expect(new Set(signedIn).size).toBe(signedIn.length);
  for (const { id } of known) expect(signedIn).toContain(id);
  for (const { id } of known.filter((session) => session.signedOut)) expect(signedOut).toContain(id);
  const refusals = sessionsOf('sign-in-refused', 'wrong-password').length;
  expect(refusals).toBeGreaterThanOrEqual(refused.answered);
  expect(refusals).toBeLessThanOrEqual(refused.asked);
}
