/** What is read of the original's tables, in the words of both dialects; `time` says how one reads a column of times. */
export function queriesOf(time: (column: string) => string) {
  return {
    users: `SELECT u.id, u.username, u.password, u.email, u.is_active AS active, u.is_staff AS staff,
      u.is_superuser AS superuser, ${time("u.date_joined")} AS joined,
      p.id AS profile, p.bio, p.image, ${time("p.last_seen")} AS seen
      FROM auth_user u LEFT JOIN users_profile p ON p.user_id = u.id ORDER BY u.id`,
    strayProfiles: `SELECT p.id FROM users_profile p
      WHERE NOT EXISTS (SELECT 1 FROM auth_user u WHERE u.id = p.user_id) ORDER BY p.id`,
    rooms: `SELECT id, slug, name, created_by_id AS creator FROM chat_room ORDER BY id`,
    messages: `SELECT id, room, username, user_id AS author, message_content AS text, ${time("date_added")} AS added
      FROM chat_message ORDER BY id`,
    counts: `SELECT (SELECT count(*) FROM auth_user) AS users, (SELECT count(*) FROM users_profile) AS profiles,
      (SELECT count(*) FROM chat_room) AS rooms, (SELECT count(*) FROM chat_message) AS messages`,
  };
}

/** Rows that are held in memory at a time. */
export const CHUNK_ROWS = 2000;
