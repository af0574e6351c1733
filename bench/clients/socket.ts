/** A WebSocket over plain TCP: a handshake by hand, then bytes. */
import type { Address } from "../servers.ts";

export interface RawSocket {
  write(bytes: Buffer): void;
  /** From now on nothing is taken from the kernel, until it is read again. */
  pause(): void;
  /** Reads on. The server may close now. */
  resume(): Promise<void>;
  close(): void;
}

/** `onBytes` gets everything that follows the handshake, in the pieces in which it arrives. */
export async function openSocket(
  server: Address,
  path: string,
  cookie: string,
  onBytes: (chunk: Buffer, socket: RawSocket) => void,
): Promise<RawSocket> {
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  let answer: Buffer | null = Buffer.alloc(0);
  let closing = false;

  const socket = await Bun.connect({
    hostname: server.hostname,
    port: server.port,
    socket: {
      data(_, chunk) {
        if (!answer) return onBytes(chunk, raw);
        answer = Buffer.concat([answer, chunk]);
        const end = answer.indexOf("\r\n\r\n");
        if (end < 0) return;
        const [head, rest] = [answer.toString("latin1", 0, end), answer.subarray(end + 4)];
        answer = null;
        if (!head.startsWith("HTTP/1.1 101 "))
          return opened.reject(new Error(`no socket at ${path}: ${head}`));
        opened.resolve();
        if (rest.length > 0) onBytes(rest, raw);
      },
      close() {
        closed.resolve();
        if (answer) return opened.reject(new Error(`no socket at ${path}`));
        if (closing) return;
        // What a handler throws is told, but ends nothing.
        console.error(`the server closed a socket at ${path}`);
        process.exit(1);
      },
    },
  });
  const raw: RawSocket = {
    write(bytes) {
      if (socket.write(bytes) !== bytes.length) throw new Error("the socket takes no more");
    },
    pause: () => socket.pause(),
    resume() {
      closing = true;
      socket.resume();
      return closed.promise;
    },
    close() {
      closing = true;
      socket.end();
    },
  };
  raw.write(handshake(server, path, cookie));
  await opened.promise;
  return raw;
}

function handshake({ hostname, port, url }: Address, path: string, cookie: string): Buffer {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `host: ${hostname}:${port}`,
    `origin: ${url}`,
    "connection: Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    `sec-websocket-key: ${Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64")}`,
    `cookie: ${cookie}`,
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
}
