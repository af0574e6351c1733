/**
 * Whether the numbers of each room are exactly 1..head, in SQL that both dialects understand. A message keeps the number of
 * its place and that of its last change; one between the two may have been that of an earlier change, which is overwritten.
 */

/** One row for each room; of one that was removed nothing is left but its slug and head. */
export const ROOMS = `
  SELECT r.slug, r.name, r.head, count(m.seq) AS messages, min(m.seq) AS first,
    (SELECT max(rev) FROM messages WHERE room_id = r.id) AS last
  FROM rooms r LEFT JOIN messages m ON m.room_id = r.id GROUP BY r.id ORDER BY r.id`;

/** Numbers that are missing, or there twice; rooms that have as many messages as numbers need no look. */
export const GAPS = `
  WITH changed AS (
    SELECT r.id FROM rooms r WHERE r.head <> (SELECT count(*) FROM messages WHERE room_id = r.id)
  ), numbers AS (
    SELECT room_id, seq AS n, rev FROM messages WHERE room_id IN (SELECT id FROM changed)
    UNION ALL
    SELECT room_id, rev, rev FROM messages WHERE rev <> seq AND room_id IN (SELECT id FROM changed)
  ), spans AS (
    SELECT room_id, n, lead(n) OVER (PARTITION BY room_id ORDER BY n) AS next,
      max(rev) OVER (PARTITION BY room_id ORDER BY n ROWS UNBOUNDED PRECEDING) AS reach
    FROM numbers
  )
  SELECT r.slug, s.n, s.next FROM spans s JOIN rooms r ON r.id = s.room_id
  WHERE s.next = s.n OR (s.next > s.n + 1 AND s.reach < s.next) ORDER BY r.id, s.n LIMIT 100`;

/** As the drivers give them: PostgreSQL's numbers of eight bytes are texts. */
type Row<Name extends string> = Record<Name, string | number | null>;
export type RoomRow = Row<"slug" | "name" | "head" | "messages" | "first" | "last">;
export type GapRow = Row<"slug" | "n" | "next">;

export interface Numbers {
  rooms: number;
  messages: number;
  /** What is wrong, room by room. */
  wrong: string[];
}

export function judge(rooms: readonly RoomRow[], gaps: readonly GapRow[]): Numbers {
  const ends = rooms.flatMap((row) => {
    const [head, messages, first, last] = [row.head, row.messages, row.first, row.last].map(Number) as [
      number,
      number,
      number,
      number,
    ];
    const about = (words: string) => [`${row.slug}: ${words}`];
    if (messages === 0)
      return head > 0 && row.name !== "" ? about(`stands at ${head} without a message`) : [];
    if (first !== 1) return about(`begins with ${first}`);
    return last === head ? [] : about(`stands at ${head}, its last change is ${last}`);
  });
  const between = gaps.map(({ slug, n, next }) => `${slug}: ${gapOf(Number(n), Number(next))}`);
  const messages = rooms.reduce((sum, row) => sum + Number(row.messages), 0);
  return { rooms: rooms.length, messages, wrong: [...ends, ...between] };
}

function gapOf(before: number, after: number): string {
  if (before === after) return `number ${before} is there twice`;
  return after - before === 2
    ? `number ${before + 1} is missing`
    : `numbers ${before + 1} to ${after - 1} are missing`;
}
