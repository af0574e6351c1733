import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { RoomId, SessionId, UserId } from "../../shared/ids.ts";

export const users = sqliteTable("users", {
  id: integer().primaryKey({ autoIncrement: true }).$type<UserId>(),
  name: text().notNull(),
  nameKey: text("name_key").notNull().unique(),
  email: text().notNull().default(""),
  bio: text().notNull().default(""),
  avatar: text(),
  passwordHash: text("password_hash").notNull(),
  isActive: integer("is_active", { mode: "boolean" }).notNull().default(true),
  isStaff: integer("is_staff", { mode: "boolean" }).notNull().default(false),
  isSuperuser: integer("is_superuser", { mode: "boolean" }).notNull().default(false),
  /** Milliseconds since 1970, like every time in these tables. */
  createdAt: integer("created_at").notNull(),
});

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
});

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
  },
  (table) => [
    index("messages_room_id").on(table.roomId, table.id),
    uniqueIndex("messages_room_seq").on(table.roomId, table.seq),
    uniqueIndex("messages_room_rev").on(table.roomId, table.rev),
    uniqueIndex("messages_author_key").on(table.authorId, table.clientKey),
  ],
);

/** One row: facts about this database as a whole. */
export const installation = sqliteTable("installation", {
  id: integer()
    .primaryKey()
    .default(sql`1`),
  /** Names this database's history of numbers; a restored backup gets a new one. */
  epoch: text().notNull(),
});
