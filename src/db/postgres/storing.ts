/** The statements that store what a batch changes: one for each kind, however many rows. */
import type { Sql } from "postgres";
import type { NewMessage } from "../../chat/ports.ts";
import type { RoomId } from "../../shared/ids.ts";
import type { MessageView } from "../../shared/protocol.ts";

type Inserted = NewMessage & { id: number; seq: number; name: string };
type Changed = Pick<MessageView, "id" | "text" | "rev" | "editedAt" | "deletedAt">;

export interface Effects {
  inserted: Inserted[];
  changed: Set<Changed>;
  heads: Map<RoomId, number>;
}

/** None of them is sent yet. */
export function statementsOf(sql: Sql, { inserted, changed, heads }: Effects): PromiseLike<unknown>[] {
  return [
    ...(inserted.length > 0 ? [insertion(sql, inserted)] : []),
    ...(changed.size > 0 ? [rewording(sql, [...changed])] : []),
    sql`
      UPDATE rooms r SET head = n.head
      FROM unnest(${[...heads.keys()]}::bigint[], ${[...heads.values()]}::bigint[]) AS n(id, head)
      WHERE r.id = n.id`,
  ];
}

function insertion(sql: Sql, rows: readonly Inserted[]) {
  const all = <Name extends keyof Inserted>(name: Name) => rows.map((row) => row[name]);
  return sql`
    INSERT INTO messages (id, room_id, seq, rev, author_id, author_name, client_key, text, created_at)
    SELECT id, room, seq, seq, author, name, key, text, at
    FROM unnest(${all("id")}::bigint[], ${all("room")}::bigint[], ${all("seq")}::bigint[],
      ${all("author")}::bigint[], ${all("name")}::text[], ${all("key")}::text[],
      ${all("text")}::text[], ${all("createdAt")}::bigint[])
      AS n(id, room, seq, author, name, key, text, at)`;
}

function rewording(sql: Sql, rows: readonly Changed[]) {
  return sql`
    UPDATE messages m SET text = n.text, edited_at = n.edited, deleted_at = n.deleted, rev = n.rev
    FROM unnest(${rows.map(({ id }) => id)}::bigint[], ${rows.map(({ text }) => text)}::text[],
      ${rows.map(({ editedAt }) => editedAt ?? null)}::bigint[],
      ${rows.map(({ deletedAt }) => deletedAt ?? null)}::bigint[],
      ${rows.map(({ rev }) => rev)}::bigint[]) AS n(id, text, edited, deleted, rev)
    WHERE m.id = n.id`;
}
