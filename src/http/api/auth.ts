/** `/api/auth/`: accounts and sessions as existing clients know them. */
import { Elysia } from "elysia";
import type { PasswordRules } from "../../accounts/passwords.ts";
import type { Account } from "../../accounts/ports.ts";
import { readFields, type Fields } from "../body.ts";
import { clearedSessionCookie, csrfCookie } from "../cookies.ts";
import { mask } from "../csrf.ts";
import { visitorPlugin, type Edge } from "../edge.ts";
import type { Attempt, Entrance } from "../entrance.ts";
import type { Visitor } from "../identify.ts";
import type { Peer } from "../origin.ts";
import { HttpRefusal, retryAfter } from "../refusals.ts";
import { registrationOf } from "../registration.ts";
import { json } from "../respond.ts";
import * as texts from "./texts.ts";
import { demandCsrf } from "./unsafe.ts";
import { sessionUserView } from "./users.ts";

export interface AuthApi {
  edge: Edge;
  entrance: Entrance;
  passwordRules: PasswordRules;
}

export function authApi({ edge, entrance, passwordRules }: AuthApi) {
  /** CSRF, then the rate, then the body: the order that existing clients see. */
  async function knock(attempt: Attempt, request: Request, peer: Peer, visitor: Visitor): Promise<Fields> {
    const form = await demandCsrf(edge, request, peer, visitor);
    const wait = await entrance.knock(attempt, request, peer);
    if (wait !== null) throw tooMany(wait);
    return form ?? (await readFields(request));
  }

  async function welcome(
    account: Account,
    request: Request,
    server: Peer,
    visitor: Visitor,
    status: number,
  ): Promise<Response> {
    const { cookies } = await edge.signIn(account, request, server, visitor);
    return json({ authenticated: true, user: sessionUserView(account, visitor.origin) }, { status, cookies });
  }

  return new Elysia()
    .use(visitorPlugin(edge))
    .get("/api/auth/csrf/", ({ request, visitor }) => {
      const secret = edge.csrfSecret(request, visitor);
      return json({ csrfToken: mask(secret) }, { cookies: [csrfCookie(secret, visitor.secure)] });
    })
    .get("/api/auth/session/", ({ request, visitor }) => {
      const { signedIn, staleCookie, origin, secure } = visitor;
      const cookies = [csrfCookie(edge.csrfSecret(request, visitor), secure)];
      if (staleCookie) cookies.push(clearedSessionCookie(secure));
      const user = signedIn && sessionUserView(signedIn.account, origin);
      return json({ authenticated: signedIn !== null, user }, { cookies });
    })
    .get("/api/auth/password-rules/", () => json({ rules: texts.PASSWORD_RULES[passwordRules] }))
    .get("/api/auth/register/", () => json({ detail: texts.REGISTER_USAGE }))
    .post(
      "/api/auth/login/",
      async ({ request, server, visitor }) => {
        const fields = await knock("login", request, server, visitor);
        if (fields.size === 0) return json(texts.EMPTY_BODY, { status: 400 });
        const username = fields.get("username");
        const password = fields.get("password");
        if (!username || !password) return json(texts.CREDENTIALS_MISSING, { status: 400 });
        const result = await entrance.logIn({ username, password }, request, server, visitor);
        if (!result) return json(texts.CREDENTIALS_WRONG, { status: 400 });
        if ("wait" in result) throw tooMany(result.wait);
        return welcome(result.account, request, server, visitor, 200);
      },
      { parse: "none" },
    )
    .post(
      "/api/auth/register/",
      async ({ request, server, visitor }) => {
        const fields = await knock("register", request, server, visitor);
        if (fields.size === 0) return json(texts.EMPTY_BODY, { status: 400 });
        const result = await entrance.register(registrationOf(fields), request, server);
        if ("refused" in result) return json(texts.registrationFault(result.refused), { status: 400 });
        return welcome(result.account, request, server, visitor, 201);
      },
      { parse: "none" },
    )
    .post(
      "/api/auth/logout/",
      async ({ request, server, visitor }) => {
        await demandCsrf(edge, request, server, visitor);
        await edge.signOut(request, server, visitor);
        return json({ ok: true }, { cookies: [clearedSessionCookie(visitor.secure)] });
      },
      { parse: "none" },
    );
}

function tooMany(wait: number): HttpRefusal {
  return new HttpRefusal(429, texts.TOO_MANY_ATTEMPTS, retryAfter(wait));
}
