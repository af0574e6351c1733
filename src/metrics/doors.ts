/** What came of what people sent, by the door it came through. The rules themselves count nothing. */
import type { Messages, Submitted } from "../chat/messages.ts";
import { Refused } from "../chat/refusal.ts";
import type { StaffActs } from "../chat/staff.ts";
import type { RefusalCode } from "../shared/protocol.ts";
import type { Registry } from "./registry.ts";

/** `original` is the socket of existing clients; `form` is pages, with scripts or without. */
export type Door = "socket" | "original" | "rest" | "form";

type Write = "post" | "edit" | "remove";

export interface Doors {
  /** The same, with every write counted that is acknowledged here. */
  acknowledging<Part extends object>(door: Door, part: Part): Part;
  /** The same, with everything counted that it refuses. */
  refusing<Part extends object>(door: Door, part: Part): Part;
  refused(door: Door, code: RefusalCode): void;
}

const DOORS: readonly Door[] = ["socket", "original", "rest", "form"];

/** Those an operator watches are there from the start. */
const WATCHED: readonly RefusalCode[] = ["rate_limited", "unavailable"];

const WRITERS: ReadonlyMap<string, Write> = new Map<keyof (Messages & StaffActs), Write>([
  ["post", "post"],
  ["submit", "post"],
  ["edit", "edit"],
  ["submitEdit", "edit"],
  ["submitRemoval", "remove"],
  ["removeMessage", "remove"],
]);

export function countDoors(registry: Registry): Doors {
  const acknowledged = registry.counter(
    {
      name: "echochat_messages_acknowledged_total",
      help: "Messages, edits and removals that are on stable storage and were answered so.",
      labels: ["door", "write"],
    },
    DOORS.flatMap((door) =>
      door === "original"
        ? [[door, "post"]]
        : (["post", "edit", "remove"] as const).map((write) => [door, write]),
    ),
  );
  const refusals = registry.counter(
    {
      name: "echochat_refusals_total",
      help: "What people asked for and were refused, by the code of the refusal.",
      labels: ["door", "code"],
    },
    DOORS.flatMap((door) => WATCHED.map((code) => [door, code])),
  );
  /** One refusal may pass through several parts on its way out. */
  const seen = new WeakSet<Refused>();

  function refused(door: Door, error: unknown): void {
    if (!(error instanceof Refused) || seen.has(error)) return;
    seen.add(error);
    refusals.add([door, error.code]);
  }

  return {
    refused: (door, code) => refusals.add([door, code]),

    acknowledging: (door, part) =>
      each(part, (name, answer) => {
        const write = WRITERS.get(name);
        if (write) void answer.then(() => acknowledged.add([door, write])).catch(ignore);
      }),

    refusing: (door, part) =>
      each(part, (_, answer) => void answer.catch((error: unknown) => refused(door, error))),
  };
}

/** The part with each of its functions looked at: `answer` is settled when all is known, after the commit of a write. */
function each<Part extends object>(part: Part, look: (name: string, answer: Promise<unknown>) => void): Part {
  const watch = (name: string, answer: Promise<unknown>) => {
    answer.catch(ignore);
    look(name, answer);
  };
  const watched = Object.entries(part).map(([name, act]): [string, unknown] => {
    if (typeof act !== "function") return [name, act];
    return [
      name,
      (...args: unknown[]) => {
        try {
          const answer: unknown = act(...args);
          if (answer instanceof Promise) watch(name, whole(answer));
          return answer;
        } catch (error) {
          watch(name, Promise.reject(error));
          throw error;
        }
      },
    ];
  });
  return Object.fromEntries(watched) as Part;
}

async function whole(answer: Promise<unknown>): Promise<unknown> {
  const done = await answer;
  return isSubmitted(done) ? done.stored : done;
}

function isSubmitted(done: unknown): done is Submitted {
  return typeof done === "object" && done !== null && "stored" in done && done.stored instanceof Promise;
}

/** Whoever asked hears of it. */
function ignore(): void {}
