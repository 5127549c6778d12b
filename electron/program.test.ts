import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { newFolder } from '../test/host.ts';
import { restart } from './program.ts';

const folder = newFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a process does that asks to be started anew: it says what Electron was asked for, and ends a little later. */
const ASKS = `
  const [program, self] = process.argv.slice(1);
  const { restart } = await import(program);
  process.env.ASKING = process.pid;
  const app = { relaunch: () => console.log('relaunch'), quit: () => console.log('quit') };
  restart(app, JSON.parse(self));
  process.stdin.resume();
`;

test.runIf(process.platform !== 'win32')(
  'an AppImage is started by its file, with what it was started with, when the process has ended',
  async () => {
    const image = join(folder, 'Keyswitch.AppImage');
    const started = join(folder, 'started');
    const look = 'kill -0 "$ASKING" 2>/dev/null && echo too early';
    writeFileSync(
      image,
      `#!/bin/sh\n(${look}; echo "$@") > '${started}.new'\nmv '${started}.new' '${started}'\n`,
    );
    chmodSync(image, 0o755);
    const env = { APPIMAGE: image, APPDIR: '/tmp/.mount_Keysw' };
    const self = { env, execPath: '/tmp/.mount_Keysw/keyswitch', argv: ['keyswitch', '--data', '/data'] };
    const program = new URL('./program.ts', import.meta.url).href;
    const asking = spawn(
      process.execPath,
      ['--input-type=module', '-e', ASKS, program, JSON.stringify(self)],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const [said] = (await once(asking.stdout, 'data')) as [Buffer];
    expect(said.toString()).toBe('quit\n');
    asking.stdin.end();
    await once(asking, 'close');
    await vi.waitUntil(() => existsSync(started), 10_000);
    expect(readFileSync(started, 'utf8')).toBe('--data /data\n');
  },
);

test.each([
  ['no AppImage', {}],
  ['started from another AppImage', { APPIMAGE: '/home/o/Editor.AppImage', APPDIR: '/tmp/.mount_Editor' }],
])('a program that is %s is left to Electron', (_what, env) => {
  const app = { relaunch: vi.fn(), quit: vi.fn() };
  restart(app, { env, execPath: '/opt/Keyswitch/keyswitch', argv: ['keyswitch'] });
  expect(app.relaunch).toHaveBeenCalledOnce();
  expect(app.quit).toHaveBeenCalledOnce();
});
