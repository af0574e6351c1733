/** An installation in which everything has happened that leaves a row behind. */
import { cpSync } from "node:fs";
import { atOurEnd } from "./at-our-end.ts";
import { member, PASSWORD, stranger, type Client } from "./client.ts";
import { png } from "./pictures.ts";
import { invite, join, makeRoom, press } from "./rooms.ts";
import { someone } from "./staff.ts";
import { makeDataDir, startProcess } from "./world.ts";

export interface LivedIn {
  ann: Client;
  bob: Client;
  staff: Client;
  /** Ann's private room, in which Bob is. */
  room: string;
  /** The path of a link into it that still works. */
  link: string;
}

/** What databases and the ways into them are known to trip over. */
export const ODD_TEXTS = [
  "tab\there, line\nthere, return\r\nboth",
  String.raw`\N \. \\ \t \x00 {1,"2",NULL} 'quoted' "twice" $1 ? %s`,
  "NULL",
  "{}",
  "👩‍👩‍👧 שלום ﷽ e\u0301 \u2028 \uFEFF \uFFFF",
  "x".repeat(1000),
];

let made: Promise<{ dataDir: string; people: LivedIn }> | undefined;

/** Puts it into this folder, which holds all of it. It is made once for all tests of a process, and copied for each. */
export async function liveIn(dataDir: string): Promise<LivedIn> {
  const { dataDir: first, people } = await (made ??= make());
  cpSync(first, dataDir, { recursive: true });
  const [ann, bob, staff] = [twin(people.ann), twin(people.bob), twin(people.staff)];
  return { ...people, ann, bob, staff };
}

/** The same browser in another world: what becomes of its cookies there is not known here. */
function twin(who: Client): Client {
  const other = stranger(who.place);
  for (const [name, value] of who.cookies) other.cookies.set(name, value);
  return other;
}

/** Through the program, which has stopped then. */
async function make(): Promise<{ dataDir: string; people: LivedIn }> {
  const dataDir = makeDataDir();
  atOurEnd('rm -rf "$0"', dataDir);
  const server = await startProcess(dataDir);
  const here = { ...server, dataDir };
  const [ann, bob, carl] = [
    await member(server, "ann"),
    await member(server, "bob"),
    await member(server, "carl"),
  ];
  const staff = await someone(here, "superuser", "root");

  const said: number[] = [];
  for (const text of [...ODD_TEXTS, "to be edited", "to be removed"])
    said.push(await says(ann, "public", text));
  await says(carl, "public", "the last words of carl");
  const path = "/api/chat/rooms/public/messages/";
  await expectOk(ann.patch(`${path}${said.at(-2)}/`, { content: "was edited" }));
  await expectOk(ann.delete(`${path}${said.at(-1)}/`));

  const image = new File([png(40, 40)], "a.png");
  await expectOk(
    ann.post("/api/auth/profile/", { username: "ann", bio: "who\tI am", image }, { as: "multipart" }),
  );

  const room = await makeRoom(ann, "Ann's room");
  await join(bob, await invite(ann, room, { days: "7", uses: "3" }));
  await join(carl, await invite(ann, room));
  await says(bob, room, "hello");
  await press(ann, room, "members/carl/remove");
  const link = await invite(ann, room);

  await expectOk(ann.post("/users/bob/direct", {}, { as: "form" }));
  const closed = await makeRoom(bob, "Closed room");
  await says(bob, closed, "before it was closed");
  await expectOk(staff.post(`/api/admin/rooms/${closed}/close/`));
  const gone = await makeRoom(carl, "Carl's room");
  await says(carl, gone, "nobody will read this");

  await member(server, "dora");
  await expectOk(staff.post("/api/admin/users/dora/mute/"));
  await member(server, "emil");
  await expectOk(staff.post("/api/admin/users/emil/disable/"));
  const farewell = await carl.openForm("/profile", { action: "/profile/delete" });
  await expectOk(carl.sendForm(farewell, { password: PASSWORD, confirmation: "carl" }));

  await server.kill("SIGTERM");
  return { dataDir, people: { ann, bob, staff, room, link } };
}

/** Writes a message; its id. */
export async function says(who: Client, room: string, content: string): Promise<number> {
  const answer = await expectOk(who.post(`/api/chat/rooms/${room}/messages/`, { content }));
  return (answer.json() as { id: number }).id;
}

async function expectOk(answered: ReturnType<Client["post"]>) {
  const answer = await answered;
  if (answer.status >= 400) throw new Error(`${answer.status} ${answer.text}`);
  return answer;
}
