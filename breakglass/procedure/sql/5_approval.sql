-- Approvals. What may change later (duty, account, withdrawal) is asked again under FOR SHARE when the window opens and at the claim.

-- Two live approvals of this plan, one of each side, by people whose duty and account still live. Locks what it read.
CREATE FUNCTION procedure_approvals_are_live(p_plan bigint, p_ops bigint, p_second bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE sides text[];
BEGIN
    SELECT array_agg(live.side ORDER BY live.side) INTO sides FROM (
        SELECT a.side FROM procedure_approval a
          JOIN people_duty d ON d.person_id = a.person_id AND d.name = a.duty
          JOIN people_account c ON c.id = a.account_id
         WHERE a.id IN (p_ops, p_second) AND a.plan_id = p_plan AND a.withdrawn_at IS NULL
           AND d.confirmed_at IS NOT NULL AND d.ended_at IS NULL AND c.is_active
           FOR SHARE OF a, d, c) live;
    RETURN sides IS NOT DISTINCT FROM ARRAY['ops', 'second'];
END $$;
REVOKE ALL ON FUNCTION procedure_approvals_are_live(bigint, bigint, bigint) FROM PUBLIC;

CREATE FUNCTION procedure_approval_is_allowed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE moment timestamptz;
BEGIN
    PERFORM 1 FROM procedure_incident WHERE id = NEW.incident_id FOR UPDATE;
    moment := audit.now();
    IF NEW.at > moment OR NEW.at < moment - interval '10 seconds' OR NEW.withdrawn_at IS NOT NULL THEN
        PERFORM procedure_refuse('BG003', 'approval_is_dated_now', 'an approval is given now (database clock)');
    END IF;
    IF NOT procedure_plan_counts(NEW.plan_id) THEN
        PERFORM procedure_refuse('BG003', 'plan_is_the_latest', 'the plan was refused or replaced');
    END IF;
    IF EXISTS (SELECT FROM procedure_participant WHERE incident_id = NEW.incident_id AND person_id = NEW.person_id) THEN
        PERFORM procedure_refuse('BG003', 'approver_took_no_part', 'the approver took part in the incident');
    END IF;
    IF NOT procedure_has_duty(NEW.person_id, NEW.duty) THEN
        PERFORM procedure_refuse('BG003', 'approver_has_the_duty', 'the approver does not have the duty');
    END IF;
    IF NOT EXISTS (SELECT FROM people_stepup WHERE id = NEW.step_up_id AND purpose = 'approve'
                      AND at > moment - interval '5 minutes') THEN
        PERFORM procedure_refuse('BG003', 'approval_takes_a_fresh_code', 'the second factor was not given for this, or is old');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approval_is_allowed BEFORE INSERT ON procedure_approval
    FOR EACH ROW EXECUTE FUNCTION procedure_approval_is_allowed();
ALTER TABLE procedure_approval ENABLE ALWAYS TRIGGER approval_is_allowed;

CREATE FUNCTION procedure_refusal_is_allowed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM 1 FROM procedure_incident WHERE id = NEW.incident_id FOR UPDATE;
    IF btrim(NEW.reason) = '' THEN
        PERFORM procedure_refuse('BG003', 'refusal_has_a_reason', 'a no has its reason');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refusal_is_allowed BEFORE INSERT ON procedure_planrefusal
    FOR EACH ROW EXECUTE FUNCTION procedure_refusal_is_allowed();
ALTER TABLE procedure_planrefusal ENABLE ALWAYS TRIGGER refusal_is_allowed;
