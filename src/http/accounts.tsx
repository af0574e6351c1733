/** Signing up, logging in and out, as pages. */
import { Elysia } from "elysia";
import type { RegistrationFault } from "../accounts/accounts.ts";
import type { PasswordRules } from "../accounts/passwords.ts";
import type { Account } from "../accounts/ports.ts";
import type { Invitations } from "../chat/invitations.ts";
import { fill } from "../shared/locale/format.ts";
import type { Catalog } from "../shared/locale/locale.ts";
import { strip } from "../shared/text.ts";
import { LoginPage, RegisterPage } from "../../views/pages/account.tsx";
import { readFields, type Fields } from "./body.ts";
import { clearedSessionCookie, csrfCookie } from "./cookies.ts";
import { mask } from "./csrf.ts";
import { visitorPlugin, type Edge } from "./edge.ts";
import type { Attempt, Entrance } from "./entrance.ts";
import { actorOf, type Visitor } from "./identify.ts";
import { afterSignIn } from "./invitations.tsx";
import { localPath } from "./local-path.ts";
import type { Peer } from "./origin.ts";
import { retryAfter } from "./refusals.ts";
import { registrationOf } from "./registration.ts";
import { page, type ShellOf } from "./render.tsx";
import { seeOther, type Extras } from "./respond.ts";

export interface AccountPages {
  edge: Edge;
  entrance: Entrance;
  invitations: Invitations;
  shellOf: ShellOf;
  passwordRules: PasswordRules;
}

type Faults = Catalog["account"]["faults"];

/** A form that was refused: what to say, and how. */
interface Problem extends Extras {
  error(faults: Faults): string;
}

export function accountRoutes({ edge, entrance, invitations, shellOf, passwordRules }: AccountPages) {
  function visit(Form: typeof LoginPage, request: Request, visitor: Visitor) {
    const fields: Fields = new Map(new URL(request.url).searchParams);
    return visitor.signedIn ? seeOther(localPath(fields.get("next"))) : form(Form, request, visitor, fields);
  }

  function form(
    Form: typeof LoginPage,
    request: Request,
    visitor: Visitor,
    fields: Fields,
    problem?: Problem,
  ) {
    const shell = shellOf(request, visitor);
    const secret = edge.csrfSecret(request, visitor);
    const error = problem?.error(shell.t.account.faults) ?? null;
    const username = fields.get("username") ?? "";
    const props = { shell, error, username, csrf: mask(secret), next: localPath(fields.get("next")) };
    const cookies = [csrfCookie(secret, visitor.secure)];
    return page(request, <Form {...props} />, { ...problem, cookies });
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
    return seeOther(await afterSignIn(next, invitations, actorOf(signedIn)), { cookies });
  }

  async function knock(attempt: Attempt, request: Request, peer: Peer): Promise<Problem | null> {
    const wait = await entrance.knock(attempt, request, peer);
    return wait === null ? null : tooMany(wait);
  }

  const Register: typeof LoginPage = (props) => <RegisterPage {...props} rules={passwordRules} />;

  return new Elysia()
    .use(visitorPlugin(edge))
    .get("/login", ({ request, visitor }) => visit(LoginPage, request, visitor))
    .get("/register", ({ request, visitor }) => visit(Register, request, visitor))
    .post(
      "/login",
      async ({ request, server, visitor }) => {
        const fields = await readFields(request);
        edge.demandCsrf(request, server, visitor, fields);
        const refused = await knock("login", request, server);
        if (refused) return form(LoginPage, request, visitor, fields, refused);
        const username = strip(fields.get("username") ?? "");
        const password = fields.get("password") ?? "";
        const refuse = (fault: "credentialsMissing" | "credentialsWrong") =>
          form(LoginPage, request, visitor, fields, { status: 422, error: (faults) => faults[fault] });
        if (!username || !password) return refuse("credentialsMissing");
        const result = await entrance.logIn({ username, password }, request, server, visitor);
        if (!result) return refuse("credentialsWrong");
        if ("wait" in result) return form(LoginPage, request, visitor, fields, tooMany(result.wait));
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
        if (tooOften) return form(Register, request, visitor, fields, tooOften);
        const result = await entrance.register(registrationOf(fields), request, server);
        if ("account" in result) return enter(result.account, request, server, visitor, fields);
        const { refused } = result;
        return form(Register, request, visitor, fields, {
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
