/** An installation in which everything has happened that leaves a row behind. */
import { member, PASSWORD, type Client } from "./client.ts";
import { png } from "./pictures.ts";
import { invite, join, makeRoom, press } from "./rooms.ts";
import { someone } from "./staff.ts";
import { startProcess } from "./world.ts";

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

/** Makes it in this folder, through the program, and stops the program. */
export async function liveIn(dataDir: string): Promise<LivedIn> {
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
  return { ann, bob, staff, room, link };
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
