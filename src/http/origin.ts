/** Where a request comes from: the client's address, the origin it sees us under, and the origin of the page that sent it. */
import { BlockList, isIP } from "node:net";
import type { Server } from "bun";

export type Peer = Pick<Server<unknown>, "requestIP"> | null;

export interface Origins {
  /** Whether the request names a host as hosts are named, and one of those that are served. */
  isServed(request: Request): boolean;
  /** Scheme and host under which the client reached us. */
  own(request: Request, peer: Peer): string;
  /**
   * What the addresses of pictures in answers begin with: `own`, or the page's own origin where a proxy has hidden the
   * name by which the world knows us behind one that only it can resolve.
   */
  base(request: Request, own: string): string;
  /** The client's address: the rightmost one that is not a trusted proxy's. */
  address(request: Request, peer: Peer): string;
  /** Whether it comes through a proxy whose headers are believed. */
  isForwarded(request: Request, peer: Peer): boolean;
  /** Whose page sent a request: one of ours, another site's, or nobody says. */
  sender(request: Request, peer: Peer): "ours" | "foreign" | "unknown";
  /** Whether a page at the request's `Origin` may open a socket: its host is ours, on any port. */
  maySocket(request: Request, peer: Peer): boolean;
}

export interface OriginOptions {
  /** Scheme and host under which the world sees this server, if that is known beforehand. */
  publicBaseUrl: string | null;
  /** The peers whose forwarding headers are believed. */
  trustedProxies: BlockList;
  /** The host names that are served and whose pages may open sockets; null: whatever name the request uses. */
  allowedHosts: ReadonlySet<string> | null;
  /** Origins, besides our own, whose pages may send unsafe requests with a CSRF token. */
  csrfTrustedOrigins: ReadonlySet<string>;
}

/** A name or an address, and a port: whatever else stands there would end up in links and comparisons. */
const HOST = /^(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;
/** Where people develop: a page served there by another program may open sockets unless hosts are named. */
const LOCAL_HOSTS: ReadonlySet<string> = new Set(["localhost", "127.0.0.1"]);
const PORT = /:\d+$/;

const INTERNAL = new BlockList();
for (const [address, bits] of [
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16],
] as const) {
  INTERNAL.addSubnet(address, bits, "ipv4");
}
INTERNAL.addAddress("::1", "ipv6");
INTERNAL.addSubnet("fc00::", 7, "ipv6");
INTERNAL.addSubnet("fe80::", 10, "ipv6");

export function createOrigins(options: OriginOptions): Origins {
  const { publicBaseUrl, trustedProxies, allowedHosts, csrfTrustedOrigins } = options;

  function own(request: Request, peer: Peer): string {
    if (publicBaseUrl) return publicBaseUrl;
    const proto = request.headers.get("x-forwarded-proto");
    const named = request.headers.get("x-forwarded-host");
    // Asking who the peer is costs more than all the rest, and most requests forward nothing.
    const forwarded = (proto ?? named) !== null && isTrusted(trustedProxies, peerAddress(request, peer));
    const scheme = forwarded && last(proto) === "https" ? "https" : "http";
    const host = (forwarded && last(named)) || request.headers.get("host") || "localhost";
    return `${scheme}://${host}`;
  }

  return {
    own,

    base(request, mine) {
      const origin = request.headers.get("origin");
      if (publicBaseUrl || origin === null || origin === mine) return mine;
      const page = URL.parse(origin);
      const isWeb = page?.protocol === "https:" || page?.protocol === "http:";
      return page && isWeb && isInternal(new URL(mine).hostname) && !isInternal(page.hostname)
        ? page.origin
        : mine;
    },

    isServed(request) {
      const host = request.headers.get("host") ?? "";
      if (!HOST.test(host) || !URL.canParse(request.url)) return false;
      return allowedHosts?.has(host.replace(PORT, "").toLowerCase()) ?? true;
    },

    address(request, peer) {
      const direct = peerAddress(request, peer);
      if (!isTrusted(trustedProxies, direct)) return direct;
      const hops = (request.headers.get("x-forwarded-for") ?? request.headers.get("x-real-ip") ?? "").split(
        ",",
      );
      for (const hop of hops.toReversed()) {
        const address = hop.trim();
        if (isIP(address) === 0) return direct;
        if (!isTrusted(trustedProxies, address)) return address;
      }
      return hops[0]?.trim() ?? direct;
    },

    isForwarded: (request, peer) => isTrusted(trustedProxies, peerAddress(request, peer)),

    sender(request, peer) {
      const mine = own(request, peer);
      const origin = request.headers.get("origin");
      if (origin !== null) return origin === mine || csrfTrustedOrigins.has(origin) ? "ours" : "foreign";
      const site = request.headers.get("sec-fetch-site");
      if (site !== null) return site === "same-origin" || site === "none" ? "ours" : "foreign";
      // Under TLS every browser says one or the other, or at least where it came from.
      if (!mine.startsWith("https:")) return "unknown";
      return URL.parse(request.headers.get("referer") ?? "")?.origin === mine ? "ours" : "foreign";
    },

    maySocket(request, peer) {
      const origin = request.headers.get("origin");
      const page = origin === null ? null : URL.parse(origin);
      if (!page || (page.protocol !== "http:" && page.protocol !== "https:")) return false;
      return (
        page.hostname === URL.parse(own(request, peer))?.hostname ||
        (allowedHosts ?? LOCAL_HOSTS).has(page.hostname)
      );
    },
  };
}

/**
 * Whom a limit counts: an IPv4 address, or the /64 that one customer of IPv6 has at least, with 2^64 addresses to choose
 * from. Addresses of IPv4 in the dress of IPv6 are undressed.
 */
export function network(address: string): string {
  if (isIP(address) !== 6) return address;
  // The parser of URLs writes every address in its one shortest form.
  const short = new URL(`http://[${address.replace(/%.*$/, "")}]/`).hostname.slice(1, -1);
  const [head = [], tail] = short.split("::").map((half) => half.split(":").filter(Boolean));
  const groups = tail ? [...head, ...Array(8 - head.length - tail.length).fill("0"), ...tail] : head;
  const mapped = groups.slice(0, 6).join(":") === "0:0:0:0:0:ffff";
  return mapped ? groups.slice(6).flatMap(bytesOf).join(".") : `${groups.slice(0, 4).join(":")}::/64`;
}

function bytesOf(group: string): [number, number] {
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}

/** A name or an address that means nothing outside of its own network. */
function isInternal(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, "");
  return isIP(address) === 0 ? !hostname.includes(".") : isTrusted(INTERNAL, address);
}

function peerAddress(request: Request, peer: Peer): string {
  const address = peer?.requestIP(request)?.address ?? "";
  return address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
}

function isTrusted(proxies: BlockList, address: string): boolean {
  const version = isIP(address);
  return version !== 0 && proxies.check(address, version === 6 ? "ipv6" : "ipv4");
}

/** Of a list that each proxy appends to, the entry that the nearest one wrote. */
function last(list: string | null | undefined): string | undefined {
  return list?.split(",").at(-1)?.trim() || undefined;
}
