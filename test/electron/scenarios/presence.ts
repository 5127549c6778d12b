/** What the operating system tells of whoever sits at the station: it locks, it sleeps, nobody touches it. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { signIn } from '../../pages/control-room.ts';
import { pageOf, shown, stateOf, type Desktop, type Starter } from '../desktop.ts';
import { openWorkplace, type StationScreen, type Workplace } from '../workplace.ts';

/** From the last input to the countdown, where the limit is a minute. */
const UNTIL_COUNTDOWN_MS = 31_000;

export function describePresence(starter: Starter): void {
  describe('presence', () => {
    let place: Workplace;
    let desktop: Desktop;
    let page: Page;
    let screen: StationScreen;

    beforeAll(async () => {
      place = await openWorkplace(starter, { idleLimitInMin: 1 });
      ({ desktop } = place);
      page = await pageOf(desktop, 'window');
      screen = await place.watchStation();
    });
    afterAll(async () => {
      screen.close();
      await place.close();
    });
    beforeEach(async () => {
      // Not 0: a system that has never said anything else is not believed.
      await touched(5);
      await page.goto(place.url);
      await signIn(page, 'olivia');
      expect(await screen.next()).toBe('olivia');
    });

    const tells = (event: string): Promise<unknown> =>
      desktop.inMain(({ powerMonitor }, name) => powerMonitor.emit(name), event);

    /** Says how long ago somebody touched the computer. */
    const touched = (secondsAgo: number): Promise<void> =>
      desktop.inMain(
        ({ powerMonitor }, sec) => void (powerMonitor.getSystemIdleTime = () => sec),
        secondsAgo,
      );

    /** Sets the monotonic clock on, as far as the whole of the desktop can see. */
    const pass = (ms: number): Promise<void> =>
      desktop.inMain((_, more) => {
        const now = performance.now.bind(performance);
        performance.now = () => now() + more;
      }, ms);

    it('locks with the screen of the operating system: the plant knows, the page waits', async () => {
      await tells('lock-screen');
      expect(await screen.next()).toBeNull();
      await page.getByRole('heading', { name: 'Locked' }).waitFor();
    });

    it('locks when the computer is suspended', async () => {
      await tells('suspend');
      expect(await screen.next()).toBeNull();
      await page.getByRole('heading', { name: 'Locked' }).waitFor();
      await tells('resume');
    });

    it('ends the session when another user of the computer takes the screen', async () => {
      await tells('user-did-resign-active');
      expect(await screen.next()).toBeNull();
      await page.getByRole('heading', { name: 'Locked' }).waitFor({ state: 'detached' });
      await page.getByRole('textbox', { name: 'User name' }).waitFor();
    });

    it('counts down while nobody touches the computer, and stops at the first touch', async () => {
      // A page that nobody has pointed at yet tells of no activity by itself.
      await page.reload();
      await page.getByRole('navigation').waitFor();
      await touched(30);
      await pass(UNTIL_COUNTDOWN_MS);
      const warning = page.getByLabel('The session is about to end');
      await warning.waitFor();
      await touched(0);
      await warning.waitFor({ state: 'hidden' });
      expect((await desktop.trayLabels())[0]).toMatch(/olivia/);
      await desktop.clickTray('Sign out');
      expect(await screen.next()).toBeNull();
    });

    it.each([
      ['is closed', 'close'],
      ['may be covered by another program, which has the keyboard', 'blur'],
    ] as const)(
      'shows the countdown in the bar where the window %s, and takes it away again',
      async (_, leave) => {
        await desktop.clickTray('Sign out');
        expect(await screen.next()).toBeNull();
        await desktop.clickTray('Open Keyswitch');
        await desktop.inMain(({ BrowserWindow }, how) => BrowserWindow.getAllWindows()[0]?.[how](), leave);
        await place.signIn('olivia');
        expect(await screen.next()).toBe('olivia');
        await touched(30);
        await pass(UNTIL_COUNTDOWN_MS);
        await shown(desktop, 'bar');
        expect(await stateOf(desktop, 'bar')).toMatchObject({ isFocused: false });
        const bar = await pageOf(desktop, 'bar');
        await bar.getByText(/^Signing out in/).waitFor();
        await touched(0);
        await shown(desktop, 'bar', false);
        await desktop.clickTray('Sign out');
        expect(await screen.next()).toBeNull();
      },
    );

    it('ends the session and the desktop when the computer shuts down', async () => {
      await tells('shutdown');
      expect(await screen.next()).toBeNull();
      expect(await desktop.ended).toBe(0);
    });
  });
}
