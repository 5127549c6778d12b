/** The full screen: an operator finds no way out of it, an administrator does, for as long as they are signed in. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn } from '../../pages/control-room.ts';
import { pageOf, stateOf, until, type Desktop, type Starter } from '../desktop.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

export function describeKiosk(starter: Starter): void {
  describe('the kiosk', () => {
    let place: Workplace;
    let desktop: Desktop;
    let page: Page;

    beforeAll(async () => {
      place = await openWorkplace(starter, { config: { 'desktop.kiosk': 'true' } });
      ({ desktop } = place);
      page = await pageOf(desktop, 'window');
      await page.getByRole('textbox', { name: 'User name' }).waitFor();
    });
    afterAll(() => place.close());

    const isKiosk = async (): Promise<boolean> => (await stateOf(desktop, 'window'))?.isKiosk ?? false;
    const expectFilled = async (): Promise<void> =>
      expect(await stateOf(desktop, 'window')).toMatchObject({ isVisible: true, isKiosk: true });
    const leave = (): Promise<unknown> => page.evaluate('keyswitch.leaveKiosk()');

    it('fills the screen while nobody is signed in, and lets nobody out', async () => {
      await expectFilled();
      expect(await leave()).toBe(false);
      await expectFilled();
    });

    it('keeps an operator in, whatever they try', async () => {
      await signIn(page, 'olivia');
      expect(await page.getByRole('button', { name: 'Leave full screen' }).count()).toBe(0);
      expect(await leave()).toBe(false);
      await page.evaluate("keyswitch.show('bar')");
      await desktop.inMain(({ BrowserWindow }) => {
        const [window] = BrowserWindow.getAllWindows();
        window?.close();
        window?.minimize();
        window?.setFullScreen(false);
      });
      await until('the screen is filled again', isKiosk);
      await expectFilled();
      expect(await desktop.trayLabels()).toContain('(Quit)');
      expect(await desktop.trayLabels()).not.toContain('Compact bar');
    });

    it.each(['F11', 'F12', 'F5', 'Ctrl+W', 'Ctrl+Shift+I', 'Alt+F4', 'Ctrl+N', 'Ctrl+P'])(
      'keeps %s from whatever it would do',
      async (keys) => {
        const prevented = await desktop.inMain(({ BrowserWindow }, pressed) => {
          const [contents] = BrowserWindow.getAllWindows().map(({ webContents }) => webContents);
          const [key = '', ...modifiers] = pressed.split('+').reverse();
          const has = (name: string): boolean => modifiers.includes(name);
          let isPrevented = false;
          contents?.emit(
            'before-input-event',
            { preventDefault: () => (isPrevented = true) },
            { type: 'keyDown', key, control: has('Ctrl'), alt: has('Alt'), shift: has('Shift'), meta: false },
          );
          return isPrevented;
        }, keys);
        expect(prevented).toBe(true);
      },
    );

    it('lets an administrator out, until they sign out', async () => {
      await page.getByRole('button', { name: 'Hand over' }).click();
      await page.getByRole('textbox', { name: 'User name' }).fill('ada');
      await page.getByRole('textbox', { name: 'Password' }).fill('the quiet pump house');
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await page.getByRole('button', { name: 'Leave full screen' }).click();
      await until('the screen is free', async () => !(await isKiosk()));
      await desktop.clickTray('Sign out');
      await until('the screen is filled again', isKiosk);
    });
  });
}
