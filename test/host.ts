/** A real host for a test, on a data folder of its own, and an HTTPS client that trusts it; both gone afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request, type RequestOptions } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOST_ACTOR, type AuditEntry } from '../server/audit/audit.ts';
import type { App } from '../server/apps/app.ts';
import { loadConfig } from '../server/config/load.ts';
import type { EventName, Events } from '../server/events.ts';
import type { Features, Settings } from '../server/features.ts';
import { startHost, type Host } from '../server/host.ts';
import { createSystemClock, type Clock } from '../server/ports/clock.ts';
import { createMemoryLog, type MemoryLog } from '../server/ports/log.ts';
import { createSystemRandom } from '../server/ports/random.ts';
import { loadSecrets } from '../server/secrets/secrets.ts';
import type { Session } from '../server/sessions/session.ts';
import type { User, UserType } from '../server/users/user.ts';

/** Satisfies the policy; every user of `addUser` has it. */
export const PASSWORD = 'the quiet pump house';

/** Hashes that cost next to nothing, and no lockout: only the tests that are about them set them otherwise. */
const CHEAP: Readonly<Record<string, string>> = {
  'http.port': '0',
  'passwords.memoryKib': '8',
  'passwords.iterations': '1',
  'lockout.delayAfter': '0',
  'lockout.tries': '0',
  'lockout.addressTries': '0',
};

export interface HostOptions {
  /** Settings by path, as on the command line. */
  readonly config?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  /** One that stays when the host is closed; by default one that does not. */
  readonly dataFolder?: string;
  /** The room on the disk; by default what there is. */
  readonly freeBytes?: () => Promise<number>;
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string;
  /** The secret of the session cookie. */
  readonly cookie?: string;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly raw?: string | Uint8Array;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Names and values as they came over the wire, in their order. */
  readonly rawHeaders: readonly string[];
  readonly text: string;
  /** The body from JSON; undefined where there is none. */
  readonly body: unknown;
}

export interface TestHost extends AsyncDisposable {
  readonly host: Host;
  readonly features: Features;
  readonly url: string;
  readonly port: number;
  /** PEM of the certificate to trust. */
  readonly ca: string;
  readonly dataFolder: string;
  readonly log: MemoryLog;
  /** Sends one request and resolves with whatever the answer is. */
  ask(method: string, path: string, ask?: Ask): Promise<Answer>;
  addUser(name: string, options?: UserOptions): Promise<User>;
  /** Adds an app; `users` are let in with the data that stands beside them. */
  addApp(name: string, options?: AppOptions): Promise<{ app: App; key: string }>;
  /** Signs in by the API for a pair of tokens, at Keyswitch itself or at an app. */
  signIn(username: string, appId?: string): Promise<Bearer>;
  /** Signs in by the API for a cookie; resolves with its secret. */
  signInForCookie(username: string, appId?: string): Promise<string>;
  /** What the features have published since this was last asked, in a word each: `SessionOpened olivia at HMI`. */
  events(): string[];
  /** Resolves when the features have published `count` more events of this name. */
  published(name: EventName, count?: number): Promise<void>;
  /** The audit rows since this was last asked, oldest first, in a line each. */
  trail(): Promise<string[]>;
  close(): Promise<void>;
}

export interface UserOptions {
  readonly type?: UserType;
  readonly mustChange?: boolean;
  readonly logoutTimeInMin?: number;
}

export interface AppOptions {
  readonly logoutTimeInMin?: number;
  readonly idleLimitInMin?: number;
  readonly users?: Readonly<Record<string, string>>;
}

export interface Bearer {
  readonly sessionId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Starts it on a free port of 127.0.0.1. */
export async function startTestHost(options: HostOptions = {}): Promise<TestHost> {
  const { config = {}, clock = createSystemClock() } = options;
  const dataFolder = options.dataFolder ?? newFolder();
  const log = createMemoryLog(clock.now);
  const random = createSystemRandom();
  const settings: Settings = {
    dataFolder,
    config: loadConfig({ dataFolder, env: {}, flags: { ...CHEAP, ...config } }),
    secrets: loadSecrets({ dataFolder, env: {}, random, log }),
  };
  const host = await startHost(settings, {
    ...{ clock, random, log },
    ...(options.freeBytes !== undefined && { freeBytes: options.freeBytes }),
  });
  const { features, url } = host;
  const ca = host.tls.caCertificate ?? '';
  const agent = new Agent({ keepAlive: true, ca });
  const seen = record(features);
  const ask: TestHost['ask'] = (method, path, given = {}) => send(url, agent, method, path, given);
  let audited = (await features.audit.newest(1))[0]?.seq ?? 0;

  async function signIn(json: Record<string, unknown>): Promise<Answer> {
    const answer = await ask('POST', '/api/v1/sign-in', { json: { password: PASSWORD, ...json } });
    if (answer.status !== 200)
      throw new Error(`${String(json['username'])} could not sign in: ${answer.text}`);
    return answer;
  }

  async function close(): Promise<void> {
    agent.destroy();
    await host.close();
    if (options.dataFolder === undefined) rmSync(dataFolder, { recursive: true, force: true });
  }

  return {
    host,
    features,
    url,
    port: Number(new URL(url).port),
    ca,
    dataFolder,
    log,
    ask,
    addUser: (name, { type = 'Active', mustChange = false, logoutTimeInMin = null } = {}) =>
      features.users.add({ name, type, mustChange, logoutTimeInMin, password: PASSWORD }, HOST_ACTOR),
    async addApp(name, { logoutTimeInMin = 10, idleLimitInMin, users = {} } = {}) {
      const limits = { logoutTimeInMin, idleLimitInMin: idleLimitInMin ?? null };
      const added = await features.apps.add({ name, ...limits }, HOST_ACTOR);
      for (const [userName, data] of Object.entries(users)) {
        const user = await features.users.byName(userName);
        if (user === null) throw new Error(`no user is named ${userName}`);
        await features.apps.grant(added.app, user, data, HOST_ACTOR);
      }
      return added;
    },
    async signIn(username, appId) {
      const { body } = await signIn({ username, appId });
      const { session, accessToken, refreshToken } = body as Bearer & { session: { id: string } };
      return { sessionId: session.id, accessToken, refreshToken };
    },
    async signInForCookie(username, appId) {
      const { headers } = await signIn({ username, appId, presentation: 'cookie' });
      return /=([^;]+)/.exec(headers['set-cookie']?.[0] ?? '')?.[1] ?? '';
    },
    events: () => seen.splice(0),
    published: (name, count = 1) =>
      new Promise((resolve) => {
        let left = count;
        const stop = features.bus.on(name, () => {
          left -= 1;
          if (left > 0) return;
          stop();
          resolve();
        });
      }),
    async trail() {
      const rows = (await features.audit.newest(1000)).filter(({ seq }) => seq > audited).reverse();
      audited = rows.at(-1)?.seq ?? audited;
      return rows.map(inALine);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** A folder that belongs to the test; its maker deletes it. */
export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'keyswitch-test-'));
}

/** Sends one request over `agent`; rejects where no answer comes. */
export function send(
  url: string,
  agent: Agent,
  method: string,
  path: string,
  given: Ask = {},
): Promise<Answer> {
  const { headers = {}, token, cookie, json, raw } = given;
  const body = json === undefined ? raw : JSON.stringify(json);
  const { hostname, port } = new URL(url);
  const options: RequestOptions = {
    agent,
    method,
    hostname,
    port,
    path,
    headers: {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(cookie !== undefined && { Cookie: `__Host-keyswitch=${cookie}` }),
      ...(json !== undefined && { 'Content-Type': 'application/json' }),
      ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }),
      ...headers,
    },
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const isJson = /[/+]json/.test(response.headers['content-type'] ?? '') && text !== '';
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          rawHeaders: response.rawHeaders,
          text,
          body: isJson ? (JSON.parse(text) as unknown) : undefined,
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Notes what is published. */
function record({ bus }: Features): string[] {
  const seen: string[] = [];
  const words: { [Name in EventName]: (event: Events[Name]) => string } = {
    SessionOpened: ({ session }) => `${inWords(session)}`,
    SessionEnded: ({ session, reason, successor }) =>
      `${inWords(session)}: ${reason}${successor === null ? '' : `, followed by ${successor.user.name}`}`,
    UserChanged: ({ user }) => user.name,
    AppChanged: ({ app }) => app.name,
    LinkChanged: () => '',
    StorageChanged: ({ state }) => state,
    BackupChanged: ({ failure }) => failure?.fault ?? 'made',
  };
  for (const name of Object.keys(words) as EventName[]) {
    bus.on(name, (event) =>
      seen.push(`${name} ${(words[name] as (event: unknown) => string)(event)}`.trim()),
    );
  }
  return seen;
}

function inWords({ user, app }: Session): string {
  return `${user.name} at ${app?.name ?? 'Keyswitch'}`;
}

function inALine({ action, actor, subject, app, door, reason }: AuditEntry): string {
  const words = [action, `by ${actor}`, `via ${door}`];
  if (subject !== null) words.push(`of ${subject}`);
  if (app !== null) words.push(`at ${app}`);
  if (reason !== null) words.push(`(${reason})`);
  return words.join(' ');
}
