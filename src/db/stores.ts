/** What a database gives, whatever its dialect. */
import type { AccountStore, AuditLog, Directory, SessionStore } from "../accounts/ports.ts";
import type { BusEvent, InvitationStore, MemberStore, MessageStore, RoomStore } from "../chat/ports.ts";
import { createAccountStore, createSessionStore } from "./accounts.ts";
import { createAuditLog } from "./audit.ts";
import { createDirectory } from "./directory.ts";
import { createInvitationStore } from "./invitations.ts";
import { createMemberStore } from "./members.ts";
import { createRoomStore, type RoomReading } from "./rooms.ts";
import type { Source } from "./source.ts";

export interface DatabaseStores {
  accounts: AccountStore;
  sessions: SessionStore;
  audit: AuditLog;
  directory: Directory;
  rooms: RoomStore;
  members: MemberStore;
  invitations: InvitationStore;
  messages: MessageStore;
  /** Rejects when the database cannot be written. */
  probe(): Promise<void>;
  /**
   * Tells what other processes, such as the command line or another node, have done, and why it does not hear of it; answers
   * with what ends that.
   */
  watch(tell: (event: BusEvent) => void, onFailure: (error: unknown) => void): () => void;
  /** Whether this error says that the disk has failed. */
  isLost(error: unknown): boolean;
  /** Whether it says that the database cannot do it just now. */
  isUnavailable(error: unknown): boolean;
  close(): Promise<void>;
}

/** Those that are written once, with what of them is not. */
export function createOrdinaryStores(
  source: Source,
  { markSeen, ...reading }: RoomReading & Pick<AccountStore, "markSeen">,
) {
  return {
    accounts: createAccountStore(source, markSeen),
    sessions: createSessionStore(source),
    audit: createAuditLog(source),
    directory: createDirectory(source),
    rooms: createRoomStore(source, reading),
    members: createMemberStore(source),
    invitations: createInvitationStore(source),
  };
}
