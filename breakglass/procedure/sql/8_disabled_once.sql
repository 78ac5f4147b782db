-- "Disable now" once per change, with the words of what was wrong.

CREATE OR REPLACE FUNCTION procedure_require_disable(claim procedure_execution, win procedure_window) RETURNS void
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
    IF btrim(claim.reason) = '' THEN
        PERFORM procedure_refuse('BG003', 'disable_says_what_was_wrong', 'who disables says what was wrong');
    END IF;
    IF EXISTS (SELECT FROM procedure_execution e JOIN recovery_run r ON r.id = e.run_id
                WHERE e.undoes_id = claim.undoes_id AND r.kind = 'disable' AND r.state = 'committed') THEN
        PERFORM procedure_refuse('BG003', 'a_change_is_disabled_once', 'this change was disabled already');
    END IF;
END $$;
