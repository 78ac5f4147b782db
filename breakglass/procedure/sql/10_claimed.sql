-- A run that no execution claims never comes so far that the platform could keep its change: whoever can write a run's row
-- still needs the claim, and with it the window and both approvals (trigger execution_is_allowed).
CREATE FUNCTION procedure_run_is_claimed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM procedure_execution WHERE run_id = NEW.id) THEN
        PERFORM procedure_refuse('BG004', 'run_is_of_this_incident', 'no execution has claimed this run');
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION procedure_run_is_claimed() FROM PUBLIC;
CREATE TRIGGER run_is_claimed BEFORE UPDATE ON recovery_run FOR EACH ROW
    WHEN (OLD.state = 'intent' AND NEW.state = 'prepared') EXECUTE FUNCTION procedure_run_is_claimed();
ALTER TABLE recovery_run ENABLE ALWAYS TRIGGER run_is_claimed;
