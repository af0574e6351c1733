/** A page that says what went wrong, in the same dress as every other. */
import type { Catalog } from "../../src/shared/locale/locale.ts";
import { Layout, type Shell } from "../components/layout.tsx";
import { withNext } from "../components/links.ts";

export type NoticeStatus = keyof Omit<Catalog["errors"], "home" | "login">;

export function NoticePage({ shell, status }: { shell: Shell; status: NoticeStatus }) {
  const { title, text } = shell.t.errors[status];
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
