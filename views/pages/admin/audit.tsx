/** Who did what, the newest first. */
import { AUDIT_ACTIONS, type AuditAction } from "../../../src/shared/audit.ts";
import type { Shell } from "../../components/layout.tsx";
import { Frame, Moment, Paging, Plain, Search } from "./frame.tsx";

export interface ListedEntry {
  id: number;
  at: number;
  action: AuditAction;
  actorName: string;
  subject: string;
  detail: string;
  address: string;
}

export interface AuditPageProps {
  shell: Shell;
  q: string;
  action: AuditAction | null;
  items: ListedEntry[];
  next: number | null;
  isFirst: boolean;
}

export function AuditPage({ shell, q, action, items, next, isFirst }: AuditPageProps) {
  const { admin: t } = shell.t;
  return (
    <Frame shell={shell} section="audit">
      <Search shell={shell} section="audit" label={t.searchAudit} q={q}>
        <label>
          {t.action}
          <select name="action">
            <option value="">{t.anyAction}</option>
            {AUDIT_ACTIONS.map((one) => (
              <option key={one} value={one} selected={one === action}>
                {t.actions[one]}
              </option>
            ))}
          </select>
        </label>
      </Search>
      {items.length === 0 && <p class="lead">{t.nothing}</p>}
      <ol class="records">
        {items.map((entry) => (
          <Entry key={entry.id} shell={shell} entry={entry} />
        ))}
      </ol>
      <Paging {...{ shell, next, isFirst }} section="audit" query={{ q, action }} cursor="before" />
    </Frame>
  );
}

function Entry({ shell, entry }: { shell: Shell; entry: ListedEntry }) {
  const { admin: t } = shell.t;
  const { actorName, action, subject, detail, address, at } = entry;
  const about = [subject, detail].filter(Boolean).join(" · ");
  return (
    <li>
      <span class="subject">
        <b>{actorName ? <Plain>{actorName}</Plain> : t.nobody}</b>: {t.actions[action]}
        {about && (
          <>
            {" "}
            <Plain>{about}</Plain>
          </>
        )}
      </span>
      <span class="hint">
        <Moment at={at} shell={shell} />
        {address && (
          <>
            {" · "}
            <Plain>{address}</Plain>
          </>
        )}
      </span>
    </li>
  );
}
