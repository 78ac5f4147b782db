-- A person decides on a run only where the machine cannot: Security, without part in the incident, with a fresh code, once.

ALTER TABLE procedure_judgement
    ADD CONSTRAINT judgement_account_person FOREIGN KEY (account_id, person_id) REFERENCES people_account (id, person_id),
    ADD CONSTRAINT judgement_execution FOREIGN KEY (execution_id, incident_id)
        REFERENCES procedure_execution (id, incident_id),
    ADD CONSTRAINT judgement_step_up FOREIGN KEY (step_up_id, account_id, digest)
        REFERENCES people_stepup (id, account_id, digest);

CREATE TRIGGER stays BEFORE UPDATE OR DELETE OR TRUNCATE ON procedure_judgement
    FOR EACH STATEMENT EXECUTE FUNCTION procedure_stays();
CREATE TRIGGER a_incident_is_not_final BEFORE INSERT ON procedure_judgement
    FOR EACH ROW EXECUTE FUNCTION procedure_incident_is_not_final();
CREATE TRIGGER b_deed_is_possible BEFORE INSERT ON procedure_judgement
    FOR EACH ROW EXECUTE FUNCTION procedure_deed_is_possible();

CREATE FUNCTION procedure_had_part(p_incident bigint, p_person bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM procedure_participant WHERE incident_id = p_incident AND person_id = p_person)
        OR EXISTS (SELECT FROM procedure_approval WHERE incident_id = p_incident AND person_id = p_person)
        OR EXISTS (SELECT FROM procedure_plan WHERE incident_id = p_incident AND beneficiary_id = p_person)
$$;

CREATE FUNCTION procedure_judgement_is_allowed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    run    recovery_run;
    moment timestamptz;
BEGIN
    PERFORM 1 FROM procedure_incident WHERE id = NEW.incident_id FOR UPDATE;
    -- the run before the clock, as every move of a run does
    SELECT r.* INTO STRICT run FROM recovery_run r JOIN procedure_execution e ON e.run_id = r.id
     WHERE e.id = NEW.execution_id FOR UPDATE OF r;
    moment := audit.now();
    IF run.state <> 'needs_human' THEN
        PERFORM procedure_refuse('BG004', 'only_what_needs_a_human_is_judged', 'the machine has decided, or still can');
    END IF;
    IF NOT procedure_has_duty(NEW.person_id, 'security') THEN
        PERFORM procedure_refuse('BG003', 'security_judges', 'only somebody of Security decides');
    END IF;
    IF procedure_had_part(NEW.incident_id, NEW.person_id) THEN
        PERFORM procedure_refuse('BG003', 'judge_took_no_part', 'who had part in the incident does not decide');
    END IF;
    IF NEW.digest <> run.plan_digest OR NOT EXISTS (
        SELECT FROM people_stepup WHERE id = NEW.step_up_id AND purpose = 'judge' AND at > moment - interval '5 minutes') THEN
        PERFORM procedure_refuse('BG003', 'judgement_takes_a_fresh_code', 'the second factor was not given for this, or is old');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER judgement_is_allowed BEFORE INSERT ON procedure_judgement
    FOR EACH ROW EXECUTE FUNCTION procedure_judgement_is_allowed();

-- A judgement and its consequence are one: at COMMIT the run says that a person decided it.
CREATE FUNCTION procedure_judgement_decides() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM recovery_run r JOIN procedure_execution e ON e.run_id = r.id
                    WHERE e.id = NEW.execution_id AND r.decided_by = 'person') THEN
        PERFORM procedure_refuse('BG004', 'a_judgement_decides', 'a judgement comes with its consequence');
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER judgement_decides AFTER INSERT ON procedure_judgement
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION procedure_judgement_decides();

ALTER TABLE procedure_judgement ENABLE ALWAYS TRIGGER stays;
ALTER TABLE procedure_judgement ENABLE ALWAYS TRIGGER a_incident_is_not_final;
ALTER TABLE procedure_judgement ENABLE ALWAYS TRIGGER b_deed_is_possible;
ALTER TABLE procedure_judgement ENABLE ALWAYS TRIGGER judgement_is_allowed;
ALTER TABLE procedure_judgement ENABLE ALWAYS TRIGGER judgement_decides;

-- "Decided by a person" is written by a judgement alone, from needs_human alone, and says what the judgement says.
CREATE FUNCTION procedure_run_is_judged() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.state <> 'needs_human' OR NOT EXISTS (
        SELECT FROM procedure_judgement j JOIN procedure_execution e ON e.id = j.execution_id
         WHERE e.run_id = NEW.id AND NEW.state = CASE WHEN j.changed THEN 'committed' ELSE 'aborted' END) THEN
        PERFORM procedure_refuse('BG004', 'only_what_needs_a_human_is_judged', 'no judgement says so');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER run_is_judged BEFORE UPDATE ON recovery_run FOR EACH ROW
    WHEN (OLD.decided_by <> 'person' AND NEW.decided_by = 'person') EXECUTE FUNCTION procedure_run_is_judged();
ALTER TABLE recovery_run ENABLE ALWAYS TRIGGER run_is_judged;
