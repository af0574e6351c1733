/** The network between clients and server, for breaking it: bytes go to and fro as they come. */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface Proxy {
  url: string;
  /** Where new connections lead. */
  leadTo(url: string): void;
  /** Breaks all connections off, and answers with how many there were. */
  drop(): number;
  /** From now on nothing comes through the connections that are open, and nobody is told; new ones work. */
  silence(): void;
  /** Stops reading what the server sends: it piles up there. */
  hold(): void;
  letGo(): void;
  close(): void;
}

interface Pair {
  client: Socket;
  server: Socket;
  isSilent: boolean;
}

export async function openProxy(): Promise<Proxy> {
  const pairs = new Set<Pair>();
  let port = 0;
  let isHolding = false;

  function join(client: Socket): void {
    const server = connect({ host: "127.0.0.1", port });
    const pair = { client, server, isSilent: false };
    pairs.add(pair);
    if (isHolding) server.pause();
    pass(pair, client, server);
    pass(pair, server, client);
  }

  function pass(pair: Pair, from: Socket, to: Socket): void {
    from.on("data", (data) => {
      if (!pair.isSilent && !to.write(data)) from.pause();
    });
    to.on("drain", () => {
      if (!(isHolding && from === pair.server)) from.resume();
    });
    from.on("error", () => {}); // its end follows, and says all there is to say
    from.on("close", () => {
      if (pair.isSilent) return;
      pairs.delete(pair);
      to.destroySoon();
    });
  }

  function drop(): number {
    const dropped = pairs.size;
    for (const { client, server } of pairs) for (const end of [client, server]) end.destroy();
    pairs.clear();
    return dropped;
  }

  const listening = createServer(join);
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));

  return {
    url: `http://localhost:${(listening.address() as AddressInfo).port}`,
    leadTo: (url) => void (port = Number(new URL(url).port)),
    drop,
    silence() {
      for (const pair of pairs) pair.isSilent = true;
    },
    hold() {
      isHolding = true;
      for (const { server } of pairs) server.pause();
    },
    letGo() {
      isHolding = false;
      for (const { server } of pairs) server.resume();
    },
    close() {
      listening.close();
      drop();
    },
  };
}
