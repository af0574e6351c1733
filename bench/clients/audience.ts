/**
 * Many readers of one room, so cheap that one core reads for a thousand. All must receive the same bytes, so only the
 * first to receive a frame takes it apart; the others are compared with it, byte by byte.
 */
import type { Server } from "../servers.ts";
import { frameAt, pongFrame, PING, TEXT, textFrame } from "./frames.ts";
import type { Delivered, Protocol } from "./protocols.ts";
import { openSocket, type RawSocket } from "./socket.ts";

export interface Audience {
  readers: number;
  /** How many messages a reader has received, on the average. Throws when something wrong has come. */
  heard(): number;
  /** Bytes of a frame with one message, on the average. */
  frameSize(): number;
  /** Tells of each message that a reader has received whole, from now until the audit. */
  listen(heard: (message: Delivered) => void): void;
  /** Waits until every reader has received so many messages. */
  settled(count: number): Promise<void>;
  /**
   * Throws unless exactly these messages came, by key and text, each once, their numbers without a gap. Answers with them
   * in the order in which all received them; then all starts anew.
   */
  audit(sent: ReadonlyMap<string, string>): readonly Delivered[];
  close(): void;
}

/** Sockets that are opened at a time. */
const BATCH = 50;

const PATIENCE_MS = 10_000;

interface Reader {
  /** How far it has come in what all receive. */
  at: number;
  /** The beginning of a frame whose end has not come yet, unless it is what all receive. */
  rest: Buffer | null;
  /** The frames that it has received whole. */
  frames: number;
  greetings: number;
  joined: PromiseWithResolvers<void>;
}

interface SharedFrame {
  start: number;
  end: number;
  messages: readonly Delivered[];
}

export async function openAudience(
  server: Server,
  protocol: Protocol,
  cookies: readonly string[],
  size: number,
): Promise<Audience> {
  /** The whole frames that all receive, and the messages in them: one frame brings what was stored together. */
  let stream = Buffer.alloc(1 << 20);
  let length = 0;
  let frames: SharedFrame[] = [];
  let delivered: Delivered[] = [];
  /** The sum of what the readers have received of it. */
  let received = 0;
  let fault: Error | null = null;
  let listener: ((message: Delivered) => void) | null = null;

  const readers: Reader[] = [];
  const sockets: RawSocket[] = [];

  function hear(reader: Reader, chunk: Buffer, socket: RawSocket): void {
    const end = reader.at + chunk.length;
    if (!reader.rest && end <= length && stream.compare(chunk, 0, chunk.length, reader.at, end) === 0) {
      moveTo(reader, end);
    } else {
      takeApart(reader, chunk, socket);
    }
  }

  function takeApart(reader: Reader, chunk: Buffer, socket: RawSocket): void {
    // From the beginning of the frame in which the reader stands.
    const start = frames.findLast((frame) => frame.start <= reader.at)?.start ?? 0;
    const begun = reader.rest ?? (reader.at < length ? stream.subarray(start, reader.at) : Buffer.alloc(0));
    if (!reader.rest) moveTo(reader, reader.at - begun.length);
    const bytes = Buffer.concat([begun, chunk]);
    let done = 0;
    for (let frame = frameAt(bytes, 0); frame; frame = frameAt(bytes, done)) {
      const whole = bytes.subarray(done, frame.end);
      if (frame.opcode === PING) socket.write(pongFrame(bytes.subarray(frame.start, frame.end)));
      else if (frame.opcode === TEXT) take(reader, whole, frame.start - done);
      else fault ??= new Error(`a reader got a frame of kind ${frame.opcode}`);
      done = frame.end;
    }
    reader.rest = done < bytes.length ? bytes.subarray(done) : null;
  }

  function take(reader: Reader, whole: Buffer, payload: number): void {
    const end = reader.at + whole.length;
    if (end <= length && stream.compare(whole, 0, whole.length, reader.at, end) === 0)
      return moveTo(reader, end);
    const messages = protocol.delivered(whole.toString("utf8", payload));
    if (messages === "other") return;
    if (messages === "greeting") {
      if (++reader.greetings === protocol.greetings) reader.joined.resolve();
      return;
    }
    if (reader.at !== length) {
      fault ??= new Error("two readers received different messages");
      return;
    }
    if (end > stream.length) stream = Buffer.concat([stream, Buffer.alloc(stream.length)]);
    whole.copy(stream, length);
    frames.push({ start: length, end, messages });
    delivered.push(...messages);
    length = end;
    moveTo(reader, end);
  }

  function moveTo(reader: Reader, at: number): void {
    received += at - reader.at;
    reader.at = at;
    if (listener) tellOf(reader, listener);
  }

  function tellOf(reader: Reader, heard: (message: Delivered) => void): void {
    for (let frame = frames[reader.frames]; frame && frame.end <= reader.at; frame = frames[reader.frames]) {
      frame.messages.forEach(heard);
      reader.frames++;
    }
  }

  const greeting = (await protocol.join(server)).map(textFrame);
  async function open(number: number): Promise<void> {
    const joined = Promise.withResolvers<void>();
    const reader: Reader = { at: 0, rest: null, frames: 0, greetings: 0, joined };
    if (protocol.greetings === 0) joined.resolve();
    readers.push(reader);
    const cookie = cookies[number % cookies.length] ?? "";
    const onBytes = (chunk: Buffer, socket: RawSocket) => hear(reader, chunk, socket);
    const socket = await openSocket(server, protocol.readerPath, cookie, onBytes);
    sockets.push(socket);
    for (const frame of greeting) socket.write(frame);
    await joined.promise;
  }
  for (let first = 0; first < size; first += BATCH) {
    await Promise.all(Array.from({ length: Math.min(BATCH, size - first) }, (_, at) => open(first + at)));
  }

  return {
    readers: size,
    heard() {
      if (fault) throw fault;
      return length === 0 ? 0 : (received / size / length) * delivered.length;
    },
    listen: (heard) => void (listener = heard),
    frameSize: () => Math.round(length / Math.max(1, delivered.length)),

    async settled(count) {
      const deadline = performance.now() + PATIENCE_MS;
      const complete = () => delivered.length >= count && received === length * size;
      const over = () => fault !== null || complete() || performance.now() > deadline;
      while (!over()) await Bun.sleep(1);
      if (!complete()) {
        const behind = readers.filter(({ at }) => at < length).length;
        fault ??= new Error(
          `of ${count} messages ${delivered.length} came; ${behind} readers lack some of them`,
        );
      }
      if (fault) throw fault;
    },

    audit(sent) {
      if (fault) throw fault;
      const all = delivered;
      compare(sent, all);
      [length, received, frames, delivered, listener] = [0, 0, [], [], null];
      for (const reader of readers) [reader.at, reader.frames] = [0, 0];
      return all;
    },

    close: () => sockets.forEach((socket) => socket.close()),
  };
}

/** The readers of one room at several nodes: all of them receive the same messages, in one order. */
export function together(audiences: readonly Audience[]): Audience {
  const readers = audiences.reduce((sum, audience) => sum + audience.readers, 0);
  const average = (of: (audience: Audience) => number) =>
    audiences.reduce((sum, audience) => sum + of(audience) * audience.readers, 0) / readers;
  return {
    readers,
    heard: () => average((audience) => audience.heard()),
    frameSize: () => Math.round(average((audience) => audience.frameSize())),
    listen: (heard) => audiences.forEach((audience) => audience.listen(heard)),
    settled: async (count) => void (await Promise.all(audiences.map((audience) => audience.settled(count)))),

    audit(sent) {
      const [first = [], ...others] = audiences.map((audience) => audience.audit(sent));
      const isSame = others.every((other) =>
        other.every(({ key, rev }, at) => key === first[at]?.key && rev === first[at]?.rev),
      );
      if (!isSame) throw new Error("two nodes delivered in different orders");
      return first;
    },

    close: () => audiences.forEach((audience) => audience.close()),
  };
}

function compare(sent: ReadonlyMap<string, string>, delivered: readonly Delivered[]): void {
  const keys = new Set<string>();
  let last: number | null = null;
  for (const { key, text, rev } of delivered) {
    if (sent.get(key) !== text) throw new Error(`nobody sent ${key}: ${text}`);
    if (keys.has(key)) throw new Error(`${key} was delivered twice`);
    if (rev !== null && last !== null && rev !== last + 1) throw new Error(`number ${rev} follows ${last}`);
    keys.add(key);
    last = rev;
  }
  if (keys.size !== sent.size)
    throw new Error(`${sent.size - keys.size} acknowledged messages were not delivered`);
}
