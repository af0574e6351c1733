/** Where everything is kept: the database in the data folder, and the pictures beside it. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createAccountStore, createSessionStore } from "../db/sqlite/accounts.ts";
import { createAuditLog } from "../db/sqlite/audit.ts";
import { createDirectory } from "../db/sqlite/directory.ts";
import { isLost, isUnavailable } from "../db/sqlite/failures.ts";
import { createInvitationStore } from "../db/sqlite/invitations.ts";
import { createMemberStore } from "../db/sqlite/members.ts";
import { createMessageStore } from "../db/sqlite/messages.ts";
import { openSqlite } from "../db/sqlite/open.ts";
import { createProbe } from "../db/sqlite/probe.ts";
import { createRoomStore } from "../db/sqlite/rooms.ts";
import { watchOtherWriters } from "../db/sqlite/watch.ts";
import { createPictures } from "../media/pictures.ts";
import { MIGRATIONS } from "../resources.ts";

export type Stores = ReturnType<typeof openStores>;

export function openStores(dataDir: string, now: number) {
  mkdirSync(dataDir, { recursive: true });
  const db = openSqlite(join(dataDir, "echochat.sqlite"), MIGRATIONS, now);
  return {
    accounts: createAccountStore(db),
    sessions: createSessionStore(db),
    audit: createAuditLog(db),
    directory: createDirectory(db),
    rooms: createRoomStore(db),
    members: createMemberStore(db),
    invitations: createInvitationStore(db),
    messages: createMessageStore(db),
    pictures: createPictures(join(dataDir, "media")),
    /** Rejects when the database cannot be written. */
    probe: createProbe(db),
    /** Calls back when another process, such as the command line, has written; answers with what ends that. */
    watch: (onWritten: () => void) => watchOtherWriters(db, onWritten),
    /** Whether this error says that the disk has failed. */
    isLost,
    /** Whether it says that the database cannot do it just now. */
    isUnavailable,
    close: () => db.$client.close(),
  };
}
