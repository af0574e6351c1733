// Who may import whom, type-only imports included. Tests and test helpers may import anything.

const TESTS = "\\.test\\.tsx?$|^src/testing/";
const SHARED = "^src/shared/";
const PORTS = "^src/(chat|accounts|echochat)/ports\\.ts$";
const LOG = "^src/log\\.ts$";
const BUILT_IN = "^[a-z_:]+(/(promises|web))?$"; // as they resolve: fs, zlib, stream/web, bun:sqlite
const PREACT = "^node_modules/preact/(src|dist|jsx-runtime)/";
const npm = (...names) => names.map((name) => `^node_modules/${name}/`);

/** A layer, what it may import besides itself, and why no more. */
const layers = [
  {
    layer: "src/shared/",
    may: [],
    why: "It runs in the browser and on the server, and everybody leans on it.",
  },
  {
    layer: "src/chat/",
    may: [SHARED, PORTS],
    why: "The rules of the product are plain functions; the world comes in through ports.",
  },
  {
    layer: "src/accounts/",
    may: [SHARED, PORTS],
    why: "The rules of the product are plain functions; the world comes in through ports.",
  },
  {
    layer: "src/db/",
    may: [SHARED, PORTS, LOG, BUILT_IN, ...npm("drizzle-orm", "postgres")],
    why: "An adapter knows the ports it implements and its driver, not the domain or other adapters.",
  },
  {
    layer: "src/echochat/",
    may: [SHARED, PORTS, "^src/accounts/(django|email|names|passwords)\\.ts$", BUILT_IN, ...npm("postgres")],
    why: "It reads an installation of the original and says what becomes of each row; who stores that comes in through a port.",
  },
  {
    layer: "src/bus/",
    may: [SHARED, PORTS, LOG, BUILT_IN, ...npm("ioredis")],
    why: "An adapter knows the ports it implements and its driver, not the domain or other adapters.",
  },
  {
    layer: "src/media/",
    may: [SHARED, PORTS, LOG, BUILT_IN],
    why: "An adapter knows the ports it implements and its driver, not the domain or other adapters.",
  },
  {
    layer: "src/backup/",
    may: [SHARED, LOG, BUILT_IN, "^src/db/snapshot/", "^src/media/(storage|wholeness)\\.ts$"],
    why: "A backup is a database's snapshot and pictures in a file; which ones, and where, a command says.",
  },
  {
    layer: "src/limits/",
    may: [SHARED, PORTS, LOG, BUILT_IN, ...npm("rate-limiter-flexible", "ioredis")],
    why: "An adapter knows the ports it implements and its driver, not the domain or other adapters.",
  },
  {
    layer: "src/export/",
    may: [
      "^src/db/copy/(tables|refused)\\.ts$",
      "^src/media/(storage|wholeness)\\.ts$",
      "^src/accounts/(names|passwords)\\.ts$",
      SHARED,
      PORTS,
      BUILT_IN,
    ],
    why: "The open format knows what rows, names and pictures are; the databases it reads and fills are handed to it.",
  },
  {
    layer: "src/http/",
    may: [
      "^src/(chat|accounts)/",
      "^views/",
      SHARED,
      LOG,
      BUILT_IN,
      PREACT,
      ...npm("elysia", "@elysiajs/[^/]+", "preact-render-to-string"),
    ],
    why: "The edge decodes, identifies, asks the domain and answers; stores reach it through ports.",
  },
  {
    layer: "src/ws/",
    may: [
      "^src/(chat|accounts)/",
      "^src/http/(identify|origin|respond)\\.ts$",
      SHARED,
      LOG,
      BUILT_IN,
      ...npm("elysia"),
    ],
    why: "Sockets speak frames, not pages; with http they share who is asking, from where, and how to say no.",
  },
  {
    layer: "src/metrics/",
    may: ["^src/(chat|accounts|ws)/", SHARED, BUILT_IN],
    why: "It looks on: the others come to it through the composition root, and know nothing of what is counted.",
  },
  {
    layer: "views/",
    may: [SHARED, PREACT, ...npm("lucide")],
    why: "Pure props to JSX, no hooks: the same component serves page, fragment and island.",
  },
  {
    layer: "islands/",
    may: [SHARED, "^views/components/", PREACT, ...npm("preact/hooks", "@preact/signals", "htmx.org")],
    why: "It ships to the browser: pages and the server's modules would come along.",
  },
];

/** Packages with one home. The composition root and the commands import every layer, but not these. */
const homes = [
  { what: "elysia", paths: npm("elysia", "@elysiajs/[^/]+"), home: "^src/(http/|ws/|app\\.ts$)" },
  { what: "sql", paths: [...npm("drizzle-orm", "postgres"), "^bun:sqlite$"], home: "^src/(db|echochat)/" },
  { what: "redis", paths: npm("ioredis"), home: "^src/(bus|limits)/" },
  { what: "rate-limiter", paths: npm("rate-limiter-flexible"), home: "^src/limits/" },
];

const product = { path: "^(src|views|islands)/", pathNot: TESTS };

const rules = [
  ...layers.map(({ layer, may, why }) => ({
    name: `${layer.split("/").at(-2)}-imports-only`,
    comment: why,
    from: { path: `^${layer}`, pathNot: TESTS },
    to: { pathNot: [`^${layer}`, ...may] },
  })),
  ...homes.map(({ what, paths, home }) => ({
    name: `${what}-has-a-home`,
    comment: `Changing it must touch one place: ${home}`,
    from: { ...product, pathNot: [TESTS, home] },
    to: { path: paths },
  })),
  {
    name: "no-cycles",
    comment: "Files in a cycle can be neither read nor tested one at a time.",
    from: {},
    to: { circular: true },
  },
  {
    name: "no-orphans",
    comment: "A file that nobody imports is dead.",
    from: { orphan: true, pathNot: [TESTS, "^(src|islands)/main\\.tsx?$", "\\.d\\.ts$"] },
    to: {},
  },
  {
    name: "no-tests-in-product",
    comment: "What ships never leans on test helpers.",
    from: product,
    to: { path: [TESTS, "^(tests|bench)/"] },
  },
  {
    name: "no-dev-dependencies-in-product",
    comment: "They are not installed where the product is built.",
    from: product,
    to: { dependencyTypes: ["npm-dev"] },
  },
  {
    name: "no-unresolved",
    comment: "The import leads nowhere, so the rules above cannot see it.",
    from: {},
    to: { couldNotResolve: true },
  },
];

module.exports = {
  forbidden: rules.map((rule) => ({ ...rule, severity: "error" })),
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    builtInModules: { add: ["bun", "bun:sqlite", "bun:test"] },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "default"] },
  },
};
