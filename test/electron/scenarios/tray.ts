/** The tray: who is at the controls, and what can be done about it without the window. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn } from '../../pages/control-room.ts';
import { pageOf, shown, until, type Desktop, type Starter } from '../desktop.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

export function describeTray(starter: Starter): void {
  describe('the tray', () => {
    let place: Workplace;
    let desktop: Desktop;
    let page: Page;

    beforeAll(async () => {
      place = await openWorkplace(starter);
      ({ desktop } = place);
      page = await pageOf(desktop, 'window');
      await page.getByRole('textbox', { name: 'User name' }).waitFor();
    });
    afterAll(() => place.close());

    const labels = (what: string, isSo: (labels: string[]) => boolean): Promise<string[]> =>
      until(what, async () => {
        const found = await desktop.trayLabels();
        return isSo(found) && found;
      });

    it('says that nobody is there, and lets nobody quit', async () => {
      expect(await desktop.trayLabels()).toEqual([
        '(Nobody is signed in)',
        '(Sign out)',
        '(Lock)',
        'Switch user',
        'Open Keyswitch',
        'Compact bar',
        '(Quit)',
      ]);
    });

    it('names who is there and how long still, and signs them out', async () => {
      await signIn(page, 'olivia');
      const found = await labels('olivia is there', ([first = '']) =>
        /^\(olivia, \d+ min left\)$/.test(first),
      );
      expect(found.slice(1)).toEqual([
        'Sign out',
        'Lock',
        'Switch user',
        'Open Keyswitch',
        'Compact bar',
        '(Quit)',
      ]);
      await desktop.clickTray('Sign out');
      await page.getByRole('textbox', { name: 'User name' }).waitFor();
      await labels('nobody is there', ([first]) => first === '(Nobody is signed in)');
    });

    it('locks: the plant is told that nobody is there, and the page waits for the same user', async () => {
      await signIn(page, 'olivia');
      await page.evaluate("document.body.dataset.mark = 'the same page'");
      const screen = await place.watchStation();
      await labels('olivia is there', (all) => all.includes('Lock'));
      await desktop.clickTray('Lock');
      expect(await screen.next()).toBeNull();
      await page.getByRole('heading', { name: 'Locked' }).waitFor();

      await page.getByRole('textbox', { name: 'Password' }).fill('the quiet pump house');
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      expect(await screen.next()).toBe('olivia');
      await page.getByRole('heading', { name: 'Locked' }).waitFor({ state: 'detached' });
      expect(await page.evaluate('document.body.dataset.mark')).toBe('the same page');
      screen.close();
    });

    it('switches users: nobody is absent in between', async () => {
      const screen = await place.watchStation();
      await desktop.clickTray('Switch user');
      await shown(desktop, 'window');
      await page.getByRole('heading', { name: 'Hand over' }).waitFor();
      await page.getByRole('textbox', { name: 'User name' }).fill('ada');
      await page.getByRole('textbox', { name: 'Password' }).fill('the quiet pump house');
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      expect(await screen.next()).toBe('ada');
      screen.close();
    });

    it('lets an administrator quit, which closes the host first', async () => {
      await labels('ada may quit', (all) => all.includes('Quit'));
      await desktop.clickTray('Quit');
      expect(await desktop.ended).toBe(0);
    });
  });
}
