/** Real sockets over a hub, without the rest of the program. */
import type { ServerFrame } from "../shared/protocol.ts";
import { socketHandlers } from "../ws/handlers.ts";
import type { Hub } from "../ws/hub.ts";
import type { Protocol, Socket, SocketData } from "../ws/socket.ts";
import { openRaw } from "./raw.ts";

export interface HubServer {
  opens(
    data?: Partial<Pick<SocketData, "protocol" | "actor" | "origin" | "address" | "slug" | "sessionEndsAt">>,
  ): Promise<HubSocket>;
  /** Of a client that takes what comes and answers nothing, no ping either. */
  opensMute(): Promise<Socket>;
  stop(): Promise<void>;
}

/** A socket by both of its ends. */
export interface HubSocket {
  /** The server's. */
  socket: Socket;
  /** Those that have come out at the other end since the last time, and nothing more is on its way. */
  heard<Frame = ServerFrame>(): Promise<Frame[]>;
  says(frame: string): void;
  /** The code it is closed with. */
  closed: Promise<number>;
  leaves(): Promise<void>;
}

/** Hears nothing and says nothing by itself. */
export const SILENT: Protocol = { opened() {}, received: async () => {} };

export function serveHub(hub: Hub, now: () => number = () => 0): HubServer {
  const opened: Socket[] = [];
  let next: SocketData;
  const handlers = socketHandlers(hub, now, (error) => {
    throw error;
  });
  const server = Bun.serve<SocketData>({
    port: 0,
    fetch: (request, self) =>
      self.upgrade(request, { data: next }) ? undefined : new Response(null, { status: 400 }),
    websocket: {
      ...handlers,
      open(socket) {
        void handlers.open?.(socket);
        opened.push(socket);
      },
    },
  });
  hub.attach(server);

  function prepare(data: Partial<SocketData>): void {
    const fresh = {
      entry: null,
      work: Promise.resolve(),
      queued: 0,
      looksUnheard: 0,
      drained: null,
      heardAt: 0,
    };
    next = {
      protocol: SILENT,
      actor: { kind: "guest" },
      origin: "",
      address: "",
      slug: "",
      sessionEndsAt: Infinity,
      ...data,
      ...fresh,
    };
  }

  return {
    async opens(data = {}) {
      prepare(data);
      return bothEnds(`ws://localhost:${server.port}/`, opened);
    },
    async opensMute() {
      prepare({});
      await openRaw({ url: server.url.href }, "/", {});
      return opened.pop() as Socket;
    },
    stop: () => server.stop(true),
  };
}

async function bothEnds(url: string, opened: Socket[]): Promise<HubSocket> {
  const frames: unknown[] = [];
  let marked = () => {};
  const client = new WebSocket(url);
  client.addEventListener("message", ({ data }) => {
    if (data === MARK) marked();
    else frames.push(JSON.parse(String(data)));
  });
  const closed = new Promise<number>((resolve) => {
    client.addEventListener("close", ({ code }) => resolve(code));
  });
  await new Promise((resolve) => client.addEventListener("open", resolve));
  while (opened.length === 0) await Bun.sleep(1);
  const socket = opened.pop() as Socket;
  return {
    socket,
    closed,
    says: (frame) => client.send(frame),
    async heard<Frame>() {
      const everything = new Promise<void>((resolve) => (marked = resolve));
      // What this turn has sent comes before.
      setImmediate(() => socket.send(MARK));
      await everything;
      return frames.splice(0) as Frame[];
    },
    async leaves() {
      client.close();
      await closed;
    },
  };
}

const MARK = '"mark"';
