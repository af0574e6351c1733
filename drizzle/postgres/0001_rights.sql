CREATE FUNCTION echochat_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'audit entries are never %', TG_ARGV[0];
END $$;
--> statement-breakpoint
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION echochat_refuse('changed');
--> statement-breakpoint
CREATE TRIGGER audit_is_never_removed BEFORE DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION echochat_refuse('removed');
--> statement-breakpoint
-- Rights that change are told to every node, with the change and in its order; "by" lets a node know its own.
CREATE FUNCTION echochat_tell(event json) RETURNS void LANGUAGE sql AS $$
  SELECT pg_notify('echochat_rights', json_build_object('by', current_setting('application_name'), 'event', event)::text)
$$;
--> statement-breakpoint
CREATE FUNCTION echochat_sessions_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- A notification holds 8000 bytes.
  PERFORM echochat_tell(json_build_object('type', 'sessions.ended', 'sessions', json_agg(id)))
  FROM (SELECT id, (row_number() OVER () - 1) / 100 AS part FROM ended) AS parts GROUP BY part;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER sessions_ended AFTER DELETE ON sessions REFERENCING OLD TABLE AS ended FOR EACH STATEMENT EXECUTE FUNCTION echochat_sessions_ended();
--> statement-breakpoint
CREATE FUNCTION echochat_account_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM echochat_tell(json_build_object('type', 'account.changed', 'userId', NEW.id, 'name', NEW.name, 'avatar', NEW.avatar));
  RETURN NULL;
END $$;
--> statement-breakpoint
-- Not for last_seen_at, which changes all the time.
CREATE TRIGGER account_changed
  AFTER UPDATE OF name, email, bio, avatar, password_hash, is_active, is_muted, is_staff, is_superuser, deleted_at ON users
  FOR EACH ROW WHEN (
    (OLD.name, OLD.email, OLD.bio, OLD.avatar, OLD.password_hash, OLD.is_active, OLD.is_muted, OLD.is_staff, OLD.is_superuser, OLD.deleted_at)
    IS DISTINCT FROM
    (NEW.name, NEW.email, NEW.bio, NEW.avatar, NEW.password_hash, NEW.is_active, NEW.is_muted, NEW.is_staff, NEW.is_superuser, NEW.deleted_at)
  ) EXECUTE FUNCTION echochat_account_changed();
--> statement-breakpoint
CREATE FUNCTION echochat_membership_ended() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM echochat_tell(json_build_object('type', 'membership.ended', 'roomId', id, 'room', slug, 'userId', OLD.user_id))
  FROM rooms WHERE id = OLD.room_id;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER membership_ended AFTER DELETE ON members
  FOR EACH ROW WHEN (OLD.role <> 'removed') EXECUTE FUNCTION echochat_membership_ended();
--> statement-breakpoint
CREATE TRIGGER membership_ended_for_good AFTER UPDATE OF role ON members
  FOR EACH ROW WHEN (OLD.role <> 'removed' AND NEW.role = 'removed') EXECUTE FUNCTION echochat_membership_ended();
--> statement-breakpoint
CREATE FUNCTION echochat_room_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM echochat_tell(json_build_object('type', TG_ARGV[0], 'roomId', OLD.id, 'room', OLD.slug));
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER room_changed AFTER UPDATE OF name, topic, is_closed ON rooms
  FOR EACH ROW WHEN ((OLD.name, OLD.topic, OLD.is_closed) IS DISTINCT FROM (NEW.name, NEW.topic, NEW.is_closed) AND NEW.name <> '')
  EXECUTE FUNCTION echochat_room_changed('room.changed');
--> statement-breakpoint
-- What is left of a room that was deleted has no name.
CREATE TRIGGER room_emptied AFTER UPDATE OF name ON rooms
  FOR EACH ROW WHEN (OLD.name <> '' AND NEW.name = '') EXECUTE FUNCTION echochat_room_changed('room.removed');
--> statement-breakpoint
CREATE TRIGGER room_removed AFTER DELETE ON rooms
  FOR EACH ROW EXECUTE FUNCTION echochat_room_changed('room.removed');
