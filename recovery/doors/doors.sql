-- The doors: what the console may do on a platform besides reading named columns, and nothing else.
-- Run by the DBA through the script of `manage.py platform grants NAME`; PostgreSQL 13 to 18; may be run again at any time.
-- A door opens only for a mandate: an HMAC-SHA256, under a key that only this table and the keeper have, over every part of
-- one opening. Closing takes nothing away that is needed, so it asks for no mandate.

CREATE TABLE IF NOT EXISTS breakglass.door (
    only_one    boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    key         bytea NOT NULL CHECK (octet_length(key) = 32),
    keyed_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE IF NOT EXISTS breakglass.access (
    id          uuid PRIMARY KEY,
    role_name   text NOT NULL UNIQUE,
    role_oid    oid NOT NULL,
    kind        text NOT NULL,
    incident    text NOT NULL,
    digest      text NOT NULL,
    nonce       text NOT NULL UNIQUE,
    until       timestamptz NOT NULL,
    opened_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    opened_by   text NOT NULL DEFAULT session_user,
    locked_at   timestamptz,
    closed_at   timestamptz
);

-- HMAC (RFC 2104) from the server's own sha256, so that no extension is needed.
CREATE OR REPLACE FUNCTION breakglass.hmac_sha256(secret bytea, message bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    inner_pad bytea := CASE WHEN length(secret) > 64 THEN sha256(secret) ELSE secret END;
    outer_pad bytea;
BEGIN
    inner_pad := inner_pad || decode(repeat('00', 64 - length(inner_pad)), 'hex');
    outer_pad := inner_pad;
    FOR i IN 0..63 LOOP
        outer_pad := set_byte(outer_pad, i, get_byte(outer_pad, i) # 92);
        inner_pad := set_byte(inner_pad, i, get_byte(inner_pad, i) # 54);
    END LOOP;
    RETURN sha256(outer_pad || sha256(inner_pad || message));
END $function$;

-- Every byte is looked at, whatever the first ones say: the time taken tells nothing about a guess.
CREATE OR REPLACE FUNCTION breakglass.is_same(one bytea, other bytea) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    difference int := 0;
BEGIN
    IF one IS NULL OR other IS NULL OR length(one) <> length(other) THEN
        RETURN false;
    END IF;
    FOR i IN 0..length(one) - 1 LOOP
        difference := difference | (get_byte(one, i) # get_byte(other, i));
    END LOOP;
    RETURN difference = 0;
END $function$;

CREATE OR REPLACE FUNCTION breakglass.role_of(access_id uuid) RETURNS text
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $function$
    SELECT 'bg_' || replace(access_id::text, '-', '')
$function$;

-- Roles are cluster-wide: the database's name keeps the rights of two platforms in one cluster apart.
CREATE OR REPLACE FUNCTION breakglass.capability_of(kind text) RETURNS text
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $function$
    SELECT 'breakglass_cap_' || kind || '_' || left(encode(sha256(convert_to(current_database(), 'UTF8')), 'hex'), 8)
$function$;

CREATE OR REPLACE FUNCTION breakglass.mandate_text(
    access_id uuid, kind text, incident text, digest text, verifier text, until timestamptz, nonce text
) RETURNS text
LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $function$
    SELECT array_to_string(ARRAY[
        'breakglass-mandate-v1', access_id::text, kind, incident, digest,
        encode(sha256(convert_to(verifier, 'UTF8')), 'hex'),
        to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), nonce,
        (SELECT system_identifier::text FROM pg_control_system()), current_database()::text], E'\n')
$function$;

-- Which role stands for whom while it lives, and what it may do: exactly one capability, for a while.
CREATE OR REPLACE FUNCTION breakglass.make_role(role_name text, kind text, verifier text, until timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    version int := current_setting('server_version_num')::int;
    setting text;
BEGIN
    -- Two sessions: the run's, and one that is just ending. Before 17 a third one, which flushes the log beside the run.
    EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS'
                   ' CONNECTION LIMIT %s PASSWORD %L VALID UNTIL %L',
                   role_name, CASE WHEN version >= 170000 THEN 2 ELSE 3 END, verifier, until);
    EXECUTE format('GRANT %I TO %I', breakglass.capability_of(kind), role_name)
            || CASE WHEN version >= 160000 THEN ' WITH INHERIT TRUE, SET FALSE' ELSE '' END;
    FOREACH setting IN ARRAY ARRAY['statement_timeout = ''10s''', 'lock_timeout = ''3s''',
                                   'idle_in_transaction_session_timeout = ''20s''', 'synchronous_commit = on']
                             || CASE WHEN version >= 140000 THEN ARRAY['idle_session_timeout = ''60s'''] END LOOP
        EXECUTE format('ALTER ROLE %I SET ', role_name) || setting;
    END LOOP;
END $function$;

CREATE OR REPLACE FUNCTION breakglass.check_mandate(
    access_id uuid, kind text, incident text, digest text, verifier text, until timestamptz, nonce text, signature bytea
) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    secret bytea := (SELECT door.key FROM breakglass.door);
BEGIN
    IF secret IS NULL THEN
        RAISE EXCEPTION 'this door has no key yet' USING ERRCODE = 'BGD05';
    END IF;
    IF access_id IS NULL OR until IS NULL OR coalesce(
        kind IN ('create', 'reset', 'enable', 'disable', 'restore')
        AND incident ~ '^[A-Za-z0-9._-]{1,64}$' AND digest ~ '^[0-9a-f]{64}$' AND nonce ~ '^[A-Za-z0-9_-]{16,64}$'
        AND verifier ~ '^SCRAM-SHA-256\$[0-9]{4,7}:[A-Za-z0-9+/=]{22,64}\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$', false
    ) IS FALSE THEN
        RAISE EXCEPTION 'a part of the mandate has the wrong form' USING ERRCODE = 'BGD04';
    END IF;
    IF NOT breakglass.is_same(signature, breakglass.hmac_sha256(secret, convert_to(
            breakglass.mandate_text(access_id, kind, incident, digest, verifier, until, nonce), 'UTF8'))) THEN
        RAISE EXCEPTION 'the mandate does not bear the keeper''s signature' USING ERRCODE = 'BGD01';
    END IF;
    IF until <= clock_timestamp() OR until > clock_timestamp() + interval '4 hours' THEN
        RAISE EXCEPTION 'the mandate ends at %, by this clock it is %', until, clock_timestamp() USING ERRCODE = 'BGD02';
    END IF;
END $function$;

CREATE OR REPLACE FUNCTION breakglass.open_access(
    access_id uuid, kind text, incident text, digest text, verifier text, until timestamptz, nonce text, signature bytea
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    new_role text := breakglass.role_of(access_id);
BEGIN
    PERFORM breakglass.check_mandate(access_id, kind, incident, digest, verifier, until, nonce, signature);
    IF EXISTS (SELECT FROM breakglass.access WHERE access.id = access_id OR access.nonce = open_access.nonce) THEN
        RAISE EXCEPTION 'this mandate was used before' USING ERRCODE = 'BGD03';
    END IF;
    PERFORM breakglass.make_role(new_role, kind, verifier, until);
    INSERT INTO breakglass.access (id, role_name, role_oid, kind, incident, digest, nonce, until)
    SELECT access_id, new_role, pg_roles.oid, open_access.kind, open_access.incident, open_access.digest, open_access.nonce,
           open_access.until
      FROM pg_roles WHERE rolname = new_role;
    RETURN new_role;
END $function$;

-- Tells the keeper's people whether this door has the key that they think it has; nothing can be made from it.
CREATE OR REPLACE FUNCTION breakglass.key_stamp() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
    SELECT left(encode(sha256(door.key), 'hex'), 16) FROM breakglass.door
$function$;
