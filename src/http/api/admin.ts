/** `/api/admin/`: what staff do, as small resources. */
import { Elysia } from "elysia";
import type { Account, AuditLog, Directory, RoomListing } from "../../accounts/ports.ts";
import { asSuperuser, type Staff } from "../../chat/access.ts";
import { Refused } from "../../chat/refusal.ts";
import type { StaffActs } from "../../chat/staff.ts";
import { isAuditAction } from "../../shared/audit.ts";
import { messageId } from "../../shared/ids.ts";
import { avatarUrl } from "../../shared/media.ts";
import { isoMicroseconds } from "../../shared/time.ts";
import { readFields } from "../body.ts";
import { visitorPlugin, type Edge } from "../edge.ts";
import type { Visitor } from "../identify.ts";
import type { Peer } from "../origin.ts";
import { json } from "../respond.ts";
import { listOptions, pathPart, type StaffArea } from "../staff-area.ts";
import { demandCsrf } from "./unsafe.ts";

export interface AdminApi {
  edge: Edge;
  staffArea: StaffArea;
  acts: StaffActs;
  directory: Directory;
  auditLog: AuditLog;
}

interface Call {
  request: Request;
  server: Peer;
  visitor: Visitor;
}

type UserCall = Call & { params: { name: string } };

const ROOT = "/api/admin";
const UNREAD_BODY = { parse: "none" } as const;

export function adminApi({ edge, staffArea, acts, directory, auditLog }: AdminApi) {
  const read = ({ request, server, visitor }: Call, answer: (staff: Staff) => Promise<unknown>) =>
    staffArea(request, server, visitor, async (staff) => json(await answer(staff)));

  async function change({ request, server, visitor }: Call, answer: (staff: Staff) => Promise<unknown>) {
    await demandCsrf(edge, request, server, visitor);
    return staffArea(request, server, visitor, async (staff) => json(await answer(staff)));
  }

  const changeUser = (call: UserCall, act: (staff: Staff, name: string) => Promise<Account>) =>
    change(call, async (staff) => {
      const account = await act(staff, pathPart(call.params.name));
      return { user: userView(account, call.visitor.origin) };
    });

  const api = new Elysia()
    .use(visitorPlugin(edge))
    .get(`${ROOT}/users/`, async (call) =>
      read(call, async () => {
        const { items, next } = await directory.users(listOptions(call.request, "page"));
        return { users: items.map((user) => userView(user, call.visitor.origin)), next };
      }),
    )
    .get(`${ROOT}/users/:name/`, async (call) =>
      read(call, async (staff) => ({
        user: userView(await acts.find(staff, pathPart(call.params.name)), call.visitor.origin),
      })),
    )
    .delete(`${ROOT}/users/:name/sessions/`, async (call) => changeUser(call, acts.endSessions), UNREAD_BODY)
    .get(`${ROOT}/rooms/`, async (call) =>
      read(call, async () => {
        const { items, next } = await directory.rooms(listOptions(call.request, "page"));
        return { rooms: items.map(roomView), next };
      }),
    )
    .post(
      `${ROOT}/rooms/public/name/`,
      async ({ request, server, visitor }) => {
        const form = await demandCsrf(edge, request, server, visitor);
        return staffArea(request, server, visitor, async (staff) => {
          const fields = form ?? (await readFields(request));
          const { slug, name } = await acts.renamePublic(staff, fields.get("name") ?? "");
          return json({ room: { slug, name } });
        });
      },
      UNREAD_BODY,
    )
    .delete(
      `${ROOT}/messages/:id/`,
      async (call) =>
        change(call, async (staff) => {
          const id = messageId(pathPart(call.params.id));
          if (!id) throw new Refused("not_found");
          return { id, room: await acts.removeMessage(staff, id) };
        }),
      UNREAD_BODY,
    )
    .get(`${ROOT}/audit/`, async (call) =>
      read(call, async () => {
        const action = new URL(call.request.url).searchParams.get("action");
        const { items, next } = await auditLog.page({
          ...listOptions(call.request, "before"),
          action: isAuditAction(action) ? action : null,
        });
        return { entries: items.map((entry) => ({ ...entry, at: isoMicroseconds(entry.at) })), next };
      }),
    );

  /** POST makes it so, DELETE undoes it. */
  const standings: Record<string, (staff: Staff, name: string, on: boolean) => Promise<Account>> = {
    mute: acts.mute,
    disable: acts.disable,
    staff: (staff, name, on) => acts[on ? "grant" : "take"](asSuperuser(staff), name, "staff"),
    superuser: (staff, name, on) => acts[on ? "grant" : "take"](asSuperuser(staff), name, "superuser"),
  };
  for (const [standing, set] of Object.entries(standings)) {
    const path = `${ROOT}/users/:name/${standing}/` as const;
    api
      .post(path, async (call) => changeUser(call, (staff, name) => set(staff, name, true)), UNREAD_BODY)
      .delete(path, async (call) => changeUser(call, (staff, name) => set(staff, name, false)), UNREAD_BODY);
  }

  const closing = (call: Call, slug: string, closed: boolean) =>
    change(call, async (staff) => {
      const { name, isClosed } = await acts.closeRoom(staff, pathPart(slug), closed);
      return { room: { slug, name, is_closed: isClosed } };
    });
  return api
    .post(`${ROOT}/rooms/:slug/close/`, async (call) => closing(call, call.params.slug, true), UNREAD_BODY)
    .delete(
      `${ROOT}/rooms/:slug/close/`,
      async (call) => closing(call, call.params.slug, false),
      UNREAD_BODY,
    );
}

function userView(account: Account, origin: string) {
  const { lastSeenAt } = account;
  return {
    username: account.name,
    email: account.email,
    profileImage: avatarUrl(account.avatar, origin),
    bio: account.bio,
    registeredAt: isoMicroseconds(account.createdAt),
    lastSeenAt: lastSeenAt === null ? null : isoMicroseconds(lastSeenAt),
    is_active: account.isActive,
    is_muted: account.isMuted,
    is_staff: account.isStaff,
    is_superuser: account.isSuperuser,
  };
}

function roomView({ slug, name, owner, members, messages, isClosed }: RoomListing) {
  return { slug, name, owner, members, messages, is_closed: isClosed };
}
