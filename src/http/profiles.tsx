/** The pages of people: their own account, and what everybody may see of somebody. */
import { Elysia } from "elysia";
import type { Credentials } from "../accounts/credentials.ts";
import type { PasswordRules } from "../accounts/passwords.ts";
import { mayTryAgain, type Profiles } from "../accounts/profiles.ts";
import type { SignedIn, Sessions } from "../accounts/sessions.ts";
import type { Members } from "../chat/members.ts";
import type { RateLimit } from "../chat/ports.ts";
import { Refused } from "../chat/refusal.ts";
import { fill } from "../shared/locale/format.ts";
import { strip } from "../shared/text.ts";
import { withNext } from "../../views/components/links.ts";
import { ProfilePage, type ProfilePageProps } from "../../views/pages/profile.tsx";
import { UserPage } from "../../views/pages/user.tsx";
import { agentOf } from "./agents.ts";
import { readFields, type Fields } from "./body.ts";
import { clearedSessionCookie } from "./cookies.ts";
import { visitorPlugin, type Edge } from "./edge.ts";
import type { Visitor } from "./identify.ts";
import type { Peer } from "./origin.ts";
import { profileFormOf } from "./profile-form.ts";
import { closingWords, passwordWords, profileWords } from "./profile-words.ts";
import { retryAfter } from "./refusals.ts";
import { page, type ShellOf } from "./render.tsx";
import { seeOther, type Extras } from "./respond.ts";
import type { UploadForm, Uploads } from "./uploads.ts";

export interface ProfilePages {
  edge: Edge;
  profiles: Profiles;
  credentials: Credentials;
  sessions: Sessions;
  members: Members;
  shellOf: ShellOf;
  passwordRules: PasswordRules;
  uploads: Uploads;
  /** Both are counted for each account: its pictures, and the passwords that are typed here. */
  uploadRate: RateLimit;
  loginRate: RateLimit;
}

/** Whoever sends a form about their own account. */
interface Owner {
  request: Request;
  visitor: Visitor;
  signedIn: SignedIn;
}

/** A form that was refused: what was typed, what to say, and how. */
type Problem = Extras &
  Partial<Pick<ProfilePageProps, "typed" | "errors">> & { password?: string; closing?: string };

const LOGIN = withNext("/login", "/profile");
const DONE = ["profile", "password", "sessions"] as const;

export function profileRoutes(deps: ProfilePages) {
  const { edge, profiles, credentials, sessions, members, shellOf, passwordRules, uploads } = deps;

  async function draw({ request, visitor, signedIn }: Owner, problem: Problem = {}): Promise<Response> {
    const { account, session } = signedIn;
    const { name: username, email, bio } = account;
    const done = new URL(request.url).searchParams.get("done");
    const opened = await sessions.ofUser(account.id);
    const content = (
      <ProfilePage
        shell={shellOf(request, visitor)}
        account={account}
        typed={problem.typed ?? { username, email, bio }}
        errors={problem.errors ?? {}}
        password={{ error: problem.password ?? null, rules: passwordRules }}
        closing={{ error: problem.closing ?? null }}
        sessions={opened.map(({ id, address, agent, createdAt }) => {
          return { id, address, createdAt, agent: agentOf(agent), isCurrent: id === session.id };
        })}
        done={DONE.find((known) => known === done) ?? null}
      />
    );
    return page(request, content, problem);
  }

  async function save(owner: Owner, upload: UploadForm): Promise<Response> {
    const { request, visitor, signedIn } = owner;
    const { picture, ...typed } = profileFormOf(upload);
    const shell = shellOf(request, visitor);
    const { id } = signedIn.account;
    const tooOften =
      picture && (await overLimit(deps.uploadRate, String(id), shell.t.profile.faults.tooManyUploads));
    if (tooOften) return draw(owner, { ...tooOften, typed, errors: { image: tooOften.words } });
    // Browsers send a line break as two characters, of which only one was typed.
    const form = { ...typed, bio: typed.bio.replaceAll("\r\n", "\n"), picture };
    const result = await profiles.edit(id, form);
    if ("account" in result) return seeOther("/profile?done=profile");
    const status = mayTryAgain(result.refused) ? 503 : 422;
    return draw(owner, { status, typed, errors: profileWords(result.refused, shell) });
  }

  async function changePassword(owner: Owner, fields: Fields): Promise<Response> {
    const { request, visitor, signedIn } = owner;
    const { t } = shellOf(request, visitor);
    const tooOften = await overLimit(deps.loginRate, passwordsOf(signedIn), t.account.faults.tooManyAttempts);
    if (tooOften) return draw(owner, { ...tooOften, password: tooOften.words });
    const text = (name: string) => fields.get(name) ?? "";
    const form = { current: text("current"), password1: text("password1"), password2: text("password2") };
    const fault = await credentials.changePassword(signedIn, form);
    if (fault === null) return seeOther("/profile?done=password#password");
    return draw(owner, { status: 422, password: passwordWords(fault, t) });
  }

  async function endSessions({ signedIn: { account, session } }: Owner, fields: Fields): Promise<Response> {
    const wanted = fields.get("session");
    const mine = (await sessions.ofUser(account.id)).find(({ id }) => id === wanted);
    if (mine) await sessions.end(mine.id);
    if (wanted === "others") await sessions.endAll(account.id, session.id);
    return seeOther("/profile?done=sessions#sessions");
  }

  async function close(owner: Owner, fields: Fields): Promise<Response> {
    const { request, visitor, signedIn } = owner;
    const { t } = shellOf(request, visitor);
    const tooOften = await overLimit(deps.loginRate, passwordsOf(signedIn), t.account.faults.tooManyAttempts);
    if (tooOften) return draw(owner, { ...tooOften, closing: tooOften.words });
    const [password, confirmation] = [fields.get("password") ?? "", strip(fields.get("confirmation") ?? "")];
    const fault = await credentials.close(signedIn, { password, confirmation });
    if (fault !== null) return draw(owner, { status: 422, closing: closingWords(fault, t) });
    await members.withdraw(signedIn.account.id);
    return seeOther("/", { cookies: [clearedSessionCookie(visitor.secure)] });
  }

  /** Past the CSRF check. Whose session has ended since the page was drawn may log in again. */
  async function own(
    { request, server, visitor }: { request: Request; server: Peer; visitor: Visitor },
    act: (owner: Owner, fields: Fields) => Promise<Response>,
  ): Promise<Response> {
    if (visitor.staleCookie) return seeOther(LOGIN);
    const fields = await readFields(request);
    edge.demandCsrf(request, server, visitor, fields);
    const { signedIn } = visitor;
    return signedIn ? act({ request, visitor, signedIn }, fields) : seeOther(LOGIN);
  }

  return new Elysia()
    .use(visitorPlugin(edge))
    .get("/profile", async ({ request, visitor }) => {
      const { signedIn } = visitor;
      return signedIn ? draw({ request, visitor, signedIn }) : seeOther(LOGIN);
    })
    .post(
      "/profile",
      async (context) => {
        const { request, server, visitor } = context;
        const { signedIn } = visitor;
        if (!signedIn) return own(context, async () => seeOther(LOGIN));
        return uploads.read(request, server, async (form) => {
          edge.demandCsrf(request, server, visitor, form.fields);
          return save({ request, visitor, signedIn }, form);
        });
      },
      { parse: "none" },
    )
    .post("/profile/password", async (context) => own(context, changePassword), { parse: "none" })
    .post("/profile/sessions", async (context) => own(context, endSessions), { parse: "none" })
    .post("/profile/delete", async (context) => own(context, close), { parse: "none" })
    .get("/users/:name", async ({ request, visitor, params }) => {
      const person = await profiles.byName(params.name);
      if (!person) throw new Refused("not_found");
      const isStaff = person.isStaff || person.isSuperuser;
      return page(request, <UserPage shell={shellOf(request, visitor)} person={{ ...person, isStaff }} />);
    });
}

function passwordsOf({ account }: SignedIn): string {
  return `account ${account.id}`;
}

async function overLimit(rate: RateLimit, subject: string, words: string) {
  const allowance = await rate.take(subject);
  if (allowance.allowed) return null;
  const n = allowance.retryAfterSeconds;
  return { status: 429, headers: retryAfter(n), words: fill(words, { n }) };
}
