/** Sockets as browsers open them, with what arrives kept until a test asks for it. */
import type { Held, ServerFrame } from "../shared/protocol.ts";
import type { Client } from "./client.ts";

export interface Socket<Frame> {
  /** The first frame not yet asked for that fits; frames before it stay. Rejects when none comes in time. */
  next(fits?: (frame: Frame) => boolean, patienceMs?: number): Promise<Frame>;
  /** An object goes as JSON, text and bytes as they are. */
  send(frame: object | string | Uint8Array<ArrayBuffer>): void;
  /** Waits, then resolves to all frames not yet asked for. */
  quiet(ms: number): Promise<Frame[]>;
  /** Resolves when the socket is closed, by whomever. */
  closed: Promise<{ code: number; reason: string }>;
  isOpen(): boolean;
  close(code?: number): void;
}

/** A frame of `/ws/chat/<slug>/`: a message or an error. */
export interface ChatFrame {
  message?: string;
  username?: string;
  profile_pic?: string | null;
  room?: string;
  error?: string;
  retry_after?: number;
}

/** A frame of `/ws/presence/`: who is here, or the server's ping. Guests get no list. */
export interface PresenceFrame {
  online?: { username: string; profileImage: string | null }[];
  guests?: number;
  type?: string;
}

export interface Gateway extends Socket<ServerFrame> {
  epoch: string;
  user: string | null;
  /** The account. */
  id: number | null | undefined;
  nextOf<Type extends ServerFrame["type"]>(
    type: Type,
    fits?: (frame: Extract<ServerFrame, { type: Type }>) => boolean,
  ): Promise<Extract<ServerFrame, { type: Type }>>;
  /** Sends a message and resolves to its acknowledgement or refusal. */
  post(text: string, key?: string, room?: string): Promise<Extract<ServerFrame, { type: "ack" | "refusal" }>>;
  /** Resolves when everything sent before has been dealt with. */
  settled(): Promise<void>;
}

const PATIENCE_MS = 10_000;

/** Bun's has options, which the browser's type does not know. */
const BunSocket = WebSocket as unknown as new (url: string, options: Bun.WebSocketOptions) => WebSocket;

export function openChat(client: Client, slug: string, query = ""): Promise<Socket<ChatFrame>> {
  return openSocket<ChatFrame>(client, `/ws/chat/${slug}/${query}`);
}

/** `headers` are what a proxy in front adds. */
export function openPresence(
  client: Client,
  headers: Record<string, string> = {},
): Promise<Socket<PresenceFrame>> {
  return openSocket<PresenceFrame>(client, "/ws/presence/", headers);
}

/**
 * Says hello with what a page holds, `here` by default: following the public room from its newest message, with
 * nothing received yet.
 */
export async function openGateway(client: Client, held: readonly Held[] | "here" = "here"): Promise<Gateway> {
  const socket = await openSocket<ServerFrame>(client, "/ws/");
  const rooms = held === "here" ? [] : held;
  const nextOf: Gateway["nextOf"] = (type, fits) => {
    type Wanted = Extract<ServerFrame, { type: typeof type }>;
    return socket.next(
      (frame) => frame.type === type && (fits?.(frame as Wanted) ?? true),
    ) as Promise<Wanted>;
  };
  // The number of the last change comes by itself every few seconds: only whoever asks for it gets it.
  const next: Gateway["next"] = (fits = ({ type }) => type !== "head", patienceMs) =>
    socket.next(fits, patienceMs);
  const quiet = async (ms: number) => (await socket.quiet(ms)).filter(({ type }) => type !== "head");
  socket.send({ type: "hello", rooms });
  const { epoch, user, id } = await nextOf("welcome");
  const settled = async () => {
    // One socket's frames are dealt with one after the other.
    socket.send({ type: "hello", rooms: [] });
    await nextOf("welcome");
  };
  if (held === "here") {
    socket.send({ type: "resume", room: "public", epoch, rev: await newestNumber(client) });
    await settled();
    await socket.quiet(0);
  }
  return {
    ...socket,
    next,
    quiet,
    epoch,
    user,
    id,
    nextOf,
    settled,
    post(text, key = newKey(), room = "public") {
      socket.send({ type: "send", room, key, text });
      const answers = (frame: ServerFrame) =>
        (frame.type === "ack" || frame.type === "refusal") && frame.key === key;
      return socket.next(answers) as ReturnType<Gateway["post"]>;
    },
  };
}

export function newKey(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

/** Messages are never edited in these tests, so the newest one has the room's last number. */
async function newestNumber(client: Client): Promise<number> {
  const answer = await client.get("/api/chat/rooms/public/messages/?limit=1");
  const { messages } = answer.json() as { messages: { seq: number }[] };
  return messages[0]?.seq ?? 0;
}

export async function openSocket<Frame>(
  client: Client,
  path: string,
  headers: Record<string, string> = {},
): Promise<Socket<Frame>> {
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<{ code: number; reason: string }>();
  const frames: Frame[] = [];
  let waiting: { fits: (frame: Frame) => boolean; resolve: (frame: Frame) => void }[] = [];

  const { url, ca } = client.place;
  const socket = new BunSocket(url.replace("http", "ws") + path, {
    headers: { cookie: client.cookieHeader(), origin: client.origin, ...headers },
    ...(ca !== undefined && { tls: { ca } }),
  });
  socket.addEventListener("close", ({ code, reason }) => onClosed({ code, reason }));
  socket.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(String(data)) as Frame;
    const reader = waiting.find(({ fits }) => fits(frame));
    if (!reader) return void frames.push(frame);
    waiting = waiting.filter((other) => other !== reader);
    reader.resolve(frame);
  });
  await new Promise<void>((resolve, reject) => {
    let why = "";
    socket.addEventListener("error", (event) => (why = `: ${(event as ErrorEvent).message}`));
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("close", ({ code }) => reject(new Error(`${path} was refused (${code})${why}`)));
  });

  return {
    next(fits = () => true, patienceMs = PATIENCE_MS) {
      const at = frames.findIndex(fits);
      if (at >= 0) return Promise.resolve(frames.splice(at, 1)[0] as Frame);
      const failure = new Error(); // made here for its stack
      return new Promise<Frame>((resolve, reject) => {
        const fail = (why: string) => {
          waiting = waiting.filter((other) => other !== reader);
          failure.message = `${why} on ${path}; unread: ${JSON.stringify(frames).slice(0, 500)}`;
          reject(failure);
        };
        const reader = { fits, resolve: (frame: Frame) => (clearTimeout(timer), resolve(frame)) };
        const timer = setTimeout(() => fail(`no such frame within ${patienceMs} ms`), patienceMs);
        waiting.push(reader);
        void closed.then(
          ({ code }) => waiting.includes(reader) && (clearTimeout(timer), fail(`closed with ${code}`)),
        );
      });
    },
    send(frame) {
      socket.send(typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame));
    },
    async quiet(ms) {
      await Bun.sleep(ms);
      return frames.splice(0);
    },
    closed,
    isOpen: () => socket.readyState === WebSocket.OPEN,
    close: (code) => socket.close(code),
  };
}
