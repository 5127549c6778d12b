import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { setInConfigFile } from './edit.ts';
import { loadConfig } from './load.ts';
import { SETTINGS } from './settings.ts';

let dataFolder: string;
let file: string;
beforeEach(() => {
  dataFolder = mkdtempSync(join(tmpdir(), 'keyswitch-edit-'));
  file = join(dataFolder, 'keyswitch.yaml');
});
afterEach(() => rmSync(dataFolder, { recursive: true }));

/** The text of the file after one change. */
function edited(before: string, path: string, valueText: string): string {
  writeFileSync(file, before);
  setInConfigFile(dataFolder, path, valueText);
  return readFileSync(file, 'utf8');
}

test('makes the file when there is none, for its owner alone', () => {
  setInConfigFile(dataFolder, 'http.port', '443');
  expect(readFileSync(file, 'utf8')).toBe('http:\n  port: 443\n');
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('keeps every comment and the order of the file', () => {
  const before = `# The desk in hall 2.

http: # who may come in
  # the port of the HMIs
  port: 8443 # agreed with IT
  host: "0.0.0.0"

# quiet
log:
  level: warn
# the end
`;
  expect(edited(before, 'http.port', '443')).toBe(before.replace('8443', '443'));
});

test('adds a key to its section, and a section to the file', () => {
  const before = '# top\nhttp:\n  port: 1 # one\n\n# the log\nlog:\n  files: 3\n';
  expect(edited(before, 'http.swagger', 'false')).toBe(
    before.replace('# one\n', '# one\n  swagger: false\n'),
  );
  expect(edited(before, 'plant.name', 'Pumps')).toBe(`${before}plant:\n  name: Pumps\n`);
});

test.each([
  ['http:\n  # port: 1\n\n  # host: a\n', 'http:\n  # port: 1\n\n  # host: a\n  port: 443\n'],
  ['http: ~ # none\n', 'http:\n  # none\n  port: 443\n'],
  ['# nothing yet', '# nothing yet\nhttp:\n  port: 443\n'],
  ['http:\n    host: a # ours\n\n# end\n', 'http:\n    host: a # ours\n    port: 443\n\n# end\n'],
  ['http:\n  host: a', 'http:\n  host: a\n  port: 443\n'],
  ['http:\n  names:\n    - a\n\nlog: {}\n', 'http:\n  names:\n    - a\n  port: 443\n\nlog: {}\n'],
  [
    'plant:\n  banner: |\n    a\n    b\nhttp: {host: a}\n',
    'plant:\n  banner: |\n    a\n    b\nhttp: { host: a, port: 443 }\n',
  ],
  ['---\n# nothing yet\n', '---\n# nothing yet\nhttp:\n  port: 443\n'],
  ['{"http": {"port": 1}}\n', '{"http": {"port": 443}}\n'],
  ['%YAML 1.1\n---\nlog: {}\n', '%YAML 1.1\n---\nlog: {}\nhttp:\n  port: 443\n'],
])('finds the place for a key in %j', (before, after) => {
  expect(edited(before, 'http.port', '443')).toBe(after);
});

test('keeps the comments of list items that stay', () => {
  const before =
    'http:\n  names:\n    # the desk\n    - desk.example # first\n    - old.example\n  port: 1\n';
  expect(edited(before, 'http.names', 'desk.example,new.example')).toBe(before.replace('old.', 'new.'));
});

test('keeps the comments inside a list in brackets', () => {
  const before = 'http:\n  names: [\n    a.example, # first\n    b.example # second\n  ]\n';
  expect(edited(before, 'http.names', 'a.example,b.example,c.example')).toMatch(/# first[^]*# second/);
});

test('keeps Windows line ends', () => {
  const before = 'http:\r\n  port: 1 # one\r\n\r\n# end\r\n';
  expect(edited(before, 'http.port', '2')).toBe(before.replace('port: 1', 'port: 2'));
});

test('quotes text that YAML would take for something else', () => {
  expect(edited('', 'plant.name', '42')).toBe('plant:\n  name: "42"\n');
});

test('does not fold a long text', () => {
  const banner = 'For authorised staff only. '.repeat(10).trim();
  expect(edited('', 'plant.banner', banner)).toBe(`plant:\n  banner: ${banner}\n`);
});

describe('refusals leave the file as it was', () => {
  test.each([
    ['a value outside its limits', '', 'http.port', '70000', 'http.port'],
    ['an unknown key', '', 'http.prot', '1', 'http.prot'],
    ['a fault elsewhere in the file', 'log:\n  files: 0\n', 'http.port', '1', 'keyswitch.yaml:2 log.files'],
    ['a syntax error in the file', 'log: [\n', 'http.port', '1', 'keyswitch.yaml:2'],
    [
      'a password policy that contradicts itself',
      'passwords:\n  preset: jube\n',
      'passwords.minLength',
      '17',
      'passwords.minLength',
    ],
    ['half a pair', '', 'http.certificate', 'a.pem', 'http.certificateKey'],
    [
      'a value that an alias repeats',
      'plc:\n  timeoutMs: &time 500\n  pollIntervalMs: *time\n',
      'plc.timeoutMs',
      '600',
      'plc.timeoutMs',
    ],
  ])('%s', (_, before, path, valueText, field) => {
    writeFileSync(file, before);
    expect(() => setInConfigFile(dataFolder, path, valueText)).toThrow(
      expect.objectContaining({ code: 'config-invalid', faults: [expect.objectContaining({ field })] }),
    );
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(readdirSync(dataFolder)).toEqual(['keyswitch.yaml']);
  });

  test('suggest the key that was meant', () => {
    expect(() => setInConfigFile(dataFolder, 'plc.timeout', '500')).toThrow('did you mean plc.timeoutMs?');
    expect(existsSync(file)).toBe(false);
  });
});

test('mends the fault it sets the key of', () => {
  expect(edited('http:\n  port: 70000 # too many\n', 'http.port', '443')).toBe(
    'http:\n  port: 443 # too many\n',
  );
});

test('keeps the rights of the file, and a link to a file kept elsewhere', () => {
  const elsewhere = join(dataFolder, 'managed.yaml');
  writeFileSync(elsewhere, 'http:\n  port: 1\n');
  chmodSync(elsewhere, 0o664);
  symlinkSync(elsewhere, file);
  setInConfigFile(dataFolder, 'http.port', '2');
  expect(lstatSync(file).isSymbolicLink()).toBe(true);
  expect(readFileSync(elsewhere, 'utf8')).toBe('http:\n  port: 2\n');
  expect(statSync(elsewhere).mode & 0o777).toBe(0o664);
});

test('tells a folder that cannot be written', () => {
  expect(() => setInConfigFile(join(dataFolder, 'missing'), 'http.port', '1')).toThrow(
    expect.objectContaining({ code: 'data-folder-unusable' }),
  );
});

test('changes what it should or nothing, whatever the file holds', () => {
  const fragment = fc.constantFrom(
    ...[
      'http:',
      'port: ',
      '443',
      'names:',
      'plc:',
      'timeoutMs: ',
      'pollIntervalMs: ',
      '500',
      '\n',
      '\n  ',
      '\n    - ',
    ],
    ...[
      '[',
      ']',
      '{',
      '}',
      ',',
      '&a ',
      '*a',
      '!x ',
      '|\n',
      '"',
      '# c',
      '---\n',
      '...\n',
      '%YAML 1.1\n---\n',
      '~',
    ],
  );
  const text = fc.array(fragment, { maxLength: 12 }).map((fragments) => fragments.join(''));
  const change = fc.constantFrom(['http.port', '80'], ['http.names', 'a'], ['plc.timeoutMs', '800']);
  fc.assert(
    fc.property(text, change, (before, [path = '', valueText = '']) => {
      writeFileSync(file, before);
      try {
        const asFlag = loadConfig({ dataFolder, env: {}, flags: { [path]: valueText } });
        setInConfigFile(dataFolder, path, valueText);
        expect(loadConfig({ dataFolder, env: {}, flags: {} })).toEqual(asFlag);
      } catch (error) {
        expect(error).toMatchObject({ name: 'KeyswitchError', code: 'config-invalid' });
        expect(readFileSync(file, 'utf8')).toBe(before);
      }
    }),
    { numRuns: 300 },
  );
});

test('changes one value, and no comment, of any file', () => {
  const values: Record<string, string[]> = {
    'plant.name': ['North', '42', 'a: b # c'],
    'http.port': ['1', '443'],
    'http.names': ['', 'a.example', 'b.example,a.example'],
    'http.swagger': ['true', 'false'],
    'log.level': ['debug', 'warn'],
    'log.files': ['3', '30'],
    'plc.timeoutMs': ['500', '700'],
  };
  const setting = fc
    .constantFrom(...Object.keys(values))
    .chain((path) => fc.tuple(fc.constant(path), fc.constantFrom(...(values[path] ?? []))));
  const layout = fc.array(fc.constantFrom('', '# above', '# below', '\n# apart', '  # deep'), {
    minLength: 12,
    maxLength: 12,
  });
  fc.assert(
    fc.property(fc.array(setting), layout, setting, (present, notes, [path, valueText]) => {
      const before = render(new Map(present), notes);
      const after = edited(before, path, valueText);
      expect(comments(after)).toEqual(comments(before));
      writeFileSync(file, before);
      const asFlag = loadConfig({ dataFolder, env: {}, flags: { [path]: valueText } });
      writeFileSync(file, after);
      expect(loadConfig({ dataFolder, env: {}, flags: {} })).toEqual(asFlag);
      expect(keys(after).filter((key) => keys(before).includes(key))).toEqual(keys(before));
    }),
  );

  /** A file that sets `present`, with numbered `notes` between the lines as they come. */
  function render(present: ReadonlyMap<string, string>, notes: readonly string[]): string {
    const sections = Map.groupBy(present, ([path]) => path.split('.')[0] ?? '');
    const lines = [...sections].flatMap(([section, entries]) => [
      `${section}:`,
      ...entries.map(([path, text]) => `  ${path.split('.')[1]}: ${inYaml(path, text)}`),
    ]);
    return lines.map((line, index) => `${note(notes[index], index)}${line} # at ${index}\n`).join('');
  }
  function note(text = '', index: number): string {
    return text === '' ? '' : `${text} ${index}\n`;
  }
  function inYaml(path: string, text: string): string {
    const type = SETTINGS.find((candidate) => candidate.path === path)?.type;
    return type === 'array' ? `[${text}]` : type === 'string' ? JSON.stringify(text) : text;
  }
  function comments(text: string): string[] {
    return [...text.matchAll(/# (?:above|below|apart|deep|at) \d+/g)].map(([comment]) => comment);
  }
  function keys(text: string): string[] {
    return [...text.matchAll(/^ *(\w+):/gm)].map(([, key]) => key ?? '');
  }
});
