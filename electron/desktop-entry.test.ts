import fc from 'fast-check';
import { expect, test } from 'vitest';
import { desktopEntry } from './desktop-entry.ts';

/** Reads `Exec` as the Desktop Entry Specification says: first any text's escapes, then quotes and field codes. */
function commandIn(entry: string): string[] {
  const exec = (/^Exec=(.*)$/m.exec(entry)?.[1] ?? '').replaceAll('\\\\', '\\');
  const quoted = [...exec.matchAll(/"((?:\\.|[^"\\])*)"/gs)];
  expect(quoted.map(([whole]) => whole).join(' ')).toBe(exec);
  return quoted.map(([, inner = '']) => inner.replaceAll(/\\(.)/g, '$1').replaceAll('%%', '%'));
}

test('an entry starts the command with its arguments', () => {
  const entry = desktopEntry(['/opt/Keyswitch/keyswitch', '--data', '/srv/plant 7/keyswitch']);
  expect(entry).toBe(
    '[Desktop Entry]\nType=Application\nName=Keyswitch\n' +
      'Exec="/opt/Keyswitch/keyswitch" "--data" "/srv/plant 7/keyswitch"\n',
  );
});

test('whatever the arguments hold, the command is read back as it was, and no line is added', () => {
  const argument = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom('"', '\\', '$', '`', '%', ' ', 'f') }),
  );
  fc.assert(
    fc.property(fc.array(argument, { minLength: 1 }), (command) => {
      const entry = desktopEntry(command);
      expect(commandIn(entry)).toEqual(command.map((part) => part.replaceAll(/[\n\r]/g, ' ')));
      expect(entry.trimEnd().split('\n')).toHaveLength(4);
    }),
  );
});
