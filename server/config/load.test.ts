import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KeyswitchError } from '../errors.ts';
import { type Fault } from '../errors.ts';
import { PRESETS } from '../passwords/presets.ts';
import { loadConfig, type ConfigSources } from './load.ts';
import type { Config } from './schema.ts';

let dataFolder: string;
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'keyswitch-config-'));
});
afterEach(() => rmSync(dataFolder, { recursive: true }));

interface Given {
  readonly file?: string | Uint8Array;
  readonly env?: ConfigSources['env'];
  readonly flags?: ConfigSources['flags'];
}

function load({ file, env = {}, flags = {} }: Given): Config {
  if (file !== undefined) writeFileSync(join(dataFolder, 'keyswitch.yaml'), file);
  return loadConfig({ dataFolder, env, flags });
}

function faultsOf(given: Given): readonly Fault[] {
  try {
    load(given);
  } catch (error) {
    expect(error).toMatchObject({ name: 'KeyswitchError', code: 'config-invalid' });
    return (error as KeyswitchError).faults;
  }
  throw new Error('nothing was refused');
}

const fieldsOf = (given: Given): string[] => faultsOf(given).map((fault) => fault.field);

describe('where a value comes from', () => {
  test('runs on defaults without any source', () => {
    expect(load({})).toEqual({
      plant: { name: 'Control room', station: '', banner: '' },
      http: {
        host: '127.0.0.1',
        port: 8443,
        names: [],
        maxBodyBytes: 16_384,
        swagger: true,
        trustedOrigins: [],
      },
      log: { level: 'info', files: 10, maxFileMiB: 10 },
      passwords: {
        memoryKib: 19_456,
        iterations: 2,
        parallelism: 1,
        maxConcurrent: 0,
        maxWaiting: 200,
        maxWaitingPerAddress: 100,
        provisioning: true,
        preset: 'nist',
        words: [],
        ...PRESETS.nist,
      },
      sessions: { browserIdleMin: 15, browserMaxHours: 12, appLogoutTimeInMin: 10 },
      tokens: { accessTokenSec: 300, refreshTokenDays: 7, keyRotationDays: 30, keyOverlapDays: 1 },
      plc: { pollIntervalMs: 100, timeoutMs: 1500 },
      audit: {
        ...{ checkpointRows: 1000, retentionDays: 0, archiveFolder: 'audit-archive' },
        ...{ syslogPort: 6514, warnFreeMiB: 1024, reserveMiB: 64 },
      },
      badges: {
        ...{ signIn: 'with-pin', pinMinLength: 6 },
        ...{ prefix: '', suffix: 'enter', minLength: 6, maxGapMs: 50 },
      },
      desktop: {
        ...{ startWithSystem: false, kiosk: false, notifications: true, keyStore: 'auto' },
        ...{ onScreenLock: 'lock', onSuspend: 'lock', onUserSwitch: 'end' },
        ...{ updateSource: '', updateWhileSignedIn: false },
      },
      backups: { folder: '', everyHours: 24, keep: 14 },
      realtime: {
        ...{ maxMessageBytes: 4096, heartbeatSec: 15, maxBehindSec: 10, maxSubscriptions: 64 },
        ...{ maxConnections: 10_000, maxConnectionsPerAddress: 1000, messagesPerSec: 50 },
      },
      lockout: { preset: 'standard' },
      dialects: {
        iauth: true,
        iauthWebSockets: true,
        iauthSignalR: true,
        iauthSignalRWebSockets: true,
        jube: true,
      },
    });
  });

  test.each(['/srv/updates', 'D:\\updates', '\\\\server\\share', 'https://plant.example/updates'])(
    'finds updates at %s',
    (from) => expect(load({ flags: { 'desktop.updateSource': from } }).desktop.updateSource).toBe(from),
  );

  test('puts flags before the environment, the environment before the file, the file before the defaults', () => {
    const file = 'plc:\n  timeoutMs: 1000\nlog:\n  files: 1\n  maxFileMiB: 1\nhttp:\n  port: 1\n';
    const env = { KEYSWITCH_HTTP_PORT: '2', KEYSWITCH_LOG_FILES: '2' };
    const config = load({ file, env, flags: { 'http.port': '3' } });
    expect([config.http.port, config.log.files, config.log.maxFileMiB, config.plc.pollIntervalMs]).toEqual([
      3, 2, 1, 100,
    ]);
  });

  test('takes a section whose keys are all commented out as empty', () => {
    expect(load({ file: 'http:\n  # port: 1\nlog: ~\n' }).http.port).toBe(8443);
  });

  test.each(['', '\n', '---\n', '# nothing yet\n', '~', '{}'])('takes the file %j as empty', (file) => {
    expect(load({ file }).http.port).toBe(8443);
  });

  test('reads a file with a byte order mark and Windows line ends', () => {
    expect(load({ file: '\uFEFFhttp:\r\n  port: 1\r\n' }).http.port).toBe(1);
  });

  test('follows YAML aliases', () => {
    expect(load({ file: 'plc: {timeoutMs: &time 500, pollIntervalMs: *time}' }).plc.pollIntervalMs).toBe(500);
  });

  test('starts relative paths at the data folder', () => {
    const { http } = load({ file: 'http:\n  certificate: tls/site.pem\n  certificateKey: /etc/site.key\n' });
    expect(http.certificate).toBe(join(dataFolder, 'tls/site.pem'));
    expect(http.certificateKey).toBe('/etc/site.key');
  });

  test('cannot be changed afterwards, at any depth', () => {
    const config = load({ env: { KEYSWITCH_HTTP_NAMES: 'a' } });
    for (const part of [
      config,
      config.http,
      config.http.names,
      config.http.trustedOrigins,
      config.dialects,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });
});

describe('values as text', () => {
  test('reads numbers, booleans, lists and text by the type of the key', () => {
    const config = load({
      env: {
        KEYSWITCH_PASSWORDS_MEMORY_KIB: '65536',
        KEYSWITCH_LOG_MAX_FILE_MIB: '5',
        KEYSWITCH_HTTP_SWAGGER: 'false',
        KEYSWITCH_HTTP_NAMES: 'desk2.example, 10.0.0.2',
        KEYSWITCH_PLANT_NAME: '42',
      },
      flags: { 'http.trustedOrigins': '', 'sessions.appLogoutTimeInMin': '30' },
    });
    expect(config.passwords.memoryKib).toBe(65_536);
    expect(config.log.maxFileMiB).toBe(5);
    expect(config.http.swagger).toBe(false);
    expect(config.http.names).toEqual(['desk2.example', '10.0.0.2']);
    expect(config.plant.name).toBe('42');
    expect(config.http.trustedOrigins).toEqual([]);
    expect(config.sessions.appLogoutTimeInMin).toBe(30);
  });

  test.each(['', ' 1', '1e3', '0x10', 'NaN', '1.5', '-1', '65536', '99999999999999999999'])(
    'refuses %j as a port',
    (text) => {
      expect(fieldsOf({ env: { KEYSWITCH_HTTP_PORT: text } })).toEqual(['KEYSWITCH_HTTP_PORT']);
    },
  );

  test('refuses anything but true and false as a boolean', () => {
    expect(faultsOf({ flags: { 'http.swagger': 'yes' } })).toEqual([
      { field: '--http.swagger', message: 'expected true or false; given "yes"' },
    ]);
  });

  test('leaves the data folder, secrets and foreign variables alone', () => {
    const env = {
      KEYSWITCH_DATA: '/srv/keyswitch',
      KEYSWITCH_SECRET_X: 'y',
      PATH: '/bin',
      KEYSWITCH_HTTP_PORT: undefined,
    };
    expect(load({ env }).http.port).toBe(8443);
  });
});

describe('faults', () => {
  test('are told all at once, each with its place, its limit and what was given', () => {
    const file = [
      'plant:', // 1
      '  name: 12',
      'http:',
      '  prot: 80',
      '  port: 99999', // 5
      '  names:',
      '    - desk2.example',
      '    - "desk 2"',
      '  certificate: site.pem',
      'lgo:', // 10
      '  level: debug',
      'tokens: 300',
      'plc:',
      '  timeoutMs:',
    ].join('\n');
    const env = { KEYSWITCH_HTTP_PROT: '1', KEYSWITCH_LOG_LEVEL: 'loud' };
    const flags = { 'log.file': '1', 'log.files': '0' };
    expect(
      Object.fromEntries(faultsOf({ file, env, flags }).map(({ field, message }) => [field, message])),
    ).toEqual({
      'keyswitch.yaml:2 plant.name': 'expected text, not empty, at most 100 characters; given 12',
      'keyswitch.yaml:3 http.certificateKey':
        'expected a path, because http.certificate is set; given nothing',
      'keyswitch.yaml:4 http.prot': 'unknown key; did you mean http.port?',
      'keyswitch.yaml:5 http.port': 'expected whole number, 0 to 65535; given 99999',
      'keyswitch.yaml:8 http.names': 'expected list, each item: host name or IP address; given "desk 2"',
      'keyswitch.yaml:10 lgo': 'unknown key; did you mean log?',
      'keyswitch.yaml:12 tokens': 'expected a section: keys, indented below it',
      'keyswitch.yaml:14 plc.timeoutMs': 'expected whole number, 100 to 60000; given nothing',
      KEYSWITCH_HTTP_PROT: 'unknown key; did you mean KEYSWITCH_HTTP_PORT?',
      KEYSWITCH_LOG_LEVEL: 'expected one of fatal, error, warn, info, debug, trace, silent; given "loud"',
      '--log.file': 'unknown key; did you mean log.files?',
      '--log.files': 'expected whole number, 1 to 1000; given 0',
    });
  });

  test('are all in the message, for whoever prints only that', () => {
    const file = 'http:\n  port: -1\n';
    expect(() => load({ file, flags: { 'log.files': '0' } })).toThrow(
      /keyswitch\.yaml:2 http\.port[^]*--log\.files/,
    );
  });

  test('suggest nothing where no key is close', () => {
    expect(faultsOf({ file: 'colour:\n  scheme: dark\n' })).toEqual([
      { field: 'keyswitch.yaml:1 colour', message: 'unknown key' },
    ]);
  });

  test('name a key set twice, with both places', () => {
    expect(faultsOf({ file: 'http:\n  port: 1\n  host: a\n  port: 2\n' })).toEqual([
      { field: 'keyswitch.yaml:4 http.port', message: 'set twice, first at keyswitch.yaml:2' },
    ]);
    expect(fieldsOf({ file: 'log:\n  files: 1\nplc: {}\nlog:\n  level: info\n' })).toEqual([
      'keyswitch.yaml:4 log',
    ]);
  });

  test.each([
    ['an unclosed list', 'http:\n  names: [a\nlog:\n  level: info\n', 'keyswitch.yaml:3'],
    ['a tab as indentation', 'http:\n\tport: 1\n', 'keyswitch.yaml:2'],
    ['a second document', 'http:\n  port: 1\n---\nlog: {}\n', 'keyswitch.yaml:3'],
    ['an unknown alias', 'http:\n  host: *nowhere\n', 'keyswitch.yaml:2 http.host'],
    ['a list as the root', '- http\n', 'keyswitch.yaml:1'],
    ['nesting without end', `http:\n  names: ${'['.repeat(5000)}${']'.repeat(5000)}\n`, 'keyswitch.yaml:2'],
  ])('name the line of %s', (_, file, field) => {
    expect(fieldsOf({ file })[0]).toBe(field);
  });

  test('do not tell what a mistaken value below a syntax error would be', () => {
    expect(fieldsOf({ file: 'http:\n  port: 99999\n  names: [\n' })).not.toContain(
      'keyswitch.yaml:2 http.port',
    );
  });

  test('do not repeat a long value', () => {
    const [fault] = faultsOf({ env: { KEYSWITCH_HTTP_PORT: 'x'.repeat(10_000) } });
    expect(fault?.message.length).toBeLessThan(200);
  });

  test('cover a file that cannot be read or is not UTF-8', () => {
    expect(fieldsOf({ file: Uint8Array.of(0xff, 0xfe, 0x61, 0x00) })).toEqual(['keyswitch.yaml']);
    rmSync(join(dataFolder, 'keyswitch.yaml'));
    mkdirSync(join(dataFolder, 'keyswitch.yaml'));
    expect(fieldsOf({})).toEqual(['keyswitch.yaml']);
  });
});

describe('what one key demands of another', () => {
  test.each([
    ['certificate without key', { 'http.certificate': 'a.pem' }, 'http.certificateKey'],
    ['key without certificate', { 'http.certificateKey': 'a.key' }, 'http.certificate'],
    [
      'less memory than 8 KiB a lane',
      { 'passwords.memoryKib': '31', 'passwords.parallelism': '4' },
      '--passwords.memoryKib',
    ],
    [
      'a shortest password longer than the longest',
      { 'passwords.minLength': '65', 'passwords.maxLength': '64' },
      '--passwords.minLength',
    ],
    [
      'a reserve that is no less than the room that is warned of',
      { 'audit.warnFreeMiB': '64', 'audit.reserveMiB': '64' },
      '--audit.reserveMiB',
    ],
    ['own syslog certificate without key', { 'audit.syslogCertificate': 'a' }, 'audit.syslogCertificateKey'],
    ['own syslog key without certificate', { 'audit.syslogCertificateKey': 'a' }, 'audit.syslogCertificate'],
    ['a fingerprint that is none', { 'audit.syslogFingerprint': 'AB:CD' }, '--audit.syslogFingerprint'],
    ['updates without TLS', { 'desktop.updateSource': 'http://plant.example' }, '--desktop.updateSource'],
    [
      'updates with a password',
      { 'desktop.updateSource': 'https://a:b@plant.example' },
      '--desktop.updateSource',
    ],
    ['updates somewhere', { 'desktop.updateSource': 'updates' }, '--desktop.updateSource'],
  ])('refuses %s', (_, flags, field) => {
    expect(fieldsOf({ flags })).toEqual([field]);
  });

  test.each<[string, Record<string, string>, string, RegExp]>([
    [
      'a longest password shorter than the preset asks for',
      { 'passwords.maxLength': '14' },
      'maxLength',
      /15.*14/,
    ],
    [
      'a shortest password longer than the preset admits',
      { 'passwords.preset': 'jube', 'passwords.minLength': '17' },
      'minLength',
      /17.*passwords\.maxLength \(16\)/,
    ],
    [
      'more of the classes than a password has room for',
      { 'passwords.preset': 'jube', 'passwords.minDigits': '14' },
      'minDigits',
      /minUppercase \(1\).*minDigits \(14\).*maxLength \(16\)/,
    ],
    [
      'a minimum age as long as the maximum',
      { 'passwords.preset': 'part11', 'passwords.minAgeHours': '2160' },
      'minAgeHours',
      /2160.*maxAgeDays \(90\)/,
    ],
    [
      'a warning as long as a password lives',
      { 'passwords.maxAgeDays': '14' },
      'maxAgeDays',
      /warnDays \(14\)/,
    ],
  ])('refuses %s, naming what was set and what it contradicts', (_, flags, name, words) => {
    const faults = faultsOf({ flags });
    expect(faults.map(({ field }) => field)).toEqual([`--passwords.${name}`]);
    expect(faults[0]?.message).toMatch(words);
  });

  test('names a contradiction of the policy beside a wrong value, and makes none of the wrong one', () => {
    const flags = { 'passwords.maxLength': '14', 'passwords.warnDays': 'x', 'passwords.maxAgeDays': '1' };
    expect(fieldsOf({ flags })).toEqual(['--passwords.warnDays', '--passwords.maxLength']);
    expect(fieldsOf({ flags: { 'passwords.preset': 'x', 'passwords.maxLength': '8' } })).toEqual([
      '--passwords.preset',
    ]);
  });

  test('takes of a preset what is not set', () => {
    const { passwords } = load({ flags: { 'passwords.preset': 'jube', 'passwords.maxLength': '64' } });
    expect(passwords).toMatchObject({ ...PRESETS.jube, maxLength: 64 });
  });

  test('accepts the smallest memory for the lanes', () => {
    expect(
      load({ flags: { 'passwords.memoryKib': '32', 'passwords.parallelism': '4' } }).passwords.memoryKib,
    ).toBe(32);
  });

  test('is checked although another key of the section is wrong', () => {
    const flags = { 'http.certificate': 'a.pem', 'http.port': 'x' };
    expect(fieldsOf({ flags })).toEqual(['--http.port', 'http.certificateKey']);
  });
});

describe('origins', () => {
  test.each(['https://hmi.example', 'https://hmi.example:8080', 'http://[::1]:3000'])(
    'accepts %s',
    (origin) => {
      expect(load({ env: { KEYSWITCH_HTTP_TRUSTED_ORIGINS: origin } }).http.trustedOrigins).toEqual([origin]);
    },
  );

  test.each([
    '*',
    'null',
    'hmi.example',
    'https://hmi.example/',
    'https://HMI.example',
    'https://a:443',
    'ftp://a',
  ])('refuses %s, which no browser sends', (origin) => {
    expect(fieldsOf({ flags: { 'http.trustedOrigins': origin } })).toEqual(['--http.trustedOrigins']);
  });
});

describe('whatever the file holds', () => {
  /** Runs `file` through the loader; anything thrown but `config-invalid` fails the property. */
  function survives(file: string | Uint8Array): void {
    try {
      load({ file, env: { KEYSWITCH_HTTP_PORT: '0' } });
    } catch (error) {
      expect(error).toMatchObject({ name: 'KeyswitchError', code: 'config-invalid' });
      expect((error as KeyswitchError).faults.length).toBeGreaterThan(0);
    }
  }

  test('throws nothing but config-invalid for arbitrary text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), survives));
  });

  test('throws nothing but config-invalid for arbitrary bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), survives));
  });

  test('throws nothing but config-invalid for text made of what YAML gives a meaning', () => {
    const fragment = fc.constantFrom(
      ...[
        'http:',
        'port: ',
        'names:',
        'plc: ',
        'timeoutMs',
        '\n',
        '\n  ',
        '\n    - ',
        ': ',
        '- ',
        '? ',
        '[',
        ']',
      ],
      ...[
        '{',
        '}',
        ',',
        '&a ',
        '*a',
        '!!set ',
        '!!binary ',
        '!x ',
        '|\n',
        '>-\n',
        '"',
        "'",
        '# c',
        '---\n',
        '...\n',
      ],
      ...[
        '%YAML 1.1\n---\n',
        '<<: ',
        '__proto__: ',
        'constructor',
        '~',
        '.nan',
        '0x1f',
        '2001-01-01',
        'true',
        '\t',
      ],
    );
    fc.assert(
      fc.property(
        fc.array(fragment, { maxLength: 30 }).map((fragments) => fragments.join('')),
        survives,
      ),
      { numRuns: 500 },
    );
  });
});
