-- States move forward only, and only to what the records bear out. The table of moves is breakglass/procedure/states.py.

CREATE FUNCTION procedure_may_move(p_start text, p_end text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (p_start, p_end) IN (
        ('opened', 'diagnosed'), ('diagnosed', 'planned'), ('planned', 'executed'),
        ('opened', 'abandoned'), ('diagnosed', 'abandoned'), ('planned', 'abandoned'),
        ('executed', 'proven'), ('executed', 'revoked'), ('proven', 'revoked'), ('revoked', 'sealed'), ('sealed', 'closed'))
$$;

-- Runs of the incident that changed the platform, or may have: everything but those that are known to have changed nothing.
CREATE FUNCTION procedure_runs_in(p_incident bigint, VARIADIC p_states text[]) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT count(*) FROM procedure_execution e JOIN recovery_run r ON r.id = e.run_id
     WHERE e.incident_id = p_incident AND r.state = ANY (p_states)
$$;

CREATE FUNCTION procedure_incident_begins() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.state <> 'opened' OR NEW.closed_at IS NOT NULL THEN
        PERFORM procedure_refuse('BG004', 'incident_begins_opened', 'an incident begins as opened');
    END IF;
    IF NOT EXISTS (SELECT FROM people_account WHERE id = NEW.requester_account_id AND is_active) THEN
        PERFORM procedure_refuse('BG003', 'account_is_active', 'the account is disabled');
    END IF;
    IF NOT EXISTS (SELECT FROM people_duty WHERE person_id = NEW.requester_person_id
                      AND confirmed_at IS NOT NULL AND ended_at IS NULL) THEN
        PERFORM procedure_refuse('BG003', 'requester_has_a_duty', 'only somebody with a duty opens an incident');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incident_begins BEFORE INSERT ON procedure_incident FOR EACH ROW EXECUTE FUNCTION procedure_incident_begins();
ALTER TABLE procedure_incident ENABLE ALWAYS TRIGGER incident_begins;

CREATE FUNCTION procedure_incident_moves_forward() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT procedure_may_move(OLD.state, NEW.state) THEN
        PERFORM procedure_refuse('BG004', 'what_is_recorded_stays', 'no way leads from ' || OLD.state || ' to ' || NEW.state);
    END IF;
    IF NEW.state = 'planned' AND NOT EXISTS (SELECT FROM procedure_plan WHERE incident_id = NEW.id) THEN
        PERFORM procedure_refuse('BG004', 'planned_means_there_is_a_plan', 'there is no plan');
    END IF;
    IF NEW.state = 'executed' AND procedure_runs_in(NEW.id, 'committed') = 0 THEN
        PERFORM procedure_refuse('BG004', 'executed_means_a_run_committed', 'no run of this incident has changed anything');
    END IF;
    IF NEW.state = 'abandoned' AND procedure_runs_in(NEW.id, 'intent', 'prepared', 'needs_human', 'committed') > 0 THEN
        PERFORM procedure_refuse('BG004', 'no_run_is_under_way', 'a run changed the platform, or may have');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER incident_moves_forward BEFORE UPDATE ON procedure_incident FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION procedure_incident_moves_forward();
ALTER TABLE procedure_incident ENABLE ALWAYS TRIGGER incident_moves_forward;

-- Closed is closed: nothing is added to what the incident says, and nothing of it changes.
CREATE FUNCTION procedure_incident_is_not_final() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (SELECT state FROM procedure_incident WHERE id = NEW.incident_id) IN ('closed', 'abandoned') THEN
        PERFORM procedure_refuse('BG004', 'incident_is_not_final', 'the incident is closed or abandoned');
    END IF;
    RETURN NEW;
END $$;

-- A deed is done by an account that is active, of a person who fits the platform: practice never meets real.
CREATE FUNCTION procedure_deed_is_possible() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM people_account WHERE id = NEW.account_id AND is_active) THEN
        PERFORM procedure_refuse('BG003', 'account_is_active', 'the account is disabled');
    END IF;
    IF NOT EXISTS (SELECT FROM procedure_incident i JOIN people_person p ON p.practice = i.practice
                    WHERE i.id = NEW.incident_id AND p.id = NEW.person_id) THEN
        PERFORM procedure_refuse('BG003', 'practice_never_meets_real', 'practice people act on practice platforms only');
    END IF;
    RETURN NEW;
END $$;

DO $$
DECLARE kept text;
BEGIN
    FOREACH kept IN ARRAY ARRAY['participant', 'diagnosis', 'override', 'choice', 'plan', 'approval', 'planrefusal', 'window',
                                'handover', 'execution', 'bundle', 'review', 'signinproof', 'evidenceitem'] LOOP
        EXECUTE format('CREATE TRIGGER a_incident_is_not_final BEFORE INSERT ON procedure_%s
                        FOR EACH ROW EXECUTE FUNCTION procedure_incident_is_not_final()', kept);
        EXECUTE format('ALTER TABLE procedure_%s ENABLE ALWAYS TRIGGER a_incident_is_not_final', kept);
    END LOOP;
    FOREACH kept IN ARRAY ARRAY['revocationitem', 'postmortem'] LOOP
        EXECUTE format('CREATE TRIGGER a_incident_is_not_final BEFORE INSERT OR UPDATE ON procedure_%s
                        FOR EACH ROW EXECUTE FUNCTION procedure_incident_is_not_final()', kept);
        EXECUTE format('ALTER TABLE procedure_%s ENABLE ALWAYS TRIGGER a_incident_is_not_final', kept);
    END LOOP;
    FOREACH kept IN ARRAY ARRAY['participant', 'diagnosis', 'override', 'choice', 'plan', 'approval', 'planrefusal', 'window',
                                'handover', 'execution', 'bundle', 'review'] LOOP
        EXECUTE format('CREATE TRIGGER b_deed_is_possible BEFORE INSERT ON procedure_%s
                        FOR EACH ROW EXECUTE FUNCTION procedure_deed_is_possible()', kept);
        EXECUTE format('ALTER TABLE procedure_%s ENABLE ALWAYS TRIGGER b_deed_is_possible', kept);
    END LOOP;
END $$;
