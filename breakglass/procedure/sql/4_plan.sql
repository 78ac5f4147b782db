-- Participants, overrides, choices and plans: who may not do them, and when they are too late.

-- Whether the plan is the incident's latest, for the latest choice, and nobody has said no to it.
CREATE FUNCTION procedure_plan_counts(p_plan bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT NOT EXISTS (SELECT FROM procedure_plan later WHERE later.incident_id = plan.incident_id AND later.number > plan.number)
       AND NOT EXISTS (SELECT FROM procedure_choice later WHERE later.incident_id = plan.incident_id AND later.id > plan.choice_id)
       AND NOT EXISTS (SELECT FROM procedure_planrefusal WHERE plan_id = plan.id)
      FROM procedure_plan plan WHERE plan.id = p_plan
$$;

CREATE FUNCTION procedure_has_duty(p_person bigint, VARIADIC p_names text[]) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM people_duty WHERE person_id = p_person AND name = ANY (p_names)
                      AND confirmed_at IS NOT NULL AND ended_at IS NULL)
$$;

-- Until the change has run, neither its approvers nor its beneficiary work on it.
CREATE FUNCTION procedure_participant_is_allowed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM procedure_incident WHERE id = NEW.incident_id FOR UPDATE;
    IF EXISTS (SELECT FROM procedure_approval a WHERE a.incident_id = NEW.incident_id AND a.person_id = NEW.person_id
                  AND a.withdrawn_at IS NULL AND procedure_plan_counts(a.plan_id)
                  AND NOT EXISTS (SELECT FROM procedure_execution e JOIN recovery_run r ON r.id = e.run_id
                                   WHERE e.plan_id = a.plan_id AND r.state = 'committed')) THEN
        PERFORM procedure_refuse('BG003', 'approver_takes_no_part', 'who approved the plan does not work on it');
    END IF;
    IF procedure_runs_in(NEW.incident_id, 'committed') = 0 AND NEW.person_id =
       (SELECT beneficiary_id FROM procedure_choice WHERE incident_id = NEW.incident_id ORDER BY id DESC LIMIT 1) THEN
        PERFORM procedure_refuse('BG003', 'beneficiary_takes_no_part', 'the beneficiary neither requests nor runs');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER participant_is_allowed BEFORE INSERT ON procedure_participant
    FOR EACH ROW EXECUTE FUNCTION procedure_participant_is_allowed();
ALTER TABLE procedure_participant ENABLE ALWAYS TRIGGER participant_is_allowed;

CREATE FUNCTION procedure_override_is_allowed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.person_id = (SELECT requester_person_id FROM procedure_incident WHERE id = NEW.incident_id) THEN
        PERFORM procedure_refuse('BG003', 'override_is_not_by_the_requester', 'who opened the incident does not lift its stop');
    END IF;
    IF NOT procedure_has_duty(NEW.person_id, 'security') OR btrim(NEW.reason) = '' THEN
        PERFORM procedure_refuse('BG003', 'override_is_by_security', 'an override is a reason written by Security');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER override_is_allowed BEFORE INSERT ON procedure_override
    FOR EACH ROW EXECUTE FUNCTION procedure_override_is_allowed();
ALTER TABLE procedure_override ENABLE ALWAYS TRIGGER override_is_allowed;

CREATE FUNCTION procedure_choice_is_allowed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM procedure_incident WHERE id = NEW.incident_id AND state IN ('diagnosed', 'planned') FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM procedure_refuse('BG004', 'choice_comes_before_the_run', 'the outcome is chosen between diagnosis and run');
    END IF;
    IF NEW.beneficiary_id = NEW.person_id OR EXISTS (SELECT FROM procedure_participant
        WHERE incident_id = NEW.incident_id AND person_id = NEW.beneficiary_id) THEN
        PERFORM procedure_refuse('BG003', 'beneficiary_takes_no_part', 'the beneficiary neither requests nor runs');
    END IF;
    IF NOT EXISTS (SELECT FROM people_person p JOIN procedure_incident i ON i.practice = p.practice
                    WHERE p.id = NEW.beneficiary_id AND i.id = NEW.incident_id) THEN
        PERFORM procedure_refuse('BG003', 'practice_never_meets_real', 'practice people hold accounts on practice platforms only');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER choice_is_allowed BEFORE INSERT ON procedure_choice FOR EACH ROW EXECUTE FUNCTION procedure_choice_is_allowed();
ALTER TABLE procedure_choice ENABLE ALWAYS TRIGGER choice_is_allowed;

CREATE FUNCTION procedure_stop_is_overridden(p_diagnosis bigint, p_kind text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM procedure_override WHERE diagnosis_id = p_diagnosis AND kind = p_kind)
$$;

CREATE FUNCTION procedure_plan_is_allowed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    incident  procedure_incident;
    choice    procedure_choice;
    diagnosis procedure_diagnosis;
BEGIN
    SELECT * INTO STRICT incident FROM procedure_incident WHERE id = NEW.incident_id FOR UPDATE;
    SELECT * INTO choice FROM procedure_choice WHERE incident_id = NEW.incident_id ORDER BY id DESC LIMIT 1;
    IF NEW.choice_id IS DISTINCT FROM choice.id OR NEW.outcome NOT IN (choice.outcome, 'restore') THEN
        PERFORM procedure_refuse('BG004', 'plan_is_for_the_latest_choice', 'the plan is not for the latest choice');
    END IF;
    IF NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM procedure_plan WHERE incident_id = NEW.incident_id) THEN
        PERFORM procedure_refuse('BG004', 'plan_number_once', 'plans are numbered without a gap');
    END IF;
    IF procedure_runs_in(NEW.incident_id, 'intent', 'prepared', 'needs_human') > 0
       OR (NEW.outcome <> 'restore') <> (incident.state IN ('diagnosed', 'planned')) THEN
        PERFORM procedure_refuse('BG004', 'no_run_is_under_way', 'a run changed the platform, or may have');
    END IF;
    SELECT * INTO diagnosis FROM procedure_diagnosis WHERE incident_id = NEW.incident_id ORDER BY id DESC LIMIT 1;
    IF NEW.outcome <> 'restore' AND diagnosis.healthy > 0
       AND NOT procedure_stop_is_overridden(diagnosis.id, 'healthy_owner') THEN
        PERFORM procedure_refuse('BG003', 'healthy_owner_stops', 'an owner is healthy and Security has written no reason');
    END IF;
    IF NEW.outcome = 'create' AND diagnosis.recommended NOT IN ('', 'create')
       AND NOT procedure_stop_is_overridden(diagnosis.id, 'create') THEN
        PERFORM procedure_refuse('BG003', 'smaller_change_would_do', 'a smaller change would do');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER plan_is_allowed BEFORE INSERT ON procedure_plan FOR EACH ROW EXECUTE FUNCTION procedure_plan_is_allowed();
ALTER TABLE procedure_plan ENABLE ALWAYS TRIGGER plan_is_allowed;
