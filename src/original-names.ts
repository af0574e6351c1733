/**
 * The names by which EchoChat's original was configured, so that its environment works here. Where both are set, ours is
 * taken; a name that is empty is not set.
 */

export type Environment = Record<string, string | undefined>;

/** Which value is read under our name, and what it was called. */
interface Translation {
  ours: string;
  theirs: readonly string[];
  value: string;
}

/** Those that mean the same: the original's name is ours behind this. */
const PREFIX = "DJANGO_";
const SAME = [
  "SECRET_KEY",
  "ALLOWED_HOSTS",
  "CSRF_TRUSTED_ORIGINS",
  "CORS_ALLOWED_ORIGINS",
  "CORS_ALLOW_CREDENTIALS",
  "PUBLIC_BASE_URL",
  "RELAX_PASSWORDS",
];

/** Its proxies are single ones and networks, and these are the networks where none are named. */
const PROXIES = ["DJANGO_TRUSTED_PROXY_IPS", "DJANGO_TRUSTED_PROXY_RANGES"] as const;

const ENGINE = "DJANGO_DB_ENGINE";
const DATABASE = ["HOST", "PORT", "NAME", "USER", "PASSWORD"].map((part) => `DJANGO_DB_${part}`);
const POSTGRES = ["HOST", "PORT", "DB", "USER", "PASSWORD"].map((part) => `POSTGRES_${part}`);

const TRUE = ["1", "true", "yes", "on"];

/** Why those have no effect that mean nothing here. */
const NO_EFFECT: Record<string, string> = {
  DJANGO_SECURE_SSL_REDIRECT: "what ends TLS redirects",
  DJANGO_SESSION_COOKIE_SECURE: "cookies are secure where PUBLIC_BASE_URL or the proxy says https",
  DJANGO_CSRF_COOKIE_SECURE: "cookies are secure where PUBLIC_BASE_URL or the proxy says https",
  DJANGO_LOG_LEVEL: "everything is logged that somebody should read",
  DJANGO_UPLOAD_MAX_MB: "the size of pictures is fixed",
  DJANGO_SQLITE_PATH: "the database is echochat.sqlite in DATA_DIR; `echochat import` reads the original's",
  DJANGO_ALLOW_SQLITE: "SQLite is always allowed",
  DJANGO_REQUIRE_REDIS: "without REDIS_URL nothing needs Redis",
  DJANGO_ALLOW_INMEMORY_CHANNEL_LAYER: "without REDIS_URL nothing needs Redis",
  DJANGO_SETTINGS_MODULE: "there is no Django here",
};

export interface Translated {
  /** In our names only. */
  env: Environment;
  /** What our names were called, where it was otherwise. */
  called: ReadonlyMap<string, readonly string[]>;
  /** Each name of the original that is set to no effect, and why. */
  idle: ReadonlyMap<string, string>;
}

export const ORIGINAL_NAMES: readonly string[] = [
  ...SAME.map((name) => PREFIX + name),
  "DJANGO_DEBUG",
  ...PROXIES,
  ENGINE,
  ...DATABASE,
  ...POSTGRES,
  ...Object.keys(NO_EFFECT),
];

export function translate(given: Environment): Translated {
  const all = [...SAME.map((name) => same(given, name)), debug(given), proxies(given), database(given)];
  const meant = all.filter((each) => each !== null);
  const used = meant.filter(({ ours }) => !given[ours]);
  const env = { ...given, ...Object.fromEntries(used.map(({ ours, value }) => [ours, value])) };
  return {
    env,
    called: new Map(used.map(({ ours, theirs }) => [ours, theirs])),
    idle: idle(given, meant, used),
  };
}

function same(given: Environment, ours: string): Translation | null {
  const name = PREFIX + ours;
  const value = given[name];
  return value ? { ours, theirs: [name], value } : null;
}

/** Without debugging the original was in production; with it, it was what we are by default. */
function debug({ DJANGO_DEBUG: value }: Environment): Translation | null {
  const isOff = value && !TRUE.includes(value.toLowerCase());
  return isOff ? { ours: "NODE_ENV", theirs: ["DJANGO_DEBUG"], value: "production" } : null;
}

function proxies(given: Environment): Translation | null {
  const theirs = PROXIES.filter((name) => given[name]);
  if (theirs.length === 0) return null;
  const [single = "", networks = LOOPBACK_AND_PRIVATE] = PROXIES.map((name) => given[name] || undefined);
  return { ours: "TRUSTED_PROXIES", theirs, value: `${single},${networks}` };
}

export const LOOPBACK_AND_PRIVATE = "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,::1,fc00::/7";

/**
 * Variables of the container of PostgreSQL name no host: they are for that container, and what stands there without one is
 * none of ours.
 */
function database(given: Environment): Translation | null {
  const engine = given[ENGINE];
  if (!engine || /sqlite/.test(engine))
    return given["POSTGRES_HOST"] ? composed(given, "postgres", POSTGRES) : null;
  // Any other scheme is refused by whoever reads the URL.
  const scheme = /postgres/.test(engine) ? "postgres" : "other";
  const { theirs, ...url } = composed(given, scheme, DATABASE);
  return { ...url, theirs: [ENGINE, ...theirs] };
}

/** `names`: of host, port, database, user and password. */
function composed(given: Environment, scheme: string, names: readonly string[]): Translation {
  const [host = "localhost", port = "5432", name, user = "postgres", password = ""] = names.map(
    (each) => given[each] || undefined,
  );
  const account = [user, password].map(encodeURIComponent).join(":").replace(/:$/, "");
  const value = `${scheme}://${account}@${host}:${port}/${encodeURIComponent(name ?? user)}`;
  return { ours: "DATABASE_URL", theirs: names.filter((each) => given[each]), value };
}

function idle(
  given: Environment,
  meant: readonly Translation[],
  used: readonly Translation[],
): Map<string, string> {
  const reasons = new Map<string, string>();
  for (const name of ORIGINAL_NAMES.filter((each) => given[each])) {
    const meaning = meant.find(({ theirs }) => theirs.includes(name));
    if (used.some(({ theirs }) => theirs.includes(name)) || name === "DJANGO_DEBUG") continue;
    reasons.set(name, meaning ? `${meaning.ours} is set as well` : (NO_EFFECT[name] ?? alone(name)));
  }
  return reasons;
}

function alone(name: string): string {
  if (name.startsWith("POSTGRES_")) return "without POSTGRES_HOST it is the container's of PostgreSQL";
  return "DJANGO_DB_ENGINE does not say PostgreSQL";
}
