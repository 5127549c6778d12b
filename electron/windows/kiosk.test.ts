import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leadsOut, nextKiosk, type Kiosk, type KioskEvent } from './kiosk.ts';

const event = fc.record({
  type: fc.constantFrom<KioskEvent['type']>('leave', 'session'),
  isAdministrator: fc.boolean(),
});
const play = (kiosk: Kiosk, events: readonly KioskEvent[]): Kiosk => events.reduce(nextKiosk, kiosk);

describe('the full screen', () => {
  test('is left by an administrator who asks for it', () => {
    expect(nextKiosk('on', { type: 'leave', isAdministrator: true })).toBe('left');
  });

  test('is not left by anybody else, nor by an administrator who only signs in', () => {
    expect(nextKiosk('on', { type: 'leave', isAdministrator: false })).toBe('on');
    expect(nextKiosk('on', { type: 'session', isAdministrator: true })).toBe('on');
  });

  test('stays left while the administrator is there, and comes back when they have gone', () => {
    expect(nextKiosk('left', { type: 'session', isAdministrator: true })).toBe('left');
    expect(nextKiosk('left', { type: 'session', isAdministrator: false })).toBe('on');
  });

  test('is left, whatever happens, only with an administrator at the controls', () => {
    fc.assert(
      fc.property(fc.array(event), (events) => {
        if (play('on', events) === 'left') expect(events.at(-1)?.isAdministrator).toBe(true);
      }),
    );
  });

  test('never comes where it was not asked for, and never goes for good where it was', () => {
    fc.assert(
      fc.property(fc.array(event), (events) => {
        expect(play('off', events)).toBe('off');
        expect(play('on', events)).not.toBe('off');
      }),
    );
  });
});

/** `Ctrl+Shift+I` as an input. */
function input(keys: string) {
  const held = keys.split(/\+(?=.)/);
  const key = held.pop() ?? '';
  const has = (name: string): boolean => held.includes(name);
  return { key, control: has('Ctrl'), alt: has('Alt'), shift: has('Shift'), meta: has('Cmd') };
}

describe('a key in the full screen', () => {
  test.each(
    (
      'Alt+F4 F11 F12 F5 Ctrl+F5 Ctrl+r Ctrl+Shift+R Ctrl+w Ctrl+Shift+W Ctrl+Shift+I Ctrl+Shift+J Ctrl+p Ctrl+o Ctrl+s ' +
      'Ctrl+n Ctrl+Shift+N Ctrl+t Ctrl+u Ctrl+q Cmd+q Ctrl++ Ctrl+- Ctrl+0 Ctrl+Tab Ctrl+F4 Ctrl+j Ctrl+h Ctrl+d Ctrl+g ' +
      'Alt+Tab Alt+Escape Ctrl+Shift+Escape Cmd+h Cmd+m BrowserHome LaunchMail PrintScreen'
    ).split(' '),
  )('%s is kept from the page: it leads out', (keys) => {
    expect(leadsOut(input(keys))).toBe(true);
  });

  test.each(
    (
      'a A 7 Enter Tab Shift+Tab Escape Backspace Ctrl+a Ctrl+c Ctrl+v Ctrl+x Ctrl+z Ctrl+ArrowLeft Ctrl+Backspace ' +
      'Shift+End Ctrl+Shift+L Ctrl+Shift+Z Alt+ArrowLeft Ctrl+Control F1 Ctrl+Alt+@ Ctrl+Alt+l'
    ).split(' '),
  )('%s reaches the page', (keys) => {
    expect(leadsOut(input(keys))).toBe(false);
  });

  test('that types a character always reaches the page, with AltGr too', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }), fc.boolean(), (key, shift) => {
        expect(leadsOut({ key, control: false, alt: false, shift, meta: false })).toBe(false);
        fc.pre(key !== ' ');
        expect(leadsOut({ key, control: true, alt: true, shift, meta: false })).toBe(false);
      }),
    );
  });
});
