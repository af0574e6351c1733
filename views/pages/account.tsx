/** Signing up and logging in. */
import type { ComponentChildren } from "preact";
import { USERNAME_MAX_LENGTH } from "../../src/shared/limits.ts";
import { CsrfField } from "../components/csrf.tsx";
import { Field } from "../components/field.tsx";
import { Layout, type Shell } from "../components/layout.tsx";
import { withNext } from "../components/links.ts";

/** What somebody has written, to be in its place again once they are signed in; `key` is that of the message it was to be. */
export interface KeptText {
  text: string;
  key: string;
}

export interface AccountFormProps {
  shell: Shell;
  csrf: string;
  /** What was typed before, kept when the form is refused. */
  username: string;
  error: string | null;
  /** Where to go afterwards: a path of ours. */
  next: string;
  kept: KeptText | null;
}

export function LoginPage(props: AccountFormProps) {
  const { account: t } = props.shell.t;
  return (
    <AccountForm
      {...props}
      action="/login"
      title={t.loginTitle}
      lead={t.loginLead}
      submit={t.loginSubmit}
      other={{ question: t.noAccount, action: "/register", label: t.registerSubmit }}
    >
      <Username username={props.username} t={t} />
      <Field type="password" name="password" label={t.password} autocomplete="current-password" required />
    </AccountForm>
  );
}

export function RegisterPage(props: AccountFormProps & { rules: "relaxed" | "strict" }) {
  const { account: t } = props.shell.t;
  return (
    <AccountForm
      {...props}
      action="/register"
      title={t.registerTitle}
      lead={t.registerLead}
      submit={t.registerSubmit}
      other={{ question: t.haveAccount, action: "/login", label: t.loginSubmit }}
    >
      <Username username={props.username} t={t} hint={t.usernameHint} />
      <Field
        type="password"
        name="password1"
        label={t.password}
        autocomplete="new-password"
        aria-describedby="rules"
        required
      />
      <ul class="hint" id="rules">
        {t.passwordRules[props.rules].map((rule) => (
          <li key={rule}>{rule}</li>
        ))}
      </ul>
      <Field type="password" name="password2" label={t.passwordAgain} autocomplete="new-password" required />
    </AccountForm>
  );
}

interface FrameProps extends AccountFormProps {
  action: string;
  title: string;
  lead: string;
  submit: string;
  /** The way to the other of the two forms. */
  other: { question: string; action: "/login" | "/register"; label: string };
  children: ComponentChildren;
}

function AccountForm(props: FrameProps) {
  return (
    <Layout shell={props.shell} title={props.title} kind="form">
      <h1>{props.title}</h1>
      <p class="lead">{props.lead}</p>
      <form class="card" method="post" action={props.action}>
        <CsrfField token={props.csrf} />
        <input type="hidden" name="next" value={props.next} />
        {props.kept && <input type="hidden" name="text" value={props.kept.text} />}
        {props.kept && <input type="hidden" name="key" value={props.kept.key} />}
        {props.error && (
          <p class="problem" role="alert">
            {props.error}
          </p>
        )}
        {props.children}
        <button class="primary">{props.submit}</button>
      </form>
      <p class="aside">
        {props.other.question} <a href={withNext(props.other.action, props.next)}>{props.other.label}</a>
      </p>
    </Layout>
  );
}

function Username(props: { username: string; t: Shell["t"]["account"]; hint?: string }) {
  return (
    <Field
      label={props.t.username}
      {...(props.hint !== undefined && { hint: props.hint })}
      name="username"
      value={props.username}
      maxLength={USERNAME_MAX_LENGTH}
      autocomplete="username"
      autocapitalize="none"
      spellcheck={false}
      dir="auto"
      required
      autoFocus
    />
  );
}
