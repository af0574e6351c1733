/** Signing up, logging in and out, as pages. */
import { Elysia } from "elysia";
import type { RegistrationFault } from "../accounts/accounts.ts";
import type { Account } from "../accounts/ports.ts";
import type { Invitations } from "../chat/invitations.ts";
import { fill } from "../shared/locale/format.ts";
import { strip } from "../shared/text.ts";
import { keptIn, type AccountForms, type Faults, type Problem } from "./account-forms.tsx";
import { readFields, type Fields } from "./body.ts";
import { clearedSessionCookie } from "./cookies.ts";
import { visitorPlugin, type Edge } from "./edge.ts";
import type { Attempt, Entrance } from "./entrance.ts";
import { actorOf, type Visitor } from "./identify.ts";
import { afterSignIn } from "./invitations.tsx";
import { localPath } from "./local-path.ts";
import type { Peer } from "./origin.ts";
import { retryAfter } from "./refusals.ts";
import { registrationOf } from "./registration.ts";
import { seeOther } from "./respond.ts";
import type { createRoomPages } from "./rooms.tsx";

export interface AccountPages {
  edge: Edge;
  entrance: Entrance;
  invitations: Invitations;
  forms: AccountForms;
  pages: ReturnType<typeof createRoomPages>;
}

export function accountRoutes({ edge, entrance, invitations, forms, pages }: AccountPages) {
  function visit(form: AccountForms["login"], request: Request, visitor: Visitor) {
    const fields = new Map(new URL(request.url).searchParams);
    // A link puts no words into anybody's mouth.
    fields.delete("text");
    return visitor.signedIn ? seeOther(localPath(fields.get("next"))) : form(request, visitor, fields);
  }

  async function enter(
    account: Account,
    request: Request,
    server: Peer,
    visitor: Visitor,
    fields: Fields,
  ): Promise<Response> {
    const { cookies, signedIn } = await edge.signIn(account, request, server, visitor);
    const next = localPath(fields.get("next"));
    const kept = keptIn(fields);
    const actor = actorOf(signedIn);
    const now = { ...visitor, actor, signedIn };
    const there = kept && (await pages.withText(request, now, next, kept, { cookies }));
    return there ?? seeOther(await afterSignIn(next, invitations, actor), { cookies });
  }

  async function knock(attempt: Attempt, request: Request, peer: Peer): Promise<Problem | null> {
    const wait = await entrance.knock(attempt, request, peer);
    return wait === null ? null : tooMany(wait);
  }

  return new Elysia()
    .use(visitorPlugin(edge))
    .get("/login", ({ request, visitor }) => visit(forms.login, request, visitor))
    .get("/register", ({ request, visitor }) => visit(forms.register, request, visitor))
    .post(
      "/login",
      async ({ request, server, visitor }) => {
        const fields = await readFields(request);
        edge.demandCsrf(request, server, visitor, fields);
        const refused = await knock("login", request, server);
        if (refused) return forms.login(request, visitor, fields, refused);
        const username = strip(fields.get("username") ?? "");
        const password = fields.get("password") ?? "";
        const refuse = (fault: "credentialsMissing" | "credentialsWrong") =>
          forms.login(request, visitor, fields, { status: 422, error: (faults) => faults[fault] });
        if (!username || !password) return refuse("credentialsMissing");
        const result = await entrance.logIn({ username, password }, request, server, visitor);
        if (!result) return refuse("credentialsWrong");
        if ("wait" in result) return forms.login(request, visitor, fields, tooMany(result.wait));
        return enter(result.account, request, server, visitor, fields);
      },
      { parse: "none" },
    )
    .post(
      "/register",
      async ({ request, server, visitor }) => {
        const fields = await readFields(request);
        edge.demandCsrf(request, server, visitor, fields);
        const tooOften = await knock("register", request, server);
        if (tooOften) return forms.register(request, visitor, fields, tooOften);
        const result = await entrance.register(registrationOf(fields), request, server);
        if ("account" in result) return enter(result.account, request, server, visitor, fields);
        const { refused } = result;
        return forms.register(request, visitor, fields, {
          status: 422,
          error: (faults) => wordsFor(refused, faults),
        });
      },
      { parse: "none" },
    )
    .post(
      "/logout",
      async ({ request, server, visitor }) => {
        edge.demandCsrf(request, server, visitor, await readFields(request));
        await edge.signOut(request, server, visitor);
        return seeOther("/", { cookies: [clearedSessionCookie(visitor.secure)] });
      },
      { parse: "none" },
    );
}

function tooMany(n: number): Problem {
  return { status: 429, headers: retryAfter(n), error: (faults) => fill(faults.tooManyAttempts, { n }) };
}

function wordsFor(refused: RegistrationFault, faults: Faults): string {
  switch (refused.fault) {
    case "missing":
      return refused.field === "username" ? faults.nameMissing : faults.passwordMissing;
    case "taken":
      return faults.nameTaken;
    case "differ":
      return faults.passwordsDiffer;
    case "weak":
      return faults.passwordWeak;
    case "bad":
      return { blank: faults.nameMissing, characters: faults.nameCharacters, too_long: faults.nameTooLong }[
        refused.name.fault
      ];
  }
}
