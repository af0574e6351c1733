import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { PASSWORD, stranger, type Answer, type Client } from "../../src/testing/client.ts";
import { png } from "../../src/testing/pictures.ts";
import { openSocket, type ChatFrame, type PresenceFrame } from "../../src/testing/socket.ts";
import { startWorld, type Environment, type World } from "../../src/testing/world.ts";

/** What a request says of the way it came, and the origin of the page that sent it. */
interface Way {
  headers: Record<string, string>;
  origin: string;
}

/** A server at which ann has a picture, and bob has none. */
interface Gallery {
  world: World;
  ann: Client;
  direct: Way;
  paths: { ann: string; bob: string };
}

const open: Gallery[] = [];
afterAll(async () => {
  for (const { world } of open) await world.stop();
});

async function startGallery(env: Environment = {}): Promise<Gallery> {
  const world = await startWorld(env);
  const direct = { headers: {}, origin: env.PUBLIC_BASE_URL ?? world.url };
  const { client: ann } = await enter(world, "register", "ann", direct);
  await enter(world, "register", "bob", direct);
  const answer = await ann.post(
    "/api/auth/profile/",
    { username: "ann", image: new File([png(30, 30)], "a.png") },
    { as: "multipart", headers: { origin: direct.origin } },
  );
  const { pathname } = new URL(imageOf(answer));
  expect(pathname).toMatch(/^\/media\/profile_pics\/[0-9a-f]{32}\.webp$/);
  const gallery = { world, ann, direct, paths: { ann: pathname, bob: "/media/default.jpg" } };
  open.push(gallery);
  return gallery;
}

/** Somebody comes this way. */
async function enter(world: World, door: "login" | "register", username: string, way: Way) {
  const client = stranger(world, { headers: way.headers });
  await client.get("/api/auth/csrf/");
  const fields = { username, password: PASSWORD, password1: PASSWORD, password2: PASSWORD };
  const answer = await client.post(`/api/auth/${door}/`, fields, { headers: { origin: way.origin } });
  expect([200, 201]).toContain(answer.status);
  return { client, answer };
}

const imageOf = (answer: Answer) => (answer.json() as { user: { profileImage: string } }).user.profileImage;

/** Every picture that bob is told of when he comes this way, by whose it is. */
async function picturesFor({ world, ann, direct }: Gallery, way: Way) {
  const { client: bob, answer } = await enter(world, "login", "bob", way);
  const shown = { ann: new Set<string | null>(), bob: new Set<string | null>() };
  for (const told of [answer, await bob.get("/api/auth/session/"), await bob.get("/api/auth/profile/")])
    shown.bob.add(imageOf(told));
  for (const name of ["ann", "bob"] as const)
    shown[name].add(imageOf(await bob.get(`/api/auth/users/${name}/`)));

  const towards = { ...way.headers, origin: way.origin };
  const chat = await openSocket<ChatFrame>(bob, "/ws/chat/public/", towards);
  const hers = await openSocket<ChatFrame>(ann, "/ws/chat/public/", { origin: direct.origin });
  for (const [name, socket] of [
    ["ann", hers],
    ["bob", chat],
  ] as const) {
    socket.send({ message: `from ${name}` });
    const frame = await chat.next(({ message }) => message === `from ${name}`);
    expect(frame.username).toBe(name);
    shown[name].add(frame.profile_pic ?? null);
  }

  const presence = await openSocket<PresenceFrame>(bob, "/ws/presence/", towards);
  const herPresence = await openSocket<PresenceFrame>(ann, "/ws/presence/", { origin: direct.origin });
  const { online = [] } = await presence.next((frame) => frame.online?.length === 2);
  for (const { username, profileImage } of online) shown[username as "ann" | "bob"].add(profileImage);

  const { messages } = (await bob.get("/api/chat/rooms/public/messages/?limit=2")).json() as {
    messages: { username: "ann" | "bob"; profilePic: string | null }[];
  };
  for (const { username, profilePic } of messages) shown[username].add(profilePic);
  for (const socket of [chat, hers, presence, herPresence]) socket.close(1000);
  return { ann: [...shown.ann], bob: [...shown.bob] };
}

const under = ({ paths }: Gallery, origin: string) => ({
  ann: [origin + paths.ann],
  bob: [origin + paths.bob],
});

const TLS = { "x-forwarded-proto": "https" };
const FORWARDED = { "x-forwarded-host": "chat.example.org" };
const NAMED = { host: "chat.example.org" };

describe("pictures have addresses, on REST and every original socket alike,", () => {
  let gallery: Gallery;
  beforeAll(async () => {
    gallery = await startGallery();
  });

  test("under the host that was asked, where nothing stands between", async () => {
    const { origin } = gallery.direct;
    expect(await picturesFor(gallery, gallery.direct)).toEqual(under(gallery, origin));
    const named = { headers: NAMED, origin: "http://chat.example.org" };
    expect(await picturesFor(gallery, named)).toEqual(under(gallery, named.origin));
  });

  test.each([
    ["the scheme", { ...NAMED, ...TLS }, "https://chat.example.org"],
    ["the host", FORWARDED, "http://chat.example.org"],
    ["both", { ...FORWARDED, ...TLS }, "https://chat.example.org"],
    [
      "both, with a port",
      { "x-forwarded-host": "chat.example.org:8443", ...TLS },
      "https://chat.example.org:8443",
    ],
    [
      "both, after another's word",
      { "x-forwarded-host": "evil.example, chat.example.org", ...TLS },
      "https://chat.example.org",
    ],
  ])("under what a trusted proxy says: %s", async (_, headers, origin) => {
    expect(await picturesFor(gallery, { headers, origin })).toEqual(under(gallery, origin));
  });

  test("under the host that was asked, whatever a stranger forwards", async () => {
    const exposed = await startGallery({ TRUSTED_PROXIES: "10.0.0.0/8" });
    const headers = { ...NAMED, "x-forwarded-host": "evil.example", ...TLS };
    const origin = "http://chat.example.org";
    expect(await picturesFor(exposed, { headers, origin })).toEqual(under(exposed, origin));
  });

  test("under the public one where that is known, whatever anybody says", async () => {
    const origin = "https://public.example.org";
    const known = await startGallery({ PUBLIC_BASE_URL: origin });
    for (const headers of [{}, NAMED, { "x-forwarded-host": "evil.example", "x-forwarded-proto": "http" }])
      expect(await picturesFor(known, { headers, origin })).toEqual(under(known, origin));
  });

  test("each reader under their own, in the same moment", async () => {
    const ways = [
      gallery.direct,
      { headers: { ...FORWARDED, ...TLS }, origin: "https://chat.example.org" },
      { headers: { host: "intern.example:8080" }, origin: "http://intern.example:8080" },
    ];
    const listening = await Promise.all(
      ways.map(async (way) => {
        const { client } = await enter(gallery.world, "login", "bob", way);
        const headers = { ...way.headers, origin: way.origin };
        return openSocket<ChatFrame>(client, "/ws/chat/public/", headers);
      }),
    );
    listening[0]?.send({ message: "at once" });
    const frames = await Promise.all(
      listening.map((socket) => socket.next(({ message }) => message === "at once")),
    );
    expect(frames.map(({ profile_pic }) => profile_pic)).toEqual(
      ways.map(({ origin }) => origin + gallery.paths.bob),
    );
    for (const socket of listening) socket.close(1000);
  });
});
