import { and, desc, eq, lt, or, sql } from "drizzle-orm";
import type { AuditLog } from "../accounts/ports.ts";
import type { AuditAction } from "../shared/audit.ts";
import type { UserId } from "../shared/ids.ts";
import { contains, stretchOf } from "./lists.ts";
import type { Source } from "./source.ts";

export function createAuditLog({ db, tables: { audit } }: Source): AuditLog {
  return {
    async append(entry) {
      await db.insert(audit).values(entry);
    },

    async page({ before, q, action, limit }) {
      const text = sql`${audit.actorName} || ' ' || ${audit.subject} || ' ' || ${audit.detail} || ' ' || ${audit.address}`;
      const rows = await db
        .select()
        .from(audit)
        .where(
          and(
            before === null ? undefined : lt(audit.id, before),
            action === null ? undefined : eq(audit.action, action),
            q === "" ? undefined : or(contains(text, q), contains(sql`lower(${text})`, q.toLowerCase())),
          ),
        )
        .orderBy(desc(audit.id))
        .limit(limit + 1);
      const entries = rows.map(({ action: done, actorId, ...row }) => ({
        ...row,
        action: done as AuditAction,
        actorId: actorId as UserId | null,
      }));
      return stretchOf(entries, limit);
    },
  };
}
