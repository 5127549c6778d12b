/** The directions of the house (docs/decisions/001-the-house.md): who may import whom. */
const ADAPTERS = '^server/(http|realtime|dialects|plc|cli)/';
const FEATURES =
  '^server/(users|passwords|lockout|emergency|accounts|sessions|tokens|apps|audit|badges|backups)/';
const TEST = '\\.test\\.ts$';

export default {
  forbidden: [
    {
      name: 'server-knows-no-shell-and-no-page',
      severity: 'error',
      from: { path: '^server/', pathNot: TEST },
      to: { path: '^(electron|renderer|test|bench)/' },
    },
    {
      name: 'features-know-no-adapter',
      severity: 'error',
      from: { path: FEATURES, pathNot: TEST },
      to: { path: ADAPTERS },
    },
    {
      name: 'ground-floor-knows-no-one-above',
      comment:
        'ports, store, config and secrets carry the house; they import nothing that stands on them, but the ' +
        'password policies, which are data',
      severity: 'error',
      from: { path: '^server/(ports|store|config|secrets)/', pathNot: TEST },
      to: { path: [ADAPTERS, FEATURES], pathNot: '^server/passwords/(policy|presets)\\.ts$' },
    },
    {
      name: 'a-store-belongs-to-its-feature',
      comment: 'features meet through the functions that another feature exports, never through its store',
      severity: 'error',
      from: { path: '^server/([^/]+)/', pathNot: TEST },
      to: { path: '^server/[^/]+/[^/]*-store\\.ts$', pathNot: '^server/$1/' },
    },
    {
      name: 'sql-lives-in-stores',
      severity: 'error',
      from: { path: '^server/', pathNot: ['-store\\.ts$', '^server/store/', TEST] },
      to: { path: 'node_modules/(kysely|better-sqlite3)/' },
    },
    {
      name: 'a-dialect-can-be-deleted',
      severity: 'error',
      from: { path: '^server/', pathNot: ['^server/dialects/', '^server/host\\.ts$', TEST] },
      to: { path: '^server/dialects/' },
    },
    {
      name: 'pages-take-types-and-shared-rules-only',
      comment:
        'from the server a page imports types, and rules without any door that it shows while one types: those of ' +
        'passwords and PINs, and those of addresses in a PLC',
      severity: 'error',
      from: { path: '^renderer/', pathNot: TEST },
      to: {
        path: '^server/',
        pathNot:
          '^server/(passwords/(policy|blocklist)|badges/pin-rules|http/page-paths|plc/(address|items))\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'the-client-stands-alone',
      comment: 'it is a package of its own; our pages take what they share with it from its sources',
      severity: 'error',
      from: { path: '^clients/js/src/', pathNot: TEST },
      to: { pathNot: '^clients/js/src/' },
    },
    {
      name: 'pages-take-sources-of-the-client',
      severity: 'error',
      from: { path: '^renderer/', pathNot: TEST },
      to: { path: '^clients/', pathNot: '^clients/js/src/' },
    },
    {
      name: 'the-host-knows-no-client',
      severity: 'error',
      from: { path: '^(server|electron)/', pathNot: TEST },
      to: { path: '^clients/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'declared-dependencies-only',
      severity: 'error',
      from: { path: '^(server|electron|renderer)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.svelte', '.json'],
      conditionNames: ['import', 'node', 'default', 'svelte'],
    },
  },
};
