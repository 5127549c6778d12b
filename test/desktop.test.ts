/** The built desktop, driven through the stand-in for Electron: docs/testing.md says what that proves. */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildStale } from '../build/build.ts';
import { until, type Desktop } from './electron/desktop.ts';
import { describeDesktop } from './electron/scenarios.ts';
import { launchStandIn, startStandIn, type StandInModule } from './electron-stand-in/desktop.ts';
import { newFolder, startTestHost } from './host.ts';

beforeAll(() => buildStale());

describeDesktop(startStandIn, launchStandIn);

describe('the desktop, from the inside', () => {
  const dataFolder = newFolder();
  let desktop: Desktop;

  beforeAll(async () => {
    desktop = await startStandIn(['--lang=de-AT', '--data', dataFolder, '--port', '0']);
  });
  afterAll(() => {
    desktop.process.kill('SIGKILL');
    rmSync(dataFolder, { recursive: true, force: true });
  });

  it('isolates its page', async () => {
    const preferences = await desktop.inMain((electron) => {
      const { windows } = (electron as unknown as StandInModule).standIn;
      return windows[0]?.options.webPreferences;
    });
    expect(preferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      devTools: false,
    });
  });

  it('grants its page nothing of the machine', async () => {
    const granted = await desktop.inMain((electron) => {
      const { mayAsk, mayUse } = (electron as unknown as StandInModule).standIn.rules;
      const answers = [mayUse?.(null, 'media', 'https://127.0.0.1', {} as never)];
      mayAsk?.({} as never, 'media', (answer) => answers.push(answer), {} as never);
      return answers;
    });
    expect(granted).toEqual([false, false]);
  });

  it("shows the first sign-in in a dialog, and speaks the system's language", async () => {
    const [, secret = '?'] = /one-time secret (\S+)/.exec(desktop.output()) ?? [];
    const text = await until('the dialog', () =>
      desktop.inMain((electron) => (electron as unknown as StandInModule).standIn.dialogs[0]?.text),
    );
    expect(text).toContain(`Benutzername: Administrator\nEinmalgeheimnis: ${secret}\n`);
    expect(await desktop.trayLabels()).toEqual([
      '(Niemand ist angemeldet)',
      '(Abmelden)',
      'Keyswitch öffnen',
      'Beenden',
    ]);

    await desktop.inMain((electron) =>
      (electron as unknown as StandInModule).standIn.dialogs[0]?.press('Geheimnis kopieren'),
    );
    const copied = await until('it is copied', () =>
      desktop.inMain(({ clipboard }) => (clipboard as unknown as { text: string }).text || undefined),
    );
    expect(copied).toBe(secret);
  });

  it('runs in a stand-in that names what it does not model, instead of doing nothing', async () => {
    await expect(desktop.inMain(({ app }) => app.getVersion())).rejects.toThrow(
      'app.getVersion is not modelled',
    );
    await expect(desktop.inMain(({ app }) => void app.on('login', () => {}))).rejects.toThrow(
      "app.on('login') is not modelled",
    );
  });

  it('closes its host on a signal', async () => {
    desktop.process.kill('SIGTERM');
    expect(await desktop.ended).toBe(0);
  });
});

describe('a desktop whose host cannot start', () => {
  it('says why, and ends with 2', async () => {
    await using other = await startTestHost();
    const { ended, output } = launchStandIn(['--data', other.dataFolder, '--port', '0']);
    expect(await ended).toBe(2);
    const why = `Another Keyswitch runs on ${other.dataFolder}.`;
    expect(output()).toContain(`keyswitch: ${why}`);
    expect(output()).toContain(`[dialog] Keyswitch cannot start: ${why}`);
  });
});
