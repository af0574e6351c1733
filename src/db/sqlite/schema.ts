import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { InvitationId, RoomId, SessionId, UserId } from "../../shared/ids.ts";

export const users = sqliteTable(
  "users",
  {
    id: integer().primaryKey({ autoIncrement: true }).$type<UserId>(),
    name: text().notNull(),
    nameKey: text("name_key").notNull().unique(),
    /** How the name looks: letters of other scripts that look alike are one. */
    nameLook: text("name_look").notNull().default(""),
    email: text().notNull().default(""),
    bio: text().notNull().default(""),
    avatar: text(),
    passwordHash: text("password_hash").notNull(),
    isActive: integer("is_active", { mode: "boolean" }).notNull().default(true),
    isStaff: integer("is_staff", { mode: "boolean" }).notNull().default(false),
    isSuperuser: integer("is_superuser", { mode: "boolean" }).notNull().default(false),
    /** Milliseconds since 1970, like every time in these tables. */
    createdAt: integer("created_at").notNull(),
    lastSeenAt: integer("last_seen_at"),
    /** Reads everything, writes nothing. */
    isMuted: integer("is_muted", { mode: "boolean" }).notNull().default(false),
    /** The account is gone: nothing is left of it but the name, which stands under its messages and stays taken. */
    deletedAt: integer("deleted_at"),
  },
  (table) => [index("users_name_look").on(table.nameLook)],
);

export const sessions = sqliteTable(
  "sessions",
  {
    id: text().primaryKey().$type<SessionId>(),
    userId: integer("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" })
      .$type<UserId>(),
    csrf: text().notNull(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    /** Where and with what it was opened, for its owner to recognise. */
    address: text().notNull().default(""),
    agent: text().notNull().default(""),
  },
  (table) => [index("sessions_user").on(table.userId), index("sessions_expiry").on(table.expiresAt)],
);

export const rooms = sqliteTable("rooms", {
  id: integer().primaryKey({ autoIncrement: true }).$type<RoomId>(),
  slug: text().notNull().unique(),
  name: text().notNull(),
  createdBy: integer("created_by").references(() => users.id, { onDelete: "set null" }),
  createdAt: integer("created_at").notNull(),
  /** The number of the room's last change; the numbers of a room are exactly 1..head. */
  head: integer().notNull().default(0),
  topic: text().notNull().default(""),
  /** Of a room of two people: their ids, the smaller first. */
  directKey: text("direct_key").unique(),
  /** Read by its members, written in by nobody. */
  isClosed: integer("is_closed", { mode: "boolean" }).notNull().default(false),
});

/** Who belongs to a private room; the public one has no members. */
export const members = sqliteTable(
  "members",
  {
    roomId: integer("room_id")
      .notNull()
      .references(() => rooms.id, { onDelete: "cascade" })
      .$type<RoomId>(),
    userId: integer("user_id")
      .notNull()
      .references(() => users.id, { onDelete: "cascade" })
      .$type<UserId>(),
    /** `removed`: was put out, and no invitation lets them in again. */
    role: text({ enum: ["owner", "moderator", "member", "removed"] }).notNull(),
    joinedAt: integer("joined_at").notNull(),
    invitationId: integer("invitation_id")
      .references(() => invitations.id, { onDelete: "set null" })
      .$type<InvitationId>(),
    /** The place (`seq`) of the last message read. */
    readSeq: integer("read_seq").notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.roomId, table.userId] }),
    index("members_user").on(table.userId),
    index("members_invitation").on(table.invitationId),
  ],
);

export const invitations = sqliteTable(
  "invitations",
  {
    id: integer().primaryKey({ autoIncrement: true }).$type<InvitationId>(),
    roomId: integer("room_id")
      .notNull()
      .references(() => rooms.id, { onDelete: "cascade" })
      .$type<RoomId>(),
    createdBy: integer("created_by").references(() => users.id, { onDelete: "set null" }),
    createdAt: integer("created_at").notNull(),
    /** Null: never, or as often as anyone likes. */
    expiresAt: integer("expires_at"),
    usesMax: integer("uses_max"),
    uses: integer().notNull().default(0),
    isRevoked: integer("is_revoked", { mode: "boolean" }).notNull().default(false),
  },
  (table) => [index("invitations_room").on(table.roomId)],
);

export const messages = sqliteTable(
  "messages",
  {
    /** Rises with `seq` within a room, so that paging by id and by place are the same. */
    id: integer().primaryKey({ autoIncrement: true }),
    roomId: integer("room_id")
      .notNull()
      .references(() => rooms.id, { onDelete: "cascade" }),
    seq: integer().notNull(),
    rev: integer().notNull(),
    authorId: integer("author_id").references(() => users.id, { onDelete: "set null" }),
    /** The author's name when the message was written; shown once the account is gone. */
    authorName: text("author_name").notNull(),
    clientKey: text("client_key").notNull(),
    text: text().notNull(),
    createdAt: integer("created_at").notNull(),
    /** When the author last changed the text. */
    editedAt: integer("edited_at"),
    /** The text is gone then; the row keeps its place. */
    deletedAt: integer("deleted_at"),
  },
  (table) => [
    index("messages_room_id").on(table.roomId, table.id),
    uniqueIndex("messages_room_seq").on(table.roomId, table.seq),
    uniqueIndex("messages_room_rev").on(table.roomId, table.rev),
    uniqueIndex("messages_author_key").on(table.authorId, table.clientKey),
  ],
);

/** Who did what: sign-ins, denials and acts of staff. Triggers refuse to change or remove a row. */
export const audit = sqliteTable(
  "audit",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    at: integer().notNull(),
    action: text().notNull(),
    /** Null when nobody was signed in. The name is a copy, as it was then. */
    actorId: integer("actor_id"),
    actorName: text("actor_name").notNull(),
    /** Whom or what it was done to, such as `user:ann` or `room:public`. */
    subject: text().notNull(),
    detail: text().notNull(),
    address: text().notNull(),
  },
  (table) => [index("audit_action").on(table.action, table.id)],
);

/** One row: facts about this database as a whole. */
export const installation = sqliteTable("installation", {
  id: integer()
    .primaryKey()
    .default(sql`1`),
  /** Names this database's history of numbers; a restored backup gets a new one. */
  epoch: text().notNull(),
});
