/** What the two servers speak: EchoChat's `/ws/`, and the bare fan-out that it is measured against. */
import type { Server } from "../servers.ts";
import { getOnce } from "./load.ts";

export interface Delivered {
  key: string;
  text: string;
  /** The number of the change, where there are numbers. */
  rev: number | null;
}

export interface Protocol {
  readerPath: string;
  senderPath: string;
  /** The frames with which a reader joins the room. */
  join(server: Server): Promise<readonly string[]>;
  /** How many greetings a reader gets until it has joined. */
  greetings: number;
  send(key: string, text: string): string;
  /** The key of the message that a frame acknowledges; "" for the oldest that waits; null for any other frame. */
  acknowledged(frame: string): string | null;
  /** What a reader's frame brings. */
  delivered(frame: string): readonly Delivered[] | "greeting" | "other";
}

type ServerFrame =
  | { type: "changes"; changes: Delivered[] }
  | { type: "ack"; key: string; repeat: boolean }
  | { type: "caught-up" | "refusal" | "reset" };

export const native = nativeIn("public");

/** `cookie`: of somebody who may read that room. */
export function nativeIn(room: string, cookie?: string): Protocol {
  return {
    readerPath: "/ws/",
    senderPath: "/ws/",
    greetings: 1,

    async join(server) {
      const [page, newest] = await Promise.all([
        getOnce(server, "/"),
        getOnce(server, `/api/chat/rooms/${room}/messages/?limit=1`, cookie ? { cookie } : {}),
      ]);
      const epoch = /"epoch":"([^"]+)"/.exec(page.body.toString())?.[1];
      const { messages } = JSON.parse(newest.body.toString()) as { messages: { seq: number }[] };
      const held = { room, epoch, rev: messages[0]?.seq ?? 0 };
      return [JSON.stringify({ type: "hello", rooms: [held] })];
    },

    send: (key, text) => JSON.stringify({ type: "send", room, key, text }),

    acknowledged(text) {
      const frame = read(text);
      return frame.type === "ack" && !frame.repeat ? frame.key : null;
    },

    delivered(text) {
      const frame = read(text);
      if (frame.type === "changes") return frame.changes;
      return frame.type === "caught-up" ? "greeting" : "other";
    },
  };
}

function read(text: string): ServerFrame {
  const frame = JSON.parse(text) as ServerFrame;
  if (frame.type === "refusal" || frame.type === "reset") throw new Error(`the server says ${text}`);
  return frame;
}

/** `overhead`: by so many bytes is EchoChat's frame larger than the text of its message. */
export function bare(overhead: number): Protocol {
  return {
    readerPath: "/read",
    senderPath: "/send",
    greetings: 0,
    join: async () => [],
    send: (key, text) => `${key} ${text} ${".".repeat(overhead - key.length - 2)}`,
    acknowledged: () => "",
    delivered(frame) {
      const [start, end] = [frame.indexOf(" "), frame.lastIndexOf(" ")];
      return [{ key: frame.slice(0, start), text: frame.slice(start + 1, end), rev: null }];
    },
  };
}
