/** A message as readers see it; an account that is gone leaves its name. */
export const VIEW = `m.id, m.seq, m.rev, coalesce(u.name, m.author_name) AS author, u.avatar, m.text,
  m.created_at AS "createdAt", m.edited_at AS "editedAt", m.deleted_at AS "deletedAt"`;

export const FROM = "FROM messages m LEFT JOIN users u ON u.id = m.author_id";
