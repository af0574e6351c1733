/** What lies around the program: proxies in front of it, and the system's limits. */
import { existsSync, readFileSync } from "node:fs";
import type { Config, Given } from "../../config.ts";
import { unwell, well, type Finding } from "./finding.ts";

const EVERYBODY = ["203.0.113.1", "2001:db8::1"];
const ADVICE = "name your proxy alone, such as TRUSTED_PROXIES=10.0.0.5, or 127.0.0.1 where there is none";

/** Whoever is believed says from where people come, and limits count people by that. */
export function proxies(config: Config, { set, called }: Given): Finding {
  const { host, publicBaseUrl, trustedProxies } = config;
  const about = "proxies";
  const believes = (address: string) =>
    trustedProxies.check(address, address.includes(":") ? "ipv6" : "ipv4");
  if (EVERYBODY.some(believes))
    return unwell(
      about,
      `TRUSTED_PROXIES has everybody in it, who may then say where they come from: ${ADVICE}`,
    );
  const isLocal = /^(localhost|127\.|::1$)/.test(host);
  const isChosen = set.has("TRUSTED_PROXIES") || called.has("TRUSTED_PROXIES");
  if (!isLocal && !isChosen)
    return unwell(
      about,
      `it listens at ${host} and believes every private address, those of a container's gateway too: ${ADVICE}`,
    );
  if (isLocal && publicBaseUrl && !believes(host === "::1" ? "::1" : "127.0.0.1"))
    return unwell(
      about,
      `the proxy in front of ${host} is not in TRUSTED_PROXIES, so all people have one address: add 127.0.0.1`,
    );
  return well(
    about,
    `it listens at ${host}, and the world sees it at ${publicBaseUrl ?? "the name it uses"}`,
  );
}

/** Files, connections to the database and the like, besides sockets. */
const OTHER_FILES = 100;
const LIMITS = "/proc/self/limits";

/** The program raises the limit as far as it may; nobody but Linux tells it. */
export function openFiles({ socketCaps, databasePoolSize }: Config): Finding[] {
  const told = existsSync(LIMITS) ? readFileSync(LIMITS, "utf8") : "";
  const most = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(told)?.[1] ?? Number.POSITIVE_INFINITY);
  if (most === Number.POSITIVE_INFINITY) return [];
  const needed = socketCaps.all + databasePoolSize + OTHER_FILES;
  const words = `${most} here, and SOCKET_MAX=${socketCaps.all} needs ${needed}`;
  if (most >= needed) return [well("open files", words)];
  return [unwell("open files", `${words}: raise the limit (LimitNOFILE= of systemd), or lower SOCKET_MAX`)];
}
