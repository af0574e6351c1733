/** What `REDIS_URL` names: one server, the master that Sentinels know, or a Cluster. */

export interface RedisAddress {
  host: string;
  port: number;
}

export interface RedisPlace {
  kind: "server" | "sentinel" | "cluster";
  /** Of the server, of the Sentinels, or of some of the Cluster's. */
  addresses: RedisAddress[];
  tls: boolean;
  username?: string;
  password?: string;
  /** As the Sentinels call it. */
  master: string;
  db: number;
}

const FORM =
  /^(?<scheme>rediss?)(?:\+(?<kind>sentinel|cluster))?:\/\/(?:(?<user>.*)@)?(?<hosts>[^@/?#]+)(?:\/(?<path>[^?#]*))?$/;

const PORTS = { server: 6379, sentinel: 26_379, cluster: 6379 };

const EXAMPLES = {
  server: "redis://cache.example.org:6379/0",
  sentinel: "redis+sentinel://s1:26379,s2:26379/mymaster",
  cluster: "redis+cluster://r1:6379,r2:6379",
};

/** The message names the variable and never what it says: there may be a password in it. */
export function parseRedisUrl(text: string): RedisPlace {
  const parts = FORM.exec(text)?.groups;
  const kind = (parts?.["kind"] ?? "server") as RedisPlace["kind"];
  const wrong = new Error(`REDIS_URL must be a URL such as ${EXAMPLES[kind]}`);
  if (!parts) throw wrong;

  const addresses = (parts["hosts"] ?? "").split(",").map((each) => addressOf(each, PORTS[kind]));
  const path = (parts["path"] ?? "").split("/").filter((part) => part !== "");
  const master = kind === "sentinel" ? path.shift() : "";
  const db = kind === "cluster" ? undefined : path.shift();
  const credentials = credentialsOf(parts["user"]);
  const isWhole =
    path.length === 0 && /^\d{0,4}$/.test(db ?? "") && (kind !== "server" || addresses.length === 1);
  if (!isWhole || master === undefined || credentials === null || addresses.includes(null)) throw wrong;
  return {
    kind,
    addresses: addresses as RedisAddress[],
    tls: parts["scheme"] === "rediss",
    ...credentials,
    master,
    db: Number(db ?? 0),
  };
}

function addressOf(text: string, fallback: number): RedisAddress | null {
  const found = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<name>[^:\s[\]]+))(?::(?<port>\d{1,5}))?$/.exec(
    text.trim(),
  )?.groups;
  const port = Number(found?.["port"] ?? fallback);
  const host = found?.["v6"] ?? found?.["name"];
  return host !== undefined && port > 0 && port < 65_536 ? { host, port } : null;
}

/** Percent signs stand for what would end a part of the URL; null where they stand for nothing. */
function credentialsOf(text: string | undefined): Pick<RedisPlace, "username" | "password"> | null {
  if (text === undefined) return {};
  const [user = "", ...rest] = text.split(":");
  try {
    const [username, password] = [decodeURIComponent(user), decodeURIComponent(rest.join(":"))];
    return { ...(username !== "" && { username }), ...(password !== "" && { password }) };
  } catch {
    return null;
  }
}
