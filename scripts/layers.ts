/** A room of `src` and what it may import: the one place that says so. */
interface Room {
  name: string;
  /** Rooms, or single rooms within a room: `models/catalog`. */
  imports: readonly string[];
  /** Rooms within it, where somebody may import one of them only. */
  within?: readonly string[];
  /** Rooms of which it may import the entry point, `index.ts`, alone. */
  entryPoints?: readonly string[];
  /** May import the stack itself, `infra`. */
  infra?: true;
  /** Has no I/O, time or randomness of its own. */
  pure?: true;
}

const EVERYTHING_BELOW_TARGETS = [
  'core',
  'prompts',
  'models',
  'store',
  'hub',
  'runs',
  'bedrock',
  'rows',
  'report',
  'workflow',
  'steps',
];

/** In the order of the layers: a room may only import what stands above it here. */
export const ROOMS: readonly Room[] = [
  { name: 'core', imports: [], pure: true },
  { name: 'prompts', imports: ['core'], pure: true },
  { name: 'models', imports: ['core', 'prompts'], within: ['adapters', 'catalog'], pure: true },
  { name: 'engine', imports: ['core'] },
  { name: 'store', imports: ['core'] },
  { name: 'hub', imports: ['core', 'store'] },
  { name: 'runs', imports: ['core', 'models', 'store'] },
  { name: 'bedrock', imports: ['core', 'models'] },
  { name: 'rows', imports: ['core', 'prompts', 'models', 'store'] },
  { name: 'report', imports: ['core', 'prompts', 'store', 'runs', 'rows'] },
  { name: 'workflow', imports: ['core', 'engine'], pure: true },
  { name: 'emulator', imports: ['core', 'models/catalog', 'store'] },
  {
    name: 'steps',
    imports: ['core', 'prompts', 'models', 'store', 'hub', 'runs', 'bedrock', 'rows', 'report', 'workflow'],
  },
  { name: 'handlers', imports: ['core', 'models', 'store', 'hub', 'runs', 'bedrock', 'workflow', 'steps'] },
  { name: 'targets', imports: [...EVERYTHING_BELOW_TARGETS, 'engine', 'emulator'] },
  { name: 'deploy', imports: ['core', 'bedrock', 'targets'], infra: true },
  { name: 'doctor', imports: ['core', 'models', 'store', 'runs', 'bedrock', 'targets'] },
  { name: 'quarry', imports: [...EVERYTHING_BELOW_TARGETS, 'engine', 'emulator', 'targets', 'doctor'] },
  // Beneath it are the package's entry points, src/index.ts and src/emulator/index.ts, what deploys the stack, and nothing else.
  { name: 'cli', imports: ['core', 'deploy'], entryPoints: ['emulator'] },
];

/** Where time is an argument. */
const TIMELESS = [
  'core',
  'models',
  'prompts',
  'hub',
  'rows',
  'report',
  'steps',
  'workflow',
  'engine',
  'emulator',
  'store',
  'bedrock',
];

/** Biome's overrides that hold every room to what it may import. */
export function renderLayers(): string {
  const overrides = [
    ...ROOMS.flatMap((room) => overridesOf(room)),
    restrictImports(
      ['infra/**'],
      [
        {
          group: closedTo(['workflow', 'models/catalog']).map((path) => `**/src/${path}`),
          message: 'infra sees the workflow and the model catalogue only.',
        },
      ],
    ),
    override([...TIMELESS.map((name) => `src/${name}/**`), '!src/core/clock.ts'], 'noRestrictedGlobals', {
      deniedGlobals: Object.fromEntries(
        ['setTimeout', 'setInterval'].map((name) => [name, 'Time is an argument: use the Clock.']),
      ),
    }),
  ];
  return `${JSON.stringify({ $schema: './node_modules/@biomejs/biome/configuration_schema.json', overrides }, null, 2)}\n`;
}

/** Paths of everything that is not in these rooms. */
function closedTo(open: readonly string[]): string[] {
  return ROOMS.flatMap(({ name, within = [] }) => {
    if (open.includes(name)) return [];
    const isOpen = (inner: string) => open.includes(`${name}/${inner}`);
    if (!within.some(isOpen)) return [`${name}/**`];
    return [
      `${name}/*.ts`,
      ...within.filter((inner) => !isOpen(inner)).map((inner) => `${name}/${inner}/**`),
    ];
  });
}

/** One override for the files of a room, and one for those in its sub-rooms: paths are relative in imports. */
function overridesOf({ name, imports, entryPoints = [], pure, infra }: Room): unknown[] {
  const closed = closedTo([name, ...imports]);
  const allowed = imports.length === 0 ? 'no other room' : `${imports.join(', ')} only`;
  const message = `${name} may import ${allowed}: see ARCHITECTURE.md, Rooms.`;
  const impure = {
    group: ['@aws-sdk/**', '@duckdb/**', 'node:*', 'node:*/**'],
    message: `${name} is pure: pass I/O, time and randomness in as arguments.`,
  };
  return [
    { includes: [`src/${name}/*`], up: '..' },
    { includes: [`src/${name}/*/**`], up: '../..' },
  ].map(({ includes, up }) =>
    restrictImports(includes, [
      {
        group: [
          ...closed.map((path) => `${up}/${path}`),
          ...entryPoints.map((other) => `!${up}/${other}/index.ts`),
          ...(infra ? [] : [`${up}/../infra/**`]),
          'aws-cdk-lib',
          'aws-cdk-lib/**',
        ],
        message,
      },
      ...(pure ? [impure] : []),
    ]),
  );
}

function restrictImports(includes: readonly string[], patterns: readonly unknown[]): unknown {
  return override(includes, 'noRestrictedImports', { patterns });
}

function override(includes: readonly string[], rule: string, options: unknown): unknown {
  return { includes, linter: { rules: { style: { [rule]: { level: 'error', options } } } } };
}
