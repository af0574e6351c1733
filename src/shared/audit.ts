/** What the audit log keeps. Closed, so that every action has words in every language. */
export const AUDIT_ACTIONS = [
  "session.opened",
  "session.refused",
  "session.limited",
  "session.closed",
  "account.registered",
  "account.muted",
  "account.unmuted",
  "account.disabled",
  "account.enabled",
  "account.sessions_ended",
  "account.promoted",
  "account.demoted",
  "account.password_set",
  "message.removed",
  "room.closed",
  "room.opened",
  "room.renamed",
  "access.denied",
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export function isAuditAction(text: string | null): text is AuditAction {
  return AUDIT_ACTIONS.includes(text as AuditAction);
}
