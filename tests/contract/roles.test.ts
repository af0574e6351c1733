/** Who gets what from every route there is: a route without a row fails, and so does a row without a route. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { member, type Answer, type Client } from "../../src/testing/client.ts";
import { openGateway, type Gateway } from "../../src/testing/socket.ts";
import { ROLES, someone, standAs, type Role } from "../../src/testing/staff.ts";
import { startWorld, type World } from "../../src/testing/world.ts";

setDefaultTimeout(30_000);

/** A route, then the status for a guest, a member, a muted member, staff and superusers. */
const ROWS: Record<string, string> = {
  // Everybody's.
  "GET /": "200 200 200 200 200",
  "GET /rooms/:slug": "200 200 200 200 200",
  "GET /rooms/:slug/messages/:id": "200 200 200 200 200",
  "GET /assets/*": "404 404 404 404 404",
  "GET /icon.svg": "200 200 200 200 200",
  "GET /manifest.webmanifest": "200 200 200 200 200",
  "GET /robots.txt": "200 200 200 200 200",
  "GET /media/default.jpg": "200 200 200 200 200",
  "POST /preferences": "303 303 303 303 303",
  "GET /ws/": "426 426 426 426 426",
  "GET /ws/chat/*": "426 426 426 426 426",
  "GET /api/health/live/": "200 200 200 200 200",
  "GET /api/health/ready/": "200 200 200 200 200",

  // Coming in and going out: nothing is filled in here.
  "GET /login": "200 303 303 303 303",
  "POST /login": "422 422 422 422 422",
  "GET /register": "200 303 303 303 303",
  "POST /register": "422 422 422 422 422",
  "POST /logout": "303 303 303 303 303",
  "GET /api/auth/csrf/": "200 200 200 200 200",
  "GET /api/auth/session/": "200 200 200 200 200",
  "GET /api/auth/password-rules/": "200 200 200 200 200",
  "GET /api/auth/register/": "200 200 200 200 200",
  "POST /api/auth/register/": "400 400 400 400 400",
  "POST /api/auth/login/": "400 400 400 400 400",
  "POST /api/auth/logout/": "200 200 200 200 200",

  // Rooms. A guest who writes is led to the login.
  "POST /rooms/:slug/messages": "401 303 403 303 303",
  "GET /api/chat/public-room/": "200 200 200 200 200",
  "GET /api/chat/rooms/*": "401 409 409 409 409",
  "GET /rooms/:slug/rows": "404 404 404 404 404",
  "POST /api/chat/rooms/:slug/messages/": "401 201 403 201 201",

  // A message of somebody else: its author alone edits it.
  "POST /rooms/:slug/messages/:id/edit": "401 403 403 403 403",
  "POST /rooms/:slug/messages/:id/remove": "401 403 403 303 303",
  "PATCH /api/chat/rooms/:slug/messages/:id/": "401 403 403 403 403",
  "DELETE /api/chat/rooms/:slug/messages/:id/": "401 403 403 204 204",

  // Rooms of one's own: here that of somebody else, of which nobody learns anything.
  "GET /rooms": "303 200 200 200 200",
  "POST /rooms": "303 303 303 303 303",
  "POST /rooms/read": "303 303 303 303 303",
  "GET /rooms/:slug/settings": "404 404 404 404 404",
  "POST /rooms/:slug/settings": "404 404 404 404 404",
  "POST /rooms/:slug/members/:name/remove": "404 404 404 404 404",
  "POST /rooms/:slug/members/:name/readmit": "404 404 404 404 404",
  "POST /rooms/:slug/members/:name/promote": "404 404 404 404 404",
  "POST /rooms/:slug/members/:name/demote": "404 404 404 404 404",
  "POST /rooms/:slug/members/:name/hand-over": "404 404 404 404 404",
  "POST /rooms/:slug/invitations": "404 404 404 404 404",
  "POST /rooms/:slug/invitations/:id/revoke": "404 404 404 404 404",
  "POST /rooms/:slug/leave": "404 404 404 404 404",
  "POST /rooms/:slug/delete": "404 404 404 404 404",
  "GET /invitations/:token": "404 404 404 404 404",
  "POST /invitations/:token": "303 404 404 404 404",
  "GET /ws/presence/": "426 426 426 426 426",

  // People. Nothing is filled in here.
  "GET /profile": "303 200 200 200 200",
  "POST /profile": "303 422 422 422 422",
  "POST /profile/password": "303 422 422 422 422",
  "POST /profile/sessions": "303 303 303 303 303",
  "POST /profile/delete": "303 422 422 422 422",
  "GET /users/:name": "200 200 200 200 200",
  "POST /users/:name/direct": "401 303 303 303 303",
  "GET /media/profile_pics/*": "404 404 404 404 404",
  "GET /api/auth/profile/": "401 200 200 200 200",
  "POST /api/auth/profile/": "401 400 400 400 400",
  "GET /api/auth/users/*": "200 200 200 200 200",

  // Staff's. A guest is led to the login.
  "GET /admin": "303 403 403 303 303",
  "GET /admin/users": "303 403 403 200 200",
  "GET /admin/users/:name": "303 403 403 200 200",
  "POST /admin/users/:name/mute": "303 403 403 303 303",
  "POST /admin/users/:name/unmute": "303 403 403 303 303",
  "POST /admin/users/:name/disable": "303 403 403 303 303",
  "POST /admin/users/:name/enable": "303 403 403 303 303",
  "POST /admin/users/:name/end-sessions": "303 403 403 303 303",
  "POST /admin/users/:name/grant-staff": "303 403 403 403 303",
  "POST /admin/users/:name/take-staff": "303 403 403 403 303",
  "POST /admin/users/:name/grant-superuser": "303 403 403 403 303",
  "POST /admin/users/:name/take-superuser": "303 403 403 403 303",
  "GET /admin/rooms": "303 403 403 200 200",
  "POST /admin/rooms/:slug/close": "303 403 403 303 303",
  "POST /admin/rooms/:slug/open": "303 403 403 303 303",
  "POST /admin/rooms/public/name": "303 403 403 303 303",
  "GET /admin/messages": "303 403 403 200 200",
  "POST /admin/messages/:id/remove": "303 403 403 303 303",
  "GET /admin/audit": "303 403 403 200 200",
  "GET /api/admin/users/": "401 403 403 200 200",
  "GET /api/admin/users/:name/": "401 403 403 200 200",
  "POST /api/admin/users/:name/mute/": "401 403 403 200 200",
  "DELETE /api/admin/users/:name/mute/": "401 403 403 200 200",
  "POST /api/admin/users/:name/disable/": "401 403 403 200 200",
  "DELETE /api/admin/users/:name/disable/": "401 403 403 200 200",
  "POST /api/admin/users/:name/staff/": "401 403 403 403 200",
  "DELETE /api/admin/users/:name/staff/": "401 403 403 403 200",
  "POST /api/admin/users/:name/superuser/": "401 403 403 403 200",
  "DELETE /api/admin/users/:name/superuser/": "401 403 403 403 200",
  "DELETE /api/admin/users/:name/sessions/": "401 403 403 200 200",
  "GET /api/admin/rooms/": "401 403 403 200 200",
  "POST /api/admin/rooms/:slug/close/": "401 403 403 200 200",
  "DELETE /api/admin/rooms/:slug/close/": "401 403 403 200 200",
  "POST /api/admin/rooms/public/name/": "401 403 403 200 200",
  "DELETE /api/admin/messages/:id/": "401 403 403 200 200",
  "GET /api/admin/audit/": "401 403 403 200 200",
};

/** What stands for the parts of a path: `:id` is a message written a moment ago. */
const PARTS: Record<string, () => string | Promise<string>> = {
  slug: () => "public",
  name: () => "target",
  id: newMessage,
  token: () => "1-forgedforgedforgedforged",
};

/** Where a star, or a part with another meaning than above, stands for something in particular. */
const PATHS: Record<string, string> = {
  "GET /ws/chat/*": "/ws/chat/public/",
  "GET /api/chat/rooms/*": "/api/chat/rooms/room-of-writer/",
  "GET /ws/presence/": "/ws/presence/",
  "GET /api/auth/users/*": "/api/auth/users/target/",
  "GET /media/profile_pics/*": "/media/profile_pics/0123456789abcdef0123456789abcdef.webp",
  "POST /admin/rooms/:slug/close": "/admin/rooms/room-of-writer/close",
  "POST /admin/rooms/:slug/open": "/admin/rooms/room-of-writer/open",
  "POST /api/admin/rooms/:slug/close/": "/api/admin/rooms/room-of-writer/close/",
  "DELETE /api/admin/rooms/:slug/close/": "/api/admin/rooms/room-of-writer/close/",
};

/** What is filled in, where nothing would be refused. */
const FIELDS: Record<string, Record<string, string>> = {
  "POST /rooms/:slug/messages": { text: "hello" },
  "POST /rooms/:slug/messages/:id/edit": { text: "another text" },
  "POST /api/chat/rooms/:slug/messages/": { content: "hello" },
  "PATCH /api/chat/rooms/:slug/messages/:id/": { content: "another text" },
  "POST /rooms": { name: "A room" },
  "POST /admin/rooms/public/name": { name: "Public Chat" },
  "POST /api/admin/rooms/public/name/": { name: "Public Chat" },
};

let world: World;
let writer: Gateway;
const people = new Map<Role, Client>();

beforeAll(async () => {
  world = await startWorld();
  await member(world, "target");
  const client = await member(world, "writer");
  await client.get("/api/chat/rooms/room-of-writer/");
  writer = await openGateway(client);
  for (const role of ROLES) people.set(role, await someone(world, role, `${role}-person`));
});
afterAll(async () => {
  writer.close();
  await world.stop();
});

test("every route has a row, and every row a route", () => {
  const routes = world.routes.map(({ method, path }) => `${method} ${path}`);
  expect(Object.keys(ROWS).toSorted()).toEqual([...new Set(routes)].toSorted());
});

describe("each role gets what it should from", () => {
  test.each(Object.entries(ROWS))("%s: %s", async (route, row) => {
    // Whatever the rows before have made of them.
    await standAs(world, "member", "target");
    const statuses: number[] = [];
    for (const role of ROLES) statuses.push((await ask(await signedIn(role), route)).status);
    expect(statuses.join(" ")).toBe(row);
  });
});

async function ask(client: Client, route: string): Promise<Answer> {
  const [method = "", pattern = ""] = route.split(" ");
  const path = PATHS[route] ?? (await filled(pattern.replace("/rooms/:slug/", roomFor(pattern))));
  const fields = FIELDS[route] ?? {};
  if (method === "DELETE") return client.delete(path);
  if (method === "PATCH") return client.patch(path, fields);
  if (method === "GET") return client.get(path);
  return client.post(path, fields, { as: path.startsWith("/api/") ? "json" : "form" });
}

/** Settings are those of somebody else's private room; messages are read and written in the public one. */
function roomFor(pattern: string): string {
  const ofRoom = /^\/rooms\/:slug\/(?!messages)/.test(pattern);
  return ofRoom ? "/rooms/room-of-writer/" : "/rooms/:slug/";
}

async function filled(pattern: string): Promise<string> {
  const parts = pattern
    .split("/")
    .map(async (part) => (part.startsWith(":") ? ((await PARTS[part.slice(1)]?.()) ?? part) : part));
  return (await Promise.all(parts)).join("/");
}

/** Some routes sign people out. */
async function signedIn(role: Role): Promise<Client> {
  const client = people.get(role);
  if (!client) throw new Error(`nobody is ${role}`);
  if (role !== "guest" && !client.cookies.has("sessionid")) await client.login(`${role}-person`);
  if (!client.cookies.has("csrftoken")) await client.get("/api/auth/csrf/");
  return client;
}

async function newMessage(): Promise<string> {
  const posted = await writer.post("a message");
  if (posted.type !== "ack") throw new Error(`refused: ${posted.code}`);
  return String(posted.id);
}
