/** What may happen to a desktop that runs: its page dies, its data folder goes, the system shuts down. It says so, and goes on. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readControl } from '../../server/control.ts';
import { pageOf, readyUrl, until, type Desktop } from '../electron/desktop.ts';
import { argumentsFor, openWorkplace, type Workplace } from '../electron/workplace.ts';
import { inStandIn, openStandIn } from '../electron-stand-in/desktop.ts';
import { newFolder } from '../host.ts';

const formOf = (page: Page) => page.getByRole('textbox', { name: 'User name' });

describe('a desktop that runs', () => {
  let place: Workplace;
  let desktop: Desktop;

  beforeAll(async () => {
    place = await openWorkplace(inStandIn);
    ({ desktop } = place);
    await formOf(await pageOf(desktop, 'window')).waitFor();
  });
  afterAll(() => place.close());

  it('says that its page cannot be shown, and shows it as soon as somebody asks', async () => {
    await desktop.inMain(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows()[0]?.webContents.emit('did-fail-load', {}, -102, '', '', true),
    );
    const status = await pageOf(desktop, 'status');
    await status.getByRole('heading', { name: 'The page cannot be shown' }).waitFor();
    await status.getByRole('link').click();
    await formOf(await pageOf(desktop, 'window')).waitFor();
  });

  it('is not troubled by a load that another one has overtaken, nor by one within the page', async () => {
    const address = await desktop.inMain(({ BrowserWindow }) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents;
      contents?.emit('did-fail-load', {}, -3, '', '', true);
      contents?.emit('did-fail-load', {}, -102, '', '', false);
      return contents?.getURL();
    });
    expect(address).toBe(`${place.url}/`);
  });

  it('logs what nobody has caught, and its host goes on', async () => {
    const page = await pageOf(desktop, 'window');
    await desktop.inMain(() => {
      setTimeout(() => {
        throw new Error('thrown in the main process');
      });
      void Promise.reject(new Error('rejected in the main process'));
    });
    const log = (): string => readFileSync(join(place.dataFolder, 'logs', 'keyswitch.log'), 'utf8');
    for (const message of ['thrown', 'rejected']) {
      await until(`it is logged: ${message}`, () => log().includes(`"${message} in the main process"`));
    }
    expect(await page.evaluate("fetch('/healthz').then(({ status }) => status)")).toBe(200);
    expect(desktop.process.exitCode).toBeNull();
  });

  it('goes on when its data folder is taken away, and forgets no more than where its window stood', async () => {
    const page = await pageOf(desktop, 'window');
    const before = desktop.output().length;
    rmSync(place.dataFolder, { recursive: true, force: true });
    await desktop.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setPosition(10, 10));
    await desktop.clickTray('Compact bar');
    await pageOf(desktop, 'bar');
    await desktop.clickTray('Open Keyswitch');
    expect(await page.evaluate("fetch('/healthz').then(({ status }) => status)")).toBe(200);
    expect(desktop.process.exitCode).toBeNull();
    expect(desktop.output().slice(before)).not.toMatch(/^keyswitch: /m);
  });
});

describe('the operating system', () => {
  let dataFolder = '';
  let desktop: Desktop;
  const config = mkdtempSync(join(tmpdir(), 'keyswitch-config-'));
  const former = process.env['XDG_CONFIG_HOME'];
  const entry = join(config, 'autostart', 'keyswitch.desktop');

  beforeAll(() => {
    process.env['XDG_CONFIG_HOME'] = config;
  });
  afterEach(() => desktop.end());
  afterAll(() => {
    if (former === undefined) delete process.env['XDG_CONFIG_HOME'];
    else process.env['XDG_CONFIG_HOME'] = former;
    for (const folder of [config, dataFolder]) rmSync(folder, { recursive: true, force: true });
  });

  it.runIf(process.platform === 'linux')(
    'is told to start the desktop with the PC, and no longer to',
    async () => {
      dataFolder = newFolder();
      const start = async (startWithSystem: boolean): Promise<void> => {
        writeFileSync(
          join(dataFolder, 'keyswitch.yaml'),
          `desktop:\n  startWithSystem: ${startWithSystem}\n`,
        );
        desktop = openStandIn(argumentsFor(dataFolder));
        await readyUrl(desktop);
      };
      await start(true);
      expect(readFileSync(entry, 'utf8')).toContain(`"--data" "${dataFolder}"\n`);
      await desktop.end();
      await start(false);
      expect(existsSync(entry)).toBe(false);
    },
  );

  it('that shuts down lets the host close in order', async () => {
    dataFolder = newFolder();
    desktop = openStandIn(argumentsFor(dataFolder));
    await readyUrl(desktop);
    const isDelayed = await desktop.inMain(({ powerMonitor }) => {
      let isPrevented = false;
      powerMonitor.emit('shutdown', { preventDefault: () => (isPrevented = true) });
      return isPrevented;
    });
    expect(isDelayed).toBe(true);
    expect(await desktop.ended).toBe(0);
    expect(readControl(dataFolder)).toBeNull();
  });
});
