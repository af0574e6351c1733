/** The tables of every database, whatever its dialect. */
import { sql } from "drizzle-orm";
import type { InvitationId, RoomId, SessionId, UserId } from "../shared/ids.ts";
import type { Kit } from "./kit.ts";

export type Tables = ReturnType<typeof createTables>;

export function createTables({ table: make, text, id, whole, flag, index, uniqueIndex, primaryKey }: Kit) {
  const users = make(
    "users",
    {
      id: id().$type<UserId>(),
      name: text().notNull(),
      nameKey: text("name_key").notNull().unique(),
      /** How the name looks: letters of other scripts that look alike are one. */
      nameLook: text("name_look").notNull().default(""),
      email: text().notNull().default(""),
      bio: text().notNull().default(""),
      avatar: text(),
      passwordHash: text("password_hash").notNull(),
      isActive: flag("is_active").notNull().default(true),
      isStaff: flag("is_staff").notNull().default(false),
      isSuperuser: flag("is_superuser").notNull().default(false),
      /** Milliseconds since 1970, like every time in these tables. */
      createdAt: whole("created_at").notNull(),
      lastSeenAt: whole("last_seen_at"),
      /** Reads everything, writes nothing. */
      isMuted: flag("is_muted").notNull().default(false),
      /** The account is gone: nothing is left of it but the name, which stands under its messages and stays taken. */
      deletedAt: whole("deleted_at"),
    },
    (table) => [index("users_name_look").on(table.nameLook)],
  );

  const sessions = make(
    "sessions",
    {
      id: text().primaryKey().$type<SessionId>(),
      userId: whole("user_id")
        .notNull()
        .references(() => users.id, { onDelete: "cascade" })
        .$type<UserId>(),
      csrf: text().notNull(),
      createdAt: whole("created_at").notNull(),
      expiresAt: whole("expires_at").notNull(),
      /** Where and with what it was opened, for its owner to recognise. */
      address: text().notNull().default(""),
      agent: text().notNull().default(""),
    },
    (table) => [index("sessions_user").on(table.userId), index("sessions_expiry").on(table.expiresAt)],
  );

  const rooms = make("rooms", {
    id: id().$type<RoomId>(),
    slug: text().notNull().unique(),
    name: text().notNull(),
    createdBy: whole("created_by").references(() => users.id, { onDelete: "set null" }),
    createdAt: whole("created_at").notNull(),
    /** The number of the room's last change; the numbers of a room are exactly 1..head. */
    head: whole().notNull().default(0),
    topic: text().notNull().default(""),
    /** Of a room of two people: their ids, the smaller first. */
    directKey: text("direct_key").unique(),
    /** Read by its members, written in by nobody. */
    isClosed: flag("is_closed").notNull().default(false),
  });

  /** Who belongs to a private room; the public one has no members. */
  const members = make(
    "members",
    {
      roomId: whole("room_id")
        .notNull()
        .references(() => rooms.id, { onDelete: "cascade" })
        .$type<RoomId>(),
      userId: whole("user_id")
        .notNull()
        .references(() => users.id, { onDelete: "cascade" })
        .$type<UserId>(),
      /** `removed`: was put out, and no invitation lets them in again. */
      role: text({ enum: ["owner", "moderator", "member", "removed"] }).notNull(),
      joinedAt: whole("joined_at").notNull(),
      invitationId: whole("invitation_id")
        .references(() => invitations.id, { onDelete: "set null" })
        .$type<InvitationId>(),
      /** The place (`seq`) of the last message read. */
      readSeq: whole("read_seq").notNull().default(0),
    },
    (table) => [
      primaryKey({ columns: [table.roomId, table.userId] }),
      index("members_user").on(table.userId),
      index("members_invitation").on(table.invitationId),
    ],
  );

  const invitations = make(
    "invitations",
    {
      id: id().$type<InvitationId>(),
      roomId: whole("room_id")
        .notNull()
        .references(() => rooms.id, { onDelete: "cascade" })
        .$type<RoomId>(),
      createdBy: whole("created_by").references(() => users.id, { onDelete: "set null" }),
      createdAt: whole("created_at").notNull(),
      /** Null: never, or as often as anyone likes. */
      expiresAt: whole("expires_at"),
      usesMax: whole("uses_max"),
      uses: whole().notNull().default(0),
      isRevoked: flag("is_revoked").notNull().default(false),
    },
    (table) => [index("invitations_room").on(table.roomId)],
  );

  const messages = make(
    "messages",
    {
      /** Rises with `seq` within a room, so that paging by id and by place are the same. */
      id: id(),
      roomId: whole("room_id")
        .notNull()
        .references(() => rooms.id, { onDelete: "cascade" }),
      seq: whole().notNull(),
      rev: whole().notNull(),
      authorId: whole("author_id").references(() => users.id, { onDelete: "set null" }),
      /** The author's name when the message was written; shown once the account is gone. */
      authorName: text("author_name").notNull(),
      clientKey: text("client_key").notNull(),
      text: text().notNull(),
      createdAt: whole("created_at").notNull(),
      /** When the author last changed the text. */
      editedAt: whole("edited_at"),
      /** The text is gone then; the row keeps its place. */
      deletedAt: whole("deleted_at"),
    },
    (table) => [
      index("messages_room_id").on(table.roomId, table.id),
      uniqueIndex("messages_room_seq").on(table.roomId, table.seq),
      uniqueIndex("messages_room_rev").on(table.roomId, table.rev),
      uniqueIndex("messages_author_key").on(table.authorId, table.clientKey),
    ],
  );

  /** Who did what: sign-ins, denials and acts of staff. Triggers refuse to change or remove a row. */
  const audit = make(
    "audit",
    {
      id: id(),
      at: whole().notNull(),
      action: text().notNull(),
      /** Null when nobody was signed in. The name is a copy, as it was then. */
      actorId: whole("actor_id"),
      actorName: text("actor_name").notNull(),
      /** Whom or what it was done to, such as `user:ann` or `room:public`. */
      subject: text().notNull(),
      detail: text().notNull(),
      address: text().notNull(),
    },
    (table) => [index("audit_action").on(table.action, table.id)],
  );

  /** Whom and what an import has made, so that another one does not make them again, however they are called since. */
  const origins = make(
    "origins",
    {
      /** `user` by its id there, `author` by the name of an account that was gone there, `room` by its slug. */
      kind: text({ enum: ["user", "author", "room"] }).notNull(),
      original: text().notNull(),
      /** What it is here. */
      madeId: whole("made_id").notNull(),
    },
    (table) => [primaryKey({ columns: [table.kind, table.original] })],
  );

  /** One row: facts about this database as a whole. */
  const installation = make("installation", {
    id: whole()
      .primaryKey()
      .default(sql`1`),
    /** Names this database's history of numbers; a restored backup gets a new one. */
    epoch: text().notNull(),
  });

  return { users, sessions, rooms, members, invitations, messages, audit, origins, installation };
}
