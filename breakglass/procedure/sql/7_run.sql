-- The claim of a run: state that may change is asked under locks at the very moment of the execution.

CREATE FUNCTION procedure_execution_is_allowed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    incident procedure_incident;
    win      procedure_window;
    run      recovery_run;
    moment   timestamptz;
BEGIN
    SELECT * INTO STRICT incident FROM procedure_incident WHERE id = NEW.incident_id FOR UPDATE;
    moment := audit.now();
    SELECT * INTO win FROM procedure_window
     WHERE id = NEW.window_id AND incident_id = NEW.incident_id AND during @> moment FOR SHARE;
    IF NOT FOUND THEN
        PERFORM procedure_refuse('BG005', 'window_is_open', 'the window is not open (database clock)');
    END IF;
    SELECT * INTO STRICT run FROM recovery_run WHERE id = NEW.run_id;
    IF (run.incident, run.kind, run.platform, run.system_identifier, run.database_name, run.state) IS DISTINCT FROM
       (incident.reference, NEW.kind, incident.platform, incident.system_identifier, incident.database_name, 'intent')
       OR run.window_end > upper(win.during) THEN
        PERFORM procedure_refuse('BG004', 'run_is_of_this_incident', 'the run is not the one that this incident may claim');
    END IF;
    IF procedure_runs_in(NEW.incident_id, 'intent', 'prepared', 'needs_human') > 0 THEN
        PERFORM procedure_refuse('BG004', 'no_run_is_under_way', 'a run is under way');
    END IF;
    IF NEW.kind = 'disable' THEN
        PERFORM procedure_require_disable(NEW, win);
    ELSE
        PERFORM procedure_require_approved(NEW, incident, win, run);
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION procedure_require_disable(claim procedure_execution, win procedure_window) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF win.kind <> 'disable' THEN
        PERFORM procedure_refuse('BG005', 'window_is_open', 'the window was not opened to disable');
    END IF;
    IF NOT EXISTS (SELECT FROM procedure_execution e JOIN recovery_run r ON r.id = e.run_id
                    WHERE e.id = claim.undoes_id AND e.incident_id = claim.incident_id
                      AND r.state = 'committed' AND r.kind IN ('create', 'reset', 'enable')) THEN
        PERFORM procedure_refuse('BG003', 'only_a_committed_run_is_disabled', 'what is disabled was not changed by this incident');
    END IF;
END $$;
REVOKE ALL ON FUNCTION procedure_require_disable(procedure_execution, procedure_window) FROM PUBLIC;

CREATE FUNCTION procedure_require_approved(claim procedure_execution, incident procedure_incident, win procedure_window,
                                           run recovery_run) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE plan procedure_plan;
BEGIN
    SELECT * INTO STRICT plan FROM procedure_plan WHERE id = claim.plan_id;
    IF (win.kind, win.plan_id, win.ops_approval_id, win.second_approval_id) IS DISTINCT FROM
       ('plan', claim.plan_id, claim.ops_approval_id, claim.second_approval_id) THEN
        PERFORM procedure_refuse('BG003', 'approvals_are_live', 'the window was opened for another plan or by other approvals');
    END IF;
    IF NOT procedure_plan_counts(plan.id) THEN
        PERFORM procedure_refuse('BG003', 'plan_is_the_latest', 'the plan was refused or replaced');
    END IF;
    IF (plan.outcome, plan.digest, plan.content) IS DISTINCT FROM (claim.kind, run.plan_digest, run.content) THEN
        PERFORM procedure_refuse('BG003', 'what_was_approved_is_what_runs', 'the run is not what the plan says');
    END IF;
    IF NOT procedure_approvals_are_live(plan.id, claim.ops_approval_id, claim.second_approval_id) THEN
        PERFORM procedure_refuse('BG003', 'approvals_are_live', 'an approval was withdrawn, or its approver may no longer give it');
    END IF;
    IF NOT procedure_fits_state(plan.outcome, incident.state) OR EXISTS (
        SELECT FROM procedure_execution e JOIN recovery_run r ON r.id = e.run_id
         WHERE e.plan_id = plan.id AND r.state <> 'aborted') THEN
        PERFORM procedure_refuse('BG004', 'no_run_is_under_way', 'the plan has run, or may have');
    END IF;
    IF claim.person_id = plan.beneficiary_id THEN
        PERFORM procedure_refuse('BG003', 'beneficiary_takes_no_part', 'the beneficiary neither requests nor runs');
    END IF;
    IF EXISTS (SELECT FROM procedure_approval WHERE id IN (claim.ops_approval_id, claim.second_approval_id)
                  AND person_id = claim.person_id) THEN
        PERFORM procedure_refuse('BG003', 'approver_takes_no_part', 'who approved the plan does not run it');
    END IF;
END $$;
REVOKE ALL ON FUNCTION procedure_require_approved(procedure_execution, procedure_incident, procedure_window, recovery_run)
    FROM PUBLIC;
CREATE TRIGGER execution_is_allowed BEFORE INSERT ON procedure_execution
    FOR EACH ROW EXECUTE FUNCTION procedure_execution_is_allowed();
ALTER TABLE procedure_execution ENABLE ALWAYS TRIGGER execution_is_allowed;

-- A run begins as an intent and moves forward; a decided run never changes, but for the after-images that it still lacks.
CREATE FUNCTION procedure_run_moves_forward() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN (
        ('intent', 'prepared'), ('intent', 'aborted'), ('intent', 'needs_human'), ('prepared', 'committed'),
        ('prepared', 'aborted'), ('prepared', 'needs_human'), ('needs_human', 'committed'), ('needs_human', 'aborted')) THEN
        PERFORM procedure_refuse('BG004', 'what_is_recorded_stays', 'no way leads from ' || OLD.state || ' to ' || NEW.state);
    END IF;
    IF OLD.state IN ('committed', 'aborted')
       AND (OLD.after <> '' OR to_jsonb(OLD) - 'after' IS DISTINCT FROM to_jsonb(NEW) - 'after') THEN
        PERFORM procedure_refuse('BG004', 'what_is_recorded_stays', 'a decided run never changes');
    END IF;
    IF OLD.state = 'intent' AND NEW.state = 'prepared' THEN
        PERFORM procedure_require_still_open(NEW.id);
    END IF;
    RETURN NEW;
END $$;

-- The last look before the platform's COMMIT: the window may have ended, an approval may be gone since the claim.
CREATE FUNCTION procedure_require_still_open(p_run uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    claim  procedure_execution;
    moment timestamptz := audit.now();
BEGIN
    SELECT * INTO claim FROM procedure_execution WHERE run_id = p_run;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    PERFORM 1 FROM procedure_window WHERE id = claim.window_id AND during @> moment FOR SHARE;
    IF NOT FOUND THEN
        PERFORM procedure_refuse('BG005', 'window_is_open', 'the window ended before the change was made');
    END IF;
    IF claim.kind <> 'disable' AND NOT (procedure_plan_counts(claim.plan_id)
       AND procedure_approvals_are_live(claim.plan_id, claim.ops_approval_id, claim.second_approval_id)) THEN
        PERFORM procedure_refuse('BG003', 'approvals_are_live', 'an approval was withdrawn before the change was made');
    END IF;
END $$;
REVOKE ALL ON FUNCTION procedure_require_still_open(uuid) FROM PUBLIC;

CREATE FUNCTION procedure_run_begins() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.state <> 'intent' THEN
        PERFORM procedure_refuse('BG004', 'a_run_begins_as_intent', 'a run begins as an intent');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER run_begins BEFORE INSERT ON recovery_run FOR EACH ROW EXECUTE FUNCTION procedure_run_begins();
CREATE TRIGGER run_moves_forward BEFORE UPDATE ON recovery_run FOR EACH ROW EXECUTE FUNCTION procedure_run_moves_forward();
CREATE TRIGGER only_changes BEFORE UPDATE ON recovery_run FOR EACH ROW EXECUTE FUNCTION procedure_only_changes(
    'xid,prepared_at,decided_at,decided_by,timeline,before,planned_after,after',
    'state,fence,rehearsed_at,statements,backend_pid,reason');
CREATE TRIGGER only_changes BEFORE UPDATE ON recovery_access FOR EACH ROW
    EXECUTE FUNCTION procedure_only_changes('opened_at,closed_at,proven_at', 'proof');
CREATE TRIGGER proof_stays BEFORE UPDATE ON recovery_access FOR EACH ROW
    WHEN (OLD.proven_at IS NOT NULL) EXECUTE FUNCTION procedure_stays();
ALTER TABLE recovery_run    ENABLE ALWAYS TRIGGER run_begins;
ALTER TABLE recovery_run    ENABLE ALWAYS TRIGGER run_moves_forward;
ALTER TABLE recovery_run    ENABLE ALWAYS TRIGGER only_changes;
ALTER TABLE recovery_access ENABLE ALWAYS TRIGGER only_changes;
ALTER TABLE recovery_access ENABLE ALWAYS TRIGGER proof_stays;
