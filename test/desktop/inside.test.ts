/** What a test can see in the stand-in alone: what the desktop asks of Electron and of the operating system. */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageOf, readyUrl, until, type Desktop } from '../electron/desktop.ts';
import { argumentsFor, openWorkplace, type Workplace } from '../electron/workplace.ts';
import { inside, inStandIn, openStandIn } from '../electron-stand-in/desktop.ts';
import { newFolder } from '../host.ts';

describe('the desktop, from the inside', () => {
  let place: Workplace;
  let desktop: Desktop;

  beforeAll(async () => {
    place = await openWorkplace(inStandIn);
    ({ desktop } = place);
    const page = await pageOf(desktop, 'window');
    await page.getByRole('textbox', { name: 'User name' }).waitFor();
  });
  afterAll(() => place.close());

  it('shows an icon for whether somebody is there', async () => {
    const icon = (): Promise<string> =>
      inside(desktop, ({ trays }) => trays[0]?.image.replace(/^.*\//, '') ?? '');
    expect(await icon()).toBe('signed-out.png');
    await place.signIn('olivia');
    await until('the icon says so', async () => (await icon()) === 'signed-in.png');
    const toolTip = await inside(desktop, ({ trays }) => trays[0]?.toolTip);
    expect(toolTip).toMatch(/^olivia, \d+ min left$/);
    await desktop.clickTray('Sign out');
    await until('the icon says so', async () => (await icon()) === 'signed-out.png');
  });
});

describe('a first start', () => {
  const dataFolder = newFolder();
  let desktop: Desktop;

  beforeAll(async () => {
    desktop = openStandIn(argumentsFor(dataFolder, { language: 'de-AT' }));
    await readyUrl(desktop);
  });
  afterAll(async () => {
    await desktop.end();
    rmSync(dataFolder, { recursive: true, force: true });
  });

  it("shows the first sign-in in a dialog, and speaks the system's language", async () => {
    const [, secret = '?'] = /one-time secret (\S+)/.exec(desktop.output()) ?? [];
    const text = await until('the dialog', () => inside(desktop, ({ dialogs }) => dialogs[0]?.text));
    expect(text).toContain(`Benutzername: Administrator\nEinmalgeheimnis: ${secret}\n`);
    expect(await desktop.trayLabels()).toContain('(Niemand ist angemeldet)');

    await inside(desktop, ({ dialogs }) => dialogs[0]?.press('Geheimnis kopieren'));
    const copied = await until('it is copied', () =>
      desktop.inMain(({ clipboard }) => (clipboard as unknown as { text: string }).text || undefined),
    );
    expect(copied).toBe(secret);
  });

  it('runs in a stand-in that names what it does not model, instead of doing nothing', async () => {
    await expect(desktop.inMain(({ app }) => app.getGPUFeatureStatus())).rejects.toThrow(
      'app.getGPUFeatureStatus is not modelled',
    );
    await expect(desktop.inMain(({ app }) => void app.on('open-url', () => {}))).rejects.toThrow(
      "app.on('open-url') is not modelled",
    );
    await expect(desktop.inMain((electron) => electron.shell.beep())).rejects.toThrow();
  });
});
