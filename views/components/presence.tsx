/** Who is here now: a number that opens to a list, for guests a number alone. Kept live by its island. */
import { plural } from "../../src/shared/locale/format.ts";
import type { Catalog } from "../../src/shared/locale/locale.ts";
import type { PresenceView } from "../../src/shared/protocol.ts";
import { Avatar } from "./avatar.tsx";
import { userPath } from "./links.ts";

export interface PresenceProps {
  /** Null where the page was drawn for everybody: its place is kept until the number is known. */
  present: PresenceView | null;
  locale: string;
  t: Catalog["presence"];
}

export function PresenceList({ present, locale, t }: PresenceProps) {
  if (!present?.online)
    return <p class="presence">{present && plural(locale, t.guestsHere, present.guests)}</p>;
  const { online, guests } = present;
  return (
    <details class="presence">
      <summary class="quiet button">{plural(locale, t.online, online.length)}</summary>
      <div class="people">
        <p>{t.list}</p>
        <ol aria-label={t.list}>
          {online.map(({ name, avatar }) => (
            <li key={name}>
              <a href={userPath(name)}>
                <Avatar name={name} avatar={avatar} /> <span dir="auto">{name}</span>
              </a>
            </li>
          ))}
        </ol>
        {guests > 0 && <p>{plural(locale, t.guestsToo, guests)}</p>}
      </div>
    </details>
  );
}
