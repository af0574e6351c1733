/** What other nodes and the command line do to sessions, accounts, members and rooms, as triggers of the database tell it. */
import type { BusEvent } from "../../chat/ports.ts";
import { openLine, within } from "./line.ts";
import type { PostgresDatabase } from "./open.ts";

/** Between the end of a connection and the next one. Milliseconds. */
const PAUSE = 250;

/** A connection that brings nothing is asked this often whether it is still there, and given up after as long. Milliseconds. */
const HEARTBEAT = 1_500;

/** `by`: the `application_name` of whoever did it. */
interface Notice {
  by: string;
  event: BusEvent;
}

/**
 * A node knows what it does itself. At the start, and from the end of a connection to the next, it hears of nothing:
 * `rights.unheard`. Whenever it begins to listen it may have missed something: `accounts.reread`. Answers with what ends the
 * watch. `onFailure` hears why it does not listen, once until it does.
 */
export function watchRights(
  db: PostgresDatabase,
  nodeId: string,
  tell: (event: BusEvent) => void,
  onFailure: (error: unknown) => void,
): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  let isFailing = false;

  function onNotify(_channel: string, payload: string): void {
    const { by, event } = JSON.parse(payload) as Notice;
    if (!signal.aborted && by !== `echochat ${nodeId}`) tell(event);
  }

  /** For as long as one connection lasts. */
  async function listen(): Promise<void> {
    const line = await openLine(db, { onNotify });
    let isHeard = false;
    signal.addEventListener("abort", line.cut);
    if (signal.aborted) line.cut();
    try {
      await within(HEARTBEAT, line, line.sql`LISTEN echochat_rights`);
      isHeard = !signal.aborted;
      isFailing = false;
      if (isHeard) tell({ type: "accounts.reread" });
      while (line.isOpen()) {
        await Promise.race([line.gone, pause(HEARTBEAT)]);
        if (line.isOpen()) await within(HEARTBEAT, line, line.sql`SELECT 1`);
      }
    } finally {
      signal.removeEventListener("abort", line.cut);
      line.cut();
      if (isHeard && !signal.aborted) tell({ type: "rights.unheard" });
    }
  }

  function failed(error: unknown): void {
    if (!isFailing && !signal.aborted) onFailure(error);
    isFailing = true;
  }

  async function keepListening(): Promise<void> {
    while (!signal.aborted) {
      // Whatever ends a connection, the next one mends.
      await listen().catch(failed);
      await pause(PAUSE);
    }
  }

  tell({ type: "rights.unheard" });
  void keepListening();
  return () => stop.abort();
}

/** Keeps no program from ending. */
function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds).unref());
}
