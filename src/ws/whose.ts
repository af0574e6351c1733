import type { Sessions } from "../accounts/sessions.ts";
import type { Who } from "../chat/ports.ts";
import type { Socket } from "./socket.ts";

/** Whose socket it is, by their present name; null when their session is over. */
export async function whose({ data }: Socket, sessions: Pick<Sessions, "current">): Promise<Who | null> {
  const { actor, address } = data;
  if (actor.kind === "guest") return { kind: "guest", address };
  const signedIn = await sessions.current(actor.session);
  if (!signedIn) return null;
  const { id, name, avatar } = signedIn.account;
  return { kind: "member", id, name, avatar };
}
