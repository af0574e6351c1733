import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { readConfig } from "../config.ts";
import { createOrigins, network, type Peer } from "./origin.ts";

const PROXY = "10.0.0.1";
const STRANGER = "203.0.113.9";

const origins = createOrigins(readConfig({ TRUSTED_PROXIES: "10.0.0.0/8,fd00::/8" }));

describe("the network that a limit counts", () => {
  test.each([
    ["203.0.113.9", "203.0.113.9"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::6", "2001:db8:1:2::/64"],
    ["2001:0db8:0001:0002:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:db8::1:0:0:0:1", "2001:db8:0:1::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["1::", "1:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["::ffff:cb00:7109", "203.0.113.9"],
    ["", ""],
    ["unknown", "unknown"],
  ])("of %j is %j", (address, counted) => {
    expect(network(address)).toBe(counted);
  });

  test("is one for all addresses of a /64, and another for the next", () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((n) => n.toString(16));
    const four = fc.array(group, { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(four, four, four, (mine, one, other) => {
        const at = (...groups: string[]) => network(groups.join(":"));
        const isMapped = mine.every((part) => part === "0");
        if (!isMapped) expect(at(...mine, ...one)).toBe(at(...mine, ...other));
        if (!isMapped && mine.join() !== other.join())
          expect(at(...mine, ...one)).not.toBe(at(...other, ...one));
      }),
    );
  });
});

describe("addresses in answers begin with", () => {
  const baseOf = (host: string, origin?: string, more: Record<string, string> = {}, env = {}) => {
    const headers = { host, ...(origin !== undefined && { origin }), ...more };
    const asked = new Request(`http://${host}/`, { headers });
    const proxy: Peer = { requestIP: () => ({ address: PROXY, family: "IPv4", port: 1 }) };
    const { base, own } = createOrigins(readConfig({ TRUSTED_PROXIES: "10.0.0.0/8", ...env }));
    return base(asked, own(asked, proxy));
  };
  const PUBLIC = "https://chat.example.org";

  test("the name that the request used", () => {
    expect(baseOf("chat.example.org")).toBe("http://chat.example.org");
    expect(baseOf("chat.example.org", "https://evil.example")).toBe("http://chat.example.org");
    expect(baseOf("localhost:3000", "http://localhost:5173")).toBe("http://localhost:3000");
  });

  test.each([
    "localhost:8000",
    "backend",
    "127.0.0.1",
    "10.1.2.3:80",
    "192.168.0.4",
    "[::1]:80",
    "[fd00::1]",
  ])("the page's origin where %s is known to nobody outside", (host) => {
    expect(baseOf(host)).toBe(`http://${host}`);
    expect(baseOf(host, PUBLIC)).toBe(PUBLIC);
    for (const useless of ["null", "file://", "not an origin", "http://localhost:5173", "http://backend"]) {
      expect(baseOf(host, useless)).toBe(`http://${host}`);
    }
  });

  test("what the proxy says, or the setting, before all that", () => {
    const forwarded = { "x-forwarded-host": "talk.example.org", "x-forwarded-proto": "https" };
    expect(baseOf("backend", PUBLIC, forwarded)).toBe("https://talk.example.org");
    const setting = { PUBLIC_BASE_URL: "https://set.example.org" };
    expect(baseOf("backend", PUBLIC, forwarded, setting)).toBe("https://set.example.org");
  });
});

describe("the client's address", () => {
  test("is the peer's when no proxy stands between", () => {
    expect(addressFrom(STRANGER)).toBe(STRANGER);
    expect(addressFrom("2001:db8::1")).toBe("2001:db8::1");
  });

  test("is what a trusted proxy says, and what a stranger says is not believed", () => {
    for (const header of ["x-forwarded-for", "x-real-ip"]) {
      expect(addressFrom(PROXY, { [header]: "198.51.100.7" })).toBe("198.51.100.7");
      expect(addressFrom("fd00::1", { [header]: "198.51.100.7" })).toBe("198.51.100.7");
      expect(addressFrom(STRANGER, { [header]: "198.51.100.7" })).toBe(STRANGER);
      expect(addressFrom("2001:db8::1", { [header]: "198.51.100.7" })).toBe("2001:db8::1");
    }
  });

  test.each([
    ["198.51.100.7", "198.51.100.7"],
    ["1.2.3.4, 198.51.100.7", "198.51.100.7"],
    ["1.2.3.4,198.51.100.7 , 10.0.0.2", "198.51.100.7"],
    ["1.2.3.4, 2001:db8::7, fd00::2, 10.9.9.9", "2001:db8::7"],
    ["not an address, 198.51.100.7", "198.51.100.7"],
    ["127.0.0.1, 198.51.100.7", "198.51.100.7"],
    ["10.0.0.5, 10.0.0.2", "10.0.0.5"],
    ["10.0.0.5", "10.0.0.5"],
  ])("is the rightmost that is not a trusted proxy's: %s", (header, address) => {
    expect(addressFrom(PROXY, { "x-forwarded-for": header })).toBe(address);
  });

  test.each([
    "",
    " ",
    ",",
    "unknown",
    "198.51.100.7:1234",
    "198.51.100.7, unknown",
    "1.2.3",
    "999.1.1.1",
    "198.51.100.7,",
  ])("is the proxy's own when it says %j", (header) => {
    expect(addressFrom(PROXY, { "x-forwarded-for": "198.51.100.7" })).toBe("198.51.100.7");
    expect(addressFrom(PROXY, { "x-forwarded-for": header })).toBe(PROXY);
  });

  test("does not come from a header that nobody forwards", () => {
    const others = ["cf-connecting-ip", "true-client-ip", "x-client-ip", "forwarded", "x-cluster-client-ip"];
    for (const header of others) expect(addressFrom(PROXY, { [header]: "198.51.100.7" })).toBe(PROXY);
  });

  test("is the same for an IPv4 peer on a socket for both families", () => {
    expect(addressFrom(`::ffff:${STRANGER}`)).toBe(STRANGER);
    expect(addressFrom(`::ffff:${STRANGER}`, { "x-forwarded-for": "198.51.100.7" })).toBe(STRANGER);
    expect(addressFrom(`::ffff:${PROXY}`, { "x-forwarded-for": "198.51.100.7" })).toBe("198.51.100.7");
  });

  test("is found whatever is forwarded", () => {
    const hops = fc.oneof(
      fc.string(),
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom("fe80::1%eth0", "::ffff:10.0.0.1", PROXY),
    );
    fc.assert(
      fc.property(fc.array(hops), (all) => {
        const header = all.join(", ").replaceAll(/[^ -~]/g, "");
        expect(typeof addressFrom(PROXY, { "x-forwarded-for": header })).toBe("string");
        expect(addressFrom(STRANGER, { "x-forwarded-for": header })).toBe(STRANGER);
      }),
    );
  });
});

describe("the origin under which we are seen", () => {
  test("is the request's host, without TLS", () => {
    expect(origins.own(request({ host: "chat.example:3000" }), peer(STRANGER))).toBe(
      "http://chat.example:3000",
    );
  });

  test("is what a trusted proxy says, the nearest one's word last", () => {
    const forwarded = {
      host: "inner",
      "x-forwarded-proto": "http, https",
      "x-forwarded-host": "evil.example, chat.example",
    };
    expect(origins.own(request(forwarded), peer(PROXY))).toBe("https://chat.example");
    expect(origins.own(request({ host: "chat.example", "x-forwarded-proto": "https" }), peer(PROXY))).toBe(
      "https://chat.example",
    );
  });

  test("is not what a stranger says", () => {
    const spoofed = {
      host: "chat.example",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "evil.example",
    };
    expect(origins.own(request(spoofed), peer(PROXY))).toBe("https://evil.example");
    for (const stranger of [STRANGER, `::ffff:${STRANGER}`, "2001:db8::1", ""]) {
      expect(origins.own(request(spoofed), peer(stranger))).toBe("http://chat.example");
    }
    expect(origins.own(request(spoofed), null)).toBe("http://chat.example");
  });

  test("uses TLS only if the scheme is https", () => {
    for (const scheme of ["http", "HTTPS,http", "ftp", "", "https://", "wss"]) {
      expect(origins.own(request({ host: "h", "x-forwarded-proto": scheme }), peer(PROXY))).toBe("http://h");
    }
  });

  test("is the configured one whatever anybody says", () => {
    const fixed = createOrigins(readConfig({ PUBLIC_BASE_URL: "https://chat.example" }));
    const spoofed = { host: "evil.example", "x-forwarded-proto": "http", "x-forwarded-host": "evil.example" };
    expect(fixed.own(request(spoofed), peer("127.0.0.1"))).toBe("https://chat.example");
    expect(fixed.own(request(spoofed), peer(STRANGER))).toBe("https://chat.example");
  });
});

describe("a request's host", () => {
  const isServed = (host: string, seenAs = origins) => seenAs.isServed(request({ host }));

  test.each([
    "localhost",
    "localhost:3000",
    "chat.example",
    "Chat.Example:80",
    "127.0.0.1:3000",
    "[::1]:3000",
    "[2001:db8::1]",
  ])("is served that is written as hosts are: %s", (host) => {
    expect(isServed(host)).toBe(true);
  });

  test.each([
    "",
    "a b",
    "a/b",
    "a@b",
    "a:b",
    "a:",
    "a:123456",
    "[",
    "[::1",
    "::1",
    "a\\b",
    "<script>",
    '"',
    "a?b",
    "a#b",
    "a,b",
    "x".repeat(254),
  ])("is not served that is written as %j", (host) => {
    expect(isServed("chat.example")).toBe(true);
    expect(isServed(host)).toBe(false);
  });

  test("is one of those that are named, on any port, when any are", () => {
    const named = createOrigins(
      readConfig({ ALLOWED_HOSTS: "chat.example,[::1]", PUBLIC_BASE_URL: "https://public.example" }),
    );
    for (const host of ["chat.example", "CHAT.example:8080", "[::1]:3000", "public.example"]) {
      expect(isServed(host, named)).toBe(true);
    }
    for (const host of [
      "evil.example",
      "chat.example.evil.example",
      "evil-chat.example",
      "sub.chat.example",
      "localhost",
      "chat.example:80:80",
    ]) {
      expect(isServed(host, named)).toBe(false);
    }
  });

  test("that is missing is not served", () => {
    expect(origins.isServed(request({ host: "localhost" }))).toBe(true);
    expect(origins.isServed(request({}))).toBe(false);
  });
});

describe("the page that sent a request", () => {
  const plain = createOrigins(
    readConfig({ CSRF_TRUSTED_ORIGINS: "https://app.example, http://localhost:5173" }),
  );
  const secure = createOrigins(readConfig({ PUBLIC_BASE_URL: "https://chat.example" }));
  const senderOf = (headers: Record<string, string>, seenAs = plain) =>
    seenAs.sender(request({ host: "chat.example", ...headers }), peer(STRANGER));

  test.each([
    { origin: "http://chat.example" },
    { origin: "https://app.example" },
    { origin: "http://localhost:5173" },
    { "sec-fetch-site": "same-origin" },
    { "sec-fetch-site": "none" },
  ] as Record<string, string>[])("is ours with %j", (headers) => {
    expect(senderOf(headers)).toBe("ours");
  });

  test.each([
    { origin: "null" },
    { origin: "" },
    { origin: "http://evil.example" },
    { origin: "https://chat.example" },
    { origin: "http://chat.example:8080" },
    { origin: "http://chat.example.evil.example" },
    { origin: "http://evil-chat.example" },
    { origin: "http://chat.example@evil.example" },
    { origin: "http://chat.example/" },
    { origin: "http://app.example" },
    { origin: "http://evil.example", "sec-fetch-site": "same-origin" },
    { origin: "http://evil.example", referer: "http://chat.example/" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "" },
    { "sec-fetch-site": "cross-site", referer: "http://chat.example/" },
  ] as Record<string, string>[])("is another site's with %j", (headers) => {
    expect(senderOf({ origin: "http://chat.example" })).toBe("ours");
    expect(senderOf(headers)).toBe("foreign");
  });

  test("is unknown without TLS when nobody says, whatever the request refers to", () => {
    for (const headers of [{}, { referer: "http://chat.example/" }, { referer: "http://evil.example/" }]) {
      expect(senderOf(headers as Record<string, string>)).toBe("unknown");
    }
  });

  test("is told under TLS by what the request refers to, when nothing else is said", () => {
    expect(senderOf({ origin: "https://chat.example" }, secure)).toBe("ours");
    expect(senderOf({ referer: "https://chat.example/login?next=/" }, secure)).toBe("ours");
    const others = [
      "",
      "http://chat.example/",
      "https://evil.example/",
      "https://chat.example.evil.example/",
      "https://chat.example:8443/",
      "about:blank",
      "x",
    ];
    for (const referer of others) expect(senderOf({ referer }, secure)).toBe("foreign");
    expect(senderOf({}, secure)).toBe("foreign");
  });
});

describe("a socket", () => {
  const hosted = createOrigins(readConfig({ ALLOWED_HOSTS: "app.example, LOCALHOST" }));
  const maySocket = (origin: string | null, host = "chat.example:3000") =>
    hosted.maySocket(request({ host, ...(origin !== null && { origin }) }), peer(STRANGER));

  test.each([
    "http://chat.example:3000",
    "http://chat.example",
    "https://chat.example:8443",
    "https://app.example",
    "http://localhost:5173",
  ])("may be opened by a page at %s", (origin) => {
    expect(maySocket(origin)).toBe(true);
  });

  test.each([
    null,
    "",
    "null",
    "http://evil.example",
    "http://chat.example.evil.example",
    "http://evilchat.example",
    "http://sub.chat.example",
    "http://chat.example@evil.example",
    "http://evil.example/chat.example",
    "ftp://chat.example",
    "file://chat.example",
    "chrome-extension://chat.example",
    "chat.example",
    "//chat.example",
    "http://",
    "http://[",
  ])("may not be opened by a page at %j", (origin) => {
    expect(maySocket("http://chat.example")).toBe(true);
    expect(maySocket(origin)).toBe(false);
  });

  test("may be opened by pages of the request's host and of a developer's machine when no hosts are named", () => {
    const open = (origin: string) =>
      origins.maySocket(request({ host: "chat.example:3000", origin }), peer(STRANGER));
    for (const known of ["https://chat.example", "http://localhost:5173", "http://127.0.0.1"])
      expect(open(known)).toBe(true);
    for (const other of ["http://127.0.0.2", "http://localhost.evil.example", "http://evil.example"])
      expect(open(other)).toBe(false);
  });

  test("may not be opened where the Host header makes no sense, and nothing breaks", () => {
    for (const host of ["[", "a b", "::", ":80", "%", "", "a@b@c", "<"]) {
      expect(maySocket("http://evil.example", host)).toBe(false);
    }
  });
});

function addressFrom(address: string, headers: Record<string, string> = {}): string {
  return origins.address(request(headers), peer(address));
}

function request(headers: Record<string, string>): Request {
  return new Request("http://localhost/", { headers });
}

function peer(address: string): Peer {
  return { requestIP: () => ({ address, family: address.includes(":") ? "IPv6" : "IPv4", port: 1 }) };
}
