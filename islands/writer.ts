/** Who writes on this page. */
import type { ServerFrame } from "../src/shared/protocol.ts";

export interface Writer {
  /** Of the account: its name may change, in another tab too. */
  id: number;
  name: string;
}

/** Whether the server listens to this writer; a node of the version before tells no more than the name. */
export function isWelcome({ user, id }: Extract<ServerFrame, { type: "welcome" }>, writer: Writer): boolean {
  return id === undefined ? user === writer.name : id === writer.id;
}

/** Whom the page was drawn for; null for guests. */
export function writerOfPage(): Writer | null {
  const drawn = document.querySelector<HTMLMetaElement>("meta[name=writer]");
  return drawn && (JSON.parse(drawn.content) as Writer);
}
