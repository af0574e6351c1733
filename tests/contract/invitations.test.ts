/** Links that let people into a room: whom, how often, and past registration and login. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { member, PASSWORD, stranger, type Client } from "../../src/testing/client.ts";
import { inDatabase } from "../../src/testing/database.ts";
import { tags } from "../../src/testing/html.ts";
import { invite, join, linksOf, makeRoom, peopleOf } from "../../src/testing/rooms.ts";
import { startWorld, type World } from "../../src/testing/world.ts";
import { ENGLISH, gather, html, NAME, problem, says, statusFor, textsIn } from "./hall.ts";

let world: World;
let ann: Client;
let bob: Client;
let slug: string;
beforeAll(async () => {
  ({ world, ann, bob } = await gather());
});
beforeEach(async () => {
  slug = await makeRoom(ann, NAME);
});
afterAll(() => world.stop());

describe("an invitation", () => {
  test("lets somebody in who presses the button, to read and to write", async () => {
    await says(ann, slug, "before you came");
    const link = await invite(ann, slug);
    const page = await html(bob, link);
    expect(tags(page, "h1").map(({ text }) => text)).toEqual([NAME]);
    expect(page).toContain("ann invites you to this room.");
    const entered = await bob.sendForm(await bob.openForm(link, { action: link }));
    expect([entered.status, entered.headers.get("location")]).toEqual([303, `/rooms/${slug}`]);
    await says(bob, slug, "hello");
    expect(await textsIn(bob, slug)).toEqual(["before you came", "hello"]);
    expect(await peopleOf(ann, slug)).toEqual(["ann owner", "bob"]);
    expect(await html(ann, `/rooms/${slug}/settings`)).toContain("Came by it: bob");
  });

  test("leads through registration into the room", async () => {
    const link = await invite(ann, slug);
    const visitor = stranger(world, ENGLISH);
    const page = await html(visitor, link);
    expect(tags(page, "main form")).toEqual([]);
    const [join1 = ""] = tags(page, "main a").map(({ attributes }) => attributes.href ?? "");
    expect(join1).toBe(`/register?next=${encodeURIComponent(link)}`);
    const fields = { username: "newcomer", password1: PASSWORD, password2: PASSWORD };
    const refused = await visitor.submit(join1, { ...fields, password2: "another" });
    expect(refused.status).toBe(422);
    expect(tags(refused.text, "main input[name=next]")[0]?.attributes.value).toBe(link);
    const registered = await visitor.submit(join1, fields);
    expect([registered.status, registered.headers.get("location")]).toEqual([303, `/rooms/${slug}`]);
    expect((await visitor.follow(registered)).status).toBe(200);
    await says(visitor, slug, "made it");
  });

  test("leads through the login into the room", async () => {
    const link = await invite(ann, slug);
    await member(world, "returning");
    const visitor = stranger(world, ENGLISH);
    const links = tags(await html(visitor, link), "main a").map(({ attributes }) => attributes.href ?? "");
    expect(links[1]).toBe(`/login?next=${encodeURIComponent(link)}`);
    const entered = await visitor.submit(links[1] ?? "", { username: "returning", password: PASSWORD });
    expect([entered.status, entered.headers.get("location")]).toEqual([303, `/rooms/${slug}`]);
    expect(await peopleOf(ann, slug)).toEqual(["ann owner", "returning"]);
  });

  test("that is over by then leads to the page that says so", async () => {
    const link = await invite(ann, slug, { uses: "1" });
    const visitor = stranger(world, ENGLISH);
    const [register = ""] = tags(await html(visitor, link), "main a").map(
      ({ attributes }) => attributes.href,
    );
    await join(bob, link);
    const fields = { username: "too-late", password1: PASSWORD, password2: PASSWORD };
    const registered = await visitor.submit(register, fields);
    expect([registered.status, registered.headers.get("location")]).toEqual([303, link]);
    const page = await visitor.follow(registered);
    expect(page.status).toBe(404);
    expect(page.text).toContain("This invitation is over");
    expect(await statusFor(visitor, `/rooms/${slug}`)).toBe(404);
  });

  test("of whoever has logged out meanwhile leads to the login, and not past it", async () => {
    const link = await invite(ann, slug);
    const emil = await member(world, "emil");
    const form = await emil.openForm(link, { action: link });
    await emil.logout();
    const answer = await emil.sendForm(form);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, link]);
    expect(tags((await emil.follow(answer)).text, "main a")).toHaveLength(2);
    expect(await peopleOf(ann, slug)).toEqual(["ann owner"]);
  });

  test("for one lets one of 50 in who press the button at once", async () => {
    const link = await invite(ann, slug, { uses: "1" });
    const crowd = await Promise.all(Array.from({ length: 50 }, (_, i) => member(world, `crowd-${i}`)));
    const forms = await Promise.all(crowd.map((who) => who.openForm(link, { action: link })));
    const answers = await Promise.all(crowd.map((who, i) => who.sendForm(forms[i] as (typeof forms)[0])));
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 303)).toHaveLength(1);
    expect(statuses.filter((status) => status === 404)).toHaveLength(49);
    const inside = await Promise.all(crowd.map((who) => statusFor(who, `/rooms/${slug}`)));
    expect(inside.filter((status) => status === 200)).toHaveLength(1);
    expect(inside.indexOf(200)).toBe(statuses.indexOf(303));
    expect(await peopleOf(ann, slug)).toHaveLength(2);
    expect(await linksOf(ann, slug)).toEqual([]);
    expect(await html(ann, `/rooms/${slug}/settings`)).toContain("Used 1 of 1 times.");
  });

  test("is made as it is set, and nothing else is taken for a term", async () => {
    const link = await invite(ann, slug, { days: "30", uses: "10" });
    const id = Number(/(\d+)-/.exec(link)?.[1]);
    const rows = () =>
      inDatabase<{ days: number; uses_max: number }>(
        world,
        "SELECT (expires_at - created_at) / 86400000 AS days, uses_max FROM invitations WHERE id = ?",
        id,
      );
    expect(await rows()).toEqual([{ days: 30, uses_max: 10 }]);
    const before = (await inDatabase(world, "SELECT id FROM invitations")).length;
    const form = await ann.openForm(`/rooms/${slug}/settings`, { action: `/rooms/${slug}/invitations` });
    for (const wrong of ["0", "-1", "1.5", "366", "1e9", "NaN", "x", "Infinity", "0x1g"]) {
      const answer = await ann.sendForm(form, { days: wrong, uses: "" });
      expect({ wrong, status: answer.status }).toEqual({ wrong, status: 400 });
      expect(problem(answer.text)).toBe("The server did not understand this.");
    }
    expect((await ann.sendForm(form, { days: "", uses: "10001" })).status).toBe(400);
    expect(await inDatabase(world, "SELECT id FROM invitations")).toHaveLength(before);
  });

  test("too many times is refused with the time to wait", async () => {
    const strict = await startWorld({ INVITATION_RATE_LIMIT: "2", INVITATION_RATE_WINDOW: "50" });
    const dora = await member(strict, "dora", ENGLISH);
    const room = await makeRoom(dora, "room");
    await invite(dora, room);
    await invite(dora, room);
    const form = await dora.openForm(`/rooms/${room}/settings`, { action: `/rooms/${room}/invitations` });
    const answer = await dora.sendForm(form, { days: "", uses: "" });
    expect([answer.status, Number(answer.headers.get("retry-after")) > 0]).toEqual([429, true]);
    expect(problem(answer.text)).toMatch(/Wait \d+ s\./);
    expect(await linksOf(dora, room)).toHaveLength(2);
    await strict.stop();
  });
});
