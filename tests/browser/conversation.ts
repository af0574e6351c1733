/** What people say, for rooms that should look lived in; and a way to let them have said it days ago. */
import { nameKey } from "../../src/accounts/names.ts";
import type { ClientKey, SessionId } from "../../src/shared/ids.ts";
import { inStores } from "../../src/testing/database.ts";
import { newKey } from "../../src/testing/socket.ts";
import { signIn } from "../../src/testing/stores/open.ts";
import { post, postedOf } from "../../src/testing/stores/scene.ts";

export interface Said {
  by: string;
  text: string;
  /** Milliseconds since 1970. */
  at: number;
}

/**
 * Writes messages straight into the store, under sessions that are open for just as long: through the doors of the product
 * nobody speaks yesterday.
 */
export async function said(place: { dataDir: string }, lines: readonly Said[]): Promise<number[]> {
  const written = await inStores(place, async ({ accounts, messages, rooms, sessions }) => {
    const room = (await rooms.entry("public", null))?.room;
    const batch = [];
    const opened = new Set<SessionId>();
    for (const { by, text, at } of lines) {
      const account = await accounts.byNameKey(nameKey(by));
      if (!room || !account) throw new Error(`${by} has no account`);
      opened.add(await signIn({ sessions }, account.id));
      const key = newKey() as ClientKey;
      batch.push(post({ room: room.id, author: account.id, key, text, createdAt: at }));
    }
    const done = await messages.write(batch);
    for (const session of opened) await sessions.remove(session);
    return done;
  });
  return postedOf(written).map(({ id }) => id);
}

/** Fifty messages as a team writes them in an afternoon: no two alike, so that they compress like real ones. */
export function afternoon(people: readonly string[], start: number): Said[] {
  let at = start;
  return LINES.map((text, i) => {
    at += ([20, 45, 8, 190, 70, 400][i % 6] as number) * 1000;
    return { by: people[(i * 7 + (i >> 2)) % people.length] as string, text, at };
  });
}

const LINES = [
  "Morning all. The staging box is back up, the disk was full of old core dumps.",
  "thanks! I was wondering why the nightly import had stopped",
  "How did we not get an alert for that?",
  "We did, it went to the old address. I've moved the rule over to the on-call list now.",
  "👍",
  "Next thing: the export for the auditors. Who has the list of columns they wanted?",
  "It's at https://wiki.example.org/finance/audit-2026#columns, bottom of the page.",
  "Got it. Two of those we don't store at all (cost centre, approver).",
  "Approver is in the workflow log, we could join it by ticket number",
  "ok, then only the cost centre is missing. I'll ask Marta whether a fixed value is fine.",
  "Кстати, перевод страницы настроек готов, посмотрите, пожалуйста, до пятницы.",
  "Уже смотрю. На узком экране кнопка «Сохранить» переносится на две строки.",
  "Вижу, поправлю отступы. В остальном всё хорошо?",
  "Да, отлично читается.",
  "Lunch? The new place on the corner does dumplings today.",
  "Count me in, twelve thirty?",
  "in",
  "I'm in a call until one, bring me something with mushrooms 🍄🙏",
  "Reminder that the retro is at three, not four. Room Birch, or the usual link.",
  "Could somebody look over my change to the retry logic? It is about 60 lines, half of them tests: https://git.example.org/core/retry/pulls/418",
  "Looking. Why jitter from zero and not from half of the delay?",
  "Because after an outage everybody comes back at once, and full jitter spreads them best. There's a nice graph in the article I linked from the description.",
  "Fair. Then please say that in a comment, the next person will ask the same.",
  "Done, and renamed the constant.",
  "Approved ✅",
  "The print shop called: badges will be ready on Thursday, but they need the final list of names today before five.",
  "I have 41 names. Missing: the two interns and whoever comes from Lyon.",
  "Lyon sends Amélie and Théo, I'm sure about that",
  "Interns are Kwame and Zofia, both with a Z-free spelling in the mail, careful ;-)",
  "Ha. Sent.",
  "Numbers from last night's load test: 9,200 requests a second before the first timeout, median 3 ms, p99 41 ms. That's with one node and the small machine.",
  "That is better than I expected, honestly",
  "Same here. What gave way first?",
  "Connections to the database. The pool was at 10; with 25 the p99 drops to 28 ms and then the network card is the limit.",
  "Let's write that down in the runbook before we forget.",
  "Does anybody know why the heating is on in the small meeting room? It's 26 degrees in there.",
  "Facilities are aware, the valve is stuck. They come tomorrow between eight and ten.",
  "Кто-нибудь видел мой зонт? Чёрный, с деревянной ручкой.",
  "Стоит у входа, за стойкой.",
  "Спасибо, нашёл!",
  "I've put the photos from the summer party here: https://photos.example.org/s/8fKq2 (the link expires in a week)",
  "Oh no, the karaoke ones too?",
  "Especially those.",
  "😂😂",
  "One question about the holiday calendar: does the 24th count as a full day or half a day this year?",
  "Half, as always. The office closes at noon.",
  "Perfect, then I'll take the train at two.",
  "Deploying the fix for the time zone thing in five minutes, shout if that's a bad moment.",
  "go ahead, nothing running on our side",
  "Live. Dates in the weekly mail are right again, I checked Tokyo, Lisbon and Denver.",
];
