/** The links into a room: those there are, who came by each, and the form that makes another. */
import { fill, number, plural, type PluralForms } from "../../src/shared/locale/format.ts";
import type { Catalog } from "../../src/shared/locale/locale.ts";
import { clock, day } from "../../src/shared/time.ts";
import { CsrfField } from "./csrf.tsx";
import type { Shell } from "./layout.tsx";

export interface ListedInvitation {
  id: number;
  token: string;
  createdBy: string | null;
  expiresAt: number | null;
  usesMax: number | null;
  uses: number;
  isOpen: boolean;
}

export interface InvitationsProps {
  shell: Shell;
  room: { slug: string };
  origin: string;
  invitations: readonly ListedInvitation[];
  members: readonly { name: string; invitation: number | null }[];
  t: Catalog["roomSettings"];
}

const DAYS = [1, 7, 30];
const USES = [1, 10, 100];

export function Invitations(props: InvitationsProps) {
  const { shell, room, invitations, t } = props;
  const csrf = shell.user?.csrf ?? "";
  return (
    <section class="card" aria-labelledby="invitations">
      <h2 id="invitations">{t.invitations}</h2>
      {invitations.length > 0 && (
        <ul class="records invitations">
          {invitations.map((invitation) => (
            <Invitation key={invitation.id} {...props} invitation={invitation} />
          ))}
        </ul>
      )}
      <form class="terms" method="post" action={`/rooms/${room.slug}/invitations`}>
        <CsrfField token={csrf} />
        <Choice
          name="days"
          label={t.expires}
          values={DAYS}
          of={t.days}
          none={t.never}
          locale={shell.locale}
        />
        <Choice
          name="uses"
          label={t.uses}
          values={USES}
          of={t.people}
          none={t.unlimited}
          locale={shell.locale}
        />
        <button>{t.invite}</button>
      </form>
    </section>
  );
}

function Invitation(props: InvitationsProps & { invitation: ListedInvitation }) {
  const { shell, room, origin, invitation, members, t } = props;
  const { id, token, isOpen } = invitation;
  const came = members.filter((member) => member.invitation === id).map(({ name }) => name);
  return (
    <li>
      <div class="subject">
        {isOpen ? (
          <input readOnly aria-label={t.link} value={`${origin}/invitations/${token}`} />
        ) : (
          <p>{t.over}</p>
        )}
        <p class="hint">
          {termsOf(invitation, shell)} {came.length > 0 && `${t.cameBy} ${came.join(", ")}`}
        </p>
      </div>
      {isOpen && (
        <form method="post" action={`/rooms/${room.slug}/invitations/${id}/revoke`}>
          <CsrfField token={shell.user?.csrf ?? ""} />
          <button>{t.revoke}</button>
        </form>
      )}
    </li>
  );
}

function termsOf({ uses, usesMax, expiresAt }: ListedInvitation, { t, locale, zone }: Shell): string {
  const { roomSettings: texts } = t;
  const used =
    usesMax === null
      ? fill(texts.used, { n: number(locale, uses) })
      : fill(texts.usedOf, { n: number(locale, uses), max: number(locale, usesMax) });
  const time = expiresAt !== null && `${day(expiresAt, locale, zone)}, ${clock(expiresAt, locale, zone)}`;
  const until = time ? fill(texts.until, { time }) : "";
  return `${used} ${until}`.trim();
}

interface ChoiceProps {
  name: string;
  label: string;
  values: readonly number[];
  of: PluralForms;
  none: string;
  locale: string;
}

function Choice({ name, label, values, of, none, locale }: ChoiceProps) {
  return (
    <label>
      {label}
      <select name={name}>
        {values.map((value) => (
          <option key={value} value={value} selected={value === values[1]}>
            {plural(locale, of, value)}
          </option>
        ))}
        <option value="">{none}</option>
      </select>
    </label>
  );
}
