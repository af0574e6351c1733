CREATE TRIGGER `audit_is_never_changed` BEFORE UPDATE ON `audit` BEGIN SELECT RAISE(ABORT, 'audit entries are never changed'); END;
--> statement-breakpoint
CREATE TRIGGER `audit_is_never_removed` BEFORE DELETE ON `audit` BEGIN SELECT RAISE(ABORT, 'audit entries are never removed'); END;
