/** The area of staff, as pages and as API: one door, and a note of everybody signed in who is turned away. */
import type { Audit } from "../accounts/ports.ts";
import { asStaff, type Staff } from "../chat/access.ts";
import { Refused } from "../chat/refusal.ts";
import { messageId } from "../shared/ids.ts";
import { LIST_PAGE_SIZE } from "../shared/limits.ts";
import { strip } from "../shared/text.ts";
import type { Visitor } from "./identify.ts";
import type { Origins, Peer } from "./origin.ts";
import { HttpRefusal } from "./refusals.ts";

/** Refuses guests with `login_required` and others with `forbidden`, as what is done inside may too. */
export type StaffArea = <T>(
  request: Request,
  peer: Peer,
  visitor: Visitor,
  inside: (staff: Staff) => Promise<T>,
) => Promise<T>;

export function createStaffArea(deps: { audit: Audit; origins: Pick<Origins, "address"> }): StaffArea {
  const { audit, origins } = deps;
  return async (request, peer, { actor }, inside) => {
    const address = origins.address(request, peer);
    try {
      return await inside(asStaff(actor, address));
    } catch (refused) {
      if (actor.kind === "member" && refused instanceof Refused && refused.code === "forbidden") {
        const { id, name } = actor;
        const path = decodedPath(new URL(request.url).pathname);
        await audit.record("access.denied", { id, name, address }, `${request.method} ${path}`);
      }
      throw refused;
    }
  };
}

const SEARCH_MAX = 150;

/** What a list is asked for: `q`, and where it begins. Refuses 400 for a beginning that is no number. */
export function listOptions(request: Request, cursor: "page" | "before") {
  const query = new URL(request.url).searchParams;
  const from = query.get(cursor);
  const before = from ? messageId(from) : null;
  if (from && before === null) throw new HttpRefusal(400, `Invalid '${cursor}': must be a number`);
  const q = strip((query.get("q") ?? "").toWellFormed()).slice(0, SEARCH_MAX);
  return { q, before, limit: LIST_PAGE_SIZE };
}

/** A part of the path, which the framework gives as null when it cannot be decoded. Refuses `not_found`. */
export function pathPart(text: string | null): string {
  if (text === null) throw new Refused("not_found");
  return text;
}

function decodedPath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // a stray percent sign
  }
}
