import { afterAll, beforeAll, expect, test } from "bun:test";
import { createSessions } from "../accounts/sessions.ts";
import { createMemoryBus } from "../bus/memory.ts";
import { createPresence } from "../chat/presence.ts";
import { addAccount, openSqliteStores, type OpenStores } from "../testing/stores/open.ts";
import { socketHandlers } from "./handlers.ts";
import { createHub } from "./hub.ts";
import { createPagePresence } from "./page-presence.ts";
import { createPresenceSockets, type PresenceSockets } from "./presence.ts";
import type { Protocol, SocketData } from "./socket.ts";

const ORIGIN = "http://chat.example";

const clock = { now: () => Date.now() };
const secrets = { text: () => crypto.randomUUID() };
const bus = createMemoryBus();
const hub = createHub(bus);

let stores: OpenStores;
let server: Bun.Server<SocketData>;
let sockets: PresenceSockets;
let people: SocketData["actor"][];

beforeAll(async () => {
  stores = await openSqliteStores();
  const sessions = createSessions({ store: stores.sessions, clock, secrets, bus });
  const presence = createPresence({ clock, bus, ttl: 40, grace: 5, touchInterval: 30 });
  sockets = createPresenceSockets({ clock, hub, presence, sessions, heartbeat: 20, idleTimeout: 0 });
  const pages = createPagePresence({ hub, presence, sessions });
  const page: Protocol = { opened: pages.show, received: async () => {}, closed: pages.hide };

  people = [];
  for (const name of ["ann", "bob"]) {
    const account = await addAccount(stores, name);
    const { session } = await sessions.open(account, null, { address: "", agent: "" });
    people.push({ kind: "member", id: account.id, name, session: session.id, rank: "user" });
  }
  server = Bun.serve({
    port: 0,
    fetch(request, self) {
      const { pathname } = new URL(request.url);
      const data: SocketData = {
        protocol: pathname === "/page" ? page : sockets,
        actor: people[Number(pathname === "/page")] ?? { kind: "guest" },
        origin: ORIGIN,
        address: "",
        slug: "",
        work: Promise.resolve(),
        queued: 0,
        entry: null,
        drained: null,
        heardAt: clock.now(),
      };
      return self.upgrade(request, { data }) ? undefined : new Response(null, { status: 400 });
    },
    websocket: socketHandlers(hub, clock.now, (error) => {
      throw error;
    }),
  });
  hub.attach(server);
});
afterAll(async () => {
  await server.stop(true);
  sockets.stop();
  await stores.close();
});

test("whoever takes another name or avatar has it at once, on sockets that are open", async () => {
  const [anns, bobs] = [await listen("/"), await listen("/page")];
  await heard(anns, bobs);
  const [ann] = people;
  if (ann?.kind !== "member") throw new Error("ann is a member");
  await stores.accounts.update(ann.id, { name: "anna", nameKey: "anna", avatar: "pics/a.webp" });
  bus.publish({ type: "account.changed", userId: ann.id, name: "anna", avatar: "pics/a.webp" });
  const [atAnn, atBob] = await heard(anns, bobs);
  expect(atAnn).toEqual([
    {
      online: [
        { username: "anna", profileImage: `${ORIGIN}/media/pics/a.webp` },
        { username: "bob", profileImage: `${ORIGIN}/media/default.jpg` },
      ],
      guests: 0,
    },
  ]);
  expect(atBob).toEqual([
    {
      type: "presence",
      online: [
        { name: "anna", avatar: "pics/a.webp" },
        { name: "bob", avatar: null },
      ],
      guests: 0,
    },
  ]);
});

test("a socket that was let in under an older name shows the present one", async () => {
  const again = await listen("/");
  const [frames] = await heard(again);
  expect(frames?.[0]).toMatchObject({ online: [{ username: "anna" }, { username: "bob" }] });
});

async function listen(path: string): Promise<unknown[]> {
  const frames: unknown[] = [];
  const client = new WebSocket(`ws://localhost:${server.port}${path}`);
  client.addEventListener("message", ({ data }) => frames.push(JSON.parse(String(data))));
  await new Promise((resolve) => client.addEventListener("open", resolve));
  return frames;
}

/** What has come to each since the last time, once nothing more comes. */
async function heard(...readers: unknown[][]): Promise<unknown[][]> {
  await Bun.sleep(250);
  return readers.map((frames) => frames.splice(0));
}
