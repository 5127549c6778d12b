/** Notifications and the tray's icon, on the built desktop in the stand-in, which keeps both as data. */
import { basename } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildStale } from '../../build/build.ts';
import { readControl } from '../../server/control.ts';
import { shown, until, type Desktop } from '../electron/desktop.ts';
import { openWorkplace, type Workplace } from '../electron/workplace.ts';
import { inStandIn, type StandInModule } from '../electron-stand-in/desktop.ts';
import type { Answer } from '../host.ts';

/** Nobody answers there, and at once. */
const NO_PLC = 'Data Source=127.0.0.1:9,0,1';

describe('a desktop that nobody looks at', () => {
  let place: Workplace;
  let desktop: Desktop;

  beforeAll(async () => {
    buildStale();
    const config = { 'backups.folder': '/nowhere/for/backups' };
    place = await openWorkplace(inStandIn, { language: 'de', config });
    ({ desktop } = place);
  });
  afterAll(() => place.close());

  const ask = (path: string, json: unknown): Promise<Answer> =>
    place.ask('POST', path, { token: readControl(place.dataFolder)!.key, json });

  const told = (): Promise<string[]> =>
    desktop.inMain((electron) => {
      const { notifications } = (electron as unknown as StandInModule).standIn;
      return notifications.map(({ title, body }) => `${title}: ${body}`);
    });
  /** Waits for the one that begins so. */
  const heard = (title: string): Promise<string> =>
    until('it is told', async () => (await told()).find((line) => line.startsWith(`${title}: `)));

  it('notifies of emergency access, and opens the window when that is clicked', async () => {
    const { body } = await ask('/api/v1/emergency', { name: 'Notfall 1' });
    const { secret } = body as { secret: string };
    await ask('/api/v1/emergency/sign-in', { secret, reason: 'nobody else is there' });
    expect(await heard('Notfallzugang in Benutzung')).toBe('Notfallzugang in Benutzung: Keyswitch');
    await desktop.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.hide());
    await shown(desktop, 'window', false);
    await desktop.inMain((electron) => {
      (electron as unknown as StandInModule).standIn.notifications[0]?.emit('click');
    });
    await shown(desktop, 'window');
  });

  it('shows a PLC that is away in the tray, and notifies of it when that lasts', async () => {
    const link = { appId: place.stationId, connection: NO_PLC, area: 'DB250', address: 'W188' };
    const { status, text } = await ask('/api/v1/links', link);
    expect({ status, text }).toMatchObject({ status: 201 });
    const icon = (): Promise<string> =>
      desktop.inMain((electron) => (electron as unknown as StandInModule).standIn.trays[0]?.image ?? '');
    await until('the icon', async () => basename(await icon()) === 'signed-out-trouble.png');
    expect(await desktop.trayLabels()).toContain('SPS-Kopplungen: 1 von 1 gestört');
    expect(await heard('SPS-Kopplung gestört')).toMatch(
      /^SPS-Kopplung gestört: .+ \(127\.0\.0\.1:9, DB250\.DBW188\): Nicht erreichbar$/,
    );
  });

  it('notifies of a backup that could not be made, and why', async () => {
    expect((await ask('/api/v1/backups', undefined)).status).toBe(409);
    expect(await heard('Die Datenbank konnte nicht gesichert werden')).toMatch(
      /: Der Ordner für Sicherungen ist nicht da\. Bitte den Administrator verständigen\.$/,
    );
  });
});
