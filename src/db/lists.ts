/** What the long lists have in common. */
import { sql, type SQL, type SQLWrapper } from "drizzle-orm";
import type { Stretch } from "../accounts/ports.ts";

/**
 * Not LIKE, to which some characters of a name are patterns; and each dialect has another name for the place of a part.
 * The part is not empty.
 */
export function contains(text: SQLWrapper, part: string): SQL {
  return sql`replace(${text}, ${part}, '') <> ${text}`;
}

/** Of rows in descending order, one more than fits when there are more. */
export function stretchOf<Item extends { id: number }>(rows: Item[], limit: number): Stretch<Item> {
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}
