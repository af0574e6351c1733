import { afterAll, beforeAll, expect, test } from "bun:test";
import { PASSWORD } from "../../src/testing/client.ts";
import {
  openEchoChat,
  type EchoChatClient,
  type OpenRoom,
  type PresenceFrame,
} from "../../src/testing/echochat-client.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

let world: World;
let guest: EchoChatClient;
let ann: EchoChatClient;
let bob: EchoChatClient;

beforeAll(async () => {
  world = await startWorld({ CHAT_MESSAGE_RATE_LIMIT: "120", CHAT_MESSAGE_RATE_WINDOW: "6" });
});
afterAll(() => world.stop());

test("somebody opens the page and is a guest, who is counted but sees no names", async () => {
  guest = await openEchoChat(world);
  expect(guest.user()).toBeNull();
  expect(await guest.presence().next(isList)).toEqual({ guests: 1 });
});

test("two people register and see each other and the guest", async () => {
  [ann, bob] = [await openEchoChat(world), await openEchoChat(world)];
  for (const [person, name] of [
    [ann, "ann"],
    [bob, "bob"],
  ] as const) {
    expect((await person.register(name, PASSWORD)).status).toBe(201);
    expect(person.user()).toMatchObject({ username: name, email: "", bio: "" });
    expect(person.user()?.profileImage).toBe(`${world.url}/media/default.jpg`);
  }
  const { online } = await ann.presence().next((frame) => frame.online?.length === 2);
  expect(online?.map(({ username }) => username)).toEqual(["ann", "bob"]);
});

test("they talk in the public room, and the guest reads along", async () => {
  const [atAnn, atBob, atGuest] = [await ann.home(), await bob.home(), await guest.home()];
  expect(atAnn.details).toMatchObject({ slug: "public", name: "Public Chat" });
  atAnn.say("hello");
  for (const room of [atAnn, atBob, atGuest]) {
    expect(await room.live.next()).toMatchObject({ message: "hello", username: "ann", room: "public" });
  }
  atGuest.say("nobody hears a guest");
  atBob.say("welcome");
  for (const room of [atAnn, atBob, atGuest]) expect((await room.live.next()).message).toBe("welcome");
  expect((await guest.home()).shown.map(({ content }) => content)).toEqual(["hello", "welcome"]);
  closeAll(atAnn, atBob, atGuest);
});

test("one makes a private room and writes there, and whoever has only its address does not get in", async () => {
  const slug = await ann.createRoom();
  const room = await ann.room(slug);
  expect(room.details).toMatchObject({ slug, name: "ann", createdBy: "ann" });
  room.say("just me");
  expect(await room.live.next()).toMatchObject({ message: "just me", room: slug });
  const refused = await bob.client.get(`/api/chat/rooms/${slug}/`);
  expect([refused.status, refused.json()]).toEqual([409, { error: "Room slug is already taken" }]);
  expect(await bob.room(slug).catch(String)).toContain("was refused");
  room.live.close();
});

test("an address typed by its owner works although everything is asked for at once", async () => {
  for (let i = 0; i < 20; i++) {
    const slug = `typed-${i}`;
    const room = await ann.room(slug);
    expect(room.details).toMatchObject({ slug, createdBy: "ann" });
    room.say("made");
    expect((await room.live.next()).message).toBe("made");
    room.live.close();
  }
});

test("older messages load page by page up to the beginning", async () => {
  const slug = await ann.createRoom();
  const room = await ann.room(slug);
  const texts = Array.from({ length: 110 }, (_, i) => `message ${i}`);
  await Bun.sleep(6_100); // a window of the limit of its own
  for (const text of texts) room.say(text);
  for (const text of texts) expect((await room.live.next()).message).toBe(text);
  room.live.close();

  const again = await ann.room(slug);
  expect(again.shown).toHaveLength(50);
  let pages = 1;
  while (await again.scrollUp()) pages++;
  expect(pages).toBe(3);
  expect(again.shown.map(({ content }) => content)).toEqual(texts);
  again.live.close();
});

test("the profile is edited with a picture, which others see in history, in presence and on the profile's page", async () => {
  const picture = new File([await Bun.file("public/media/default.jpg").bytes()], "me.jpg", {
    type: "image/jpeg",
  });
  const saved = await ann.saveProfile({
    username: "anna",
    email: "anna@example.org",
    bio: "hi",
    image: picture,
  });
  expect(saved.status).toBe(200);
  const image = ann.user()?.profileImage ?? "";
  expect(image).toMatch(/\/media\/profile_pics\/[0-9a-f]{32}\.webp$/);
  expect((await fetch(image)).headers.get("content-type")).toBe("image/webp");

  expect(await bob.userPage("anna")).toMatchObject({ profileImage: image, bio: "hi", email: "" });
  expect(await bob.userPage("ann")).toBeNull();
  const { shown } = await bob.home();
  expect(shown[0]).toEqual({ username: "anna", content: "hello" });
  await bob.presence().next((frame) => frame.online?.some(({ username }) => username === "anna") ?? false);
});

test("whoever writes too fast is told so, and may write again after the wait", async () => {
  await Bun.sleep(2_100); // a window of the limit of its own
  const room = await bob.home();
  for (let i = 0; i < 121; i++) room.say(`fast ${i}`);
  const refused = await room.live.next((frame) => frame.error !== undefined);
  expect(refused.error).toBe("rate_limited");
  await Bun.sleep((refused.retry_after ?? 10) * 1000 + 100);
  room.say("calm again");
  await room.live.next((frame) => frame.message === "calm again");
  room.live.close();
});

test("after logging out one is a guest again, and the others see that", async () => {
  await bob.logout();
  expect(bob.user()).toBeNull();
  expect(await bob.presence().next(isList)).toMatchObject({ guests: 1 });
  await ann.presence().next((frame) => frame.online?.every(({ username }) => username !== "bob") ?? false);
  expect((await bob.login("bob", "wrong")).status).toBe(400);
  expect((await bob.login(" bob ", PASSWORD)).status).toBe(200);
  expect(bob.user()?.username).toBe("bob");
  for (const person of [guest, ann, bob]) person.leave();
});

function isList(frame: PresenceFrame): boolean {
  return frame.guests !== undefined;
}

function closeAll(...rooms: OpenRoom[]): void {
  for (const { live } of rooms) live.close();
}
