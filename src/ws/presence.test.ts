import { afterAll, beforeAll, expect, test } from "bun:test";
import { createSessions } from "../accounts/sessions.ts";
import { createMemoryBus } from "../bus/memory.ts";
import { createPresence } from "../chat/presence.ts";
import { serveHub, type HubServer, type HubSocket } from "../testing/hub.ts";
import { addAccount, openSqliteStores, type OpenStores } from "../testing/stores/open.ts";
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
let server: HubServer;
let sockets: PresenceSockets;
let page: Protocol;
let ann: SocketData["actor"];
let bob: SocketData["actor"];

beforeAll(async () => {
  stores = await openSqliteStores();
  const sessions = createSessions({ store: stores.sessions, clock, secrets, bus });
  const presence = createPresence({ clock, bus, ttl: 40, grace: 5, touchInterval: 30 });
  sockets = createPresenceSockets({ clock, hub, presence, sessions, heartbeat: 20, idleTimeout: 0 });
  const pages = createPagePresence({ hub, presence, sessions });
  page = { opened: pages.show, received: async () => {}, closed: pages.hide };

  const signedIn = async (name: string): Promise<SocketData["actor"]> => {
    const account = await addAccount(stores, name);
    const { session } = await sessions.open(account, null, { address: "", agent: "" });
    return { kind: "member", id: account.id, name, session: session.id, rank: "user" };
  };
  [ann, bob] = [await signedIn("ann"), await signedIn("bob")];
  server = serveHub(hub, clock.now);
});
afterAll(async () => {
  await server.stop();
  sockets.stop();
  await stores.close();
});

test("whoever takes another name or avatar has it at once, on sockets that are open", async () => {
  const [anns, bobs] = [await listen(ann, sockets), await listen(bob, page)];
  await heard(anns, bobs);
  if (ann.kind !== "member") throw new Error("ann is a member");
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
  const again = await listen(ann, sockets);
  const [frames] = await heard(again);
  expect(frames?.[0]).toMatchObject({ online: [{ username: "anna" }, { username: "bob" }] });
});

const listen = (actor: SocketData["actor"], protocol: Protocol) =>
  server.opens({ actor, protocol, origin: ORIGIN });

/** What has come to each since the last time, once nothing more comes. */
async function heard(...readers: HubSocket[]): Promise<unknown[][]> {
  await Bun.sleep(250);
  return Promise.all(readers.map((reader) => reader.heard()));
}
