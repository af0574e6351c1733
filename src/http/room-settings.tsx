/** What members of a private room do with it, each by their role: describe it, look after its members, leave, delete. */
import { Elysia } from "elysia";
import { signedIn, type Access, type Reader } from "../chat/access.ts";
import type { Invitations, Terms } from "../chat/invitations.ts";
import type { Members } from "../chat/members.ts";
import { Refused } from "../chat/refusal.ts";
import type { Rooms } from "../chat/rooms.ts";
import { invitationId } from "../shared/ids.ts";
import { strip } from "../shared/text.ts";
import { RoomSettingsPage } from "../../views/pages/room-settings.tsx";
import type { Fields } from "./body.ts";
import { submitted, visitorPlugin, type Edge } from "./edge.ts";
import type { Visitor } from "./identify.ts";
import { toHttp } from "./refusals.ts";
import { page, type ShellOf } from "./render.tsx";
import { seeOther } from "./respond.ts";
import { attempt, wordsFor } from "./words.ts";

export interface RoomSettings {
  edge: Edge;
  access: Access;
  rooms: Rooms;
  members: Members;
  invitations: Invitations;
  shellOf: ShellOf;
}

export function roomSettingsRoutes({ edge, access, rooms, members, invitations, shellOf }: RoomSettings) {
  async function show(request: Request, visitor: Visitor, slug: string, refused?: Refused) {
    const reader = await privateRoom(visitor, slug);
    const shell = shellOf(request, visitor);
    const moderates = reader.role !== "member";
    const props = {
      shell,
      room: reader.room,
      role: reader.role ?? "member",
      origin: visitor.origin,
      // Who was put out is the business of those who may let them in again.
      members: (await members.list(reader)).filter(({ role }) => moderates || role !== "removed"),
      invitations: moderates ? await invitations.list(await access.moderator(visitor.actor, slug)) : null,
      error: refused ? wordsFor(refused, shell) : null,
    };
    return page(request, <RoomSettingsPage {...props} />, refused && toHttp(refused));
  }

  /** The public room and those of two people have no settings: nobody owns them. */
  async function privateRoom(visitor: Visitor, slug: string): Promise<Reader> {
    const reader = await access.reader(visitor.actor, slug);
    if (reader.room.kind !== "private") throw new Refused("not_found");
    return reader;
  }

  const app = new Elysia()
    .use(visitorPlugin(edge))
    .get("/rooms/:slug/settings", async ({ request, visitor, params: { slug } }) =>
      show(request, visitor, slug),
    );

  /** A form of the settings: back to them when it is done, or with the reason why not. */
  function form(path: string, act: Act, leadsTo = (slug: string) => `/rooms/${slug}/settings`): void {
    app.post(
      `/rooms/:slug/${path}`,
      async ({ request, server, visitor, params }) => {
        const fields = await submitted(edge, { request, server, visitor });
        await privateRoom(visitor, params.slug);
        const { refused } = await attempt(act({ visitor, fields, ...params }));
        if (!refused) return seeOther(leadsTo(params.slug));
        if (refused.code === "not_found" || refused.code === "forbidden") throw refused;
        return show(request, visitor, params.slug, refused);
      },
      { parse: "none" },
    );
  }

  const owner = ({ visitor, slug }: Sent) => access.owner(visitor.actor, slug);
  const moderator = ({ visitor, slug }: Sent) => access.moderator(visitor.actor, slug);
  const elsewhere = () => "/rooms";

  form("settings", async (sent) => rooms.describe(await owner(sent), texts(sent.fields)));
  form("members/:name/remove", async (sent) => members.remove(await moderator(sent), nameOf(sent)));
  form("members/:name/readmit", async (sent) => members.readmit(await moderator(sent), nameOf(sent)));
  form("members/:name/promote", async (sent) =>
    members.setRole(await owner(sent), nameOf(sent), "moderator"),
  );
  form("members/:name/demote", async (sent) => members.setRole(await owner(sent), nameOf(sent), "member"));
  form("members/:name/hand-over", async (sent) => members.handOver(await owner(sent), nameOf(sent)));
  form("invitations", async (sent) => invitations.create(await moderator(sent), terms(sent.fields)));
  form("invitations/:id/revoke", async (sent) => {
    const id = invitationId(sent.id ?? "");
    if (!id) throw new Refused("not_found");
    await invitations.revoke(await moderator(sent), id);
  });
  form(
    "leave",
    async ({ visitor, slug }) =>
      members.leave(await access.reader(visitor.actor, slug), signedIn(visitor.actor).id),
    elsewhere,
  );
  form(
    "delete",
    async (sent) => {
      const proof = await owner(sent);
      if (strip(sent.fields.get("confirmation") ?? "") !== proof.room.name)
        throw new Refused("not_confirmed");
      await rooms.remove(proof);
    },
    elsewhere,
  );
  return app;
}

interface Sent {
  visitor: Visitor;
  fields: Fields;
  slug: string;
  name?: string;
  id?: string;
}

type Act = (sent: Sent) => Promise<unknown>;

function nameOf({ name = "" }: Sent): string {
  return name;
}

function texts(fields: Fields) {
  return { name: fields.get("name") ?? "", topic: fields.get("topic") ?? "" };
}

function terms(fields: Fields): Terms {
  return { days: upTo(fields.get("days"), 365), uses: upTo(fields.get("uses"), 10_000) };
}

/** A whole number within its bounds; null for an empty field, which means without an end. */
function upTo(text: string | undefined, most: number): number | null {
  if (!text) return null;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > most) throw new Refused("bad_request");
  return value;
}
