/** What the list of somebody's rooms shows as unread, until it has been seen. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { member, type Client } from "../../src/testing/client.ts";
import { tags } from "../../src/testing/html.ts";
import { makeRoom } from "../../src/testing/rooms.ts";
import type { World } from "../../src/testing/world.ts";
import { ENGLISH, follow, gather, html, letIn, NAME, says } from "./hall.ts";

let world: World;
let ann: Client;
let bob: Client;
let carl: Client;
let slug: string;
beforeAll(async () => {
  ({ world, ann, bob, carl } = await gather());
});
beforeEach(async () => {
  slug = await makeRoom(ann, NAME);
});
afterAll(() => world.stop());

/** The unread messages that the list of somebody's rooms shows, by room. */
async function unread(who: Client): Promise<Record<string, string>> {
  const rows = tags(await html(who, "/rooms"), ".room-list li");
  const links = tags(await html(who, "/rooms"), ".room-list li a");
  const counts = rows.map(({ text }, i) => [
    links[i]?.attributes.href?.slice("/rooms/".length) ?? "",
    /(\d+\+?)$/.exec(text)?.[1] ?? "",
  ]);
  return Object.fromEntries(counts.filter(([, count]) => count !== ""));
}

describe("what is unread", () => {
  test("is counted until it has been seen, for each person alone", async () => {
    await letIn(ann, slug, bob, carl);
    for (const text of ["one", "two", "three"]) await says(ann, slug, text);
    const counts = async () =>
      [await unread(bob), await unread(carl), await unread(ann)].map((of) => of[slug]);
    expect(await counts()).toEqual(["3", "3", undefined]);
    const page = await follow(bob, slug);
    page.send({ type: "read", room: slug, seq: 2 });
    await page.settled();
    expect(await counts()).toEqual(["1", "3", undefined]);
    page.send({ type: "read", room: slug, seq: 1 });
    await page.settled();
    expect(await counts()).toEqual(["1", "3", undefined]);
    page.send({ type: "read", room: slug, seq: 999_999 });
    await page.settled();
    expect(await counts()).toEqual([undefined, "3", undefined]);
    await says(ann, slug, "four");
    expect(await counts()).toEqual(["1", "4", undefined]);
  });

  test("is nothing once one has written oneself, or marked all as read", async () => {
    await letIn(ann, slug, bob);
    await says(ann, slug, "one");
    expect((await unread(bob))[slug]).toBe("1");
    await says(bob, slug, "two");
    expect((await unread(bob))[slug]).toBeUndefined();
    await says(ann, slug, "three");
    expect((await unread(bob))[slug]).toBe("1");
    const marked = await bob.sendForm(await bob.openForm("/rooms", { action: "/rooms/read" }));
    expect([marked.status, marked.headers.get("location")]).toEqual([303, "/rooms"]);
    expect(await unread(bob)).toEqual({});
  });

  test("does not change by looking at the page", async () => {
    await letIn(ann, slug, bob);
    await says(ann, slug, "one");
    for (const path of [`/rooms/${slug}`, `/rooms/${slug}/settings`, "/rooms"]) await html(bob, path);
    expect((await unread(bob))[slug]).toBe("1");
  });

  test("of a list left open by somebody who has logged out is not marked, and they may log in again", async () => {
    await letIn(ann, slug, bob);
    const dora = await member(world, `dora-${slug}`, ENGLISH);
    await letIn(ann, slug, dora);
    await says(ann, slug, "one");
    const form = await dora.openForm("/rooms", { action: "/rooms/read" });
    await dora.logout();
    const answer = await dora.sendForm(form);
    expect([answer.status, answer.headers.get("location")]).toEqual([303, "/login?next=%2Frooms"]);
  });
});
