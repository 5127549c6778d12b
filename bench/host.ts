/** The hosts of the benches: Keyswitch as it is delivered, and the peer, each in a process of its own. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openConnection, requestTo, type Endpoint } from './client.ts';
import { runChild, scratchFolder, startChild, type Child } from './harness.ts';

const LAUNCHER = join(import.meta.dirname, '..', 'server', 'keyswitch.js');
const PEERS = join(import.meta.dirname, 'peers');
/** The one user of the benches. */
export const USER = 'bench';
const PASSWORD = 'nobody needs to remember this';

export interface Server extends Endpoint, Child {}

export interface Host extends Server {
  readonly tlsFolder: string;
}

/** Runs a command of the command line and resolves with what it printed. */
export function keyswitch(args: readonly string[], input = ''): Promise<string> {
  return runChild([LAUNCHER, ...args], { input });
}

/** Makes a data folder with the one user of the benches; `settings` hold from the beginning. */
export async function prepareDataFolder(settings: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = scratchFolder();
  for (const [key, value] of Object.entries(settings)) {
    await keyswitch(['config', 'set', key, value, '--data', folder]);
  }
  await addUser(folder, USER);
  return folder;
}

export async function addUser(folder: string, name: string, flags: readonly string[] = []): Promise<void> {
  await keyswitch(['user', 'add', name, '--password-stdin', '--data', folder, ...flags], PASSWORD);
}

/** Adds an app that the user of the benches may use; resolves with its id. */
export async function prepareApp(folder: string): Promise<string> {
  const data = ['--data', folder];
  const { id } = JSON.parse(await keyswitch(['app', 'add', 'HMI', '--json', ...data])) as { id: string };
  await keyswitch(['app', 'grant', 'HMI', USER, '5', ...data]);
  return id;
}

/** Starts the host on `folder`; what the first start makes is made before a measured one. */
export async function startHost(
  folder: string,
  flags: readonly string[] = [],
  { preload, env = {} }: { preload?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Host> {
  const node = preload === undefined ? [] : ['--import', preload];
  const child = await startChild(
    [...node, LAUNCHER, 'serve', '--data', folder, '--port', '0', ...flags],
    /^Keyswitch ready: (\S+)/,
    { env },
  );
  const tlsFolder = join(folder, 'tls');
  return { ...child, url: child.ready, ca: readFileSync(join(tlsFolder, 'ca.crt'), 'utf8'), tlsFolder };
}

export function signInRequest(
  host: Endpoint,
  { user = USER, appId }: { user?: string; appId?: string } = {},
): Buffer {
  return requestTo(host, '/api/v1/sign-in', { body: { username: user, password: PASSWORD, appId } });
}

/** Signs in and renders the request that asks for the session with its bearer token. */
export async function sessionRequest(
  host: Endpoint,
  user = USER,
): Promise<{ request: Buffer; headers: Record<string, string> }> {
  const { body } = await ask(host, signInRequest(host, { user }));
  const { accessToken } = JSON.parse(body) as { accessToken: string };
  const headers = { Authorization: `Bearer ${accessToken}` };
  return { request: requestTo(host, '/api/v1/session', { headers }), headers };
}

async function ask(endpoint: Endpoint, request: Buffer) {
  const connection = await openConnection(endpoint);
  try {
    return await connection.exchange(request);
  } finally {
    connection.close();
  }
}

/** Starts the bare server with the host's certificate. */
export async function startHello({ ca, tlsFolder }: Pick<Host, 'ca' | 'tlsFolder'>): Promise<Server> {
  const child = await startChild([join(import.meta.dirname, 'hello.ts'), tlsFolder], /^ready: (\S+)/);
  return { ...child, url: child.ready, ca };
}

/** Starts the bare WebSocket server with the host's certificate. */
export async function startBarePush({ ca, tlsFolder }: Pick<Host, 'ca' | 'tlsFolder'>): Promise<Server> {
  const child = await startChild([join(import.meta.dirname, 'bare-push.ts'), tlsFolder], /^ready: (\S+)/);
  return { ...child, url: child.ready, ca };
}

/** Starts the peer with the host's certificate, on a database of its own; installs it where it is not. */
export async function startPeer({ ca, tlsFolder }: Host): Promise<Server> {
  installPeers();
  const child = await startChild(
    [join(PEERS, 'better-auth.js'), tlsFolder, join(scratchFolder(), 'peer.db')],
    /^ready: (\S+)/,
    { env: { BENCH_PASSWORD: PASSWORD } },
  );
  return { ...child, url: child.ready, ca };
}

function installPeers(): void {
  if (existsSync(join(PEERS, 'node_modules'))) return;
  console.log('bench: installing the peers in bench/peers (npm ci), once');
  const path = `${dirname(process.execPath)}:${process.env['PATH']}`;
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: PEERS,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH: path },
  });
  if (status !== 0) throw new Error('the peers could not be installed: npm ci failed in bench/peers');
}

export function peerSignInRequest(peer: Endpoint): Buffer {
  const body = { email: 'bench@example.com', password: PASSWORD };
  return requestTo(peer, '/api/auth/sign-in/email', { body });
}

/** Signs in at the peer and renders the request that asks for the session with its cookie. */
export async function peerSessionRequest(peer: Endpoint): Promise<Buffer> {
  const { head } = await ask(peer, peerSignInRequest(peer));
  const cookie = /^set-cookie: ([^;\r]*session_token=[^;\r]+)/im.exec(head)?.[1];
  if (cookie === undefined) throw new Error('the peer set no session cookie');
  const request = requestTo(peer, '/api/auth/get-session', { headers: { Cookie: cookie } });
  const { body } = await ask(peer, request);
  // It answers 200 and null where the cookie is no good.
  if (!body.includes('bench@example.com')) throw new Error(`the peer knows no session: ${body}`);
  return request;
}
