/** The rooms of whoever is signed in: the list, making one, marking all as read, and the room of two. */
import { Elysia } from "elysia";
import type { Profiles } from "../accounts/profiles.ts";
import type { Members } from "../chat/members.ts";
import { Refused } from "../chat/refusal.ts";
import type { Rooms } from "../chat/rooms.ts";
import { withNext } from "../../views/components/links.ts";
import { RoomsPage, type NewRoomForm } from "../../views/pages/rooms.tsx";
import { submitted, visitorPlugin, type Edge } from "./edge.ts";
import type { Visitor } from "./identify.ts";
import { toHttp } from "./refusals.ts";
import { page, type ShellOf } from "./render.tsx";
import { seeOther, type Extras } from "./respond.ts";
import { attempt, wordsFor } from "./words.ts";

export interface MyRooms {
  edge: Edge;
  rooms: Rooms;
  members: Members;
  profiles: Profiles;
  shellOf: ShellOf;
}

const UNTOUCHED: NewRoomForm = { name: "", slug: "", error: null };

export function myRoomRoutes({ edge, rooms, members, profiles, shellOf }: MyRooms) {
  async function list(request: Request, visitor: Visitor, form = UNTOUCHED, extras?: Extras) {
    if (!visitor.signedIn) return seeOther(withNext("/login", "/rooms"));
    const mine = await rooms.mine(visitor.actor);
    return page(request, <RoomsPage shell={shellOf(request, visitor)} rooms={mine} form={form} />, extras);
  }

  return new Elysia()
    .use(visitorPlugin(edge))
    .get("/rooms", async ({ request, visitor }) => list(request, visitor))
    .post(
      "/rooms",
      async ({ request, server, visitor }) => {
        const fields = await submitted(edge, { request, server, visitor });
        const wish = { name: fields.get("name") ?? "", slug: fields.get("slug") ?? "" };
        const { done: slug, refused } = await attempt(rooms.create(visitor.actor, wish));
        if (!refused) return seeOther(`/rooms/${slug}`);
        const error = wordsFor(refused, shellOf(request, visitor));
        return list(request, visitor, { ...wish, error }, toHttp(refused));
      },
      { parse: "none" },
    )
    .post(
      "/rooms/read",
      async ({ request, server, visitor }) => {
        await submitted(edge, { request, server, visitor });
        // Logged out meanwhile, as above.
        if (!visitor.signedIn) return seeOther(withNext("/login", "/rooms"));
        await members.markAllRead(visitor.actor);
        return seeOther("/rooms");
      },
      { parse: "none" },
    )
    .post(
      "/users/:name/direct",
      async ({ request, server, visitor, params: { name } }) => {
        await submitted(edge, { request, server, visitor });
        const other = await profiles.byName(name);
        if (!other) throw new Refused("not_found");
        return seeOther(`/rooms/${await rooms.direct(visitor.actor, other)}`);
      },
      { parse: "none" },
    );
}
