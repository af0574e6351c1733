/** The account of whoever is signed in: what others see of it, its password, its sessions, and its end. */
import type { ComponentChildren } from "preact";
import { BIO_MAX_LENGTH, USERNAME_MAX_LENGTH } from "../../src/shared/limits.ts";
import { fill, number } from "../../src/shared/locale/format.ts";
import { clock, day } from "../../src/shared/time.ts";
import { CsrfField } from "../components/csrf.tsx";
import { Field, TextField } from "../components/field.tsx";
import { Island } from "../components/island.tsx";
import { Layout, type Shell } from "../components/layout.tsx";
import { userPath } from "../components/links.ts";
import { PictureField } from "../components/picture-field.tsx";

export interface ProfilePageProps {
  shell: Shell;
  /** The owner as the server knows them, whatever has been typed. */
  account: { name: string; avatar: string | null; createdAt: number };
  typed: { username: string; email: string; bio: string };
  /** What is wrong with each field, in words. */
  errors: Partial<Record<"username" | "email" | "bio" | "image", string>>;
  password: { error: string | null; rules: "relaxed" | "strict" };
  closing: { error: string | null };
  sessions: SessionView[];
  /** What has just been done. */
  done: "profile" | "password" | "sessions" | null;
}

export interface SessionView {
  id: string;
  /** The browser and the system, by their names. */
  agent: { browser: string | null; system: string | null };
  address: string;
  createdAt: number;
  isCurrent: boolean;
}

export function ProfilePage(props: ProfilePageProps) {
  const { shell, account } = props;
  const { profile: t } = shell.t;
  return (
    <Layout shell={shell} title={t.title} kind="page" live>
      <h1>{t.title}</h1>
      <p class="lead">
        {fill(t.registered, { day: day(account.createdAt, shell.locale, shell.zone) })} ·{" "}
        <a href={userPath(account.name)}>{t.publicPage}</a>
      </p>
      <Editor {...props} />
      <Password {...props} />
      <Sessions {...props} />
      <Closing {...props} />
    </Layout>
  );
}

function Editor({ shell, account: { name, avatar }, typed, errors, done }: ProfilePageProps) {
  const { profile: t, account: words } = shell.t;
  const { picture, pictureHint } = t;
  const { pictureTooLarge, pictureUnreadable } = t.faults;
  const field = { name, avatar, error: errors.image ?? null, t: { picture, pictureHint } };
  return (
    <Form
      shell={shell}
      id="public"
      title={t.editor}
      action="/profile"
      done={done === "profile" && t.saved}
      encType="multipart/form-data"
    >
      <Island name="picture" data={{ ...field, faults: { pictureTooLarge, pictureUnreadable } }}>
        <PictureField {...field} />
      </Island>
      <Field
        label={words.username}
        hint={words.usernameHint}
        error={errors.username}
        name="username"
        value={typed.username}
        maxLength={USERNAME_MAX_LENGTH}
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        dir="auto"
        required
      />
      <Field
        label={t.email}
        hint={t.emailHint}
        error={errors.email}
        type="email"
        name="email"
        value={typed.email}
        autocomplete="email"
      />
      <TextField
        label={t.bio}
        hint={fill(t.bioHint, { n: number(shell.locale, BIO_MAX_LENGTH) })}
        error={errors.bio}
        name="bio"
        value={typed.bio}
        rows={5}
        dir="auto"
      />
      <button class="primary">{t.save}</button>
    </Form>
  );
}

function Password({ shell, account, password: { error, rules }, done }: ProfilePageProps) {
  const { profile: t, account: words } = shell.t;
  return (
    <Form
      shell={shell}
      id="password"
      title={t.password}
      action="/profile/password"
      done={done === "password" && t.passwordDone}
      error={error}
    >
      <UserName name={account.name} />
      <Field
        label={t.passwordCurrent}
        type="password"
        name="current"
        autocomplete="current-password"
        required
        autoFocus={error !== null}
      />
      <Field
        label={t.passwordNew}
        hint={words.passwordRules[rules].join(" ")}
        type="password"
        name="password1"
        autocomplete="new-password"
        required
      />
      <Field
        label={words.passwordAgain}
        type="password"
        name="password2"
        autocomplete="new-password"
        required
      />
      <p class="hint">{t.passwordHint}</p>
      <button>{t.passwordSubmit}</button>
    </Form>
  );
}

function Sessions({ shell, sessions, done }: ProfilePageProps) {
  const { profile: t } = shell.t;
  return (
    <Form
      shell={shell}
      id="sessions"
      title={t.sessions}
      action="/profile/sessions"
      done={done === "sessions" && t.sessionsDone}
    >
      <ul class="records sessions">
        {sessions.map((session) => (
          <li key={session.id}>
            <SessionLine shell={shell} session={session} />
          </li>
        ))}
      </ul>
      {sessions.length > 1 && (
        <button name="session" value="others">
          {t.sessionsEndOthers}
        </button>
      )}
    </Form>
  );
}

function SessionLine({ shell: { t, locale, zone }, session }: { shell: Shell; session: SessionView }) {
  const { id, agent, address, createdAt, isCurrent } = session;
  const where = browserIn(agent, t.profile);
  const time = `${day(createdAt, locale, zone)}, ${clock(createdAt, locale, zone)}`;
  return (
    <>
      <div class="subject">
        <p>{where}</p>
        <p class="hint">{fill(t.profile.sessionOpened, { time, address })}</p>
      </div>
      {isCurrent ? (
        <span class="badge">{t.profile.sessionHere}</span>
      ) : (
        <button name="session" value={id} aria-label={`${t.profile.sessionEnd}: ${where}, ${time}`}>
          {t.profile.sessionEnd}
        </button>
      )}
    </>
  );
}

function browserIn({ browser, system }: SessionView["agent"], t: Shell["t"]["profile"]): string {
  if (browser && system) return fill(t.sessionAgent, { browser, system });
  return browser ?? system ?? t.sessionUnknown;
}

function Closing({ shell, account, closing: { error } }: ProfilePageProps) {
  const { profile: t, account: words } = shell.t;
  return (
    <Form shell={shell} id="closing" title={t.closing} action="/profile/delete" error={error}>
      <UserName name={account.name} />
      <p>{t.closingText}</p>
      <Field
        label={words.password}
        type="password"
        name="password"
        autocomplete="current-password"
        required
        autoFocus={error !== null}
      />
      <Field
        label={t.closingConfirm}
        name="confirmation"
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        dir="auto"
        required
      />
      <button class="danger">{t.closingSubmit}</button>
    </Form>
  );
}

/** For password managers, which keep a password under a name. */
function UserName({ name }: { name: string }) {
  return <input autocomplete="username" value={name} readOnly hidden />;
}

interface FormProps {
  shell: Shell;
  /** Where a redirect leads when it is done. */
  id: string;
  title: string;
  action: string;
  /** What has just been done by it, in words. */
  done?: string | false;
  error?: string | null;
  encType?: "multipart/form-data";
  children: ComponentChildren;
}

function Form({ shell, id, title, action, done = false, error = null, encType, children }: FormProps) {
  return (
    <form
      class="card"
      id={id}
      aria-labelledby={`${id}-title`}
      method="post"
      action={action}
      encType={encType}
    >
      <h2 id={`${id}-title`}>{title}</h2>
      <CsrfField token={shell.user?.csrf ?? ""} />
      {done && (
        <p class="done" role="status">
          {done}
        </p>
      )}
      {error && (
        <p class="problem" role="alert">
          {error}
        </p>
      )}
      {children}
    </form>
  );
}
