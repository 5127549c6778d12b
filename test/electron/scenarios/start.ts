/** A start that goes wrong: the window says why and what to do, and goes on when it is mended. */
import { once } from 'node:events';
import { mkdirSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { newFolder, startTestHost } from '../../host.ts';
import { pageOf, shown, stateOf, until, type Desktop, type Starter } from '../desktop.ts';
import { argumentsFor, type WorkplaceOptions } from '../workplace.ts';

export function describeStart(starter: Starter): void {
  describe('a start that goes wrong', () => {
    let dataFolder = '';
    let desktop: Desktop | null = null;

    afterEach(async () => {
      await desktop?.end();
      desktop = null;
      rmSync(dataFolder, { recursive: true, force: true });
    });

    async function open(options: WorkplaceOptions = {}) {
      desktop = await starter.open(argumentsFor(dataFolder, options));
      const opened = desktop;
      const page = await pageOf(opened, 'status');
      await page.getByRole('alert').waitFor();
      await until('the window is shown', () =>
        opened.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isVisible() ?? false),
      );
      return { desktop: opened, page };
    }

    it('says that the port is in use, and goes on when it is free', async () => {
      dataFolder = newFolder();
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const started = await open({ config: { 'http.port': String(portOf(other)) } });
      await started.page.getByRole('heading', { name: 'The port is in use' }).waitFor();
      const hasMenu = await started.desktop.inMain(({ Menu }) => Menu.getApplicationMenu() !== null);
      expect(hasMenu).toBe(process.platform === 'darwin');
      await started.page.getByRole('link', { name: 'Try again' }).click();
      await until('it has tried again', () => started.desktop.output().split('Another program').length > 2);
      await started.page.getByRole('heading', { name: 'The port is in use' }).waitFor();
      other.close();
      await once(other, 'close');
      await started.page.getByRole('link', { name: 'Try again' }).click();
      const page = await pageOf(started.desktop, 'window');
      await page.getByRole('textbox', { name: 'User name' }).waitFor();
      await shown(started.desktop, 'window');
      if (process.platform === 'linux') expect(openLogs(started.desktop, dataFolder)).toHaveLength(1);
    });

    it('says that another host has the data folder, and ends with 2 where somebody gives up', async () => {
      dataFolder = newFolder();
      await using other = await startTestHost({ dataFolder });
      const { desktop: failed, page } = await open();
      await page.getByText(other.dataFolder).waitFor();
      await page.getByRole('link', { name: 'Quit' }).click();
      expect(await failed.ended).toBe(2);
      expect(failed.output()).toContain(`keyswitch: Another Keyswitch runs on ${dataFolder}.`);
    });

    it('refuses a damaged database, and leaves it as it was', async () => {
      dataFolder = newFolder();
      writeFileSync(join(dataFolder, 'keyswitch.db'), 'this is no database');
      const { page } = await open();
      await page.getByRole('heading', { name: /database/i }).waitFor();
    });

    it('lists what is wrong with the settings, and offers no way out of a kiosk', async () => {
      dataFolder = newFolder();
      writeFileSync(join(dataFolder, 'keyswitch.yaml'), 'http:\n  port: lots\n  colour: red\n');
      // As the start before has left it.
      mkdirSync(join(dataFolder, 'desktop'));
      writeFileSync(join(dataFolder, 'desktop', 'window.json'), '{"kiosk":true}');
      const { desktop: failed, page } = await open();
      await page.getByText(/http\.colour/).waitFor();
      expect(await stateOf(failed, 'window')).toMatchObject({ isVisible: true, isKiosk: true });
      expect(await page.getByRole('link').allTextContents()).toEqual(['Try again']);
    });
  });
}

/** The files of its log that the process holds open. */
function openLogs({ process: { pid } }: Desktop, dataFolder: string): string[] {
  const handles = `/proc/${pid}/fd`;
  const files = readdirSync(handles).map((handle) => readlinkSync(join(handles, handle)));
  return files.filter((file) => file.startsWith(join(dataFolder, 'logs')));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
