/** Exports with something wrong in them: nothing of them is imported, and the place is told. */
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { encode, type Line } from "../../src/export/format.ts";
import { sharedPostgres, type Databases } from "../../src/testing/postgres.ts";
import { removeDataDir } from "../../src/testing/world.ts";
import { changed, exportedHome, field, importFrom, line, NOTHING, textOf, tidyUp, write } from "./export.ts";
import { aFolder } from "./folders.ts";

setDefaultTimeout(60_000);

let postgres: Databases;
let home: string;
let whole: string;
beforeAll(async () => {
  postgres = await sharedPostgres();
  ({ home, whole } = await exportedHome());
});
afterEach(tidyUp);
afterAll(() => removeDataDir(home));

const TWICE = (text: string) => `${text}\n${text}`;

describe("nothing is imported", () => {
  test.each<[string, (folder: string) => void, string]>([
    ["is no JSON", line("people.jsonl", 2, (text) => text.slice(1)), "people.jsonl, line 2: it is no JSON."],
    ["is no object", line("rooms.jsonl", 1, () => "[]"), "rooms.jsonl, line 1: it is no JSON object."],
    [
      "lacks a field",
      line("members.jsonl", 3, field("role", undefined)),
      'members.jsonl, line 3: "role" is missing.',
    ],
    [
      "has a value of another kind",
      line("messages.jsonl", 4, field("createdAt", "noon")),
      'messages.jsonl, line 4: "createdAt" has to be a time such as 2026-11-23T12:00:00.000Z.',
    ],
    [
      "has half a character",
      line("messages.jsonl", 2, field("content", "\ud800")),
      'messages.jsonl, line 2: "content" has to be a text without NUL and halves of characters.',
    ],
    [
      "is a person again",
      line("people.jsonl", 2, field("username", "ANN")),
      'people.jsonl, line 2: somebody before has the name "ANN".',
    ],
    [
      "has a name that nobody can have",
      line("people.jsonl", 2, field("username", "bob smith")),
      'people.jsonl, line 2: "bob smith" cannot be a name.',
    ],
    [
      "has a picture that is not there",
      line("people.jsonl", 2, field("profileImage", "profile_pics/bob.webp")),
      'people.jsonl, line 2: "profile_pics/bob.webp" is not in files.jsonl.',
    ],
    ["is a room again", line("rooms.jsonl", 2, TWICE), "rooms.jsonl, line 3: a room before has the slug"],
    [
      "is about a stranger",
      line("members.jsonl", 1, field("username", "nobody")),
      'members.jsonl, line 1: "nobody" is not in people.jsonl.',
    ],
    ["is a member again", line("members.jsonl", 1, TWICE), 'members.jsonl, line 2: "ann" is in'],
    [
      "is in a room that is not there",
      line("messages.jsonl", 3, field("room", "nowhere")),
      'messages.jsonl, line 3: "nowhere" is not in rooms.jsonl.',
    ],
    ["is a message again", line("messages.jsonl", 3, TWICE), 'messages.jsonl, line 4: "id" 3 comes after 3.'],
    [
      "has a number too many",
      line("messages.jsonl", 3, field("seq", 2)),
      'messages.jsonl, line 3: "seq" 2 comes after 2 in its room.',
    ],
    ["is missing", line("messages.jsonl", 3, () => ""), "messages.jsonl, line 3: it is no JSON."],
    [
      "leaves a gap",
      (folder) => write(folder, "messages.jsonl", textOf(folder, "messages.jsonl").replace(/^.*\n/, "")),
      'messages.jsonl, line 1: number 1 of its room is missing before "seq" 2.',
    ],
    [
      "tells of another last change",
      line("rooms.jsonl", 1, field("head", 99)),
      'rooms.jsonl, line 1: "head" is 99, and its last change in messages.jsonl is 11.',
    ],
    [
      "has a text that was removed",
      line("messages.jsonl", 8, field("content", "to be removed")),
      'messages.jsonl, line 8: "content" of a removed message is "".',
    ],
  ])("from a line that %s, and the place is told", async (_, change, words) => {
    const dataDir = aFolder();
    const { code, stdout, stderr } = await importFrom(changed(whole, change), dataDir);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toStartWith(words);
    expect(stderr).toEndWith(NOTHING);
    expect(
      existsSync(join(dataDir, "media", "profile_pics")) &&
        readdirSync(join(dataDir, "media", "profile_pics")),
    ).toBeOneOf([false, []]);
    expect((await importFrom(whole, dataDir)).code).toBe(0);
  });

  test("of it into PostgreSQL either", async () => {
    const DATABASE_URL = await postgres.createDatabase();
    const dataDir = aFolder();
    // Everything is in by then, and has to go again.
    const folder = changed(whole, line("messages.jsonl", 9, field("rev", 100)));
    const { code, stderr } = await importFrom(folder, dataDir, { DATABASE_URL });
    expect([code, stderr]).toEqual([
      1,
      `rooms.jsonl, line 1: "head" is 11, and its last change in messages.jsonl is 100.\n${NOTHING}`,
    ]);
    expect(await postgres.run("SELECT * FROM users", DATABASE_URL)).toEqual([]);
    expect((await importFrom(whole, dataDir, { DATABASE_URL })).code).toBe(0);
  });

  const [picture] = ["files/profile_pics"];
  const anyPicture = (folder: string) =>
    join(picture ?? "", readdirSync(join(folder, picture ?? ""))[0] ?? "");

  test.each<[string, (folder: string) => void, RegExp]>([
    [
      "changed byte",
      (folder) => write(folder, "messages.jsonl", textOf(folder, "messages.jsonl").replace("hello", "jello")),
      /^messages.jsonl was changed: its SHA-256 is not that of manifest.json\.$/m,
    ],
    [
      "missing line",
      (folder) => write(folder, "members.jsonl", textOf(folder, "members.jsonl").replace(/^.*\n/, "")),
      /^members.jsonl has 4 lines; manifest.json says 5\.$/m,
    ],
    ["missing file", (folder) => rmSync(join(folder, "rooms.jsonl")), /^rooms.jsonl is missing\.$/m],
    [
      "missing picture",
      (folder) => rmSync(join(folder, anyPicture(folder))),
      /^files.jsonl, line \d: files\/profile_pics\/\S+ is missing\.$/m,
    ],
    [
      "changed picture",
      (folder) => appendFileSync(join(folder, anyPicture(folder)), "!"),
      /^files.jsonl, line \d: files\/profile_pics\/\S+ was changed\.$/m,
    ],
    [
      "manifest of a later version",
      (folder) =>
        write(folder, "manifest.json", textOf(folder, "manifest.json").replace(/("version": )1/, "$12")),
      /^manifest.json: this program reads version 1, not 2\.$/m,
    ],
    [
      "manifest of something else",
      (folder) => write(folder, "manifest.json", "{}"),
      /^manifest.json: "format" is not "echochat-export"\.$/m,
    ],
    [
      "missing manifest",
      (folder) => rmSync(join(folder, "manifest.json")),
      /^There is no manifest.json in \S+: no export, or not a whole one\.$/m,
    ],
  ])("from a folder with a %s, before anything is made", async (_, change, words) => {
    const dataDir = aFolder();
    const { code, stderr } = await importFrom(changed(whole, change, false), dataDir);
    expect(code).toBe(1);
    expect(stderr).toMatch(words);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  test("from a file that calls itself a picture", async () => {
    const folder = changed(whole, (at) => {
      const bytes = Buffer.from("<script>alert(1)</script>");
      appendFileSync(join(at, "files/profile_pics/eve.webp"), bytes);
      const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
      const told: Line<"files"> = { path: "profile_pics/eve.webp", bytes: bytes.length, sha256 };
      appendFileSync(join(at, "files.jsonl"), encode("files", told));
    });
    expect((await importFrom(folder, aFolder())).stderr).toBe(
      `files.jsonl, line 3: files/profile_pics/eve.webp is no picture.\n${NOTHING}`,
    );
  });
});
