/** The bar that stays on top of everything: who is signed in, how long still, and the way out. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn } from '../../pages/control-room.ts';
import { pageOf, shown, stateOf, type Desktop, type Starter } from '../desktop.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

export function describeBar(starter: Starter): void {
  describe('the bar', () => {
    let place: Workplace;
    let desktop: Desktop;
    let page: Page;

    beforeAll(async () => {
      place = await openWorkplace(starter);
      ({ desktop } = place);
      page = await pageOf(desktop, 'window');
      await signIn(page, 'olivia');
    });
    afterAll(() => place.close());

    it('takes the place of the window, on top of everything', async () => {
      await desktop.clickTray('Compact bar');
      await shown(desktop, 'bar');
      await shown(desktop, 'window', false);
      expect(await stateOf(desktop, 'bar')).toMatchObject({ isOnTop: true });
    });

    it('shows who is signed in, and how long still', async () => {
      const bar = await pageOf(desktop, 'bar');
      await bar.getByText('olivia').waitFor();
      await bar.getByText(/\d+ min left/).waitFor();
    });

    it('gives its place to the window', async () => {
      const bar = await pageOf(desktop, 'bar');
      await bar.getByRole('button', { name: 'Open window' }).click();
      await shown(desktop, 'window');
      await shown(desktop, 'bar', false);
    });

    it('signs out whoever is there, everywhere', async () => {
      await desktop.clickTray('Compact bar');
      const screen = await place.watchStation();
      const bar = await pageOf(desktop, 'bar');
      await bar.getByRole('button', { name: 'Sign out' }).click();
      expect(await screen.next()).toBeNull();
      await bar.getByText('Nobody is signed in').waitFor();
      await page.getByRole('textbox', { name: 'User name' }).waitFor();
      screen.close();
    });
  });
}
