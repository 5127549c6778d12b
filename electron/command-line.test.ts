import { expect, test } from 'vitest';
import { readCommandLine } from './command-line.ts';

test('takes the options of serve, and passes over what belongs to Chromium', () => {
  const given = ['--lang=de', '--data', '/data', '--port', '8444', '--host=::', '--set', 'log.level=debug'];
  expect(readCommandLine(['electron', '.', ...given, '--set', 'plant.banner=a=b'])).toEqual({
    dataFolder: '/data',
    flags: { 'http.port': '8444', 'http.host': '::', 'log.level': 'debug', 'plant.banner': 'a=b' },
    secrets: null,
  });
});

test('takes the form that the secrets are to have', () => {
  const secretsOf = (...given: string[]): unknown => readCommandLine(['electron', '.', ...given]).secrets;
  expect([secretsOf('--secrets=plain'), secretsOf('--secrets', 'sealed')]).toEqual(['plain', 'sealed']);
  for (const wrong of ['--secrets=', '--secrets=open', '--secrets']) {
    expect(() => secretsOf(wrong)).toThrow(expect.objectContaining({ code: 'invalid-input' }));
  }
});
