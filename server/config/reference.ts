/** Renders the configuration reference and the editors' schema; run it to write both anew. */
import { writeFileSync } from 'node:fs';
import { SECRETS, SECRETS_FILE } from '../secrets/secrets.ts';
import { CONFIG_FILE } from './file.ts';
import { SECTIONS, toJsonSchema, type Section, type Setting } from './settings.ts';

export const REFERENCE_FILE = new URL('../../docs/reference/configuration.md', import.meta.url);
export const SCHEMA_FILE = new URL('../../resources/keyswitch.schema.json', import.meta.url);

/** A file as a site might have it. */
export const EXAMPLE = `# yaml-language-server: $schema=/opt/keyswitch/resources/keyswitch.schema.json

plant:
  name: Waterworks North
  station: Control desk 2
  banner: For authorised staff only. Every sign-in is recorded.

http:
  # Every address of this machine: the HMIs on the LAN sign in here.
  host: 0.0.0.0
  names: [desk2.waterworks.example, 192.168.10.12]
  # Pages of the HMI that call Keyswitch from the operator's browser.
  trustedOrigins:
    - https://hmi.waterworks.example

passwords:
  # 64 MiB and 3 passes: the second recommended choice of RFC 9106.
  memoryKib: 65536
  iterations: 3
  parallelism: 4

plc:
  pollIntervalMs: 250 # an older CPU, with little time for communication
`;

/** Renders `resources/keyswitch.schema.json` (JSON Schema, draft 2020-12). */
export function renderJsonSchema(): string {
  const { properties, ...rest } = toJsonSchema();
  const schema = { ...rest, title: `Keyswitch: ${CONFIG_FILE}`, properties };
  // The formatter puts a short list on one line.
  const text = JSON.stringify(schema, null, 2).replace(
    /\[\n[^[\]{}]*\]/g,
    (list) => `[${list.slice(1, -1).trim().replace(/\s+/g, ' ')}]`,
  );
  return `${text}\n`;
}

/** Renders `docs/reference/configuration.md`. */
export function renderReference(): string {
  return `<!-- Written by server/config/reference.ts; change the schema, not this page. -->

# Configuration

Keyswitch runs without any configuration. What a site wants otherwise is set in \`${CONFIG_FILE}\` in the data folder,
in the environment or on the command line. The command line goes before the environment, the environment before the
file, and the file before the defaults.

| place | form of \`http.port\` | lists |
| --- | --- | --- |
| command line | \`--http.port 8443\` | parted by commas |
| environment | \`KEYSWITCH_HTTP_PORT=8443\` | parted by commas |
| \`${CONFIG_FILE}\` | \`port: 8443\` below \`http:\` | as in YAML |

An unknown key is refused wherever it stands, and so is a value outside its limits. All faults are told at once, each
with its place: \`${CONFIG_FILE}:12 http.port\`, \`KEYSWITCH_HTTP_PORT\` or \`--http.port\`. \`KEYSWITCH_DATA\` names the data
folder itself.

With the first line of the example, editors that know the YAML language server complete and check the keys.

\`\`\`yaml
${EXAMPLE}\`\`\`

${SECTIONS.map(renderSection).join('\n')}
## Secrets

Secrets are not in \`${CONFIG_FILE}\`. They are in \`${SECRETS_FILE}\` in the data folder, as \`KEY=VALUE\` lines with \`#\`
comments; the environment goes before the file. What is set in neither is made at the start and written to the file,
which only the account of Keyswitch may read. Where the operating system has a key store the desktop seals the values
(docs/desktop.md). Hosts that share one user base need the same secrets.

| key | also known as | at least | meaning |
| --- | --- | --- | --- |
${SECRETS.map(
  ({ names: [name, ...aliases], minLength, description }) =>
    `| \`${name}\` | ${aliases.map(code).join(', ') || '-'} | ${minLength} character${minLength === 1 ? '' : 's'} | ${description} |`,
).join('\n')}
`;
}

function renderSection({ name, description, settings }: Section): string {
  return `## ${name}

${description}

| key | type and range | default | environment | meaning |
| --- | --- | --- | --- | --- |
${settings.map(renderRow).join('\n')}
`;
}

function renderRow({ path, range, default: value, environmentName, description }: Setting): string {
  const shown = value === undefined ? 'none' : code(JSON.stringify(value));
  return `| ${code(path)} | ${range} | ${shown} | ${code(environmentName)} | ${description} |`;
}

function code(text: string): string {
  return `\`${text}\``;
}

if (import.meta.main) {
  writeFileSync(REFERENCE_FILE, renderReference());
  writeFileSync(SCHEMA_FILE, renderJsonSchema());
}
