/** An update of the built desktop in the stand-in, from the notice to the start of the new version: as an AppImage, whose kind needs nobody's consent. */
import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildStale } from '../../build/build.ts';
import { readControl } from '../../server/control.ts';
import { pageOf, ROOT, until, type Starter } from '../electron/desktop.ts';
import { openWorkplace, type Workplace } from '../electron/workplace.ts';
import { ELECTRON, inside, launchStandIn, openStandIn } from '../electron-stand-in/desktop.ts';
import { newFolder } from '../host.ts';
import { signIn } from '../pages/control-room.ts';
import { KEYS, publish } from '../release.ts';

const MANIFEST = 'latest-linux.yml';
const NAME = 'Keyswitch-99.0.0.AppImage';

const folder = newFolder();
const image = join(folder, 'Keyswitch.AppImage');
const started = join(folder, 'started');
/** Instead of a desktop: notes what it was started with. */
const NEW_VERSION = `#!/bin/sh\nprintf '%s\\n' "$@" > '${started}.part' && mv '${started}.part' '${started}'\n`;
const starter: Starter = {
  open: (given) => Promise.resolve(openStandIn(given, [image])),
  launch: (given) => launchStandIn(given, [image]),
};

beforeAll(() => {
  buildStale();
  makeProduct(join(folder, 'product'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The product as it is built, with the key that updates have to be signed with; the stand-in starts it as its own. */
function makeProduct(product: string): void {
  for (const part of ['package.json', 'dist', 'resources', 'electron/icons']) {
    cpSync(join(ROOT, part), join(product, part), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(product, 'node_modules'));
  const key = KEYS.publicKey.export({ type: 'spki', format: 'pem' });
  writeFileSync(join(product, 'resources', 'update-key.pem'), key);
  const runtime = `APPIMAGE='${image}' APPDIR=/ ELECTRON_STAND_IN_APP='${product}'`;
  writeFileSync(image, `#!/bin/sh\n${runtime} exec '${ELECTRON}' "$@"\n`);
  chmodSync(image, 0o755);
}

function shelfWith(signedBy = KEYS.privateKey): string {
  const shelf = newFolder();
  mkdirSync(shelf, { recursive: true });
  const content = Buffer.from(NEW_VERSION);
  publish(shelf, { version: '99.0.0', manifest: MANIFEST, name: NAME, content, signedBy });
  return shelf;
}

const noticesOf = ({ desktop }: Workplace): Promise<string[]> =>
  inside(desktop, ({ notifications }) => notifications.map(({ title }) => title));

describe('a desktop whose source has a newer release', () => {
  let shelf: string;
  let place: Workplace;

  beforeAll(async () => {
    shelf = shelfWith();
    place = await openWorkplace(starter, { config: { 'desktop.updateSource': shelf } });
  });
  afterAll(async () => {
    await place.close();
    rmSync(shelf, { recursive: true, force: true });
  });

  it('says that it is about to install it, and does not when somebody signs in', async () => {
    const titles = await until('it is told', async () => {
      const told = await noticesOf(place);
      return told.length > 0 && told;
    });
    expect(titles).toEqual(['Version 99.0.0 will be installed in 30 seconds']);
    await signIn(await pageOf(place.desktop, 'window'), 'ada');
    const offered = async (): Promise<boolean> =>
      (await place.desktop.trayLabels()).includes('Install version 99.0.0');
    await until('it is offered', offered);
  });

  it('takes it when an administrator clicks, ends in order, and starts it as it was started itself', async () => {
    const { desktop, dataFolder, given } = place;
    await desktop.clickTray('Install version 99.0.0');
    expect(await desktop.ended).toBe(0);
    expect(readControl(dataFolder)).toBeNull();
    expect(readFileSync(image, 'utf8')).toBe(NEW_VERSION);
    await until('the new version is started', () => existsSync(started));
    expect(readFileSync(started, 'utf8').trim().split('\n')).toEqual(given);
  });
});

describe('a desktop whose source has what somebody else has signed', () => {
  it('says so, and offers nothing', async () => {
    makeProduct(join(folder, 'again'));
    const shelf = shelfWith(generateKeyPairSync('ed25519').privateKey);
    const place = await openWorkplace(starter, { language: 'de', config: { 'desktop.updateSource': shelf } });
    const told = async (): Promise<boolean> =>
      (await noticesOf(place)).includes('Keyswitch lässt sich nicht aktualisieren');
    await until('it is told', told);
    expect((await place.desktop.trayLabels()).join()).not.toContain('99.0.0');
    expect(existsSync(join(place.dataFolder, 'updates', NAME))).toBe(false);
    await place.close();
    rmSync(shelf, { recursive: true, force: true });
  });
});
