-- The day on which nobody can administer Acme any more: run after platform.sql, and again before a drill. Practice only.
-- The session settings practice.* carry password hashes, whose passwords nobody knows but root's.

-- Whoever became an owner in an earlier drill left the company.
UPDATE adminuser SET deleted_at = now()
 WHERE role = 'platform_owner' AND deleted_at IS NULL
   AND email NOT IN ('dana@acme.example', 'root@acme.example', 'lee@acme.example');
DELETE FROM session;

-- Dana forgot her password and ran into the counter.
UPDATE adminuser
   SET password_hash = current_setting('practice.dana'), is_active = true, disabled_at = NULL, disabled_by = NULL,
       deleted_at = NULL, failed_logins = 12, last_failed_at = now() - interval '35 minutes', must_change_password = false,
       last_login_at = date_trunc('day', now()) - interval '2 days 15 hours 19 minutes'
 WHERE email = 'dana@acme.example';
INSERT INTO audit_log (at, actor, action, target)
SELECT now() - interval '35 minutes' - n * interval '40 seconds', 'dana@acme.example', 'sign_in.failed', 'dana@acme.example'
  FROM generate_series(11, 0, -1) AS n;

-- Root was disabled by somebody who has left; its password is still in the safe.
UPDATE adminuser
   SET password_hash = current_setting('practice.root'), is_active = false, deleted_at = NULL, failed_logins = 0,
       disabled_at = date_trunc('day', now()) - interval '1 day 13 hours', disabled_by = 'lee@acme.example',
       must_change_password = false, last_login_at = now() - interval '112 days'
 WHERE email = 'root@acme.example';
INSERT INTO audit_log (at, actor, action, target)
SELECT disabled_at, disabled_by, 'account.disabled', email FROM adminuser WHERE email = 'root@acme.example';

-- Lee left and was deleted.
UPDATE adminuser
   SET password_hash = current_setting('practice.lee'), is_active = true, disabled_at = NULL, disabled_by = NULL,
       deleted_at = date_trunc('day', now()) - interval '1 day 12 hours', last_login_at = NULL
 WHERE email = 'lee@acme.example';
INSERT INTO audit_log (at, actor, action, target)
SELECT deleted_at, 'personnel-import', 'account.deleted', email FROM adminuser WHERE email = 'lee@acme.example';
