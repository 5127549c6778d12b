/** A badge reader and a person at one keyboard: real key presses whose times the test says. */
import type { Page } from 'playwright-core';

/** The times of the machine say how busy it is; a press reads as so long after the one before. */
const STEERED_TIMES = `
  const times = new WeakMap();
  window.keys = { atMs: 0, pauseMs: 0, gapMs: 0 };
  Object.defineProperty(KeyboardEvent.prototype, 'timeStamp', {
    get() {
      const { keys } = window;
      if (!times.has(this)) {
        keys.atMs += keys.pauseMs + keys.gapMs;
        keys.pauseMs = 0;
        times.set(this, keys.atMs);
      }
      return times.get(this);
    },
  });
`;

/** Call it before the page is loaded. */
export async function steerKeys(page: Page): Promise<void> {
  await page.addInitScript({ content: STEERED_TIMES });
}

const KEYS: Readonly<Record<string, string>> = { '\n': 'Enter', '\t': 'Tab', ' ': 'Space' };

async function typeAfterPause(page: Page, text: string, gapMs: number): Promise<void> {
  await page.evaluate(`Object.assign(window.keys, { pauseMs: 2000, gapMs: ${gapMs} })`);
  for (const character of text) await page.keyboard.press(KEYS[character] ?? character);
}

/** A reader types; `\\n` is Enter, `\\t` is Tab. */
export function scan(page: Page, text: string): Promise<void> {
  return typeAfterPause(page, text, 4);
}

/** A person types, for once slower than the slowest reader that can be set. */
export function typeByHand(page: Page, text: string): Promise<void> {
  return typeAfterPause(page, text, 600);
}
