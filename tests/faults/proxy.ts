/** The network between clients and servers, for breaking it: bytes go to and fro as they come. */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface Proxy {
  url: string;
  port: number;
  /** Where a new connection leads, asked for each: to the first of these that takes it. */
  leadTo(where: () => readonly string[]): void;
  /** Breaks all connections off, and answers with how many there were. */
  drop(): number;
  /** From now on nothing comes through the connections that are open, and nobody is told; new ones work. */
  silence(): void;
  /** Stops reading what the server sends: it piles up there. */
  hold(): void;
  letGo(): void;
  /** Neither side hears the other, and new connections lead nowhere; when it is mended all of it comes, late. */
  cut(): void;
  mend(): void;
  close(): void;
}

interface Pair {
  client: Socket;
  server: Socket;
  isSilent: boolean;
}

export async function openProxy(): Promise<Proxy> {
  const pairs = new Set<Pair>();
  let where: () => readonly string[] = () => [];
  const outside: Socket[] = [];
  let isHolding = false;
  let isCut = false;

  function join(client: Socket): void {
    client.pause();
    client.on("error", () => {}); // its end follows, and says all there is to say
    if (isCut) return void outside.push(client);
    const pair = { client, server: client, isSilent: false };
    pairs.add(pair);
    reach(pair, where());
  }

  function reach(pair: Pair, [url, ...others]: readonly string[]): void {
    if (url === undefined) return leave(pair, pair.client);
    const server = connect({ host: "127.0.0.1", port: Number(new URL(url).port) });
    pair.server = server;
    let isReached = false;
    server.on("error", () => isReached || reach(pair, others));
    server.on("connect", () => {
      isReached = true;
      pass(pair, pair.client, server);
      pass(pair, server, pair.client);
      for (const end of [pair.client, server]) flow(pair, end);
    });
  }

  function pass(pair: Pair, from: Socket, to: Socket): void {
    from.on("data", (data) => {
      if (!pair.isSilent && !to.write(data)) from.pause();
    });
    to.on("drain", () => flow(pair, from));
    from.on("close", () => !pair.isSilent && leave(pair, to));
  }

  function flow({ server }: Pair, from: Socket): void {
    if (isCut || (isHolding && from === server)) from.pause();
    else from.resume();
  }

  function leave(pair: Pair, other: Socket): void {
    pairs.delete(pair);
    other.destroySoon();
  }

  function drop(): number {
    const dropped = pairs.size;
    for (const { client, server } of pairs) for (const end of [client, server]) end.destroy();
    pairs.clear();
    return dropped;
  }

  function flowAll(): void {
    for (const pair of pairs) for (const end of [pair.client, pair.server]) flow(pair, end);
  }

  const listening = createServer(join);
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const { port } = listening.address() as AddressInfo;

  return {
    url: `http://localhost:${port}`,
    port,
    leadTo: (urls) => void (where = urls),
    drop,
    silence() {
      for (const pair of pairs) pair.isSilent = true;
    },
    hold() {
      isHolding = true;
      flowAll();
    },
    letGo() {
      isHolding = false;
      flowAll();
    },
    cut() {
      isCut = true;
      flowAll();
    },
    mend() {
      isCut = false;
      flowAll();
      for (const client of outside.splice(0)) join(client);
    },
    close() {
      listening.close();
      for (const client of outside) client.destroy();
      drop();
    },
  };
}
