/** What the long lists have in common. */
import { sql, type SQL, type SQLWrapper } from "drizzle-orm";
import type { Stretch } from "../../accounts/ports.ts";

/** Not LIKE, to which some characters of a name are patterns. */
export function contains(text: SQLWrapper, part: string): SQL {
  return sql`instr(${text}, ${part}) > 0`;
}

/** Of rows in descending order, one more than fits when there are more. */
export function stretchOf<Item extends { id: number }>(rows: Item[], limit: number): Stretch<Item> {
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}
