/** Writing down who did what, so that a line of the log is one line, whatever people call themselves. */
import { USERNAME_MAX_LENGTH } from "../shared/limits.ts";
import type { Audit, AuditLog, Clock } from "./ports.ts";

/** Code units of a subject or a detail: room for a path, or a name and a slug. */
const TEXT_MAX = 300;

export function createAudit({ log, clock }: { log: AuditLog; clock: Clock }): Audit {
  return {
    record: (action, by, subject = "", detail = "") =>
      log.append({
        at: clock.now(),
        action,
        actorId: by.id,
        actorName: harmless(by.name, USERNAME_MAX_LENGTH),
        subject: harmless(subject, TEXT_MAX),
        detail: harmless(detail, TEXT_MAX),
        address: by.address,
      }),
  };
}

/** Characters that nobody sees, or that move what stands beside them, are spelled out; a failed sign-in may hold any. */
function harmless(text: string, most: number): string {
  const kept = text.length > most ? `${text.slice(0, most)}…` : text;
  return kept.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, spelledOut);
}

function spelledOut(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}
