/** Starts the packed program as the desktop and as the command line, and signs in at both. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:https';
import { text } from 'node:stream/consumers';
import { readControl } from '../../server/control.ts';
import { VERSION } from '../../server/product.ts';
import { pageOf, readyUrl, watch } from '../../test/electron/desktop.ts';
import { openStandIn } from '../../test/electron-stand-in/desktop.ts';
import { send } from '../../test/host.ts';

const PASSWORD = 'the quiet pump house';

/** The desktop shows its page, and the first administrator signs in with the secret that it was started with. */
export async function checkDesktop(program: string, dataFolder: string): Promise<void> {
  const desktop = openStandIn(['--data', dataFolder, '--port', '0'], [program]);
  try {
    await readyUrl(desktop);
    const page = await pageOf(desktop, 'window');
    await page.locator('[autocomplete=username]').waitFor();
    const [, name = '', secret = ''] = /user (\S+), one-time secret (\S+)/.exec(desktop.output()) ?? [];
    await signInFirst(dataFolder, name, secret);
  } finally {
    await desktop.end();
  }
}

/** The command line serves, adds a user to the running host, stops on a signal, makes a backup, and tells what is wrong. */
export async function checkCommandLine(program: string, dataFolder: string): Promise<void> {
  const host = watch(
    spawn(program, ['serve', '--data', dataFolder, '--port', '0'], { env: withoutDisplay() }),
  );
  try {
    await readyUrl(host);
    const added = await run(program, ['user', 'add', 'anna', '--json', '--data', dataFolder]);
    const { oneTimeSecret } = JSON.parse(added) as { oneTimeSecret: string };
    await signInFirst(dataFolder, 'anna', oneTimeSecret);
  } finally {
    host.process.kill('SIGTERM');
  }
  const code = await host.ended;
  if (code !== 0) throw new Error(`serve ended with ${code}: ${host.output()}`);
  if (readControl(dataFolder) !== null) throw new Error('serve left its key behind');
  const listed = await run(program, ['user', 'list', '--data', dataFolder]);
  if (!listed.includes('anna')) throw new Error(`the stopped host's users: ${listed}`);
  // A thread of its own: its file has to be in the package.
  await run(program, ['config', 'set', 'backups.folder', dataFolder, '--data', dataFolder]);
  await run(program, ['backup', 'make', '--data', dataFolder]);
  await run(program, ['sevre'], 2);
  const version = await run(program, ['--version']);
  if (version !== `${VERSION}\n`) throw new Error(`--version says ${version}`);
}

/** Runs a command to its end and resolves with what it printed; rejects where it ends otherwise than expected. */
async function run(program: string, args: readonly string[], expected = 0): Promise<string> {
  const child = spawn(program, args, { env: withoutDisplay(), stdio: ['ignore', 'pipe', 'pipe'] });
  const [[code], printed, complaints] = await Promise.all([
    once(child, 'exit') as Promise<[number | null]>,
    text(child.stdout),
    text(child.stderr),
  ]);
  if (code !== expected) throw new Error(`${args.join(' ')} ended with ${code}: ${printed}${complaints}`);
  return printed;
}

function withoutDisplay(): NodeJS.ProcessEnv {
  const { DISPLAY: _, WAYLAND_DISPLAY: __, ...env } = process.env;
  return env;
}

/** Goes the way of every first sign-in: refused for the secret alone, then a password of one's own, then a session. */
async function signInFirst(dataFolder: string, username: string, secret: string): Promise<void> {
  const control = readControl(dataFolder);
  if (control === null) throw new Error('the packed host is not ready');
  const { url, trust } = control;
  const agent = new Agent({ ca: trust });
  try {
    const credential = { username, password: secret };
    const refusal = await send(url, agent, 'POST', '/api/v1/sign-in', { json: credential });
    const { ticket } = refusal.body as { ticket?: string };
    const change = { ticket, newPassword: PASSWORD };
    const changed = await send(url, agent, 'POST', '/api/v1/password-change', { json: change });
    const { accessToken: token = '' } = changed.body as { accessToken?: string };
    const session = await send(url, agent, 'GET', '/api/v1/session', { token });
    if (!session.text.includes(`"${username}"`))
      throw new Error(`${username} has no session: ${changed.text}`);
    for (const path of ['/', '/licences.html', '/clients/keyswitch.js', '/swagger/swagger-ui.css']) {
      const { status } = await send(url, agent, 'GET', path);
      if (status !== 200) throw new Error(`${path} is answered with ${status}`);
    }
  } finally {
    agent.destroy();
  }
}
