/** Somebody with the original client: one socket a room, no numbers, no acknowledgement, nothing sent twice. */
import type { Client } from "../../../src/testing/client.ts";
import { openLine } from "./line.ts";
import { brief, type Log } from "../log.ts";
import type { Texts } from "./texts.ts";

export interface OriginalPerson {
  who: string;
  act(): void;
  /** What they have written on this socket and not seen: nobody tells them more. */
  waiting(): readonly string[];
  sleep(): void;
  wake(): void;
}

interface Frame {
  message?: string;
  username?: string;
  id?: number;
  seq?: number;
}

export function createOriginal(deps: {
  who: string;
  client: Client;
  room: string;
  log: Log;
  random: () => number;
  texts: Texts;
}): OriginalPerson {
  const { who, client, room, log, random, texts } = deps;
  let written: string[] = [];

  const line = openLine({
    client,
    path: `/ws/chat/${room}/`,
    log,
    random,
    hasBeacon: false,
    events: {
      opened() {},
      received(number, text) {
        const { message, username: author = "", id = 0, seq = 0 } = JSON.parse(text) as Frame;
        if (message === undefined) return;
        // One socket's messages keep their order: whatever was written before has been shown, or never will be.
        if (author === who) written = written.slice(written.indexOf(message) + 1);
        const shown = { id, seq, author, text: brief(message), deleted: false };
        log.write({ type: "shown", who, line: number, room, message: shown });
      },
      lost(number, code) {
        log.write({ type: "closed", who, line: number, code });
        written = [];
      },
    },
  });

  return {
    who,
    act() {
      const open = line.current();
      if (open === null) return;
      const text = texts.next(who);
      const change = { kind: "post", text: brief(text) } as const;
      log.write({ type: "sent", who, line: open, door: "original", room, key: null, change });
      written.push(text);
      line.send({ message: text });
    },
    waiting: () => written,
    sleep: line.close,
    wake: line.open,
  };
}
