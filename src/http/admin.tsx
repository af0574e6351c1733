/** The pages of staff. Every list is links and a form that asks, every act a form that changes. */
import { Elysia } from "elysia";
import type { Account, AuditLog, Directory } from "../accounts/ports.ts";
import type { Sessions } from "../accounts/sessions.ts";
import { asSuperuser, type Staff } from "../chat/access.ts";
import { Refused } from "../chat/refusal.ts";
import type { StaffActs } from "../chat/staff.ts";
import { isAuditAction } from "../shared/audit.ts";
import { messageId } from "../shared/ids.ts";
import { strip } from "../shared/text.ts";
import { withNext } from "../../views/components/links.ts";
import { AuditPage } from "../../views/pages/admin/audit.tsx";
import { MessagesPage } from "../../views/pages/admin/messages.tsx";
import { RoomsPage } from "../../views/pages/admin/rooms.tsx";
import { UserPage, type UserAct } from "../../views/pages/admin/user.tsx";
import { UsersPage } from "../../views/pages/admin/users.tsx";
import { readFields, type Fields } from "./body.ts";
import { visitorPlugin, type Edge } from "./edge.ts";
import type { Visitor } from "./identify.ts";
import { localPath } from "./local-path.ts";
import type { Peer } from "./origin.ts";
import { toHttp } from "./refusals.ts";
import { page, type ShellOf } from "./render.tsx";
import { leadTo, seeOther, type Extras } from "./respond.ts";
import { listOptions, pathPart, type StaffArea } from "./staff-area.ts";

export interface AdminPages {
  edge: Edge;
  staffArea: StaffArea;
  acts: StaffActs;
  directory: Directory;
  auditLog: AuditLog;
  sessions: Pick<Sessions, "ofUser">;
  shellOf: ShellOf;
}

interface Call {
  request: Request;
  server: Peer;
  visitor: Visitor;
}

const UNREAD_BODY = { parse: "none" } as const;

export function adminRoutes(deps: AdminPages) {
  const { edge, staffArea, acts, directory, auditLog, sessions, shellOf } = deps;

  async function visit({ request, server, visitor }: Call, inside: (staff: Staff) => Promise<Response>) {
    if (visitor.signedIn) return staffArea(request, server, visitor, inside);
    const { pathname, search } = new URL(request.url);
    return leadTo(withNext("/login", request.method === "GET" ? pathname + search : "/admin"), request);
  }

  async function act(call: Call, perform: (staff: Staff, fields: Fields) => Promise<Response>) {
    const { request, server, visitor } = call;
    const fields = await readFields(request);
    // Whoever's session ended since the page was drawn may log in again; there is nothing to forge.
    if (!visitor.staleCookie) edge.demandCsrf(request, server, visitor, fields);
    return visit(call, (staff) => perform(staff, fields));
  }

  async function user({ request, visitor }: Call, staff: Staff, name: string): Promise<Response> {
    const account = await acts.find(staff, name);
    const open = await sessions.ofUser(account.id);
    const props = { user: account, sessions: open.length, may: mayOn(account, staff) };
    return page(request, <UserPage shell={shellOf(request, visitor)} {...props} />);
  }

  async function rooms({ request, visitor }: Call, rejected?: { name: string; error: Refused }) {
    const shell = shellOf(request, visitor);
    const { q, ...options } = listOptions(request, "page");
    const found = await directory.rooms({ q, ...options });
    const rename = rejected && { name: rejected.name, error: shell.t.refusals[rejected.error.code] };
    const props = { q, ...found, isFirst: options.before === null, rename: rename ?? null };
    return page(request, <RoomsPage shell={shell} {...props} />, rejected && extrasOf(rejected.error));
  }

  async function messages({ request, visitor }: Call, staff: Staff): Promise<Response> {
    const query = new URL(request.url).searchParams;
    const typed = query.get("message") ?? "";
    const removed = messageId(query.get("removed") ?? "");
    const shell = shellOf(request, visitor);
    const draw = (
      more: { found: { id: number; room: string } | null; error: string | null },
      extras?: Extras,
    ) => page(request, <MessagesPage shell={shell} {...{ typed, removed }} {...more} />, extras);
    if (typed === "") return draw({ found: null, error: null });
    try {
      return draw({ found: await acts.findMessage(staff, idIn(typed)), error: null });
    } catch (refused) {
      if (!(refused instanceof Refused) || refused.code !== "not_found") throw refused;
      return draw({ found: null, error: shell.t.refusals.not_found }, extrasOf(refused));
    }
  }

  const pages = new Elysia()
    .use(visitorPlugin(edge))
    .get("/admin", async (call) => visit(call, async () => seeOther("/admin/users")))
    .get("/admin/users", async (call) =>
      visit(call, async () => {
        const { q, ...options } = listOptions(call.request, "page");
        const found = await directory.users({ q, ...options });
        const props = { q, ...found, isFirst: options.before === null };
        return page(call.request, <UsersPage shell={shellOf(call.request, call.visitor)} {...props} />);
      }),
    )
    .get("/admin/users/:name", async (call) =>
      visit(call, (staff) => user(call, staff, pathPart(call.params.name))),
    )
    .get("/admin/rooms", async (call) => visit(call, () => rooms(call)))
    .post(
      "/admin/rooms/public/name",
      async (call) =>
        act(call, async (staff, fields) => {
          const name = fields.get("name") ?? "";
          try {
            await acts.renamePublic(staff, name);
          } catch (refused) {
            if (refused instanceof Refused && refused.code === "bad_name")
              return rooms(call, { name, error: refused });
            throw refused;
          }
          return seeOther("/admin/rooms");
        }),
      UNREAD_BODY,
    )
    .get("/admin/messages", async (call) => visit(call, (staff) => messages(call, staff)))
    .post(
      "/admin/messages/:id/remove",
      async (call) =>
        act(call, async (staff) => {
          const id = idIn(pathPart(call.params.id));
          await acts.removeMessage(staff, id);
          return seeOther(`/admin/messages?removed=${id}`);
        }),
      UNREAD_BODY,
    )
    .get("/admin/audit", async (call) =>
      visit(call, async () => {
        const { q, ...options } = listOptions(call.request, "before");
        const wanted = new URL(call.request.url).searchParams.get("action");
        const action = isAuditAction(wanted) ? wanted : null;
        const found = await auditLog.page({ q, action, ...options });
        const props = { q, action, ...found, isFirst: options.before === null };
        return page(call.request, <AuditPage shell={shellOf(call.request, call.visitor)} {...props} />);
      }),
    );

  const userActs: Record<UserAct, (staff: Staff, name: string) => Promise<Account>> = {
    mute: (staff, name) => acts.mute(staff, name, true),
    unmute: (staff, name) => acts.mute(staff, name, false),
    disable: (staff, name) => acts.disable(staff, name, true),
    enable: (staff, name) => acts.disable(staff, name, false),
    "end-sessions": acts.endSessions,
    "grant-staff": (staff, name) => acts.grant(asSuperuser(staff), name, "staff"),
    "take-staff": (staff, name) => acts.take(asSuperuser(staff), name, "staff"),
    "grant-superuser": (staff, name) => acts.grant(asSuperuser(staff), name, "superuser"),
    "take-superuser": (staff, name) => acts.take(asSuperuser(staff), name, "superuser"),
  };
  for (const [name, perform] of Object.entries(userActs)) {
    pages.post(
      `/admin/users/:name/${name}`,
      async (call) =>
        act(call, async (staff) => {
          const account = await perform(staff, pathPart(call.params.name));
          return seeOther(`/admin/users/${encodeURIComponent(account.name)}`);
        }),
      UNREAD_BODY,
    );
  }

  const closing = (call: Call, slug: string, closed: boolean) =>
    act(call, async (staff, fields) => {
      await acts.closeRoom(staff, pathPart(slug), closed);
      const next = localPath(fields.get("next"));
      return seeOther(next.startsWith("/admin/rooms") ? next : "/admin/rooms");
    });
  return pages
    .post("/admin/rooms/:slug/close", async (call) => closing(call, call.params.slug, true), UNREAD_BODY)
    .post("/admin/rooms/:slug/open", async (call) => closing(call, call.params.slug, false), UNREAD_BODY);
}

/** What the acts themselves will allow, so that no form is offered in vain. */
function mayOn(account: Account, { actor }: Staff): "nothing" | "not-staff" | "act" | "promote" {
  if (account.id === actor.id) return "nothing";
  if (actor.rank === "superuser") return "promote";
  return account.isStaff || account.isSuperuser ? "not-staff" : "act";
}

/** The number at the end of a permalink, or as it is. Refuses `not_found`. */
function idIn(text: string) {
  const id = messageId(/(?:^|\/)#?(\d+)\/?$/.exec(strip(text))?.[1] ?? "");
  if (!id) throw new Refused("not_found");
  return id;
}

function extrasOf(refused: Refused): Extras {
  const { status, headers } = toHttp(refused);
  return { status, headers };
}
