/** `/api/auth/profile/` and `/api/auth/users/`: what people tell of themselves, as existing clients know it. */
import { Elysia } from "elysia";
import { mayTryAgain, type Profiles } from "../../accounts/profiles.ts";
import type { RateLimit } from "../../chat/ports.ts";
import { readFields } from "../body.ts";
import { mayHaveTokenInside } from "../csrf.ts";
import { visitorPlugin, type Edge } from "../edge.ts";
import type { Visitor } from "../identify.ts";
import type { Peer } from "../origin.ts";
import { profileFormOf } from "../profile-form.ts";
import { HttpRefusal, retryAfter } from "../refusals.ts";
import { json } from "../respond.ts";
import type { Uploads } from "../uploads.ts";
import * as texts from "./texts.ts";
import { userView } from "./users.ts";

export interface ProfileApi {
  edge: Edge;
  profiles: Profiles;
  uploads: Uploads;
  uploadRate: RateLimit;
}

const USERS = "/api/auth/users/";

export function profileApi({ edge, profiles, uploads, uploadRate }: ProfileApi) {
  /** The token first, then the login: the order that existing clients see. */
  async function refuseGuest(request: Request, server: Peer, visitor: Visitor): Promise<never> {
    const fields = mayHaveTokenInside(request) ? await readFields(request) : undefined;
    edge.demandCsrf(request, server, visitor, fields);
    throw new HttpRefusal(401, texts.LOGIN_REQUIRED);
  }

  async function takeUpload(subject: string): Promise<void> {
    const allowance = await uploadRate.take(subject);
    if (!allowance.allowed)
      throw new HttpRefusal(429, texts.TOO_MANY_ATTEMPTS, retryAfter(allowance.retryAfterSeconds));
  }

  return new Elysia()
    .use(visitorPlugin(edge))
    .get("/api/auth/profile/", async ({ visitor: { signedIn, origin } }) => {
      if (!signedIn) throw new HttpRefusal(401, texts.LOGIN_REQUIRED);
      return json({ user: userView(signedIn.account, origin) });
    })
    .post(
      "/api/auth/profile/",
      async ({ request, server, visitor }) => {
        if (!visitor.signedIn) return refuseGuest(request, server, visitor);
        const { id } = visitor.signedIn.account;
        if (!mayHaveTokenInside(request)) edge.demandCsrf(request, server, visitor);
        return uploads.read(request, server, async (form) => {
          edge.demandCsrf(request, server, visitor, form.fields);
          if (form.picture) await takeUpload(String(id));
          const result = await profiles.edit(id, profileFormOf(form));
          return "refused" in result
            ? json(
                { errors: texts.profileErrors(result.refused) },
                { status: mayTryAgain(result.refused) ? 503 : 400 },
              )
            : json({ user: userView(result.account, visitor.origin) });
        });
      },
      { parse: "none" },
    )
    .get(`${USERS}*`, async ({ request, visitor }) => {
      const account = await profiles.byName(nameIn(request));
      if (!account) throw new HttpRefusal(404, "Not found");
      return json({ user: { ...userView(account, visitor.origin), email: "" } });
    });
}

/** Empty, which is nobody's name, for a path with a stray percent sign. */
function nameIn(request: Request): string {
  const encoded = new URL(request.url).pathname.slice(USERS.length).replace(/\/$/, "");
  try {
    return decodeURIComponent(encoded);
  } catch {
    return "";
  }
}
