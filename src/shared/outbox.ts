/**
 * Messages on their way, in the order in which they were written. One at a time is in flight: the next goes out when it is
 * settled, so that they keep their order whatever is refused, lost or tried again. Pure.
 */
import type { ClientKey } from "./ids.ts";
import type { RefusalCode } from "./protocol.ts";

export interface Outgoing {
  /** Made before the first attempt and kept for all others: the server stores it once. */
  key: ClientKey;
  text: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Why it will not be stored unless its writer tries again; null while it is on its way. */
  refusal: RefusalCode | null;
}

export type Outbox = readonly Outgoing[];

/** The one to send now; null when there is none. */
export function next(outbox: Outbox): Outgoing | null {
  return outbox.find(({ refusal }) => refusal === null) ?? null;
}

export function settle(outbox: Outbox, keys: ReadonlySet<string | undefined>): Outbox {
  return outbox.some(({ key }) => keys.has(key)) ? outbox.filter(({ key }) => !keys.has(key)) : outbox;
}

export function refuse(outbox: Outbox, refused: string, refusal: RefusalCode): Outbox {
  return outbox.map((message) => (message.key === refused ? { ...message, refusal } : message));
}

export function refuseAll(outbox: Outbox, refusal: RefusalCode): Outbox {
  return outbox.map((message) => ({ ...message, refusal }));
}

/** Behind everything written since: the others have gone out without it. */
export function retry(outbox: Outbox, retried: string): Outbox {
  const message = outbox.find(({ key }) => key === retried);
  if (!message) return outbox;
  return [...outbox.filter(({ key }) => key !== retried), { ...message, refusal: null }];
}
