/** What a page, or what poses as one, can say to the desktop: nothing bad comes of it. */
import fc from 'fast-check';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pageOf, shown, type Desktop, type Starter } from '../desktop.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

interface Frame {
  readonly origin: string;
  readonly parent: Frame | null;
}

export function describeIpc(starter: Starter): void {
  describe('calls from a page', () => {
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

    /** Delivers a call that waits, as `senderFrame` and from the full window, or from no window of ours; gives the answers. */
    const ask = (
      senderFrame: Frame | null,
      given: readonly unknown[],
      isOurWindow = true,
    ): Promise<unknown[]> =>
      desktop.inMain(
        ({ BrowserWindow, ipcMain }, call) => {
          const sender = call.isOurWindow ? BrowserWindow.getAllWindows()[0]?.webContents : {};
          const answers: unknown[] = [];
          const event = {
            sender,
            senderFrame: call.senderFrame,
            set returnValue(value: unknown) {
              answers.push(value);
            },
          };
          ipcMain.emit('desktop', event, ...call.given);
          return answers;
        },
        { senderFrame, given, isOurWindow },
      );

    const isWell = async (): Promise<void> => {
      expect(await page.evaluate("fetch('/healthz').then(({ status }) => status)")).toBe(200);
      expect(await desktop.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
      await shown(desktop, 'window');
    };

    it('offer the page no more than the bridge', async () => {
      expect(await page.evaluate('Object.keys(keyswitch).sort()')).toEqual([
        'kiosk',
        'leaveKiosk',
        'onIdleLeft',
        'onSwitchUser',
        'show',
        'stationAppId',
        'view',
      ]);
    });

    it('are answered for the main frame of the host, in a window of the desktop, alone', async () => {
      const { url: origin, stationId } = place;
      const ours = { origin, parent: null };
      expect(await ask(ours, [])).toEqual([{ stationAppId: stationId, view: 'window', kiosk: false }]);
      expect(await ask({ origin: 'https://127.0.0.1', parent: null }, [])).toEqual([null]);
      expect(await ask({ origin: 'null', parent: null }, [])).toEqual([null]);
      expect(await ask({ origin, parent: ours }, [])).toEqual([null]);
      expect(await ask(null, [])).toEqual([null]);
      expect(await ask(ours, [], false)).toEqual([null]);
      expect(await ask(ours, ['more than it takes'])).toEqual([null]);
      await isWell();
    });

    it('are refused without harm, whatever they hold', async () => {
      const attempts = fc.sample(
        fc.record({
          method: fc.constantFrom('show', 'leaveKiosk', 'onIdleLeft', 'onSwitchUser'),
          given: fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 3 }),
        }),
        { numRuns: 200, seed: 5 },
      );
      // A view that exists is no attempt.
      const bad = attempts.filter(({ method, given }) => method !== 'show' || given.length !== 1);
      const outcomes = await page.evaluate(
        `Promise.all(${JSON.stringify(bad)}.map(async ({ method, given }) => {
          try { return [method, await keyswitch[method](...given) ?? null]; } catch (error) { return [method, 'refused']; }
        }))`,
      );
      for (const [method, outcome] of outcomes as [string, unknown][]) {
        if (method === 'leaveKiosk') expect(outcome).toBe(false);
      }
      await isWell();
    });

    it('from anybody else are answered with nothing, whatever they hold', async () => {
      const frames = fc.record({
        origin: fc.oneof(fc.constant(place.url), fc.webUrl(), fc.string()),
        parent: fc.option(fc.constant({ origin: place.url, parent: null }), { nil: null }),
      });
      await fc.assert(
        fc.asyncProperty(
          fc.option(frames, { nil: null }),
          fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 3 }),
          fc.boolean(),
          async (frame, given, isOurWindow) => {
            const isOurs = frame?.origin === place.url && frame.parent === null && isOurWindow;
            fc.pre(!isOurs || given.length > 0);
            expect(await ask(frame, given, isOurWindow)).toEqual([null]);
          },
        ),
        { numRuns: 200 },
      );
      await isWell();
    });

    it('on unknown channels are not answered, and the host lives', async () => {
      await fc.assert(
        fc.asyncProperty(fc.string(), fc.array(fc.jsonValue(), { maxLength: 3 }), async (channel, given) => {
          await desktop.inMain(
            ({ ipcMain }, call) =>
              ipcMain.emit(call.channel, { sender: {}, senderFrame: null }, ...call.given),
            // Node's emitters end with this one where nobody listens; no page can send it.
            { channel: `x${channel}`, given },
          );
        }),
        { numRuns: 50 },
      );
      await isWell();
    });
  });
}
