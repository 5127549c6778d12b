/** The programs in docs/clients and in the client's README do what stands beside them: each is run as it is printed. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { newFolder, PASSWORD, startTestHost } from './host.ts';

const root = join(import.meta.dirname, '..');
const house = await startTestHost();
await house.addUser('olivia');
const { app } = await house.addApp('HMI', { users: { olivia: '5' } });
const folder = newFolder();
const ca = join(folder, 'ca.crt');
writeFileSync(ca, house.ca);
afterAll(async () => {
  await house.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The first block of `language` in a document. */
function example(document: string, language: string): string {
  const text = readFileSync(join(root, document), 'utf8');
  const block = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(text)?.[1];
  if (block === undefined) throw new Error(`${document} has no example in ${language}`);
  return block;
}

/** Starts a program; its lines wait until they are asked for. */
function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const program = spawn(command, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void program.kill());
  const ended = new Promise<number | null>((resolve) => program.on('close', resolve));
  const lines = createInterface({ input: program.stdout })[Symbol.asyncIterator]();
  let complaint = '';
  /** Resolves when this stands in what it has complained of. */
  const complained = (wanted: string): Promise<void> =>
    new Promise((resolve) => {
      program.stderr.on('data', (data: Buffer) => {
        complaint += data.toString();
        if (complaint.includes(wanted)) resolve();
      });
    });
  return {
    ended,
    complained,
    async line(): Promise<string> {
      const { done, value } = await lines.next();
      if (done === true) throw new Error('the program has ended');
      return value;
    },
  };
}

const PYTHONS = [process.env['PYTHON'], '/usr/bin/python3'];
const python = PYTHONS.find((path) => path !== undefined && existsSync(path)) ?? 'python3';

/** Starts the example in front of a host. */
function startPython({ url }: { readonly url: string }, trusted: string, appId: string) {
  if (spawnSync(python, ['-c', 'import websockets']).status !== 0)
    throw new Error(`${python} has no websockets: apt-get install python3-websockets`);
  writeFileSync(join(folder, 'follow.py'), example('docs/clients/python.md', 'python'));
  return start(python, ['follow.py', `${url.replace('https', 'wss')}/ws`, trusted, appId]);
}

test('the Python example follows an app, and says when it is lost', async () => {
  const plant = await startTestHost();
  await plant.addUser('olivia');
  const { app: panel } = await plant.addApp('Panel', { users: { olivia: '7' } });
  writeFileSync(join(folder, 'plant.crt'), plant.ca);
  const program = startPython(plant, 'plant.crt', panel.id);
  expect(await program.line()).toBe('None None');
  await plant.signIn('olivia', panel.id);
  expect(await program.line()).toBe('olivia 7');
  await plant.close();
  expect(await program.line()).toMatch(/^no connection/);
});

test('the Python example ends at an app that the host does not know', async () => {
  const program = startPython(house, ca, '00000000-0000-4000-8000-000000000000');
  await program.complained('refused: no app has this AppId');
  expect(await program.ended).toBe(1);
});

test('the Python example does not believe a host whose authority it was not given', async () => {
  const stranger = await startTestHost();
  await stranger.close();
  writeFileSync(join(folder, 'stranger.crt'), stranger.ca);
  await startPython(house, 'stranger.crt', app.id).complained('CERTIFICATE_VERIFY_FAILED');
});

test("the README's quick start runs on the package as it is built", async () => {
  mkdirSync(join(folder, 'node_modules', '@keyswitch'), { recursive: true });
  symlinkSync(join(root, 'dist', 'clients', 'js'), join(folder, 'node_modules', '@keyswitch', 'client'));
  const program = example('clients/js/README.md', 'js')
    .replaceAll('https://keyswitch.example:8443', house.url)
    .replaceAll('00000000-0000-4000-8000-000000000000', app.id)
    .replace("'anna'", "'olivia'")
    .replace("'the password'", `'${PASSWORD}'`);
  writeFileSync(join(folder, 'follow.mjs'), program);
  const { line } = start(process.execPath, ['follow.mjs'], { NODE_EXTRA_CA_CERTS: ca });
  expect(await line()).toBe('no connection');
  // The program follows and signs in at once: the sign-in may be done before the first word comes.
  const first = await line();
  expect(first === 'nobody' ? await line() : first).toMatch(/^olivia \(5\) until \d\d/);
  await house.ask('POST', `/api/v1/apps/${app.id}/sign-out`);
  expect(await line()).toBe('nobody');
});
