import { describe, expect, test } from 'vitest';
import { KeyswitchError } from '../errors.ts';
import { createLog, createMemoryLog } from './log.ts';

const SECRET = 'hunter2-never-in-a-line';

const SECRET_FIELDS = [
  'password',
  'newPassword',
  'currentPassword',
  'repeatNewPassword',
  'oneTimeSecret',
  'secret',
  'ticket',
  'token',
  'accessToken',
  'refreshToken',
  'key',
  'privateKey',
  'pepper',
  'authorization',
  'cookie',
  'set-cookie',
  'secretPwdKey',
  'passwordHashingKey',
  'SECRET_PWD_KEY',
  'PASSWORD_HASHING_KEY',
  'PasswordHashingKey',
];

const PLACES: [string, (field: string) => object][] = [
  ['at the top', (field) => ({ [field]: SECRET })],
  ['one level down', (field) => ({ body: { [field]: SECRET } })],
  ['two levels down', (field) => ({ request: { headers: { [field]: SECRET } } })],
  ['in a list', (field) => ({ users: [{ name: 'operator', [field]: SECRET }] })],
  ['as a list', (field) => ({ response: { [field]: [SECRET, SECRET] } })],
  ['with more below it', (field) => ({ [field]: { value: SECRET } })],
  [
    'in the context of an error',
    (field) => ({ err: Object.assign(new Error('refused'), { [field]: SECRET }) }),
  ],
];

describe.each(SECRET_FIELDS)('the value of a field named %s', (field) => {
  test.each(PLACES)('does not reach a line %s', (_place, fieldsWith) => {
    const log = createMemoryLog();
    log.error(fieldsWith(field), 'something happened');
    log.child(fieldsWith(field)).info({}, 'something happened');
    expect(log.lines).toHaveLength(2);
    expect(JSON.stringify(log.lines)).not.toContain(SECRET);
    expect(JSON.stringify(log.lines)).toContain('[redacted]');
  });
});

test('what is no secret stays readable beside one', () => {
  const log = createMemoryLog();
  log.info({ user: 'operator', request: { method: 'POST', password: SECRET } }, 'signing in');
  expect(log.lines).toMatchObject([
    {
      level: 'info',
      user: 'operator',
      request: { method: 'POST', password: '[redacted]' },
      msg: 'signing in',
    },
  ]);
});

test('redacting leaves the object that was logged as it is', () => {
  const fields = { password: SECRET, request: { headers: { cookie: SECRET } } };
  createMemoryLog().info(fields, 'signing in');
  expect(fields).toEqual({ password: SECRET, request: { headers: { cookie: SECRET } } });
});

test('an error is rendered with its type, its text, its stack and its cause, but not its ticket', () => {
  const log = createMemoryLog();
  const cause = new Error('the disk is full');
  log.error(
    { err: new KeyswitchError('password-change-required', 'change it', { ticket: SECRET, cause }) },
    'no',
  );
  const [line] = log.lines;
  expect(line).toMatchObject({ err: { type: 'KeyswitchError', code: 'password-change-required' } });
  expect(JSON.stringify(line)).toContain('the disk is full');
  expect(JSON.stringify(line)).toContain('log.test.ts');
  expect(JSON.stringify(line)).not.toContain(SECRET);
});

test('each line is one JSON object that ends with a line feed and tells the time in UTC', () => {
  const written: string[] = [];
  const log = createLog({
    level: 'info',
    streams: [{ write: (line) => void written.push(line) }],
    now: () => Date.UTC(2026, 0, 1, 6),
  });
  log.info({ user: 'a\nb' }, 'two\nlines');
  expect(written).toHaveLength(1);
  expect(written[0]).toMatch(/^[^\n]+\n$/);
  expect(JSON.parse(written[0] ?? '')).toEqual({
    level: 'info',
    time: '2026-01-01T06:00:00.000Z',
    user: 'a\nb',
    msg: 'two\nlines',
  });
});

test.each([
  ['error', ['error']],
  ['info', ['info', 'warn', 'error']],
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['silent', []],
] as const)('at level %s only lines as severe as that are written', (level, expected) => {
  const written: string[] = [];
  const write = (line: string) => void written.push((JSON.parse(line) as { level: string }).level);
  const log = createLog({ level, streams: [{ write }], now: () => 0 });
  for (const severity of ['debug', 'info', 'warn', 'error'] as const) log[severity]({}, 'a line');
  expect(written).toEqual(expected);
});

test('a child adds its fields to each of its lines, and to no other', () => {
  const log = createMemoryLog();
  const child = log.child({ link: 7 });
  child.info({ value: 9 }, 'written');
  log.info({}, 'ready');
  expect(log.lines).toMatchObject([{ link: 7, value: 9 }, { msg: 'ready' }]);
  expect(log.lines[1]).not.toHaveProperty('link');
});

test('every stream is given every line', () => {
  const first: string[] = [];
  const second: string[] = [];
  const streams = [first, second].map((lines) => ({ write: (line: string) => void lines.push(line) }));
  createLog({ level: 'info', streams, now: () => 0 }).info({}, 'ready');
  expect(first).toHaveLength(1);
  expect(second).toEqual(first);
});
