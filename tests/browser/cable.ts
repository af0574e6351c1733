/** A cable between browsers and the server that a test can hold in its hand. */
import { connect, createServer, type Socket } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Place } from "../../src/testing/world.ts";

export interface Cable extends Place {
  /** What goes through it from now on is lost, and neither end is told: the connections stay open. */
  goesSilent(): void;
  /** Connections made from now on work; those from before stay silent. */
  isMended(): void;
  close(): void;
}

export async function layCable({ url }: Place): Promise<Cable> {
  const server = new URL(url);
  const ends = new Set<Socket>();
  let isSilent = false;
  const listener = createServer((near) => {
    const far = connect(Number(server.port), server.hostname);
    let isDead = isSilent;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(from);
      from.on("data", (bytes) => {
        isDead ||= isSilent;
        if (!isDead) to.write(bytes);
      });
      from.on("close", () => {
        ends.delete(from);
        if (!isDead) to.destroy();
      });
      from.on("error", () => {});
    }
  });
  listener.listen(0, "localhost");
  await once(listener, "listening");
  return {
    url: `http://localhost:${(listener.address() as AddressInfo).port}`,
    goesSilent: () => void (isSilent = true),
    isMended: () => void (isSilent = false),
    close() {
      listener.close();
      for (const end of ends) end.destroy();
    },
  };
}
