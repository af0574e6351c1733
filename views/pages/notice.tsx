/** A page that says what went wrong, in the same dress as every other. */
import type { Catalog } from "../../src/shared/locale/locale.ts";
import type { RefusalCode } from "../../src/shared/protocol.ts";
import { Layout, type Shell } from "../components/layout.tsx";
import { withNext } from "../components/links.ts";

export type NoticeStatus = keyof Omit<Catalog["errors"], "home" | "login" | "notForYou">;

export interface NoticeProps {
  shell: Shell;
  status: NoticeStatus;
  /** The rule of the chat that said no, if it was one. */
  reason?: RefusalCode | null;
}

export function NoticePage({ shell, status, reason = null }: NoticeProps) {
  const { title, text } = wordsFor(shell.t, status, reason);
  return (
    <Layout shell={shell} title={title} kind="notice">
      <p class="status">{status}</p>
      <h1>{title}</h1>
      <p class="lead">{text}</p>
      <p>
        <a class="primary button" href="/">
          {shell.t.errors.home}
        </a>
      </p>
      {status === 404 && !shell.user && (
        <p>
          <a href={withNext("/login", shell.path)}>{shell.t.errors.login}</a>
        </p>
      )}
    </Layout>
  );
}

/** A request that was forged and one that was made by the wrong person have a status in common, and nothing else. */
function wordsFor({ errors, refusals }: Catalog, status: NoticeStatus, reason: RefusalCode | null) {
  return status === 403 && reason ? { title: errors.notForYou, text: refusals[reason] } : errors[status];
}
