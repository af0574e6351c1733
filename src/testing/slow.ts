/** A reader who reads when it likes: a WebSocket by hand over TCP, because real clients take in whatever comes. */
import { connect, type Socket } from "node:net";
import type { ServerFrame } from "../shared/protocol.ts";
import type { Client } from "./client.ts";
import { handshake } from "./raw.ts";

export interface SlowReader {
  says(frame: object): void;
  stopsReading(): void;
  readsOn(): void;
  /** Whatever has been read so far, in its order. */
  frames: readonly ServerFrame[];
  /** Resolves when this has come; rejects when the connection ends before. */
  until(fits: (frame: ServerFrame) => boolean): Promise<void>;
  /** Resolves when the connection has ended. */
  closed: Promise<void>;
  leaves(): void;
}

const TEXT = 1;

export async function openSlow(client: Client): Promise<SlowReader> {
  const { hostname, port } = new URL(client.place.url);
  const socket = connect({ host: hostname, port: Number(port) });
  const frames: ServerFrame[] = [];
  let look = () => {};
  const take = reading((opcode, payload) => {
    if (opcode === TEXT) frames.push(JSON.parse(payload.toString()) as ServerFrame);
    look();
  });
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  // A connection that breaks off has ended as well.
  socket.on("error", () => {});
  await shaken(
    socket,
    handshake(client.place, "/ws/", { cookie: client.cookieHeader(), origin: client.origin }),
    take,
  );

  return {
    frames,
    closed,
    says: (frame) => void socket.write(masked(JSON.stringify(frame))),
    stopsReading: () => void socket.pause(),
    readsOn: () => void socket.resume(),
    until: (fits) =>
      new Promise((resolve, reject) => {
        look = () => void (frames.some(fits) && resolve());
        look();
        void closed.then(() => reject(new Error(`closed after ${frames.length} frames`)));
      }),
    leaves: () => void socket.destroy(),
  };
}

function shaken(socket: Socket, request: string, take: (data: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0);
    socket.on("connect", () => socket.write(request));
    const first = (data: Buffer) => {
      answer = Buffer.concat([answer, data]);
      const end = answer.indexOf("\r\n\r\n");
      if (end < 0) return;
      socket.off("data", first);
      if (!answer.toString("latin1").startsWith("HTTP/1.1 101 ")) return reject(new Error(answer.toString()));
      socket.on("data", take);
      take(answer.subarray(end + 4));
      resolve();
    };
    socket.on("data", first);
  });
}

/** Takes a stream of bytes apart into the frames of a server, which are never masked and never in parts here. */
function reading(onFrame: (opcode: number, payload: Buffer) => void): (data: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (data) => {
    rest = Buffer.concat([rest, data]);
    for (
      let size = sizeOf(rest);
      size !== null && rest.length >= size.head + size.body;
      size = sizeOf(rest)
    ) {
      const end = size.head + size.body;
      onFrame((rest[0] ?? 0) & 0x0f, rest.subarray(size.head, end));
      rest = rest.subarray(end);
    }
  };
}

/** Null while the header has not come whole. */
function sizeOf(data: Buffer): { head: number; body: number } | null {
  const short = (data[1] ?? 0) & 0x7f;
  const head = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (data.length < head) return null;
  if (short === 127) return { head, body: Number(data.readBigUInt64BE(2)) };
  return { head, body: short === 126 ? data.readUInt16BE(2) : short };
}

/** A text frame as a client sends it; the mask is all zeros. */
function masked(text: string): Buffer {
  const payload = Buffer.from(text);
  if (payload.length > 125) throw new Error("too long for a short frame");
  return Buffer.concat([Buffer.from([0x80 | TEXT, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}
