/** Older messages are the server's to draw: whatever changes among them, htmx fetches anew, row by row. */
import { PAGE_SIZE_MAX } from "../src/shared/limits.ts";
import type { MessageView } from "../src/shared/protocol.ts";
import { loadHtmx } from "./htmx.ts";
import { joinPageSocket } from "./page-socket.ts";

/** Changes of messages that are not shown are kept, in case htmx is loading what they were; so many, the last ones. */
const KEPT = 1000;

export function keepHistoryCurrent(room: string): () => void {
  const history = document.getElementById("history");
  const changed = new Set<number>();
  let isAsking = false;

  const rowOf = (id: number) => history?.querySelector(`#m${id}`);

  function note({ id, deletedAt }: Pick<MessageView, "id" | "deletedAt">): void {
    changed.add(id);
    // What stood under the name of a removed message needs one of its own.
    const next = deletedAt ? rowOf(id)?.nextElementSibling : null;
    if (next?.matches(".grouped")) changed.add(Number(next.id.slice(1)));
    for (const oldest of changed) if (changed.size > KEPT) changed.delete(oldest);
  }

  /** One request at a time, however much has changed. What it did not bring is asked for with the next change. */
  async function refresh(): Promise<void> {
    if (isAsking) return;
    const ids = [...changed].filter(rowOf).slice(0, PAGE_SIZE_MAX);
    if (ids.length === 0) return;
    for (const id of ids) changed.delete(id);
    isAsking = true;
    const isDone = await redraw(room, ids);
    isAsking = false;
    if (isDone) return refresh();
    for (const id of ids) changed.add(id);
  }

  const socket = joinPageSocket({
    opened: () => void refresh(),
    received(frame) {
      if (frame.type !== "changes" || frame.room !== room) return;
      for (const message of frame.changes) if (message.rev !== message.seq) note(message);
      void refresh();
    },
    lost() {},
  });
  const loaded = new MutationObserver(() => void refresh());
  if (history) loaded.observe(history, { childList: true });

  return () => {
    loaded.disconnect();
    socket.close();
  };
}

async function redraw(room: string, ids: readonly number[]): Promise<boolean> {
  let isDone = false;
  const query = ids.map((id) => `id=${id}`).join("&");
  const htmx = await loadHtmx();
  const options = {
    source: "#history",
    swap: "none",
    // A notice must not take the place of the page that somebody reads.
    async fetch(...asked: Parameters<typeof fetch>) {
      const answer = await fetch(...asked).catch(() => null); // offline: asked for again
      isDone = answer?.ok ?? false;
      return isDone && answer ? answer : new Response(null, { status: 204 });
    },
  };
  await htmx.ajax("GET", `/rooms/${room}/rows?${query}`, options);
  return isDone;
}
