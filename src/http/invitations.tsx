/** The page behind an invitation's link: whoever opens it learns the room's name and who invites, and may join. */
import { Elysia } from "elysia";
import type { Access } from "../chat/access.ts";
import type { Invitations } from "../chat/invitations.ts";
import { InvitationPage } from "../../views/pages/invitation.tsx";
import { submitted, visitorPlugin, type Edge } from "./edge.ts";
import type { Visitor } from "./identify.ts";
import { page, type ShellOf } from "./render.tsx";
import { seeOther } from "./respond.ts";
import { attempt } from "./words.ts";

export interface InvitationPages {
  edge: Edge;
  access: Access;
  invitations: Invitations;
  shellOf: ShellOf;
}

const PATH = /^\/invitations\/([\w-]+)$/;

/** Where to go after signing in: somebody who came by an invitation goes on into its room. */
export async function afterSignIn(
  next: string,
  invitations: Invitations,
  actor: Parameters<Invitations["accept"]>[0],
): Promise<string> {
  const token = PATH.exec(next)?.[1];
  if (token === undefined) return next;
  const { done: slug } = await attempt(invitations.accept(actor, token));
  return slug === null ? next : `/rooms/${slug}`;
}

export function invitationRoutes({ edge, access, invitations, shellOf }: InvitationPages) {
  function over(request: Request, visitor: Visitor, token: string): Response {
    const props = { shell: shellOf(request, visitor), token };
    return page(request, <InvitationPage {...props} invitation={null} />, { status: 404 });
  }

  return new Elysia()
    .use(visitorPlugin(edge))
    .get("/invitations/:token", async ({ request, visitor, params: { token } }) => {
      const { done: found } = await attempt(invitations.look(token));
      if (!found) return over(request, visitor, token);
      const { room, createdBy: inviter, isOpen } = found;
      const { done: member } = await attempt(access.reader(visitor.actor, room.slug));
      if (member) return seeOther(`/rooms/${room.slug}`);
      if (!isOpen) return over(request, visitor, token);
      const props = { shell: shellOf(request, visitor), token };
      return page(request, <InvitationPage {...props} invitation={{ roomName: room.name, inviter }} />);
    })
    .post(
      "/invitations/:token",
      async ({ request, server, visitor, params: { token } }) => {
        await submitted(edge, { request, server, visitor });
        // Logged out meanwhile: the link leads through the login.
        if (!visitor.signedIn) return seeOther(`/invitations/${token}`);
        const { done: slug, refused } = await attempt(invitations.accept(visitor.actor, token));
        if (!refused) return seeOther(`/rooms/${slug}`);
        if (refused.code !== "invitation_over") throw refused;
        return over(request, visitor, token);
      },
      { parse: "none" },
    );
}
