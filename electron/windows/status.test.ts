import { expect, test, vi } from 'vitest';
import { KeyswitchError } from '../../server/errors.ts';
import { pageFailed, startFailed, starting } from './status.ts';
import { text } from '../text.ts';

const locale = vi.hoisted(() => ({ now: 'en' }));
vi.mock('electron', () => ({ app: { getLocale: () => locale.now } }));

const inEnglish = (): ReturnType<typeof text> => ((locale.now = 'en-GB'), text());
const inGerman = (): ReturnType<typeof text> => ((locale.now = 'de-AT'), text());

test('a failure with a page of its own says what it is, what to do, and what the host says of it', () => {
  const taken = new KeyswitchError('port-in-use', '127.0.0.1:8443 is used by another program.');
  expect(startFailed(taken, inEnglish(), ['try-again', 'quit'])).toMatchObject({
    language: 'en',
    title: 'The port is in use',
    details: ['127.0.0.1:8443 is used by another program.'],
    ways: [
      { action: 'try-again', label: 'Try again' },
      { action: 'quit', label: 'Quit' },
    ],
    isWaiting: false,
  });
  expect(startFailed(taken, inGerman(), ['try-again'])).toMatchObject({
    language: 'de',
    title: 'Der Port ist belegt',
    ways: [{ action: 'try-again', label: 'Erneut versuchen' }],
  });
});

test('faulty settings are listed one by one', () => {
  const faults = [
    { field: 'http.port', message: 'must be a number' },
    { field: 'plant', message: 'is unknown' },
  ];
  const { details } = startFailed(new KeyswitchError('config-invalid', 'two', { faults }), inEnglish(), []);
  expect(details).toEqual(['http.port: must be a number', 'plant: is unknown']);
});

test.each([
  ['a defect', new TypeError('x is not a function'), 'x is not a function'],
  ['a failure that has no page of its own', new KeyswitchError('busy'), undefined],
  ['something thrown that is no error', 'nonsense', 'nonsense'],
])('%s has the general page', (_what, thrown, detail) => {
  const page = startFailed(thrown, inEnglish(), ['try-again']);
  expect(page.title).toBe('Keyswitch cannot start');
  if (detail !== undefined) expect(page.details).toEqual([detail]);
});

test('while the host starts there is nothing to choose, and a page that fails can be tried again', () => {
  expect(starting(inEnglish())).toMatchObject({ isWaiting: true, ways: [], details: [] });
  expect(pageFailed(inGerman()).ways).toEqual([{ action: 'try-again', label: 'Erneut versuchen' }]);
});
