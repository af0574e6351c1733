import { describe, expect, test } from "bun:test";
import type { BlockList } from "node:net";
import { ConfigError, readConfig, readGiven, wantsColours } from "./config.ts";

describe("with nothing set", () => {
  const config = readConfig({});

  test("the server listens on this machine, port 3000, and keeps its data in ./data", () => {
    expect(config).toMatchObject({
      host: "127.0.0.1",
      port: 3000,
      dataDir: "./data",
      secretKey: null,
      publicBaseUrl: null,
    });
  });

  test("the limits are those of the contract", () => {
    expect(config).toMatchObject({
      authRate: { points: 10, windowSeconds: 60 },
      messageRate: { points: 20, windowSeconds: 10 },
      messageMaxLength: 1000,
      pageSize: 50,
      pageSizeMax: 200,
      socketIdleTimeout: 600,
      socketCaps: { all: 20_000, person: 100, address: 2_000 },
      presence: { ttl: 40, grace: 5, heartbeat: 20, idleTimeout: 90, touchInterval: 30 },
    });
  });

  test("loopback and private networks may be proxies, and nobody else", () => {
    const proxies = [
      "127.0.0.1",
      "127.9.9.9",
      "10.1.2.3",
      "172.16.0.1",
      "172.31.9.9",
      "192.168.1.1",
      "::1",
      "fd00::1",
    ];
    const others = ["203.0.113.9", "172.32.0.1", "192.169.0.1", "11.0.0.1", "2001:db8::1", "fe80::1", "::2"];
    expect(proxies.filter((address) => !trusts(config.trustedProxies, address))).toEqual([]);
    expect(others.filter((address) => trusts(config.trustedProxies, address))).toEqual([]);
  });

  test("whatever name is used is served, and the pages of a developer's own machine are welcome", () => {
    expect(config.allowedHosts).toBeNull();
    const developers = ["http://localhost:5173", "http://127.0.0.1:5173"];
    expect([...config.csrfTrustedOrigins]).toEqual(developers);
    expect([...config.cors.origins]).toEqual(developers);
    expect(config.cors.credentials).toBe(true);
  });

  test("a room's slug has 3 to 50 letters, digits, hyphens and underscores", () => {
    for (const slug of ["abc", "A-b_9", "---", "x".repeat(50)]) expect(config.roomSlug.test(slug)).toBe(true);
    for (const slug of ["", "ab", "x".repeat(51), "a b", "a/b", "abc\n", "абв"])
      expect(config.roomSlug.test(slug)).toBe(false);
  });
});

describe("a variable", () => {
  test.each([
    ["HOST", "0.0.0.0", { host: "0.0.0.0" }],
    ["PORT", "0", { port: 0 }],
    ["PORT", "65535", { port: 65_535 }],
    ["DATA_DIR", "/data", { dataDir: "/data" }],
    [
      "DATABASE_URL",
      "postgres://a:b@db/chat",
      { databaseUrl: "postgres://a:b@db/chat", databasePoolSize: 10 },
    ],
    ["DATABASE_URL", "postgresql://a:p%40ss@db:1/c", { databaseUrl: "postgresql://a:p%40ss@db:1/c" }],
    // As it was typed, the driver would take what is behind the first @ for the host.
    ["DATABASE_URL", "postgres://a:p@ss@db/chat", { databaseUrl: "postgres://a:p%40ss@db/chat" }],
    ["DATABASE_POOL_SIZE", "25", { databaseUrl: null, databasePoolSize: 25 }],
    ["SECRET_KEY", "x".repeat(32), { secretKey: "x".repeat(32) }],
    ["PUBLIC_BASE_URL", "https://chat.example/", { publicBaseUrl: "https://chat.example" }],
    ["PUBLIC_BASE_URL", "http://Chat.example:8080", { publicBaseUrl: "http://chat.example:8080" }],
    ["ALLOWED_HOSTS", " Chat.example , b.example,", { allowedHosts: new Set(["chat.example", "b.example"]) }],
    [
      "CSRF_TRUSTED_ORIGINS",
      "https://a.example, http://b.example:81",
      { csrfTrustedOrigins: new Set(["https://a.example", "http://b.example:81"]) },
    ],
    [
      "CORS_ALLOWED_ORIGINS",
      "https://a.example",
      { cors: { origins: new Set(["https://a.example"]), credentials: true } },
    ],
    ["AUTH_RATE_LIMIT", "3", { authRate: { points: 3, windowSeconds: 60 } }],
    ["AUTH_RATE_WINDOW", "3", { authRate: { points: 10, windowSeconds: 3 } }],
    ["CHAT_MESSAGE_RATE_LIMIT", "3", { messageRate: { points: 3, windowSeconds: 10 } }],
    ["CHAT_MESSAGE_RATE_WINDOW", "3", { messageRate: { points: 20, windowSeconds: 3 } }],
    ["CHAT_MESSAGE_MAX_LENGTH", "3", { messageMaxLength: 3 }],
    ["CHAT_MESSAGES_PAGE_SIZE", "3", { pageSize: 3, pageSizeMax: 200 }],
    ["CHAT_MESSAGES_PAGE_SIZE", "300", { pageSize: 300, pageSizeMax: 300 }],
    ["CHAT_MESSAGES_MAX_PAGE_SIZE", "70", { pageSize: 50, pageSizeMax: 70 }],
    ["CHAT_MESSAGES_MAX_PAGE_SIZE", "3", { pageSize: 50, pageSizeMax: 50 }],
    ["CHAT_WS_IDLE_TIMEOUT", "3", { socketIdleTimeout: 3 }],
    ["CHAT_WS_IDLE_TIMEOUT", "0", { socketIdleTimeout: 0 }],
    ["CHAT_WS_IDLE_TIMEOUT", "-1", { socketIdleTimeout: 0 }],
    ["SOCKET_MAX", "3", { socketCaps: { all: 3, person: 100, address: 2_000 } }],
    ["SOCKET_MAX_PER_USER", "3", { socketCaps: { all: 20_000, person: 3, address: 2_000 } }],
    ["SOCKET_MAX_PER_ADDRESS", "3", { socketCaps: { all: 20_000, person: 100, address: 3 } }],
    ["PRESENCE_TTL", "3", { presence: { ttl: 3, grace: 5 } }],
    ["PRESENCE_GRACE", "0", { presence: { ttl: 40, grace: 0 } }],
    ["PRESENCE_HEARTBEAT", "3", { presence: { heartbeat: 3 } }],
    ["PRESENCE_IDLE_TIMEOUT", "-1", { presence: { idleTimeout: 0 } }],
    ["PRESENCE_TOUCH_INTERVAL", "3", { presence: { touchInterval: 3 } }],
    ["MEDIA_DIR", "/media", { mediaDir: "/media", s3: null }],
    ["METRICS_PORT", "9464", { metrics: { host: "127.0.0.1", port: 9464 } }],
    ["METRICS_PORT", "", { metrics: null }],
    ["METRICS_HOST", "10.0.0.11", { metrics: null }],
  ] as const)("%s=%s is taken", (name, value, expected) => {
    expect(readConfig({ [name]: value })).toMatchObject(expected);
  });

  test.each([
    "HOST",
    "PORT",
    "DATA_DIR",
    "SECRET_KEY",
    "PUBLIC_BASE_URL",
    "TRUSTED_PROXIES",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "RELAX_PASSWORDS",
    "AUTH_RATE_LIMIT",
    "CHAT_MESSAGE_MAX_LENGTH",
    "CHAT_ROOM_SLUG_REGEX",
    "DATABASE_URL",
    "REDIS_URL",
  ])("%s that is empty means the default", (name) => {
    expect(readConfig({ [name]: "" })).toEqual(readConfig({}));
  });

  test("of a list that is set replaces the default", () => {
    const { trustedProxies } = readConfig({ TRUSTED_PROXIES: "203.0.113.9, 2001:db8::/32" });
    for (const address of ["203.0.113.9", "2001:db8::1"]) expect(trusts(trustedProxies, address)).toBe(true);
    for (const address of ["203.0.113.8", "127.0.0.1", "::1"])
      expect(trusts(trustedProxies, address)).toBe(false);
  });

  test("PUBLIC_BASE_URL names a host that is served besides the others", () => {
    const both = { ALLOWED_HOSTS: "inner", PUBLIC_BASE_URL: "https://Chat.example:8443/" };
    expect(readConfig(both).allowedHosts).toEqual(new Set(["inner", "chat.example"]));
    expect(readConfig({ PUBLIC_BASE_URL: "https://chat.example" }).allowedHosts).toBeNull();
  });

  test("CHAT_ROOM_SLUG_REGEX is matched from the start of a slug", () => {
    const { roomSlug } = readConfig({ CHAT_ROOM_SLUG_REGEX: "[a-z]{3,}$" });
    expect(roomSlug.test("abc")).toBe(true);
    expect(roomSlug.test("abc1")).toBe(false);
    expect(roomSlug.test("1abc")).toBe(false);
    expect(readConfig({ CHAT_ROOM_SLUG_REGEX: "a|b" }).roomSlug.test("xb")).toBe(false);
  });
});

describe("passwords", () => {
  test("are relaxed in development and strict in production", () => {
    expect(readConfig({}).passwordRules).toBe("relaxed");
    expect(readConfig({ NODE_ENV: "development" }).passwordRules).toBe("relaxed");
    expect(readConfig({ NODE_ENV: "production" }).passwordRules).toBe("strict");
  });

  test.each(["1", "true", "YES", "On"])("are relaxed where RELAX_PASSWORDS is %s", (value) => {
    expect(readConfig({ NODE_ENV: "production", RELAX_PASSWORDS: value }).passwordRules).toBe("relaxed");
  });

  test.each(["0", "false", "NO", "Off"])("are strict where RELAX_PASSWORDS is %s", (value) => {
    expect(readConfig({ RELAX_PASSWORDS: value }).passwordRules).toBe("strict");
  });
});

describe("a value that cannot be used stops the start with one line that names it:", () => {
  test.each([
    ["PORT", "http", "a whole number from 0 to 65535"],
    ["PORT", "65536", "a whole number from 0 to 65535"],
    ["PORT", "-1", "a whole number from 0 to 65535"],
    ["PORT", "80.5", "a whole number from 0 to 65535"],
    ["PORT", "1e3", "a whole number from 0 to 65535"],
    ["PORT", "0x50", "a whole number from 0 to 65535"],
    ["PORT", " 80", "a whole number from 0 to 65535"],
    ["PORT", "80\n81", "a whole number from 0 to 65535"],
    ["SECRET_KEY", "x".repeat(31), "at least 32 characters"],
    ["PUBLIC_BASE_URL", "chat.example", "a URL such as https://chat.example.org"],
    ["PUBLIC_BASE_URL", "ftp://chat.example", "a URL such as https://chat.example.org"],
    ["PUBLIC_BASE_URL", "https://", "a URL such as https://chat.example.org"],
    ["TRUSTED_PROXIES", "10.0.0.0/33", "addresses or networks such as 10.0.0.0/8"],
    ["TRUSTED_PROXIES", "10.0.0.0/-1", "addresses or networks such as 10.0.0.0/8"],
    ["TRUSTED_PROXIES", "10.0.0.0/", "addresses or networks such as 10.0.0.0/8"],
    ["TRUSTED_PROXIES", "10.0.0.0/x", "addresses or networks such as 10.0.0.0/8"],
    ["TRUSTED_PROXIES", "10.0.0.0/8/8", "addresses or networks such as 10.0.0.0/8"],
    ["TRUSTED_PROXIES", "10.0.0.0/1e1", "addresses or networks such as 10.0.0.0/8"],
    ["TRUSTED_PROXIES", "fd00::/129", "addresses or networks such as 10.0.0.0/8"],
    ["TRUSTED_PROXIES", "127.0.0.1,proxy", "addresses or networks such as 10.0.0.0/8"],
    ["ALLOWED_HOSTS", "chat.example,.example.org", "whole names"],
    ["ALLOWED_HOSTS", "chat.example:8080", "without ports"],
    ["ALLOWED_HOSTS", "https://chat.example", "whole names"],
    ["CSRF_TRUSTED_ORIGINS", "app.example", "https://app.example"],
    ["CSRF_TRUSTED_ORIGINS", "https://app.example/path", "https://app.example"],
    ["CSRF_TRUSTED_ORIGINS", "https://*.app.example", "https://app.example"],
    ["CORS_ALLOWED_ORIGINS", "*", "https://app.example"],
    ["CORS_ALLOW_CREDENTIALS", "maybe", "1 or 0"],
    ["RELAX_PASSWORDS", "maybe", "1 or 0"],
    ["AUTH_RATE_LIMIT", "0", "a whole number from 1"],
    ["AUTH_RATE_WINDOW", "0", "a whole number from 1"],
    ["CHAT_MESSAGE_RATE_LIMIT", "many", "a whole number from 1"],
    ["CHAT_MESSAGE_RATE_WINDOW", "86401", "a whole number from 1 to 86400"],
    ["CHAT_MESSAGE_MAX_LENGTH", "0", "a whole number from 1"],
    ["CHAT_MESSAGES_PAGE_SIZE", "0", "a whole number from 1 to 1000"],
    ["CHAT_MESSAGES_MAX_PAGE_SIZE", "1001", "a whole number from 1 to 1000"],
    ["CHAT_WS_IDLE_TIMEOUT", "-2", "a whole number from -1"],
    ["SOCKET_MAX", "0", "a whole number from 1 to 1000000"],
    ["SOCKET_MAX_PER_USER", "-1", "a whole number from 1 to 1000000"],
    ["SOCKET_MAX_PER_ADDRESS", "many", "a whole number from 1 to 1000000"],
    ["PRESENCE_TTL", "0", "a whole number from 1"],
    ["PRESENCE_GRACE", "-1", "a whole number from 0"],
    ["CHAT_ROOM_SLUG_REGEX", "(", "a regular expression"],
    ["DATABASE_URL", "mysql://localhost/echochat", "a URL such as postgres://"],
    ["DATABASE_URL", "localhost/echochat", "a URL such as postgres://"],
    ["DATABASE_URL", "postgres://", "a URL such as postgres://"],
    ["DATABASE_URL", "postgres://ann:100%@localhost/echochat", "%25"],
    ["DATABASE_URL", "postgres://ann@[::1]:5432/echochat", "a name or an IPv4 address"],
    ["DATABASE_POOL_SIZE", "1", "a whole number from 2 to 1000"],
    ["REDIS_URL", "redis://cache.example.org", "set DATABASE_URL too"],
  ])("%s=%j", (name, value, expected) => {
    const message = complaintAbout({ [name]: value });
    expect(message).toStartWith(name);
    expect(message).toContain(expected);
    expect(message).not.toMatch(/[\r\n]/);
  });

  test("a secret key, which it does not repeat", () => {
    expect(complaintAbout({ SECRET_KEY: "short-and-secret" })).not.toContain("short-and-secret");
  });

  test("a database's address, of which it repeats nothing: there may be a password in it", () => {
    for (const value of ["mysql://ann:hidden@db/chat", "postgres://ann:hidden%@db/chat"])
      expect(complaintAbout({ DATABASE_URL: value })).not.toMatch(/hidden|ann/);
  });

  test("a missing secret key where several nodes share a database", () => {
    const complaint = complaintAbout({ NODE_ENV: "production", DATABASE_URL: "postgres://db/echochat" });
    expect(complaint).toStartWith("SECRET_KEY must be set");
  });
});

test("a terminal is written to in colours, unless it cannot show them or its reader wants none", () => {
  const wanted = [{}, { NO_COLOR: "" }, { NO_COLOR: "1" }, { TERM: "dumb" }].map(wantsColours);
  expect(wanted).toEqual([true, true, false, false]);
});

describe("pictures on S3", () => {
  const ALL = {
    S3_BUCKET: "pictures",
    S3_ENDPOINT: "https://s3.example.org/storage",
    S3_REGION: "eu-central-1",
    S3_ACCESS_KEY_ID: "a-key-id",
    S3_SECRET_ACCESS_KEY: "a-secret-key",
  };

  test("need all five variables", () => {
    expect(readConfig(ALL)).toMatchObject({
      mediaDir: null,
      s3: {
        bucket: "pictures",
        endpoint: "https://s3.example.org/storage",
        region: "eu-central-1",
        accessKeyId: "a-key-id",
        secretAccessKey: "a-secret-key",
      },
    });
    for (const name of Object.keys(ALL))
      expect(complaintAbout({ ...ALL, [name]: "" })).toStartWith(`${name} must be set`);
  });

  test.each(["s3.example.org", "ftp://s3.example.org", "https://a-key-id:a-secret-key@s3.example.org"])(
    "are not at %s, and whatever secret is in that is not repeated",
    (endpoint) => {
      const complaint = complaintAbout({ ...ALL, S3_ENDPOINT: endpoint });
      expect(complaint).toStartWith("S3_ENDPOINT must be a URL");
      expect(complaint).not.toContain("a-secret-key");
    },
  );

  test("are not in a folder as well", () => {
    expect(complaintAbout({ ...ALL, MEDIA_DIR: "/media" })).toStartWith("MEDIA_DIR must be unset");
  });
});

describe("the original's name", () => {
  test.each([
    ["DJANGO_SECRET_KEY", "x".repeat(32), { secretKey: "x".repeat(32) }],
    ["DJANGO_ALLOWED_HOSTS", "chat.example", { allowedHosts: new Set(["chat.example"]) }],
    ["DJANGO_ALLOWED_HOSTS", "localhost,*", { allowedHosts: null }],
    ["DJANGO_PUBLIC_BASE_URL", "https://chat.example/", { publicBaseUrl: "https://chat.example" }],
    [
      "DJANGO_CSRF_TRUSTED_ORIGINS",
      "https://a.example",
      { csrfTrustedOrigins: new Set(["https://a.example"]) },
    ],
    [
      "DJANGO_CORS_ALLOWED_ORIGINS",
      "https://a.example",
      { cors: { origins: new Set(["https://a.example"]) } },
    ],
    ["DJANGO_CORS_ALLOW_CREDENTIALS", "no", { cors: { credentials: false } }],
    ["DJANGO_RELAX_PASSWORDS", "0", { passwordRules: "strict" }],
    ["DJANGO_DEBUG", "0", { passwordRules: "strict" }],
    ["DJANGO_DEBUG", "1", { passwordRules: "relaxed" }],
  ] as const)("%s=%s is taken", (name, value, expected) => {
    expect(readConfig({ [name]: value })).toMatchObject(expected);
  });

  test("gives way to ours, and an empty one is none", () => {
    const both = { DJANGO_PUBLIC_BASE_URL: "https://old.example", PUBLIC_BASE_URL: "https://new.example" };
    expect(readConfig(both).publicBaseUrl).toBe("https://new.example");
    expect(readConfig({ ...both, PUBLIC_BASE_URL: "" }).publicBaseUrl).toBe("https://old.example");
    expect(readConfig({ DJANGO_DEBUG: "0", NODE_ENV: "development" }).passwordRules).toBe("relaxed");
  });

  test("of single proxies is added to its networks, which by default are the private ones", () => {
    const single = readConfig({ DJANGO_TRUSTED_PROXY_IPS: "203.0.113.9" }).trustedProxies;
    expect(["203.0.113.9", "10.0.0.1", "203.0.113.8"].map((each) => trusts(single, each))).toEqual([
      true,
      true,
      false,
    ]);
    const both = { DJANGO_TRUSTED_PROXY_IPS: "203.0.113.9", DJANGO_TRUSTED_PROXY_RANGES: "198.51.100.0/24" };
    const { trustedProxies } = readConfig(both);
    expect(["203.0.113.9", "198.51.100.7", "10.0.0.1"].map((each) => trusts(trustedProxies, each))).toEqual([
      true,
      true,
      false,
    ]);
  });

  const POSTGRES = { POSTGRES_DB: "chat", POSTGRES_USER: "ann", POSTGRES_PASSWORD: "p@ss/100%" };
  const DJANGO_DB = {
    DJANGO_DB_ENGINE: "django.db.backends.postgresql",
    DJANGO_DB_NAME: "chat",
    DJANGO_DB_USER: "ann",
    DJANGO_DB_PASSWORD: "secret",
    DJANGO_DB_HOST: "db",
    DJANGO_DB_PORT: "5433",
  };

  test("of a PostgreSQL makes an address, where a host is among them", () => {
    expect(readConfig({ ...POSTGRES, POSTGRES_HOST: "db" }).databaseUrl).toBe(
      "postgres://ann:p%40ss%2F100%25@db:5432/chat",
    );
    // These are the container's of PostgreSQL, and nothing else.
    expect(readConfig(POSTGRES).databaseUrl).toBeNull();
    expect(readConfig({ ...POSTGRES, POSTGRES_PORT: "5433" }).databaseUrl).toBeNull();
    expect(readConfig({ POSTGRES_HOST: "db" }).databaseUrl).toBe("postgres://postgres@db:5432/postgres");
    const DATABASE_URL = "postgres://b@c/d";
    expect(readConfig({ ...POSTGRES, POSTGRES_HOST: "db", DATABASE_URL }).databaseUrl).toBe(DATABASE_URL);
  });

  test("of Django's database makes an address, where its engine is PostgreSQL", () => {
    expect(readConfig(DJANGO_DB).databaseUrl).toBe("postgres://ann:secret@db:5433/chat");
    expect(readConfig({ ...DJANGO_DB, POSTGRES_HOST: "other" }).databaseUrl).toContain("@db:5433/");
    expect(readConfig({ ...DJANGO_DB, DJANGO_DB_ENGINE: "" }).databaseUrl).toBeNull();
    const sqlite = { ...DJANGO_DB, DJANGO_DB_ENGINE: "django.db.backends.sqlite3" };
    expect(readConfig(sqlite).databaseUrl).toBeNull();
  });

  test.each([
    [{ DJANGO_SECRET_KEY: "short" }, "DJANGO_SECRET_KEY must have at least 32"],
    [{ DJANGO_ALLOWED_HOSTS: ".example.org" }, "DJANGO_ALLOWED_HOSTS must list whole names"],
    [{ DJANGO_RELAX_PASSWORDS: "maybe" }, "DJANGO_RELAX_PASSWORDS must be 1 or 0"],
    [{ DJANGO_TRUSTED_PROXY_IPS: "proxy" }, "DJANGO_TRUSTED_PROXY_IPS must list addresses"],
    [
      { ...POSTGRES, POSTGRES_HOST: "db", POSTGRES_PORT: "tcp://10.0.0.1:5432" },
      "DATABASE_URL, made of POSTGRES_HOST, POSTGRES_PORT, POSTGRES_DB, POSTGRES_USER, POSTGRES_PASSWORD, must be a URL",
    ],
    [
      { ...DJANGO_DB, DJANGO_DB_ENGINE: "django.db.backends.mysql" },
      "DATABASE_URL, made of DJANGO_DB_ENGINE, DJANGO_DB_HOST",
    ],
    [{ SECRET_KEY: "short", DJANGO_SECRET_KEY: "short as well" }, "SECRET_KEY must have"],
    [
      { DJANGO_DEBUG: "0", POSTGRES_HOST: "db" },
      "SECRET_KEY must be set in production, to the same text on every node",
    ],
  ])("%j is complained of by the name that was set", (env: Record<string, string>, expected) => {
    const complaint = complaintAbout(env);
    expect(complaint).toStartWith(expected);
    expect(complaint).not.toMatch(/[\r\n]|p@ss|p%40ss|short as well|secret/);
  });

  test("is told of with ours, and those without effect with the reason", () => {
    const { set, others, called, idle } = readGiven({
      ...POSTGRES,
      DJANGO_SECRET_KEY: "x".repeat(32),
      DJANGO_PUBLIC_BASE_URL: "https://old.example",
      PUBLIC_BASE_URL: "https://new.example",
      DJANGO_LOG_LEVEL: "INFO",
      PATH: "/bin",
      PORT: "",
    });
    expect(Object.fromEntries(called)).toEqual({ SECRET_KEY: ["DJANGO_SECRET_KEY"] });
    expect(idle.get("DJANGO_PUBLIC_BASE_URL")).toBe("PUBLIC_BASE_URL is set as well");
    expect(idle.get("DJANGO_LOG_LEVEL")).toContain("logged");
    expect(idle.get("POSTGRES_PASSWORD")).toContain("POSTGRES_HOST");
    expect(set.get("PUBLIC_BASE_URL")).toBe("https://new.example");
    expect(set.has("PORT")).toBe(false);
    expect(others).toEqual(["PATH"]);
  });
});

function complaintAbout(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error(`nobody complained about ${JSON.stringify(env)}`);
}

function trusts(proxies: BlockList, address: string): boolean {
  return proxies.check(address, address.includes(":") ? "ipv6" : "ipv4");
}
