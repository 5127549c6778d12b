import { expect, test } from 'vitest';
import { pageAppId } from './page-app.ts';
import { createMemory } from './testing.ts';

test('takes the app of the address, in lower case, and remembers it', () => {
  const memory = createMemory();
  expect(pageAppId('?app=EB97A642', memory, undefined)).toBe('eb97a642');
  expect(pageAppId('', memory, undefined)).toBe('eb97a642');
});

test('forgets the app when the address names none', () => {
  const memory = createMemory();
  pageAppId('?app=a', memory, undefined);
  expect(pageAppId('?app=', memory, undefined)).toBeNull();
  expect(pageAppId('', memory, undefined)).toBeNull();
});

test("takes the station's app in the desktop window, unless another is chosen", () => {
  expect(pageAppId('', createMemory(), 'station')).toBe('station');
  expect(pageAppId('?app=other', createMemory(), 'station')).toBe('other');
});
