/** The only reader of the environment. A wrong value stops the start with one line that names the variable. */
import { BlockList, isIP } from "node:net";
import type { PasswordRules } from "./accounts/passwords.ts";
import type { CorsOptions } from "./http/cors.ts";
import type { S3Account } from "./media/s3.ts";
import type { MetricsPlace } from "./metrics/server.ts";
import type { SocketCaps } from "./ws/routes.ts";
import { LOOPBACK_AND_PRIVATE, ORIGINAL_NAMES, translate, type Environment } from "./original-names.ts";
import { MESSAGE_MAX_LENGTH, PAGE_SIZE, PAGE_SIZE_MAX } from "./shared/limits.ts";

export interface RateConfig {
  points: number;
  windowSeconds: number;
}

export interface Config {
  host: string;
  port: number;
  dataDir: string;
  /** Of PostgreSQL, with user and password; null: SQLite in the data folder. */
  databaseUrl: string | null;
  /** Connections of this process. */
  databasePoolSize: number;
  /** Null: this node tells others nothing. */
  redisUrl: string | null;
  /** Null: made at the first start and kept in the data folder. */
  secretKey: string | null;
  /** Scheme and host under which the world sees this server, without a trailing slash. */
  publicBaseUrl: string | null;
  trustedProxies: BlockList;
  /** The host names, in lower case, that are served and whose pages may open sockets; null: whatever name is used. */
  allowedHosts: ReadonlySet<string> | null;
  /** Origins, besides our own, whose pages may send unsafe requests with a CSRF token. */
  csrfTrustedOrigins: ReadonlySet<string>;
  /** What pages of other origins may do with the API. */
  cors: CorsOptions;
  passwordRules: PasswordRules;
  authRate: RateConfig;
  messageRate: RateConfig;
  /** Rooms made, invitations made and invitations opened, each by one person. */
  roomRate: RateConfig;
  invitationRate: RateConfig;
  /** Avatars of one person. */
  uploadRate: RateConfig;
  /** Handshakes from one network. */
  socketRate: RateConfig;
  socketCaps: SocketCaps;
  messageMaxLength: number;
  pageSize: number;
  pageSizeMax: number;
  /** Seconds; 0 means never. */
  socketIdleTimeout: number;
  /** Which slugs may name a room; `public` always may. */
  roomSlug: RegExp;
  presence: PresenceConfig;
  /** Where whoever watches this program reads its numbers; null: nowhere. */
  metrics: MetricsPlace | null;
  /** Null: `media` in the data folder. */
  mediaDir: string | null;
  /** Null: pictures lie in a folder. */
  s3: S3Account | null;
}

/** How long people count as present without a word from them. Seconds. */
export interface PresenceConfig {
  ttl: number;
  grace: number;
  heartbeat: number;
  /** 0 means never. */
  idleTimeout: number;
  touchInterval: number;
}

/** The environment names a value that cannot be used; the message is the whole story. */
export class ConfigError extends Error {}

const DEVELOPMENT_ORIGINS = "http://localhost:5173,http://127.0.0.1:5173";

/** Shorter secrets can be guessed; the generated one has 64 characters. */
export const SECRET_KEY_MIN_LENGTH = 32;

export function readConfig(given: Environment = process.env): Config {
  const { env, called } = translate(given);
  try {
    return read(env);
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(asCalled(error.message, called)) : error;
  }
}

/** A message begins with a name: it is the one that was set. */
function asCalled(message: string, called: ReadonlyMap<string, readonly string[]>): string {
  return message.replace(/^[A-Z0-9_]+/, (ours) => {
    const [theirs = ours, ...more] = called.get(ours) ?? [];
    return more.length === 0 ? theirs : `${ours}, made of ${[theirs, ...more].join(", ")},`;
  });
}

/** What the environment says, as it was given, for whoever looks at it. */
export interface Given {
  /** Every variable of ours or of the original's that is set, with its value. */
  set: ReadonlyMap<string, string>;
  /** Every other name that is set. */
  others: readonly string[];
  /** All names that mean something. */
  known: ReadonlySet<string>;
  /** Our names that are set by others of the original's, and those. */
  called: ReadonlyMap<string, readonly string[]>;
  /** Names of the original's that are set to no effect, and why. */
  idle: ReadonlyMap<string, string>;
}

export function readGiven(given: Environment = process.env): Given {
  const known = new Set([...namesRead(), ...ORIGINAL_NAMES]);
  const set = Object.entries(given).filter((entry): entry is [string, string] => Boolean(entry[1]));
  const { called, idle } = translate(given);
  return {
    set: new Map(set.filter(([name]) => known.has(name))),
    others: set.map(([name]) => name).filter((name) => !known.has(name)),
    known,
    called,
    idle,
  };
}

/** Whatever is looked at. */
export function namesRead(): Set<string> {
  const names = new Set<string>();
  const nothing = new Proxy<Environment>({}, { get: (_, name) => void names.add(String(name)) });
  read(nothing);
  return names;
}

function read(env: Environment): Config {
  const production = env.NODE_ENV === "production";
  const secretKey = secret(env);
  if (production && env.DATABASE_URL && !secretKey) {
    throw new ConfigError("SECRET_KEY must be set in production, to the same text on every node");
  }
  if (env.REDIS_URL && !env.DATABASE_URL)
    throw new ConfigError("REDIS_URL is for nodes that share a database: set DATABASE_URL too");

  const pageSize = whole(env, "CHAT_MESSAGES_PAGE_SIZE", PAGE_SIZE, 1, 1000);
  return {
    host: env.HOST || "127.0.0.1",
    port: whole(env, "PORT", 3000, 0, 65_535),
    dataDir: env.DATA_DIR || "./data",
    databaseUrl: databaseUrl(env),
    databasePoolSize: whole(env, "DATABASE_POOL_SIZE", 10, 2, 1000),
    redisUrl: env.REDIS_URL || null,
    secretKey,
    publicBaseUrl: baseUrl(env),
    trustedProxies: networks(env, "TRUSTED_PROXIES", LOOPBACK_AND_PRIVATE),
    allowedHosts: hostNames(env),
    csrfTrustedOrigins: origins(env, "CSRF_TRUSTED_ORIGINS", DEVELOPMENT_ORIGINS),
    cors: {
      origins: origins(env, "CORS_ALLOWED_ORIGINS", DEVELOPMENT_ORIGINS),
      credentials: flag(env, "CORS_ALLOW_CREDENTIALS", true),
    },
    passwordRules: flag(env, "RELAX_PASSWORDS", !production) ? "relaxed" : "strict",
    authRate: rate(env, "AUTH_RATE_LIMIT", 10, "AUTH_RATE_WINDOW", 60),
    messageRate: rate(env, "CHAT_MESSAGE_RATE_LIMIT", 20, "CHAT_MESSAGE_RATE_WINDOW", 10),
    roomRate: rate(env, "ROOM_RATE_LIMIT", 20, "ROOM_RATE_WINDOW", 600),
    invitationRate: rate(env, "INVITATION_RATE_LIMIT", 30, "INVITATION_RATE_WINDOW", 600),
    uploadRate: rate(env, "UPLOAD_RATE_LIMIT", 10, "UPLOAD_RATE_WINDOW", 600),
    socketRate: rate(env, "SOCKET_RATE_LIMIT", 300, "SOCKET_RATE_WINDOW", 60),
    socketCaps: {
      all: whole(env, "SOCKET_MAX", 20_000, 1, 1_000_000),
      person: whole(env, "SOCKET_MAX_PER_USER", 100, 1, 1_000_000),
      address: whole(env, "SOCKET_MAX_PER_ADDRESS", 2_000, 1, 1_000_000),
    },
    messageMaxLength: whole(env, "CHAT_MESSAGE_MAX_LENGTH", MESSAGE_MAX_LENGTH, 1, 100_000),
    pageSize,
    pageSizeMax: Math.max(pageSize, whole(env, "CHAT_MESSAGES_MAX_PAGE_SIZE", PAGE_SIZE_MAX, 1, 1000)),
    socketIdleTimeout: Math.max(0, whole(env, "CHAT_WS_IDLE_TIMEOUT", 600, -1, 86_400)),
    roomSlug: pattern(env, "CHAT_ROOM_SLUG_REGEX", "^[A-Za-z0-9_-]{3,50}$"),
    presence: {
      ttl: whole(env, "PRESENCE_TTL", 40, 1, 86_400),
      grace: whole(env, "PRESENCE_GRACE", 5, 0, 86_400),
      heartbeat: whole(env, "PRESENCE_HEARTBEAT", 20, 0, 86_400),
      idleTimeout: Math.max(0, whole(env, "PRESENCE_IDLE_TIMEOUT", 90, -1, 86_400)),
      touchInterval: whole(env, "PRESENCE_TOUCH_INTERVAL", 30, 0, 86_400),
    },
    metrics: metrics(env),
    mediaDir: env.MEDIA_DIR || null,
    s3: s3(env),
  };
}

/** Whether a terminal is to be written to in colours. */
export function wantsColours(env: Environment = process.env): boolean {
  return !env.NO_COLOR && env.TERM !== "dumb";
}

function metrics(env: Environment): MetricsPlace | null {
  const host = env.METRICS_HOST || "127.0.0.1";
  const port = whole(env, "METRICS_PORT", -1, 0, 65_535);
  return port < 0 ? null : { host, port };
}

/** For a program that we start: our own environment, and what only it is to see. */
export function environmentWith(more: Environment, env: Environment = process.env): Environment {
  return { ...env, ...more };
}

const S3 = ["S3_BUCKET", "S3_ENDPOINT", "S3_REGION", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"] as const;

/** All of it or nothing. */
function s3(env: Environment): S3Account | null {
  if (S3.every((name) => !env[name])) return null;
  if (env.MEDIA_DIR) throw new ConfigError("MEDIA_DIR must be unset where pictures are kept on S3");
  const [bucket, endpoint, region, accessKeyId, secretAccessKey] = S3.map((name) => {
    if (env[name]) return env[name];
    throw new ConfigError(`${name} must be set where pictures are kept on S3`);
  }) as [string, string, string, string, string];
  const url = URL.parse(endpoint);
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash)
    throw new ConfigError("S3_ENDPOINT must be a URL such as https://s3.example.org");
  return { bucket, endpoint, region, accessKeyId, secretAccessKey };
}

function secret(env: Environment): string | null {
  const value = env.SECRET_KEY;
  if (!value) return null;
  if (value.length >= SECRET_KEY_MIN_LENGTH) return value;
  throw new ConfigError(`SECRET_KEY must have at least ${SECRET_KEY_MIN_LENGTH} characters`);
}

/** In the form that every parser reads alike. What is wrong with it is not shown: there may be a password in it. */
function databaseUrl(env: Environment): string | null {
  const text = env.DATABASE_URL;
  if (!text) return null;
  const url = URL.parse(text);
  if (!url || !/^postgres(ql)?:$/.test(url.protocol) || url.hostname === "")
    throw new ConfigError(
      "DATABASE_URL must be a URL such as postgres://user:password@localhost:5432/echochat",
    );
  if (url.hostname.startsWith("["))
    throw new ConfigError(
      "DATABASE_URL must have a name or an IPv4 address: the driver does not know IPv6 ones",
    );
  if (!isDecodable(url.username) || !isDecodable(url.password))
    throw new ConfigError("DATABASE_URL must have %25 for each % in the user's name and the password");
  return url.href;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function whole(env: Environment, name: string, fallback: number, min: number, max: number): number {
  const text = env[name];
  if (!text) return fallback;
  const value = Number(text);
  if (/^-?\d+$/.test(text) && value >= min && value <= max) return value;
  throw new ConfigError(`${name} must be a whole number from ${min} to ${max}, not ${quoted(text)}`);
}

function flag(env: Environment, name: string, fallback: boolean): boolean {
  const text = env[name]?.toLowerCase();
  if (!text) return fallback;
  if (["1", "true", "yes", "on"].includes(text)) return true;
  if (["0", "false", "no", "off"].includes(text)) return false;
  throw new ConfigError(`${name} must be 1 or 0, not ${quoted(env[name])}`);
}

function list(env: Environment, name: string, fallback: string): string[] {
  const items = (env[name] || fallback).split(",").map((item) => item.trim());
  return items.filter((item) => item !== "");
}

function rate(env: Environment, limit: string, points: number, window: string, seconds: number): RateConfig {
  return {
    points: whole(env, limit, points, 1, 1_000_000_000),
    windowSeconds: whole(env, window, seconds, 1, 86_400),
  };
}

function baseUrl(env: Environment): string | null {
  const text = env.PUBLIC_BASE_URL;
  if (!text) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url && (url.protocol === "https:" || url.protocol === "http:")) return url.origin;
  throw new ConfigError(
    `PUBLIC_BASE_URL must be a URL such as https://chat.example.org, not ${quoted(text)}`,
  );
}

function origins(env: Environment, name: string, fallback: string): Set<string> {
  const items = list(env, name, fallback);
  // An asterisk would stand for itself, where the original takes any name for it.
  const wrong = items.find((item) => URL.parse(item)?.origin !== item || item.includes("*"));
  if (wrong === undefined) return new Set(items);
  throw new ConfigError(`${name} must list origins such as https://app.example.org, not ${quoted(wrong)}`);
}

const HOST_NAME = /^(?:[a-z0-9_-][a-z0-9._-]*|\[[0-9a-f:.]+\])$/;

function hostNames(env: Environment): Set<string> | null {
  const names = list(env, "ALLOWED_HOSTS", "").map((name) => name.toLowerCase());
  // As the original has it: any name.
  if (names.includes("*")) return null;
  const wrong = names.find((name) => !HOST_NAME.test(name));
  if (wrong !== undefined)
    throw new ConfigError(
      `ALLOWED_HOSTS must list whole names such as chat.example.org, without ports, or be *, not ${quoted(wrong)}`,
    );
  const own = baseUrl(env);
  return names.length === 0 ? null : new Set(own ? [...names, new URL(own).hostname] : names);
}

function networks(env: Environment, name: string, fallback: string): BlockList {
  const allowed = new BlockList();
  for (const item of list(env, name, fallback)) {
    const [address = "", prefix, ...more] = item.split("/");
    const version = isIP(address);
    const most = version === 6 ? 128 : 32;
    const bits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
    if (version === 0 || bits < 0 || bits > most || more.length > 0) {
      throw new ConfigError(
        `${name} must list addresses or networks such as 10.0.0.0/8, not ${quoted(item)}`,
      );
    }
    allowed.addSubnet(address, bits, version === 6 ? "ipv6" : "ipv4");
  }
  return allowed;
}

/** Matched from the start of a slug, as existing installations have it. */
function pattern(env: Environment, name: string, fallback: string): RegExp {
  try {
    return new RegExp(`^(?:${env[name] || fallback})`);
  } catch {
    throw new ConfigError(`${name} must be a regular expression, not ${quoted(env[name])}`);
  }
}

/** On one line, whatever is in it. */
function quoted(text: string | undefined): string {
  return JSON.stringify(text);
}
