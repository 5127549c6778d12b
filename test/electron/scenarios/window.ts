/** The full window: what it shows, and that it is there whenever somebody wants it. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readControl } from '../../../server/control.ts';
import { newCertificate, type KeyedCertificate } from '../certificates.ts';
import { pageOf, shown, until, type Desktop, type Starter } from '../desktop.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

export function describeWindow(starter: Starter): void {
  describe('the window', () => {
    let place: Workplace;
    let desktop: Desktop;

    beforeAll(async () => {
      place = await openWorkplace(starter, {
        config: { 'http.certificate': 'site.crt', 'http.certificateKey': 'site.key' },
        prepare: (dataFolder) => write(dataFolder, newCertificate()),
      });
      ({ desktop } = place);
    });
    afterAll(() => place.close());

    const hide = (): Promise<void> =>
      desktop.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());

    it('shows the sign-in page of its host, at its station', async () => {
      await shown(desktop, 'window');
      const page = await pageOf(desktop, 'window');
      expect(new URL(page.url()).origin).toBe(place.url);
      await page.getByRole('heading', { name: /^Sign in at .+/ }).waitFor();
      await page.getByRole('textbox', { name: 'User name' }).waitFor();
      expect(await page.evaluate('keyswitch.stationAppId')).toBe(place.stationId);
    });

    const renewed = newCertificate();
    it('is not disturbed when the certificate of the host is renewed', async () => {
      // The host looks for it every few seconds: the last of these tests sees it.
      write(place.dataFolder, renewed);
      await shown(desktop, 'window');
    });

    it('hides instead of closing, and comes back from the tray', async () => {
      await hide();
      await shown(desktop, 'window', false);
      await desktop.clickTray('Open Keyswitch');
      await shown(desktop, 'window');
    });

    it('comes back when the desktop is started once more, which ends at once', async () => {
      await hide();
      const second = starter.launch(place.given);
      expect(await second.ended).toBe(0);
      await shown(desktop, 'window');
      expect(second.output()).not.toContain('ready');
    });

    it('shows its page again after the process of the page has gone', async () => {
      await desktop.inMain(({ BrowserWindow }) =>
        BrowserWindow.getAllWindows()[0]?.webContents.forcefullyCrashRenderer(),
      );
      await until('the page is there again', async () => {
        const page = await pageOf(desktop, 'window');
        return page
          .getByRole('textbox', { name: 'User name' })
          .isVisible()
          .catch(() => false);
      });
    });

    it('follows the renewed certificate', async () => {
      await until('the host shows it', async () => {
        return (await fingerprintAt(place.url)) === renewed.certificate.fingerprint256;
      });
      const page = await pageOf(desktop, 'window');
      await page.reload();
      await page.getByRole('textbox', { name: 'User name' }).waitFor();
    });

    it('goes when the desktop is told to end, which closes the host first', async () => {
      expect(readControl(place.dataFolder)).not.toBeNull();
      desktop.process.kill('SIGTERM');
      expect(await desktop.ended).toBe(0);
      expect(readControl(place.dataFolder)).toBeNull();
    });
  });
}

function write(folder: string, { certificate, key }: KeyedCertificate): void {
  writeFileSync(join(folder, 'site.key'), key);
  writeFileSync(join(folder, 'site.crt'), certificate.toString());
}

async function fingerprintAt(url: string): Promise<string | undefined> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}
