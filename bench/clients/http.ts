/** GET over keep-alive connections, with as little work as a client can do and still look at every answer. */
import type { Server } from "../servers.ts";

export interface Answer {
  status: number;
  /** Status line and headers, as they came. */
  head: string;
  body: Buffer;
}

export interface Connection {
  get(request: Buffer): Promise<Answer>;
  close(): void;
}

export function requestFor(server: Server, path: string, headers: Record<string, string> = {}): Buffer {
  const lines = Object.entries({ host: `${server.hostname}:${server.port}`, ...headers });
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${text}\r\n`);
}

export async function connect(server: Server): Promise<Connection> {
  let waiting: PromiseWithResolvers<Answer> | null = null;
  let received: Buffer | null = null;
  const fail = (reason: string) => waiting?.reject(new Error(reason));

  const socket = await Bun.connect({
    hostname: server.hostname,
    port: server.port,
    socket: {
      data(_, chunk) {
        received = received ? Buffer.concat([received, chunk]) : chunk;
        const answer = parse(received);
        if (!answer) return;
        received = null;
        waiting?.resolve(answer);
      },
      close: () => fail("the server closed the connection"),
      error: (_, error) => fail(error.message),
    },
  });
  return {
    get(request) {
      waiting = Promise.withResolvers();
      if (socket.write(request) !== request.length) fail("the connection takes no more");
      return waiting.promise;
    },
    close: () => socket.end(),
  };
}

/** Null while more has to come. */
function parse(bytes: Buffer): Answer | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const head = bytes.toString("latin1", 0, end);
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
  const body = bytes.subarray(end + 4);
  if (body.length < length) return null;
  if (body.length !== length) throw new Error(`the body has ${body.length} bytes instead of ${length}`);
  return { status: Number(head.slice(9, 12)), head, body };
}
