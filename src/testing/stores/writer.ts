/** The writer as the program makes it, for tests of the rules above it. */
import type { Bus, MessageStore } from "../../chat/ports.ts";
import { createWriter, type Writer } from "../../chat/writer.ts";

/** What the store fails with is kept in `failures`. */
export function writerOver(store: Pick<MessageStore, "write">, bus: Bus, failures: unknown[] = []): Writer {
  const afterTurn = (task: () => void) => void setImmediate(task);
  return createWriter({ store, bus, afterTurn, onFailure: (error) => void failures.push(error) });
}
