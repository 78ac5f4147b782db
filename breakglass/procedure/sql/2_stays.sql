-- What was recorded stays. For the owner too, and also under session_replication_role = replica (ENABLE ALWAYS).

CREATE FUNCTION procedure_refuse(p_state text, p_rule text, p_says text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '%', p_says USING ERRCODE = p_state, CONSTRAINT = p_rule;
END $$;

CREATE FUNCTION procedure_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM procedure_refuse('BG004', 'what_is_recorded_stays', TG_OP || ' on ' || TG_TABLE_NAME || ' is refused');
    RETURN NULL;
END $$;

-- Arguments: the columns that may be filled once (comma separated), and the columns that may change.
CREATE FUNCTION procedure_only_changes() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    once text[] := string_to_array(TG_ARGV[0], ',');
    free text[] := string_to_array(TG_ARGV[1], ',');
    was  jsonb := to_jsonb(OLD);
    now_ jsonb := to_jsonb(NEW);
    name text;
BEGIN
    IF was - once - free IS DISTINCT FROM now_ - once - free THEN
        PERFORM procedure_refuse('BG004', 'what_is_recorded_stays', TG_TABLE_NAME || ': this column never changes');
    END IF;
    FOREACH name IN ARRAY once LOOP
        IF coalesce(was ->> name, '') <> '' AND was -> name IS DISTINCT FROM now_ -> name THEN
            PERFORM procedure_refuse('BG004', 'what_is_recorded_stays', TG_TABLE_NAME || ': ' || name || ' is set once');
        END IF;
    END LOOP;
    RETURN NEW;
END $$;

DO $$
DECLARE kept text;
BEGIN
    -- added to and read, nothing else
    FOREACH kept IN ARRAY ARRAY[
        'procedure_participant', 'procedure_diagnosis', 'procedure_override', 'procedure_choice', 'procedure_plan',
        'procedure_planrefusal', 'procedure_execution', 'procedure_signinproof', 'procedure_evidenceitem',
        'procedure_bundle', 'procedure_review', 'procedure_message', 'procedure_delivery', 'procedure_historicalpostmortem',
        'recovery_mandaterequest', 'recovery_mandate', 'recovery_historicaladminuser', 'recovery_historicaltenant',
        'people_stepup', 'people_spentstep', 'people_historicalperson', 'people_historicalduty'] LOOP
        EXECUTE format('CREATE TRIGGER stays BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION procedure_stays()', kept);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER stays', kept);
    END LOOP;
    -- a few columns change, no row goes
    FOREACH kept IN ARRAY ARRAY[
        'procedure_incident', 'procedure_approval', 'procedure_window', 'procedure_handover', 'procedure_revocationitem',
        'procedure_postmortem', 'recovery_run', 'recovery_access', 'recovery_adminuser', 'recovery_tenant',
        'people_person', 'people_account', 'people_duty'] LOOP
        EXECUTE format('CREATE TRIGGER stays BEFORE DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION procedure_stays()', kept);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER stays', kept);
    END LOOP;
END $$;

CREATE TRIGGER only_changes BEFORE UPDATE ON procedure_incident FOR EACH ROW
    EXECUTE FUNCTION procedure_only_changes('closed_at', 'state,exposure_suspected');
CREATE TRIGGER only_changes BEFORE UPDATE ON procedure_approval FOR EACH ROW
    EXECUTE FUNCTION procedure_only_changes('withdrawn_at,withdrawn_by_id,withdrawn_reason', '');
CREATE TRIGGER only_changes BEFORE UPDATE ON procedure_window FOR EACH ROW
    -- the generated constants are not known yet in a BEFORE trigger
    EXECUTE FUNCTION procedure_only_changes('end_recorded_at', 'during,ops_side,second_side');
CREATE TRIGGER only_changes BEFORE UPDATE ON procedure_handover FOR EACH ROW
    EXECUTE FUNCTION procedure_only_changes('used_at,voided_at', 'wrong_codes');
CREATE TRIGGER only_changes BEFORE UPDATE ON procedure_revocationitem FOR EACH ROW
    EXECUTE FUNCTION procedure_only_changes('done_at,done_by_id,waived_at,waived_by_id,waived_reason,waived_until', 'output');
CREATE TRIGGER done_stays BEFORE UPDATE ON procedure_revocationitem FOR EACH ROW
    WHEN (OLD.done_at IS NOT NULL) EXECUTE FUNCTION procedure_stays();
CREATE TRIGGER wrong_codes_only_grow BEFORE UPDATE ON procedure_handover FOR EACH ROW
    WHEN (NEW.wrong_codes < OLD.wrong_codes) EXECUTE FUNCTION procedure_stays();
CREATE TRIGGER suspicion_stays BEFORE UPDATE ON procedure_incident FOR EACH ROW
    WHEN (OLD.exposure_suspected AND NOT NEW.exposure_suspected) EXECUTE FUNCTION procedure_stays();

ALTER TABLE procedure_incident       ENABLE ALWAYS TRIGGER only_changes;
ALTER TABLE procedure_incident       ENABLE ALWAYS TRIGGER suspicion_stays;
ALTER TABLE procedure_approval       ENABLE ALWAYS TRIGGER only_changes;
ALTER TABLE procedure_window         ENABLE ALWAYS TRIGGER only_changes;
ALTER TABLE procedure_handover       ENABLE ALWAYS TRIGGER only_changes;
ALTER TABLE procedure_handover       ENABLE ALWAYS TRIGGER wrong_codes_only_grow;
ALTER TABLE procedure_revocationitem ENABLE ALWAYS TRIGGER only_changes;
ALTER TABLE procedure_revocationitem ENABLE ALWAYS TRIGGER done_stays;
