/** Pictures of what the desktop shows, in both languages and all themes, to be looked at: they are left in `test/screenshots`. */
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { pageOf, ROOT, shown, until } from '../electron/desktop.ts';
import { argumentsFor, openWorkplace } from '../electron/workplace.ts';
import { inStandIn, openStandIn } from '../electron-stand-in/desktop.ts';
import { newFolder, PASSWORD } from '../host.ts';

const FOLDER = join(ROOT, 'test', 'screenshots');
const THEMES = ['light', 'dark', 'contrast'] as const;

const WORDS = {
  en: {
    signIn: 'Sign in',
    username: 'User name',
    password: 'Password',
    locked: 'Locked',
    handOver: 'Hand over',
    back: 'Back to the page',
    lock: 'Lock',
    bar: 'Compact bar',
    leave: 'Leave full screen',
  },
  de: {
    signIn: 'Anmelden',
    username: 'Benutzername',
    password: 'Passwort',
    locked: 'Gesperrt',
    handOver: 'Übergeben',
    back: 'Zurück zur Seite',
    lock: 'Sperren',
    bar: 'Kompakte Leiste',
    leave: 'Vollbild verlassen',
  },
} as const;
const LANGUAGES = ['en', 'de'] as const;

beforeAll(() => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
});

/** Takes pictures of a page in all themes, as large as its window, and proves that something is on them. */
async function takePictures(page: Page, language: string, name: string): Promise<void> {
  for (const theme of THEMES) {
    await dress(page, theme);
    const picture = await page.screenshot({
      path: join(FOLDER, `${name}-${language}-${theme}.png`),
      animations: 'disabled',
    });
    const [width, height] = (await page.evaluate('[innerWidth, innerHeight]')) as [number, number];
    expect([picture.readUInt32BE(16), picture.readUInt32BE(20)]).toEqual([width, height]);
    expect(varietyOf(picture)).toBeGreaterThan(200);
  }
}

/** Shows a page in a theme: one that its user has chosen, or for what no host serves that of the operating system. */
async function dress(page: Page, theme: (typeof THEMES)[number]): Promise<void> {
  await page.emulateMedia({
    colorScheme: theme === 'light' ? 'light' : 'dark',
    contrast: theme === 'contrast' ? 'more' : 'no-preference',
  });
  await page.evaluate(`document.documentElement.dataset.theme = '${theme}'`);
}

/** Counts the kinds of pixels of a picture as PNG has them, each as the difference to its neighbours: an even ground has a few. */
function varietyOf(picture: Buffer): number {
  const lines = inflateSync(Buffer.concat([...chunks(picture, 'IDAT')]));
  const kinds = new Set<number>();
  for (let offset = 0; offset + 3 <= lines.length; offset += 3) kinds.add(lines.readUIntBE(offset, 3));
  return kinds.size;
}

function* chunks(picture: Buffer, kind: string): Generator<Buffer> {
  // Length, kind, data, checksum; the first follows the signature.
  for (let offset = 8; offset < picture.length;) {
    const length = picture.readUInt32BE(offset);
    if (picture.toString('latin1', offset + 4, offset + 8) === kind) {
      yield picture.subarray(offset + 8, offset + 8 + length);
    }
    offset += length + 12;
  }
}

type Words = (typeof WORDS)['en' | 'de'];

async function signIn(
  page: Page,
  { username, password, signIn: submit }: Words,
  user: string,
): Promise<void> {
  await page.getByRole('textbox', { name: username }).fill(user);
  await page.getByRole('textbox', { name: password }).fill(PASSWORD);
  await page.getByRole('button', { name: submit, exact: true }).click();
  await page.getByRole('navigation').waitFor();
}

describe.each(LANGUAGES)('pictures in %s', (language) => {
  const words = WORDS[language];

  it('show the window, the handover, the bar and the lock screen', async () => {
    const place = await openWorkplace(inStandIn, { language });
    onTestFinished(() => place.close());
    const { desktop } = place;
    const page = await pageOf(desktop, 'window');
    await page.getByRole('button', { name: words.signIn, exact: true }).waitFor();
    await takePictures(page, language, 'sign-in');

    await signIn(page, words, 'ada');
    await takePictures(page, language, 'window');
    await page.getByRole('button', { name: words.handOver }).click();
    await page.getByRole('heading', { name: words.handOver }).waitFor();
    await takePictures(page, language, 'handover');
    await page.getByRole('button', { name: words.back }).click();

    await desktop.clickTray(words.bar);
    await shown(desktop, 'bar');
    const bar = await pageOf(desktop, 'bar');
    await bar.getByText('ada').waitFor();
    await takePictures(bar, language, 'bar');

    await desktop.clickTray(words.lock);
    await bar.getByRole('button', { name: words.signIn }).waitFor();
    await takePictures(bar, language, 'bar-nobody');
    await page.getByRole('heading', { name: words.locked }).waitFor();
    await takePictures(page, language, 'locked');
  });

  it('show the kiosk', async () => {
    const place = await openWorkplace(inStandIn, { language, config: { 'desktop.kiosk': 'true' } });
    onTestFinished(() => place.close());
    const page = await pageOf(place.desktop, 'window');
    await page.getByRole('button', { name: words.signIn, exact: true }).waitFor();
    await until('it fills the display', async () => (await page.evaluate('innerHeight')) === 1080);
    await takePictures(page, language, 'kiosk');
    await signIn(page, words, 'ada');
    await page.getByRole('button', { name: words.leave }).waitFor();
    await takePictures(page, language, 'kiosk-administrator');
  });

  it('show that the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    onTestFinished(() => void other.close());
    await takePicturesOfStart(language, 'port-in-use', { 'http.port': String(port) });
  });

  it('show that the database is refused', async () => {
    await takePicturesOfStart(language, 'database-refused', {}, (dataFolder) =>
      writeFileSync(join(dataFolder, 'keyswitch.db'), 'this is no database'),
    );
  });
});

/** A start that fails. */
async function takePicturesOfStart(
  language: string,
  name: string,
  config: Readonly<Record<string, string>>,
  prepare: (dataFolder: string) => void = () => {},
): Promise<void> {
  const dataFolder = newFolder();
  prepare(dataFolder);
  const desktop = openStandIn(argumentsFor(dataFolder, { language, config }));
  onTestFinished(async () => {
    await desktop.end();
    rmSync(dataFolder, { recursive: true, force: true });
  });
  const page = await pageOf(desktop, 'status');
  await page.getByRole('alert').waitFor();
  await takePictures(page, language, name);
}
