/** Sends everybody away before the program stops: each is told when to come back, so that they do not come all at once. */
import type { ServerFrame } from "../shared/protocol.ts";
import type { Hub } from "./hub.ts";

const CLOSE_RESTART = 1012;

/** Whoever has the page open comes back within this time. Milliseconds. */
const SPREAD = 5_000;

export interface Farewell {
  /** From now on each socket knows that it will be closed. */
  announce(): void;
  /** And now they are. */
  close(): void;
}

export function createFarewell(hub: Pick<Hub, "sockets">, random: () => number): Farewell {
  return {
    announce() {
      for (const socket of hub.sockets()) {
        if (!socket.data.protocol.numbered) continue;
        const bye: ServerFrame = { type: "bye", after: Math.round(random() * SPREAD) };
        socket.send(JSON.stringify(bye));
      }
    },
    close() {
      for (const socket of hub.sockets()) socket.close(CLOSE_RESTART, "restarting");
    },
  };
}
