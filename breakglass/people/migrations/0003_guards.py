"""What the database itself refuses about people: it takes two of Security, and what was recorded goes forward only."""

from django.db import migrations

REFUSING = """
CREATE FUNCTION people_refuse(p_rule text, p_says text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '%', p_says USING ERRCODE = 'BG004', CONSTRAINT = p_rule;
END $$;

CREATE FUNCTION people_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM people_refuse('what_is_recorded_stays', TG_OP || ' on ' || TG_TABLE_NAME || ' is refused');
    RETURN NULL;
END $$;

-- Arguments: the columns that are filled once (comma separated), and the columns that may change.
CREATE FUNCTION people_only_changes() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    once  text[] := string_to_array(TG_ARGV[0], ',');
    free  text[] := string_to_array(TG_ARGV[1], ',');
    was   jsonb := to_jsonb(OLD);
    shall jsonb := to_jsonb(NEW);
    name  text;
BEGIN
    IF was - once - free IS DISTINCT FROM shall - once - free THEN
        PERFORM people_refuse('what_is_recorded_stays', TG_TABLE_NAME || ': this column never changes');
    END IF;
    FOREACH name IN ARRAY once LOOP
        IF was -> name <> 'null' AND was -> name IS DISTINCT FROM shall -> name THEN
            PERFORM people_refuse('what_is_recorded_stays', TG_TABLE_NAME || ': ' || name || ' is set once');
        END IF;
    END LOOP;
    RETURN NEW;
END $$;

CREATE TRIGGER only_changes BEFORE UPDATE ON people_person FOR EACH ROW
    EXECUTE FUNCTION people_only_changes('', 'name,contact');
CREATE TRIGGER only_changes BEFORE UPDATE ON people_account FOR EACH ROW
    EXECUTE FUNCTION people_only_changes('', 'password,last_login,is_active');
CREATE TRIGGER only_changes BEFORE UPDATE ON people_duty FOR EACH ROW
    EXECUTE FUNCTION people_only_changes('confirmed_by_id,confirmed_at,ended_at', '');
CREATE TRIGGER only_changes BEFORE UPDATE ON people_authenticator FOR EACH ROW
    EXECUTE FUNCTION people_only_changes('retired_at', 'confirmed');
CREATE TRIGGER only_changes BEFORE UPDATE ON people_invitation FOR EACH ROW
    EXECUTE FUNCTION people_only_changes('token_sha256,confirmed_by_id,confirmed_at,used_at', 'expires_at');
CREATE TRIGGER no_row_goes BEFORE DELETE OR TRUNCATE ON people_authenticator
    FOR EACH STATEMENT EXECUTE FUNCTION people_stays();
CREATE TRIGGER no_row_goes BEFORE DELETE OR TRUNCATE ON people_invitation
    FOR EACH STATEMENT EXECUTE FUNCTION people_stays();

-- A retired authenticator never counts again; its sessions die with `confirmed`.
CREATE TRIGGER retired_stays BEFORE UPDATE ON people_authenticator FOR EACH ROW
    WHEN (NEW.retired_at IS NOT NULL AND NEW.confirmed) EXECUTE FUNCTION people_stays();
CREATE TRIGGER confirmed_stays BEFORE UPDATE ON people_authenticator FOR EACH ROW
    WHEN (OLD.confirmed AND NOT NEW.confirmed AND NEW.retired_at IS NULL) EXECUTE FUNCTION people_stays();
CREATE TRIGGER ended_stays BEFORE UPDATE ON people_duty FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION people_stays();
CREATE TRIGGER used_stays BEFORE UPDATE ON people_invitation FOR EACH ROW
    WHEN (OLD.used_at IS NOT NULL) EXECUTE FUNCTION people_stays();
CREATE TRIGGER end_is_set_by_confirming BEFORE UPDATE OF expires_at ON people_invitation FOR EACH ROW
    WHEN (OLD.confirmed_at IS NOT NULL AND NEW.expires_at > OLD.expires_at) EXECUTE FUNCTION people_stays();
"""

NAMES = """
-- A name or a contact never changes without its history: checked at COMMIT, when the history's row must be there.
CREATE FUNCTION people_name_has_history() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM people_historicalperson AS h
                    WHERE h.id = NEW.id AND h.name = NEW.name AND h.contact = NEW.contact) THEN
        PERFORM people_refuse('name_has_history', 'a name changes together with its history');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER name_has_history AFTER UPDATE OF name, contact ON people_person
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION people_name_has_history();
"""

TWO = """
-- Two people of Security, neither of them the one it is about, all three of the same world (practice or real).
CREATE FUNCTION people_require_two(p_proposer bigint, p_confirmer bigint, p_about bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF p_proposer IS NULL OR p_confirmer IS NULL OR p_about IN (p_proposer, p_confirmer) OR p_proposer = p_confirmer
       OR 2 > (SELECT count(DISTINCT person_id) FROM people_duty WHERE person_id IN (p_proposer, p_confirmer)
                AND name = 'security' AND confirmed_at IS NOT NULL AND ended_at IS NULL)
    THEN
        PERFORM people_refuse('two_people_of_security', 'this takes two people of Security');
    END IF;
    IF 1 < (SELECT count(DISTINCT practice) FROM people_person WHERE id IN (p_proposer, p_confirmer, p_about)) THEN
        PERFORM people_refuse('practice_never_meets_real', 'practice people act among practice people only');
    END IF;
END $$;

-- Nobody can confirm the very first duties. They are those of one transaction, before which their world had none.
ALTER TABLE people_duty ADD COLUMN made_in xid8 NOT NULL DEFAULT pg_current_xact_id();

CREATE FUNCTION people_is_founding(p_about bigint) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT NOT EXISTS (
        SELECT FROM people_duty AS d JOIN people_person AS p ON p.id = d.person_id
         WHERE p.practice = (SELECT practice FROM people_person WHERE id = p_about)
           AND d.made_in <> pg_current_xact_id())
$$;

CREATE FUNCTION people_duty_takes_two() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.made_in := pg_current_xact_id();
    END IF;
    IF NEW.confirmed_at IS NULL OR (TG_OP = 'UPDATE' AND OLD.confirmed_at IS NOT NULL) THEN
        RETURN NEW;
    END IF;
    IF NOT (TG_OP = 'INSERT' AND NEW.proposed_by_id IS NULL AND NEW.confirmed_by_id IS NULL
            AND people_is_founding(NEW.person_id)) THEN
        PERFORM people_require_two(NEW.proposed_by_id, NEW.confirmed_by_id, NEW.person_id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER takes_two BEFORE INSERT OR UPDATE ON people_duty FOR EACH ROW
    EXECUTE FUNCTION people_duty_takes_two();

CREATE FUNCTION people_invitation_takes_two() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.confirmed_at IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.confirmed_at IS NULL) THEN
        PERFORM people_require_two(NEW.proposed_by_id, NEW.confirmed_by_id,
                                   (SELECT person_id FROM people_account WHERE id = NEW.account_id));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER takes_two BEFORE INSERT OR UPDATE ON people_invitation FOR EACH ROW
    EXECUTE FUNCTION people_invitation_takes_two();
"""

ALWAYS = """
-- Also under session_replication_role = replica.
DO $$
DECLARE guard record;
BEGIN
    FOR guard IN SELECT tgname, tgrelid::regclass AS place FROM pg_trigger
                  WHERE NOT tgisinternal AND tgfoid::regproc::text LIKE 'people\\_%' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', guard.place, guard.tgname);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("people", "0002_two_people")]
    operations = [migrations.RunSQL(sql) for sql in (REFUSING, NAMES, TWO, ALWAYS)]
