/** What every message log promises of those who may not write: they are asked inside the transaction. */
import { expect, test } from "bun:test";
import type { MessageId, RoomId, SessionId, UserId } from "../../shared/ids.ts";
import { PUBLIC_ROOM } from "../../shared/rooms.ts";
import { entryOf } from "./hall.ts";
import { addPerson, sessionFor, sessionOf, signIn, unique, type OpenStores } from "./open.ts";
import { changesOf, edit, idOf, outcomesOf, postedOf, remove, scene } from "./scene.ts";

const GONE = 1_000_000_000;

export function refusing(stores: () => OpenStores): void {
  type Scene = Awaited<ReturnType<typeof scene>>;

  test("the others of a batch are stored, with numbers that leave nothing out", async () => {
    const { messages, room, bob, say } = await scene(stores());
    const [stranger, muted] = [await addPerson(stores()), await addPerson(stores())];
    await stores().addMember(room, muted.id);
    await stores().accounts.update(muted.id, { isMuted: true });
    const batch = [
      say("1"),
      say("from outside", { author: stranger.id }),
      say("in silence", { author: muted.id }),
      say("2", { author: bob.id }),
      say("nowhere", { room: GONE as RoomId }),
      say("by nobody", { author: GONE as UserId }),
      { ...say("in the name of another"), session: sessionOf(bob.id) },
      say("3"),
    ];
    const codes = ["not_found", "muted", "stored", "not_found", "login_required", "login_required"];
    expect(outcomesOf(await messages.write(batch))).toEqual(["stored", ...codes, "stored"]);
    const { head, changes } = await changesOf(messages, room);
    expect(changes.map(({ text, rev }) => [text, rev])).toEqual([
      ["1", 1],
      ["2", 2],
      ["3", 3],
    ]);
    expect(head).toBe(3);
  });

  const states: [string, string, (here: Scene) => Promise<unknown>][] = [
    [
      "was put out of the room",
      "not_found",
      ({ room, ann }) => stores().members.setRole(room, ann.id, "removed"),
    ],
    ["has left the room", "not_found", ({ room, ann }) => stores().members.forget(room, ann.id)],
    ["is muted", "muted", ({ ann }) => stores().accounts.update(ann.id, { isMuted: true })],
    ["is in a closed room", "room_closed", ({ room }) => stores().rooms.update(room, { isClosed: true })],
    ["is disabled", "login_required", ({ ann }) => stores().disableAccount(ann.id)],
    ["has gone", "login_required", ({ ann }) => stores().accounts.update(ann.id, { deletedAt: 1 })],
    ["is signed out", "login_required", ({ ann }) => stores().sessions.remove(sessionOf(ann.id))],
  ];

  test.each(states)("whoever %s is refused as %s", async (_, code, happen) => {
    const here = await scene(stores());
    const { messages, room, say } = here;
    expect(outcomesOf(await messages.write([say("before")]))).toEqual(["stored"]);
    await happen(here);
    expect(outcomesOf(await messages.write([say("after"), say("again")]))).toEqual([code, code]);
    expect((await changesOf(messages, room)).changes.map(({ text }) => text)).toEqual(["before"]);
  });

  test.each(states)(
    "whoever %s still gets the same answer for what was stored before",
    async (_, code, happen) => {
      const here = await scene(stores());
      const { messages, say } = here;
      const draft = say("before");
      const [stored] = postedOf(await messages.write([draft]));
      await happen(here);
      const again = await messages.write([draft, { ...draft, text: "other" }, say("new")]);
      expect(again[0]).toMatchObject({ outcome: "repeated", message: { id: stored?.id, seq: 1 } });
      expect(outcomesOf(again).slice(1)).toEqual(["key_reused", code]);
    },
  );

  test.each(states)("what whoever %s has said may be taken away by others", async (_, _code, happen) => {
    const here = await scene(stores());
    const { messages, bob, say } = here;
    const [posted] = postedOf(await messages.write([say("before")]));
    await happen(here);
    expect(outcomesOf(await messages.write([remove(idOf(posted), bob.id)]))).toEqual(["stored"]);
  });

  test("whoever is signed out changes nothing, and learns of no message whether it is there", async () => {
    const { messages, room, ann, say } = await scene(stores());
    const posted = postedOf(await messages.write([say("1"), say("2")]));
    const [first, second] = [idOf(posted[0]), idOf(posted[1])];
    expect(outcomesOf(await messages.write([edit(first, ann.id, "better")]))).toEqual(["stored"]);
    await stores().sessions.remove(sessionOf(ann.id));
    const known = await changesOf(messages, room);
    const late = [first, second, GONE as MessageId].flatMap((id) => [
      edit(id, ann.id, "better"),
      remove(id, ann.id),
    ]);
    expect(new Set(outcomesOf(await messages.write(late)))).toEqual(new Set(["login_required"]));
    expect(await changesOf(messages, room)).toEqual(known);
    await signIn(stores(), ann.id);
    expect(outcomesOf(await messages.write(late))).toEqual([
      "repeated",
      "stored",
      "stored",
      "stored",
      "not_found",
      "not_found",
    ]);
  });

  test("the end of one session leaves another of the same person", async () => {
    const { messages, ann, say } = await scene(stores());
    const phone = unique("phone") as SessionId;
    await stores().sessions.create({ ...sessionFor(ann.id), id: phone });
    const both = () => [{ ...say("by phone"), session: phone }, say("at the desk")];
    expect(outcomesOf(await messages.write(both()))).toEqual(["stored", "stored"]);
    await stores().sessions.remove(phone);
    expect(outcomesOf(await messages.write(both()))).toEqual(["login_required", "stored"]);
    await stores().sessions.remove(sessionOf(ann.id));
    expect(outcomesOf(await messages.write(both()))).toEqual(["login_required", "login_required"]);
  });

  test("nobody has to belong to the public room", async () => {
    const { messages, say } = await scene(stores());
    const stranger = await addPerson(stores());
    const { room } = await entryOf(stores(), PUBLIC_ROOM, null);
    const draft = say("hello", { room: room.id, author: stranger.id });
    expect(outcomesOf(await messages.write([draft]))).toEqual(["stored"]);
  });

  test("nothing is written in a room that is removed", async () => {
    const { messages, room, say } = await scene(stores());
    expect(outcomesOf(await messages.write([say("before")]))).toEqual(["stored"]);
    await stores().rooms.remove(room);
    expect(outcomesOf(await messages.write([say("after")]))).toEqual(["not_found"]);
  });
}
