/** Requests as bytes, for what `fetch` does not let through: odd methods, paths with `..`, handshakes, huge bodies. */
import { connect } from "node:net";
import type { Place } from "./world.ts";

export interface RawRequest {
  method?: string;
  /** As it goes over the wire, not normalised. */
  path: string;
  headers?: Record<string, string>;
  /** Sent with its length, or in chunks without one. */
  body?: string | readonly string[];
}

export interface RawAnswer {
  status: number;
  headers: Headers;
  body: string;
}

const PATIENCE_MS = 10_000;

/** Sends one request on its own connection. Rejects when the server closes without an answer. */
export function ask(
  place: Place,
  { method = "GET", path, headers = {}, body }: RawRequest,
): Promise<RawAnswer> {
  const { hostname, port, host } = new URL(place.url);
  const framing = bodyHeaders(body);
  const lines = Object.entries({ host, connection: "close", ...framing, ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return new Promise((resolve, reject) => {
    let received = "";
    const socket = connect({ host: hostname, port: Number(port) });
    const settle = (closed: boolean) => {
      const answer = parse(received, method, closed);
      if (answer) resolve(answer);
      else if (closed) reject(new Error(`closed without an answer: ${JSON.stringify(received)}`));
      if (answer || closed) socket.destroy();
    };
    socket.setEncoding("latin1");
    socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error("no answer")));
    socket.on("data", (data) => {
      received += String(data);
      settle(false);
    });
    socket.on("close", () => settle(true));
    // Writing on after an early answer fails; the answer still counts.
    socket.on("error", () => settle(true));
    socket.on("connect", () => {
      socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      if (typeof body === "string") socket.write(body);
      else if (body) {
        for (const part of body) socket.write(`${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`);
        socket.write("0\r\n\r\n");
      }
    });
  });
}

export interface RawSocket {
  /** A close frame that carries no status, as a browser's `close()` sends it: the server sees 1005. */
  closeWithoutStatus(): void;
  /** The connection breaks off without a word: the server sees 1006. */
  breakOff(): void;
}

/** A socket whose end is not that of a well-behaved client. Resolves when the handshake has succeeded. */
export function openRaw(place: Place, path: string, headers: Record<string, string>): Promise<RawSocket> {
  const { hostname, port } = new URL(place.url);
  const socket = connect({ host: hostname, port: Number(port) });
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("connect", () => socket.write(handshake(place, path, headers)));
    socket.once("data", (data) => {
      if (!String(data).startsWith("HTTP/1.1 101 ")) return reject(new Error(String(data)));
      resolve({
        closeWithoutStatus: () => void socket.write(Uint8Array.of(0x88, 0x80, 1, 2, 3, 4)),
        breakOff: () => void socket.destroy(),
      });
    });
  });
}

/** The request of a WebSocket handshake, as bytes. */
export function handshake(place: Place, path: string, headers: Record<string, string>): string {
  const { host } = new URL(place.url);
  const lines = Object.entries({ host, ...UPGRADE, ...headers }).map(([name, value]) => `${name}: ${value}`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

/** The answer to a WebSocket handshake: 101, or the status of its refusal. */
export function shakeHands(place: Place, path: string, headers: Record<string, string>): Promise<RawAnswer> {
  return ask(place, { path, headers: { ...UPGRADE, ...headers } });
}

const UPGRADE = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

function bodyHeaders(body: RawRequest["body"]): Record<string, string> {
  if (body === undefined) return {};
  return typeof body === "string"
    ? { "content-length": String(Buffer.byteLength(body)) }
    : { "transfer-encoding": "chunked" };
}

/** Null while more has to come. */
function parse(received: string, method: string, closed: boolean): RawAnswer | null {
  const end = received.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const [statusLine = "", ...lines] = received.slice(0, end).split("\r\n");
  const headers = new Headers(
    lines.map((line): [string, string] => [
      line.slice(0, line.indexOf(":")),
      line.slice(line.indexOf(":") + 1),
    ]),
  );
  const status = Number(statusLine.split(" ")[1]);
  const body = received.slice(end + 4);
  const length = Number(headers.get("content-length") ?? Infinity);
  const complete = method === "HEAD" || status === 101 || status === 304 || body.length >= length;
  return complete || closed ? { status, headers, body: Buffer.from(body, "latin1").toString("utf8") } : null;
}
