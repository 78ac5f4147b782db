-- The other half of the doors: how a temporary login is taken away, and what is left of one. Run after doors.sql; see there.
-- Closing is two commits, so that a login that slips in between meets a role that cannot log in; and it may be repeated for ever.

CREATE OR REPLACE FUNCTION breakglass.shut_role(role_name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    EXECUTE format('ALTER ROLE %I NOLOGIN PASSWORD NULL CONNECTION LIMIT 0', role_name);
END $function$;

-- For closing: it is durable here, and never waits for a standby that may be the very thing that is gone.
CREATE OR REPLACE FUNCTION breakglass.wait_for_no_standby() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
BEGIN
    PERFORM set_config('synchronous_commit', 'local', true);
END $function$;

-- Other databases of this cluster in which the role made something: no right of ours reaches there.
CREATE OR REPLACE FUNCTION breakglass.makes_elsewhere(maker text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT string_agg(DISTINCT d.datname::text, ', ')
      FROM pg_shdepend s
      JOIN pg_database d ON d.oid = s.dbid
      JOIN pg_roles r ON r.oid = s.refobjid
     WHERE s.refclassid = 'pg_authid'::regclass AND r.rolname = maker AND d.datname <> current_database()
$function$;

-- Ends every session of the role, waits up to 2.5 seconds for them, and drops it when none is left.
CREATE OR REPLACE FUNCTION breakglass.drop_role(doomed text) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    ended int := 0;
    left_now int;
BEGIN
    PERFORM breakglass.shut_role(doomed);
    FOR attempt IN 1..50 LOOP
        PERFORM pg_stat_clear_snapshot();
        SELECT count(pg_terminate_backend(pid)) INTO left_now FROM pg_stat_activity WHERE usename = doomed;
        ended := greatest(ended, left_now);
        EXIT WHEN left_now = 0;
        PERFORM pg_sleep(0.05);
    END LOOP;
    IF left_now > 0 THEN
        RAISE EXCEPTION '% sessions of % do not end', left_now, doomed USING ERRCODE = 'BGD06';
    END IF;
    BEGIN
        EXECUTE format('DROP ROLE %I', doomed);
    EXCEPTION WHEN dependent_objects_still_exist THEN
        IF breakglass.makes_elsewhere(doomed) IS NOT NULL THEN
            RAISE EXCEPTION '% made something in another database: run DROP OWNED BY % in %', doomed, doomed,
                breakglass.makes_elsewhere(doomed) USING ERRCODE = 'BGD07';
        END IF;
        -- Whatever it made (a large object, say) goes with it: it was granted no right to make anything.
        EXECUTE format('GRANT %I TO breakglass_door_owner', doomed);
        EXECUTE format('DROP OWNED BY %I', doomed);
        EXECUTE format('DROP ROLE %I', doomed);
    END;
    RETURN ended;
END $function$;

-- First half of closing, to be committed on its own: a login that slips in afterwards meets a role that cannot log in.
CREATE OR REPLACE FUNCTION breakglass.lock_access(access_id uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    wanted text := breakglass.role_of(access_id);
BEGIN
    PERFORM breakglass.wait_for_no_standby();
    UPDATE breakglass.access SET locked_at = coalesce(locked_at, clock_timestamp()) WHERE id = access_id AND closed_at IS NULL;
    IF NOT FOUND OR NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
        RETURN false;
    END IF;
    PERFORM breakglass.shut_role(wanted);
    RETURN true;
END $function$;

-- Second half: ends the sessions and drops the role. Gives the number of sessions that had to be ended.
CREATE OR REPLACE FUNCTION breakglass.close_access(access_id uuid) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    wanted text := breakglass.role_of(access_id);
    ended int := 0;
BEGIN
    PERFORM breakglass.wait_for_no_standby();
    PERFORM FROM breakglass.access WHERE id = access_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
        ended := breakglass.drop_role(wanted);
    END IF;
    UPDATE breakglass.access SET closed_at = clock_timestamp() WHERE id = access_id AND closed_at IS NULL;
    RETURN ended;
END $function$;

CREATE OR REPLACE FUNCTION breakglass.access_state(
    access_id uuid, OUT role_name text, OUT role_exists boolean, OUT can_login boolean, OUT sessions int,
    OUT prepared int, OUT opened_at timestamptz, OUT until timestamptz, OUT closed_at timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
    SELECT breakglass.role_of(access_id), r.oid IS NOT NULL, coalesce(r.rolcanlogin, false),
           (SELECT count(*)::int FROM pg_stat_activity s WHERE s.usesysid IN (r.oid, a.role_oid)),
           (SELECT count(*)::int FROM pg_prepared_xact() p WHERE p.ownerid IN (r.oid, a.role_oid)),
           a.opened_at, a.until, a.closed_at
      FROM (SELECT access_id AS id) AS asked
      LEFT JOIN breakglass.access a ON a.id = asked.id
      LEFT JOIN pg_roles r ON r.rolname = breakglass.role_of(access_id)
$function$;

-- Every access that is not closed, and every role that looks like one and holds a capability of this database.
CREATE OR REPLACE FUNCTION breakglass.left_over(
    OUT access_id uuid, OUT role_name text, OUT incident text, OUT opened_at timestamptz, OUT until timestamptz
) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
    SELECT a.id, a.role_name, a.incident, a.opened_at, a.until FROM breakglass.access a WHERE a.closed_at IS NULL
    UNION ALL
    SELECT substr(r.rolname, 4)::uuid, r.rolname::text, NULL, NULL, NULL
      FROM pg_roles r
     WHERE r.rolname ~ '^bg_[0-9a-f]{32}$'
       AND NOT EXISTS (SELECT FROM breakglass.access a WHERE a.role_name = r.rolname AND a.closed_at IS NULL)
       AND EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles c ON c.oid = m.roleid
                    WHERE m.member = r.oid AND c.rolname IN (
                        SELECT breakglass.capability_of(k)
                          FROM unnest(ARRAY['create', 'reset', 'enable', 'disable', 'restore']) AS k))
     ORDER BY 2
$function$;

-- What reaping has to do: what is past its end, what was locked, what nobody opened; and what was opened in the future, since
-- then the clock was put back, and the end with it.
CREATE OR REPLACE FUNCTION breakglass.due(
    OUT id uuid, OUT role_name text, OUT can_login boolean, OUT lives boolean
) RETURNS SETOF record
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $function$
    SELECT a.id, l.role_name, coalesce(r.rolcanlogin, false), r.oid IS NOT NULL
      FROM breakglass.left_over() l
      LEFT JOIN breakglass.access a ON a.id = l.access_id AND a.closed_at IS NULL
      LEFT JOIN pg_roles r ON r.rolname = l.role_name
     WHERE l.until IS NULL OR l.until <= clock_timestamp() OR a.locked_at IS NOT NULL
           OR a.opened_at > clock_timestamp() + interval '2 seconds'
     ORDER BY a.opened_at
$function$;

-- For a worker that calls it for ever: a call locks what is due, the next one closes what was locked. Gives what it closed.
-- One that does not end holds up no other; somebody else who is closing the same one is left alone.
CREATE OR REPLACE FUNCTION breakglass.reap() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    due record;
    closed int := 0;
BEGIN
    PERFORM breakglass.wait_for_no_standby();
    BEGIN  -- one at a time, by a lock that no stranger can take
        LOCK TABLE breakglass.door IN SHARE UPDATE EXCLUSIVE MODE NOWAIT;
    EXCEPTION WHEN lock_not_available THEN
        RETURN 0;
    END;
    FOR due IN SELECT * FROM breakglass.due() LOOP
        PERFORM FROM breakglass.access WHERE id = due.id FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN due.id IS NOT NULL AND NOT FOUND;
        BEGIN
            IF due.can_login THEN
                PERFORM breakglass.shut_role(due.role_name);
                UPDATE breakglass.access SET locked_at = coalesce(locked_at, clock_timestamp()) WHERE id = due.id;
                CONTINUE;
            ELSIF due.lives THEN
                PERFORM breakglass.drop_role(due.role_name);
            END IF;
            UPDATE breakglass.access SET closed_at = clock_timestamp() WHERE id = due.id;
            closed := closed + 1;
        EXCEPTION WHEN SQLSTATE 'BGD06' OR SQLSTATE 'BGD07' THEN
            RAISE WARNING '%', SQLERRM;
        END;
    END LOOP;
    RETURN closed;
END $function$;
