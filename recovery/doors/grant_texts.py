"""The fixed texts of the set-up script. Nothing here grants by itself: recovery.grants puts the names in."""

HEADER = """\
-- Set-up of the break-glass console for the database {database}, profile {profile} (SHA-256 {digest}).
-- Run it with psql as the database administrator:  psql -d {database} -f THIS_FILE
-- It may be run again at any time. psql asks for two passwords and for the keeper's door key; none of them stands here.
\\set ON_ERROR_STOP on
"""
FOOTER = """
-- The two standing logins. psql sends a SCRAM verifier, never the password itself.
SET password_encryption = 'scram-sha-256';
\\echo 'Password for the login that reads:'
\\password {reader}
\\echo 'Password for the login that opens and closes doors:'
\\password {broker}

-- The door key, shown by: manage.py platform key {platform}   (on the keeper's host)
DO $$ BEGIN
    PERFORM set_config('log_statement', 'none', false), set_config('log_min_duration_statement', '-1', false);
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'this login cannot switch statement logging off: the key may reach the server''s log';
END $$;
\\prompt 'Door key (64 hexadecimal digits): ' door_key
INSERT INTO breakglass.door (key) VALUES (decode(:'door_key', 'hex'))
    ON CONFLICT (only_one) DO UPDATE SET key = excluded.key, keyed_at = clock_timestamp();
\\unset door_key
\\echo 'Done. Look at it from the console: manage.py platform check {platform}'
"""
GUARD = """\
DO $$ BEGIN
    IF current_database() <> {database} THEN
        RAISE EXCEPTION 'this script is for the database %, not for %', {database}, current_database();
    END IF;
END $$;
"""
# Roles are cluster-wide: one that already is as it should be is not written again, since another database's set-up may run.
ROLE = """\
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}) THEN
        CREATE ROLE {role} {attributes};
    ELSIF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name} AND {as_wanted}) THEN
        ALTER ROLE {role} {attributes};
    END IF;
END $$;
"""
# Whoever owned the schema before us could exchange what we put into it.
OURS = """\
DO $$
DECLARE
    owner name := (SELECT r.rolname FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = 'breakglass');
BEGIN
    IF owner NOT IN ({owners}) THEN
        RAISE EXCEPTION 'the schema breakglass belongs to %: somebody else made it. Look at what is in it and drop it', owner;
    END IF;
END $$;
"""
# Rights of an earlier profile go first, so that what is listed below is all that there is.
TAKE_BACK = """\
DO $$
DECLARE
    held record;
BEGIN
    FOR held IN
        SELECT DISTINCT n.nspname, c.relname, r.rolname
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
         CROSS JOIN LATERAL (SELECT grantee FROM aclexplode(c.relacl) UNION SELECT grantee FROM aclexplode(a.attacl)) AS acl
          JOIN pg_roles r ON r.oid = acl.grantee
         WHERE r.rolname IN ({roles}) AND n.nspname <> 'breakglass'
    LOOP
        EXECUTE format('REVOKE ALL ON %I.%I FROM %I', held.nspname, held.relname, held.rolname);
    END LOOP;
    FOR held IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'breakglass'::regnamespace AND c.relkind = 'v' LOOP
        EXECUTE format('DROP VIEW breakglass.%I', held.relname);
    END LOOP;
END $$;
"""
# A serial column that an INSERT leaves out takes its number from a sequence, which asks for a right of its own.
SEQUENCES = """\
DO $$
DECLARE
    owned record;
BEGIN
    FOR owned IN
        SELECT DISTINCT d.refobjid::regclass AS name
          FROM pg_attrdef f
          JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid AND d.refclassid = 'pg_class'::regclass
          JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
         WHERE f.adrelid = {table}::regclass
    LOOP
        EXECUTE format('GRANT USAGE ON SEQUENCE %s TO %I', owned.name, {role});
    END LOOP;
END $$;
"""
ADMINISTER = """\
DO $$ BEGIN
    EXECUTE format('GRANT %I TO {owner} WITH ', {name})
        || CASE WHEN current_setting('server_version_num')::int >= 160000
                THEN 'ADMIN TRUE, INHERIT FALSE, SET FALSE' ELSE 'ADMIN OPTION' END;
END $$;
"""
OWN = """\
DO $$
DECLARE
    made record;
BEGIN
    FOR made IN SELECT p.oid::regprocedure AS name FROM pg_proc p WHERE p.pronamespace = 'breakglass'::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO {owner}', made.name);
    END LOOP;
    FOR made IN SELECT c.oid::regclass AS name FROM pg_class c
                 WHERE c.relnamespace = 'breakglass'::regnamespace AND c.relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO {owner}', made.name);
    END LOOP;
END $$;
"""
