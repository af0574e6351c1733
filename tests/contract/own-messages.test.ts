import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { guest, member, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { forms, formTo, messagesOn, tags } from "../../src/testing/html.ts";
import { makeRoom } from "../../src/testing/rooms.ts";
import { openGateway } from "../../src/testing/socket.ts";
import { someone } from "../../src/testing/staff.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

let world: World;
let ann: Client;
let bob: Client;
beforeAll(async () => {
  world = await startWorld();
  [ann, bob] = [await member(world, "ann"), await member(world, "bob")];
});
afterAll(() => world.stop());

const html = async (who: Client, path: string) =>
  (await who.get(path, { accept: "text/html", "accept-language": "en" })).text;

async function says(who: Client, text: string, slug = "public"): Promise<number> {
  expect((await who.submit(`/rooms/${slug}`, { text })).status).toBe(303);
  return messagesOn(await html(who, `/rooms/${slug}`)).at(-1)?.id ?? 0;
}

const permalink = (id: number, slug = "public") => `/rooms/${slug}/messages/${id}`;
const shown = async (id: number, who = ann, path = "/rooms/public") =>
  messagesOn(await html(who, path)).find((message) => message.id === id)?.text;
/** What the page of a message offers: `edit`, `remove`. */
const offers = async (who: Client, id: number) => {
  const path = permalink(id);
  const page = await html(who, path);
  const actions = forms(page).map(({ action }) => action);
  return actions.filter((action) => action.startsWith(path)).map((action) => action.slice(path.length + 1));
};
const edit = async (who: Client, id: number, text: string) =>
  who.sendForm(await who.openForm(permalink(id), { action: `${permalink(id)}/edit` }), { text });
const press = async (who: Client, id: number) =>
  who.sendForm(await who.openForm(permalink(id), { action: `${permalink(id)}/remove` }));
const actionsOn = (page: string, id: number) =>
  tags(page, `#m${id} .actions a`).map(({ attributes }) => attributes.href);
const problem = (page: string) => tags(page, ".problem").map(({ text }) => text);

describe("somebody with plain HTML", () => {
  test("finds ways to edit and to delete at their own messages, on every page, and at no others", async () => {
    const [own, other] = [await says(ann, "mine"), await says(bob, "not mine")];
    for (const path of ["/", "/rooms/public", permalink(other), `/rooms/public?before=${other + 1}`]) {
      const page = await html(ann, path);
      expect(actionsOn(page, own)).toEqual([permalink(own), permalink(own)]);
      expect(tags(page, `#m${other}`)).toHaveLength(1);
      expect(actionsOn(page, other)).toEqual([]);
      expect(tags(await html(await guest(world), path), ".actions")).toEqual([]);
    }
    expect(await offers(ann, own)).toEqual(["edit", "remove"]);
    expect(await offers(ann, other)).toEqual([]);
    expect(await offers(await guest(world), own)).toEqual([]);
    expect(await offers(await someone(world, "staff", "helper"), own)).toEqual(["remove"]);
  });

  test("changes a message, sees it in its place, and everybody sees that and when it was", async () => {
    const [id, next] = [await says(ann, "helo <b>\n& co"), await says(ann, "next")];
    const reader = await openGateway(await guest(world));
    const form = await ann.openForm(permalink(id), { action: `${permalink(id)}/edit` });
    expect(form.filled.text).toBe("helo <b>\n& co");
    const answer = await ann.sendForm(form, { text: "hello <b>\r\n& all" });
    expect([answer.status, answer.headers.get("location")]).toEqual([303, `/rooms/public#m${id}`]);
    const page = await html(await guest(world), "/rooms/public");
    expect(
      messagesOn(page)
        .slice(-2)
        .map(({ id: place, text }) => ({ place, text })),
    ).toEqual([
      { place: id, text: "hello <b>\n& all" },
      { place: next, text: "next" },
    ]);
    const [mark] = tags(page, `#m${id} .edited`);
    const [time] = tags(page, `#m${id} .edited time`);
    expect(mark?.text).toMatch(/^edited \d/);
    expect(Math.abs(Date.parse(time?.attributes.datetime ?? "") - Date.now())).toBeLessThan(60_000);
    expect(time?.attributes.title).not.toBe("");
    expect(tags(page, `#m${next} .edited`)).toEqual([]);
    expect((await reader.nextOf("changes")).changes).toMatchObject([{ id, text: "hello <b>\n& all" }]);
    reader.close();
  });

  test("who edits an old message comes back to it, not to the newest ones", async () => {
    const id = await says(ann, "long ago");
    const socket = await openGateway(bob);
    for (let i = 1; i <= 49; i++) await socket.post(`since then ${i}`);
    expect((await edit(ann, id, "once")).headers.get("location")).toBe(`/rooms/public#m${id}`);
    await socket.post("since then 50");
    socket.close();
    const answer = await edit(ann, id, "long, long ago");
    expect([answer.status, answer.headers.get("location")]).toEqual([303, permalink(id)]);
    expect(await shown(id, ann, permalink(id))).toBe("long, long ago");
  });

  test("deletes a message by one button, and finds a neutral row in its place", async () => {
    const id = await says(ann, "not for long");
    const form = await ann.openForm(permalink(id), { action: `${permalink(id)}/edit` });
    const answer = await press(ann, id);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/rooms/public"]);
    const page = await html(ann, "/rooms/public");
    expect(tags(page, `#m${id}`).map(({ text }) => text)).toEqual(["Message removed"]);
    expect(actionsOn(page, id)).toEqual([]);
    expect((await ann.get(permalink(id))).status).toBe(404);
    expect((await ann.sendForm(form, { text: "back from the dead" })).status).toBe(404);
  });

  test.each([
    [" \n ", "Write something first."],
    [`${"x".repeat(1001)}<&"`, "4 characters too many"],
  ])("whose new text is refused gets it back with the reason: %j", async (text, words) => {
    const id = await says(ann, "fine as it is");
    const answer = await edit(ann, id, text);
    expect(answer.status).toBe(422);
    expect(problem(answer.text)).toEqual([words]);
    expect(tags(answer.text, ".editor textarea").map(({ text: kept }) => kept)).toEqual([text]);
    expect(tags(answer.text, "li.target").map(({ attributes }) => attributes.id)).toEqual([`m${id}`]);
    expect(await shown(id)).toBe("fine as it is");
    const again = forms(answer.text).find(({ action }) => action === `${permalink(id)}/edit`);
    if (!again) throw new Error("the form did not come back");
    expect((await ann.sendForm(again, { text: "better" })).status).toBe(303);
    expect(await shown(id)).toBe("better");
  });

  test("who edits too fast keeps the text, and is told how long to wait", async () => {
    const strict = await startWorld({ CHAT_MESSAGE_RATE_LIMIT: "1", CHAT_MESSAGE_RATE_WINDOW: "30" });
    const writer = await member(strict, "writer");
    const id = await says(writer, "one");
    const answer = await edit(writer, id, "two");
    expect(answer.status).toBe(429);
    const seconds = answer.headers.get("retry-after");
    expect(Number(seconds)).toBeGreaterThan(20);
    expect(problem(answer.text)).toEqual([`That was too often. Wait ${seconds} s.`]);
    expect(tags(answer.text, ".editor textarea").map(({ text }) => text)).toEqual(["two"]);
    await strict.stop();
  });

  test("who was muted meanwhile keeps the text of an open form, and is offered no other", async () => {
    const carl = await member(world, "carl");
    const id = await says(carl, "while I could");
    const form = await carl.openForm(permalink(id), { action: `${permalink(id)}/edit` });
    await inDatabase(world, "UPDATE users SET is_muted = true WHERE name = 'carl'");
    const answer = await carl.sendForm(form, { text: "and now" });
    expect(answer.status).toBe(403);
    expect(problem(answer.text)).toEqual(["You may read, but not write at the moment."]);
    expect(tags(answer.text, ".editor textarea").map(({ text }) => text)).toEqual(["and now"]);
    expect(await offers(carl, id)).toEqual(["remove"]);
    expect(await shown(id)).toBe("while I could");
  });

  test("whose session is over logs in and comes back to the message with the text", async () => {
    const dora = await member(world, "dora");
    const id = await says(dora, "before the break");
    const form = await dora.openForm(permalink(id), { action: `${permalink(id)}/edit` });
    const session = dora.cookies.get("sessionid") ?? "";
    await dora.logout();
    dora.cookies.set("sessionid", session);
    const answer = await dora.sendForm(form, { text: "after it" });
    expect(answer.status).toBe(401);
    expect(await shown(id)).toBe("before the break");
    const login = formTo(answer.text, "/login");
    const back = await dora.sendForm(login, { username: "dora", password: "correct horse" });
    expect(back.status).toBe(200);
    expect(problem(back.text)).toEqual(["Here is your text again. It has not been sent yet."]);
    const again = formTo(back.text, `${permalink(id)}/edit`);
    expect(again.filled.text).toBe("after it");
    expect(await shown(id)).toBe("before the break");
    expect((await dora.sendForm(again)).status).toBe(303);
    expect(await shown(id)).toBe("after it");
  });

  test("edits no message of somebody else, nor one by the address of another room", async () => {
    const [id, own] = [await says(ann, "mine"), await says(bob, "his")];
    const form = await bob.openForm(permalink(own), { action: `${permalink(own)}/edit` });
    const others = await bob.sendForm({ ...form, action: `${permalink(id)}/edit` }, { text: "taken over" });
    expect(others.status).toBe(403);
    const slug = await makeRoom(bob, "Of Bob");
    const elsewhere = { ...form, action: `${permalink(own, slug)}/edit` };
    expect((await bob.sendForm(elsewhere, { text: "from elsewhere" })).status).toBe(404);
    for (const place of ["abc", "0", "99999999"])
      expect((await bob.sendForm({ ...form, action: `/rooms/public/messages/${place}/edit` })).status).toBe(
        404,
      );
    expect([await shown(id), await shown(own)]).toEqual(["mine", "his"]);
    expect((await bob.sendForm(form, { text: "his own" })).status).toBe(303);
  });

  test("reads the forms in Russian", async () => {
    const id = await says(ann, "по-русски");
    const page = (await ann.get(permalink(id), { "accept-language": "ru" })).text;
    expect(tags(page, ".editor .hint, main .danger").map(({ text }) => text)).toEqual([
      "Вы изменяете сообщение.",
      "Удалить это сообщение",
    ]);
  });
});

describe("rows drawn anew", () => {
  const rows = async (ids: readonly (number | string)[], who = ann, slug = "public") =>
    who.get(`/rooms/${slug}/rows?${ids.map((id) => `id=${id}`).join("&")}`, { "accept-language": "en" });

  test("are the messages as the pages draw them, each for its own place", async () => {
    const [first, second] = [await says(bob, "one"), await says(bob, "two")];
    const answer = await rows([first, second]);
    expect(tags(answer.text, "hx-partial").map(({ attributes }) => attributes)).toEqual(
      [first, second].map((id) => ({ "hx-target": `#history #m${id}`, "hx-swap": "outerMorph" })),
    );
    const page = await html(ann, "/rooms/public");
    expect(tags(answer.text, "li")).toEqual([...tags(page, `li#m${first}`), ...tags(page, `li#m${second}`)]);
    expect(tags(answer.text, "li").at(-1)?.attributes.class).toBe("message grouped");
  });

  test("have a name again when what they stood under is gone", async () => {
    const [first, second] = [await says(ann, "first"), await says(ann, "second")];
    await press(ann, first);
    const drawn = tags((await rows([first, second])).text, "li");
    expect(drawn.map(({ attributes }) => attributes.class)).toEqual(["message removed", "message"]);
    expect(drawn[0]?.text).toBe("Message removed");
  });

  test("are those of this room, to whoever reads it, and no more than a page holds", async () => {
    const slug = await makeRoom(ann, "Secrets");
    const secret = await says(ann, "a secret", slug);
    const open = await says(ann, "no secret");
    expect((await rows([secret], ann, slug)).text).toContain("a secret");
    expect((await rows([secret], bob, slug)).status).toBe(404);
    expect((await rows([secret], await guest(world), slug)).status).toBe(404);
    const answer = await rows([secret, "abc", "0", "999999999", open], bob);
    expect(answer.status).toBe(200);
    expect(messagesOn(answer.text).map(({ id }) => id)).toEqual([open]);
    expect((await rows([])).text).toBe("");
    const many = await rows(Array<number>(300).fill(open));
    expect(messagesOn(many.text)).toHaveLength(200);
  });
});
