/** Reading an unsafe request of the API in the order that existing clients see: the CSRF check, then the body. */
import { readFields, type Fields } from "../body.ts";
import { mayHaveTokenInside } from "../csrf.ts";
import type { Edge } from "../edge.ts";
import type { Visitor } from "../identify.ts";
import type { Peer } from "../origin.ts";

/** The token may come in a form's field, so a form is read first, and handed on. */
export async function demandCsrf(
  edge: Edge,
  request: Request,
  peer: Peer,
  visitor: Visitor,
): Promise<Fields | undefined> {
  const form = mayHaveTokenInside(request) ? await readFields(request) : undefined;
  edge.demandCsrf(request, peer, visitor, form);
  return form;
}
