-- The window. The database sets both ends by its own clock, whatever was written; later it can only be shortened.

-- Whether a plan of this outcome may run in this state: a change before anything was changed, a restore after it.
CREATE FUNCTION procedure_fits_state(p_outcome text, p_state text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE p_outcome WHEN 'restore' THEN p_state IN ('executed', 'proven', 'revoked', 'sealed')
                          ELSE p_state = 'planned' END
$$;

CREATE FUNCTION procedure_window_is_allowed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    incident procedure_incident;
    plan     procedure_plan;
    moment   timestamptz;
    minutes  integer := 5;
BEGIN
    SELECT * INTO STRICT incident FROM procedure_incident WHERE id = NEW.incident_id FOR UPDATE;
    moment := audit.now();
    IF NEW.database_key <> incident.system_identifier || '/' || incident.database_name THEN
        PERFORM procedure_refuse('BG002', 'window_is_for_the_incidents_database', 'the window names another database');
    END IF;
    IF NEW.kind = 'plan' THEN
        SELECT * INTO STRICT plan FROM procedure_plan WHERE id = NEW.plan_id;
        PERFORM procedure_require_windowable(incident, plan, NEW.ops_approval_id, NEW.second_approval_id, NEW.person_id, moment);
        minutes := plan.window_minutes;
    ELSIF procedure_runs_in(NEW.incident_id, 'committed') = 0 THEN
        PERFORM procedure_refuse('BG002', 'only_a_committed_run_is_disabled', 'no run of this incident changed anything');
    END IF;
    NEW.during := tstzrange(moment, moment + make_interval(mins => minutes), '[)');
    RETURN NEW;
END $$;

CREATE FUNCTION procedure_require_windowable(incident procedure_incident, plan procedure_plan, ops bigint, second bigint,
                                             opener bigint, moment timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT procedure_plan_counts(plan.id) THEN
        PERFORM procedure_refuse('BG003', 'plan_is_the_latest', 'the plan was refused or replaced');
    END IF;
    IF NOT procedure_fits_state(plan.outcome, incident.state)
       OR procedure_runs_in(incident.id, 'intent', 'prepared', 'needs_human') > 0 THEN
        PERFORM procedure_refuse('BG004', 'no_run_is_under_way', 'a run changed the platform, or may have');
    END IF;
    IF NOT procedure_approvals_are_live(plan.id, ops, second)
       OR EXISTS (SELECT FROM procedure_approval WHERE id IN (ops, second) AND at <= moment - interval '30 minutes') THEN
        PERFORM procedure_refuse('BG003', 'approvals_are_live', 'two live approvals under 30 minutes old are needed');
    END IF;
    IF opener = plan.beneficiary_id THEN
        PERFORM procedure_refuse('BG003', 'beneficiary_takes_no_part', 'the beneficiary neither requests nor runs');
    END IF;
    IF EXISTS (SELECT FROM procedure_approval WHERE id IN (ops, second) AND person_id = opener) THEN
        PERFORM procedure_refuse('BG003', 'approver_takes_no_part', 'who approved the plan does not work on it');
    END IF;
END $$;
REVOKE ALL ON FUNCTION procedure_require_windowable(procedure_incident, procedure_plan, bigint, bigint, bigint, timestamptz)
    FROM PUBLIC;
CREATE TRIGGER window_is_allowed BEFORE INSERT ON procedure_window FOR EACH ROW EXECUTE FUNCTION procedure_window_is_allowed();
ALTER TABLE procedure_window ENABLE ALWAYS TRIGGER window_is_allowed;

CREATE FUNCTION procedure_window_is_only_shortened() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF isempty(NEW.during) OR upper_inf(NEW.during) OR upper(NEW.during) > upper(OLD.during)
       OR upper_inc(NEW.during) OR NOT lower_inc(NEW.during) OR lower(NEW.during) IS DISTINCT FROM lower(OLD.during) THEN
        PERFORM procedure_refuse('BG002', 'window_is_only_shortened', 'a window can only be shortened');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER window_is_only_shortened BEFORE UPDATE ON procedure_window
    FOR EACH ROW EXECUTE FUNCTION procedure_window_is_only_shortened();
ALTER TABLE procedure_window ENABLE ALWAYS TRIGGER window_is_only_shortened;
