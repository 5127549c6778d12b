/** Stands in for fpm, which electron-builder downloads to make a Debian package: the options that it is given, done with dpkg-deb. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const text = { type: 'string' } as const;
const texts = { type: 'string', multiple: true } as const;

// Strict: an option that is not here ends it.
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    force: { type: 'boolean' },
    s: { ...text, short: 's' },
    t: { ...text, short: 't' },
    d: { ...texts, short: 'd' },
    'deb-recommends': texts,
    'deb-compression': text,
    'deb-priority': text,
    architecture: text,
    'after-install': text,
    'after-remove': text,
    'before-remove': text,
    description: text,
    version: text,
    package: text,
    name: text,
    maintainer: text,
    vendor: text,
    url: text,
    license: text,
  },
});

const SCRIPTS = { postinst: 'after-install', postrm: 'after-remove', prerm: 'before-remove' } as const;

const tree = mkdtempSync(join(tmpdir(), 'keyswitch-deb-'));
try {
  // The package has it as the root of the machine.
  chmodSync(tree, 0o755);
  for (const mapping of positionals) copy(mapping);
  mkdirSync(join(tree, 'DEBIAN'));
  for (const [script, option] of Object.entries(SCRIPTS)) {
    copyFileSync(values[option] ?? '', join(tree, 'DEBIAN', script));
    chmodSync(join(tree, 'DEBIAN', script), 0o755);
  }
  writeFileSync(join(tree, 'DEBIAN', 'control'), control());
  const made = spawnSync(
    'dpkg-deb',
    ['-Znone', '--root-owner-group', '--build', tree, values.package ?? ''],
    {
      stdio: 'inherit',
    },
  );
  process.exitCode = made.status ?? 1;
} finally {
  rmSync(tree, { recursive: true, force: true });
}

/** `file=/where/it/goes`, or `folder/=/whose/place/it/takes`. */
function copy(mapping: string): void {
  const [from = '', to = ''] = mapping.split('=');
  const target = join(tree, to);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(from, target, { recursive: true, verbatimSymlinks: true });
}

function control(): string {
  const { name, version, architecture, maintainer, url, description = '' } = values;
  const fields = {
    Package: name,
    Version: version,
    Architecture: architecture,
    Maintainer: maintainer,
    Homepage: url,
    Priority: values['deb-priority'],
    Depends: values.d?.join(', '),
    Recommends: values['deb-recommends']?.join(', '),
    Description: description.replaceAll('\n', '\n '),
  };
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => `${field}: ${value}\n`)
    .join('');
}
