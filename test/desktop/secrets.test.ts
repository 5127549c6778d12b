/** The secrets in the key store of the operating system, on the built desktop in the stand-in, whose key store is a fake. */
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildStale } from '../../build/build.ts';
import { readControl } from '../../server/control.ts';
import { readyUrl, until, type Desktop } from '../electron/desktop.ts';
import { openWorkplace, type Workplace } from '../electron/workplace.ts';
import { inStandIn, launchStandIn, openStandIn } from '../electron-stand-in/desktop.ts';
import { PASSWORD, send } from '../host.ts';

const KEY_STORE = '--password-store=gnome-libsecret';

describe('the secrets of a desktop', () => {
  let place: Workplace;
  /** The one that runs at present. */
  let desktop: Desktop;
  let plain: string;

  beforeAll(async () => {
    buildStale();
    place = await openWorkplace(inStandIn);
    ({ desktop } = place);
    plain = text();
  });
  afterAll(async () => {
    await desktop.end();
    await place.close();
  });

  const text = (): string => readFileSync(join(place.dataFolder, 'keyswitch.env'), 'utf8');

  async function startAgain(...given: string[]): Promise<void> {
    await desktop.end();
    desktop = openStandIn([...place.given, ...given]);
    await readyUrl(desktop);
  }

  /** Whether a password still fits, which takes the very secret that its hash was made with. */
  async function canSignIn(): Promise<boolean> {
    const { url, trust } = readControl(place.dataFolder)!;
    const agent = new Agent({ ca: trust });
    const json = { username: 'olivia', password: PASSWORD };
    const { status } = await send(url, agent, 'POST', '/api/v1/sign-in', { json });
    agent.destroy();
    return status === 200;
  }

  async function move(to: string): Promise<{ code: number | null; said: string }> {
    const running = launchStandIn(['--data', place.dataFolder, KEY_STORE, `--secrets=${to}`]);
    return { code: await running.ended, said: running.output() };
  }

  it('stay in plain text where the operating system offers no key store, and the log says so', () => {
    expect(text()).toBe(plain);
    const log = readFileSync(join(place.dataFolder, 'logs', 'keyswitch.log'), 'utf8');
    expect(log).toContain('the operating system offers no key store');
  });

  it('are sealed once the key store has shown that it keeps its key, and good as before', async () => {
    await startAgain(KEY_STORE);
    expect(text()).toBe(plain);
    await startAgain(KEY_STORE);
    expect(text()).toMatch(/^PASSWORD_HASHING_KEY=sealed:gnome_libsecret\/[^\s:]+@[^\s:]+:[\w+/]+=*$/m);
    expect(text()).not.toMatch(/^\w+=(?!sealed:)/m);
    expect(await canSignIn()).toBe(true);
  });

  it('are not moved beneath a host that runs', async () => {
    const sealed = text();
    const { code, said } = await move('plain');
    expect({ code, sealed: text() }).toEqual({ code: 2, sealed });
    expect(said).toContain(`Another Keyswitch runs on ${place.dataFolder}.`);
  });

  it('are of no use where the key store is another one: the window says what to do', async () => {
    await desktop.end();
    desktop = openStandIn(place.given);
    await until('it says why', () => desktop.output().includes('are sealed by gnome_libsecret/'));
    const page = await until('the window', async () => (await desktop.pages())[0]);
    await page.getByRole('heading', { name: 'The secrets are sealed for somebody else' }).waitFor();
  });

  it('come out as they were, byte for byte, and go in again', async () => {
    await desktop.end();
    expect(await move('plain')).toEqual({
      code: 0,
      said:
        `The secrets in ${join(place.dataFolder, 'keyswitch.env')} are in plain text. ` +
        'The desktop seals them when it starts again, unless desktop.keyStore is off.\n',
    });
    expect(text()).toBe(plain);
    expect(await move('sealed')).toMatchObject({
      code: 0,
      said: expect.stringContaining('are sealed by gnome_libsecret/') as unknown,
    });
    expect(text()).toContain('sealed:');
  });
});
