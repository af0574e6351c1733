/** What the holder of an invitation's link sees: which room, from whom, and the way in. */
import { fill } from "../../src/shared/locale/format.ts";
import { CsrfField } from "../components/csrf.tsx";
import { Layout, type Shell } from "../components/layout.tsx";
import { withNext } from "../components/links.ts";

export interface InvitationPageProps {
  shell: Shell;
  token: string;
  /** Null when it lets nobody in any more. */
  invitation: { roomName: string; inviter: string | null } | null;
}

export function InvitationPage({ shell, token, invitation }: InvitationPageProps) {
  const { invitation: t, errors } = shell.t;
  const path = `/invitations/${token}`;
  if (!invitation) {
    return (
      <Layout shell={shell} title={t.overTitle} kind="notice">
        <h1>{t.overTitle}</h1>
        <p class="lead">{t.over}</p>
        <p>
          <a class="primary button" href="/">
            {errors.home}
          </a>
        </p>
      </Layout>
    );
  }
  const { roomName, inviter } = invitation;
  return (
    <Layout shell={shell} title={t.title} kind="notice">
      <h1 dir="auto">{roomName}</h1>
      <p class="lead">{inviter ? fill(t.from, { name: inviter }) : t.lead}</p>
      {shell.user ? (
        <form method="post" action={path}>
          <CsrfField token={shell.user.csrf} />
          <button class="primary">{t.join}</button>
        </form>
      ) : (
        <>
          <p>
            <a class="primary button" href={withNext("/register", path)}>
              {t.register}
            </a>
          </p>
          <p>
            <a href={withNext("/login", path)}>{t.login}</a>
          </p>
        </>
      )}
    </Layout>
  );
}
