/** The forms of whoever is not signed in, with what they have typed; and a text that waits in one until they are. */
import type { PasswordRules } from "../accounts/passwords.ts";
import type { Catalog } from "../shared/locale/locale.ts";
import { withNext } from "../../views/components/links.ts";
import { LoginPage, RegisterPage, type KeptText } from "../../views/pages/account.tsx";
import type { Fields } from "./body.ts";
import { csrfCookie } from "./cookies.ts";
import { mask } from "./csrf.ts";
import type { Edge } from "./edge.ts";
import { asGuest, type Visitor } from "./identify.ts";
import { localPath } from "./local-path.ts";
import { page, type ShellOf } from "./render.tsx";
import { leadTo, type Extras } from "./respond.ts";

export type Faults = Catalog["account"]["faults"];

/** A form that was refused: what to say, and how. */
export interface Problem extends Extras {
  error(faults: Faults): string;
}

type Draw = (request: Request, visitor: Visitor, fields: Fields, problem?: Problem) => Response;

export interface AccountForms {
  login: Draw;
  register: Draw;
  /** In answer to a form of the page at this path: a text in it is kept, and there again after the login. */
  askToLogIn(request: Request, visitor: Visitor, path: string, fields: Fields): Response;
}

export function createAccountForms(deps: {
  edge: Edge;
  shellOf: ShellOf;
  passwordRules: PasswordRules;
}): AccountForms {
  const { edge, shellOf, passwordRules } = deps;

  function draw(Form: typeof LoginPage, ...[request, visitor, fields, problem]: Parameters<Draw>): Response {
    const shell = shellOf(request, visitor);
    const secret = edge.csrfSecret(request, visitor);
    const error = problem?.error(shell.t.account.faults) ?? null;
    const username = fields.get("username") ?? "";
    const next = localPath(fields.get("next"));
    const props = { shell, error, username, csrf: mask(secret), next, kept: keptIn(fields) };
    const cookies = [csrfCookie(secret, visitor.secure)];
    return page(request, <Form {...props} />, { ...problem, cookies });
  }

  const Register: typeof LoginPage = (props) => <RegisterPage {...props} rules={passwordRules} />;
  const login: Draw = (...what) => draw(LoginPage, ...what);

  return {
    login,
    register: (...what) => draw(Register, ...what),

    askToLogIn(request, visitor, path, fields) {
      // With scripts the page has kept it already.
      const kept = request.headers.has("hx-request") ? null : keptIn(fields);
      if (!kept) return leadTo(withNext("/login", path), request);
      const carried = new Map([...Object.entries(kept), ["next", path]]);
      const error = (faults: Faults) => faults.signedOut;
      return login(request, asGuest(visitor), carried, { status: 401, error });
    },
  };
}

/** What somebody has written who has to log in first; null for nothing. */
export function keptIn(fields: Fields): KeptText | null {
  const text = fields.get("text");
  return text ? { text, key: fields.get("key") ?? "" } : null;
}
