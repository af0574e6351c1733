/**
 * The connection to Redis: a client for commands, a subscriber, and whether they get through. A server that is frozen
 * counts as away as well as one that is gone, and nobody waits for either.
 */
import { Cluster, Redis as Server, type RedisOptions } from "ioredis";
import type { Log } from "../log.ts";
import { parseRedisUrl, type RedisPlace } from "./redis-url.ts";

export type RedisCommands = Server | Cluster;

export interface Redis {
  commands: RedisCommands;
  /** Of the server, such as "7.0". */
  version: string;
  /** What is asked now is likely to be answered. */
  isReachable(): boolean;
  /** The same number always has the same place: channels and keys of one shard lie on one server of a Cluster. */
  shards: number;
  /** To whoever has subscribed; lost while Redis is away. */
  publish(channel: Channel, text: string): void;
  subscribe(channel: Channel, listener: (text: string) => void): Promise<void>;
  close(): Promise<void>;
}

export interface Channel {
  /** From 0, and less than `shards`. */
  shard: number;
  name: string;
}

/** Each of the two clients has this time to connect before whoever starts the program is told. Milliseconds. */
const START_PATIENCE = 4_000;

/** A command that takes longer is given up. Milliseconds. */
const COMMAND_TIMEOUT = 1_000;

/**
 * A word is sent through Redis to ourselves so often, and has to come back while a clock ticks so many times. Between two
 * ticks the process has read what had arrived, so that one which was busy itself does not take Redis for silent. Milliseconds.
 */
const ECHO_INTERVAL = 500;
const ECHO_TICK = 250;
const ECHO_TICKS = 2;

/** Connections that are open, but through which nothing comes, are made anew so often. Milliseconds. */
const RENEW_INTERVAL = 5_000;

/** The pause before another attempt to connect; the clients spread theirs. Milliseconds. */
const RETRY_MIN = 50;
const RETRY_MAX = 1_000;

/** With sharded channels, over how many of them what nodes tell each other is spread. */
const SHARDS = 16;

/** Of the protocol that the client speaks, and of sharded channels. */
const OLDEST = [6, 2] as const;
const SHARDING = 7;

export async function openRedis(url: string, log: Log): Promise<Redis> {
  const place = parseRedisUrl(url);
  const clients = createClients(place);
  try {
    const { commands } = clients;
    const [major, minor] = await clients.start(async () => {
      await commands.connect();
      return versionOf(commands);
    });
    if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
      throw new Error(`REDIS_URL names a Redis ${major}.${minor}; it must be ${OLDEST.join(".")} or newer`);
    const channels = createChannels(clients, place.kind === "cluster" && major >= SHARDING);
    const renew = () => {
      clients.renew();
      // What goes wrong is seen by what does not come back.
      channels.connect().catch(() => {});
    };
    const health = await clients.start(async () => {
      await channels.connect();
      return watchHealth(channels, log, renew);
    });
    return {
      commands,
      version: `${major}.${minor}`,
      isReachable: health.isReachable,
      shards: channels.shards,
      publish: (...what) => void (health.isReachable() && channels.publish(...what)),
      subscribe: channels.subscribe,
      async close() {
        health.stop();
        // What was told last is on its way; a server that does not answer is not waited for.
        if (health.isReachable()) await within(COMMAND_TIMEOUT, commands.quit()).catch(() => {});
        clients.end();
      },
    };
  } catch (error) {
    clients.end();
    throw error;
  }
}

type Clients = ReturnType<typeof createClients>;

/** Once started they connect again by themselves. */
function createClients(place: RedisPlace) {
  let isStarted = false;
  let lastError: Error | null = null;
  const retry = (times: number) => {
    if (!isStarted) return null;
    return Math.min(RETRY_MIN * 2 ** times, RETRY_MAX) * (0.5 + Math.random() / 2);
  };
  // Without a listener errors would be thrown. Whether Redis is away is told by the health alone, and once.
  const listened = (client: RedisCommands) => {
    const note = (error: Error) => void (lastError = causeOf(error));
    return client.on("error", note).on("node error", note);
  };
  const commands = listened(place.kind === "cluster" ? clusterFor(place, retry) : serverFor(place, retry));
  let subscriber: RedisCommands | null = null;

  return {
    commands,
    /** One that has not connected yet, in place of the one before: a Cluster's does not always recover. */
    newSubscriber(): RedisCommands {
      subscriber?.disconnect();
      const made =
        place.kind === "cluster" ? clusterSubscriberFor(place, retry) : subscriberFor(place, retry);
      return (subscriber = listened(made));
    },
    /** Rejects with one line for whoever started the program. */
    async start<Result>(connecting: () => Promise<Result>): Promise<Result> {
      isStarted = false;
      try {
        return await within(START_PATIENCE, connecting());
      } catch (error) {
        throw new Error(`REDIS_URL: ${reasonOf(lastError ?? error, place)}`, { cause: error });
      } finally {
        isStarted = true;
      }
    },
    renew: () => void (commands.status === "ready" && commands.disconnect(true)),
    end: () => [commands, subscriber].forEach((client) => client?.disconnect()),
  };
}

/** Leaves no timer behind, for which a command would wait. */
async function within<Result>(patience: number, task: Promise<Result>): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("no answer")), patience);
  return Promise.race([task, late.promise]).finally(() => clearTimeout(timer));
}

type Retry = (times: number) => number | null;

function optionsOf({ tls, username, password, db }: RedisPlace) {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
    db,
    connectTimeout: 2 * COMMAND_TIMEOUT,
    lazyConnect: true,
  } satisfies RedisOptions;
}

/** Nobody waits for what cannot be asked just now. */
const AT_ONCE = { enableOfflineQueue: false, enableAutoPipelining: true } as const;

function serverFor(place: RedisPlace, retry: Retry): Server {
  const impatient = { commandTimeout: COMMAND_TIMEOUT, maxRetriesPerRequest: 0 };
  return new Server({ ...whereabouts(place, retry), ...AT_ONCE, ...impatient });
}

function subscriberFor(place: RedisPlace, retry: Retry): Server {
  return new Server({ ...whereabouts(place, retry), maxRetriesPerRequest: null });
}

function whereabouts(place: RedisPlace, retry: Retry) {
  const both = { ...optionsOf(place), retryStrategy: retry };
  const [first] = place.addresses;
  if (place.kind === "server") return { ...both, host: first?.host ?? "", port: first?.port ?? 0 };
  const sentinelTls = place.tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {};
  const asked = { sentinels: place.addresses, name: place.master, sentinelRetryStrategy: retry };
  return { ...both, ...asked, ...sentinelTls };
}

function clusterFor(place: RedisPlace, retry: Retry): Cluster {
  const redisOptions = { ...optionsOf(place), commandTimeout: COMMAND_TIMEOUT };
  return new Cluster(place.addresses, { ...clusterOptions(retry), ...AT_ONCE, redisOptions });
}

function clusterSubscriberFor(place: RedisPlace, retry: Retry): Cluster {
  const options = { ...clusterOptions(retry), shardedSubscribers: true, redisOptions: optionsOf(place) };
  return new Cluster(place.addresses, options);
}

function clusterOptions(retry: Retry) {
  return { clusterRetryStrategy: retry, lazyConnect: true, slotsRefreshTimeout: COMMAND_TIMEOUT };
}

async function versionOf(commands: RedisCommands): Promise<[major: number, minor: number]> {
  const server = commands instanceof Cluster ? commands.nodes("master")[0] : commands;
  const found = /redis_version:(\d+)\.(\d+)/.exec((await server?.info("server")) ?? "");
  return [Number(found?.[1] ?? 0), Number(found?.[2] ?? 0)];
}

type Channels = ReturnType<typeof createChannels>;

function createChannels({ commands, newSubscriber }: Clients, isSharded: boolean) {
  const listeners = new Map<string, (text: string) => void>();
  const hear = (channel: string, text: string) => listeners.get(channel)?.(text);
  let subscriber: RedisCommands;
  const named = ({ shard, name }: Channel) => `echochat:{${shard}}:${name}`;
  const listen = async (name: string) =>
    void (await (isSharded ? subscriber.ssubscribe(name) : subscriber.subscribe(name)));

  return {
    shards: isSharded ? SHARDS : 1,
    async connect(): Promise<void> {
      subscriber = newSubscriber();
      subscriber.on(isSharded ? "smessage" : "message", hear);
      await subscriber.connect();
      await Promise.all([...listeners.keys()].map(listen));
    },
    publish(channel: Channel, text: string): void {
      const sent = isSharded
        ? commands.spublish(named(channel), text)
        : commands.publish(named(channel), text);
      // At most once: what does not get through is found by other means.
      sent.catch(() => {});
    },
    async subscribe(channel: Channel, listener: (text: string) => void): Promise<void> {
      listeners.set(named(channel), listener);
      await listen(named(channel));
    },
  };
}

/** Redis is reachable while what we tell ourselves through it comes back: through both clients, and each shard. */
async function watchHealth({ shards, publish, subscribe }: Channels, log: Log, renew: () => void) {
  const self = crypto.randomUUID();
  const echoes = Array.from({ length: shards }, (_, shard) => ({ shard, name: `echo:${self}` }));
  let round = 0;
  let missing = new Set<number>();
  let whole = Promise.withResolvers<boolean>();
  let isReachable = true;
  let awaySince = 0;
  let isOver = false;

  for (const echo of echoes) {
    await subscribe(echo, (text) => {
      if (Number(text) !== round) return;
      missing.delete(echo.shard);
      if (missing.size === 0) whole.resolve(true);
    });
  }

  async function look(): Promise<void> {
    round++;
    missing = new Set(echoes.keys());
    whole = Promise.withResolvers();
    for (const echo of echoes) publish(echo, String(round));
    let ticks = 0;
    const clock = setInterval(() => ++ticks === ECHO_TICKS && whole.resolve(false), ECHO_TICK);
    note(await whole.promise);
    clearInterval(clock);
    if (!isOver) next = setTimeout(() => void look(), ECHO_INTERVAL);
  }

  function note(isHeard: boolean): void {
    if (isOver) return;
    const now = performance.now();
    if (isHeard !== isReachable) {
      isReachable = isHeard;
      awaySince = now;
      if (isHeard) log.info("Redis is back");
      else log.warn("Redis is away");
    }
    if (isReachable || now - awaySince < RENEW_INTERVAL) return;
    awaySince = now;
    renew();
  }

  let next = setTimeout(() => void look(), ECHO_INTERVAL);
  return {
    isReachable: () => isReachable,
    stop() {
      isOver = true;
      clearTimeout(next);
    },
  };
}

/** A Cluster wraps what went wrong with one of its servers. */
function causeOf(error: Error & { lastNodeError?: Error }): Error {
  return error.lastNodeError ?? error;
}

function reasonOf(error: unknown, { kind, addresses }: RedisPlace): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/WRONGPASS|NOAUTH|invalid password/i.test(text)) return "the user name or password is wrong";
  const where = addresses.map(({ host, port }) => `${host}:${port}`).join(", ");
  const what =
    kind === "cluster"
      ? "no Redis Cluster"
      : kind === "sentinel"
        ? "no Sentinel with that master"
        : "no Redis";
  return `${what} answers at ${where} (${text.split("\n")[0]})`;
}
