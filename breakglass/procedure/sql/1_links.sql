-- Facts that never change are carried along by composite keys: no trigger is needed, no race is possible.
-- An approval that names another requester, another beneficiary, another digest or another human does not fit anywhere.

ALTER TABLE procedure_plan      ADD CONSTRAINT plan_incident_target      UNIQUE (id, incident_id);
ALTER TABLE procedure_choice    ADD CONSTRAINT choice_incident_target    UNIQUE (id, incident_id, beneficiary_id);
ALTER TABLE procedure_diagnosis ADD CONSTRAINT diagnosis_incident_target UNIQUE (id, incident_id);
ALTER TABLE procedure_execution ADD CONSTRAINT execution_incident_target UNIQUE (id, incident_id);

-- Every deed names the human behind the account.
DO $$
DECLARE deed text;
BEGIN
    FOREACH deed IN ARRAY ARRAY['participant', 'diagnosis', 'override', 'choice', 'plan', 'approval', 'planrefusal',
                                'window', 'handover', 'execution', 'bundle', 'review'] LOOP
        EXECUTE format('ALTER TABLE procedure_%1$s ADD CONSTRAINT %1$s_account_person
                        FOREIGN KEY (account_id, person_id) REFERENCES people_account (id, person_id)', deed);
    END LOOP;
END $$;

ALTER TABLE procedure_incident
    ADD CONSTRAINT incident_account_person FOREIGN KEY (requester_account_id, requester_person_id)
        REFERENCES people_account (id, person_id),
    ADD CONSTRAINT incident_practice_requester FOREIGN KEY (requester_person_id, practice)
        REFERENCES people_person (id, practice),
    ADD CONSTRAINT incident_requester_is_present CHECK (requester_person_id IS NOT NULL);

ALTER TABLE procedure_override
    ADD CONSTRAINT override_diagnosis FOREIGN KEY (diagnosis_id, incident_id) REFERENCES procedure_diagnosis (id, incident_id);

ALTER TABLE procedure_plan
    ADD CONSTRAINT plan_choice FOREIGN KEY (choice_id, incident_id, beneficiary_id)
        REFERENCES procedure_choice (id, incident_id, beneficiary_id),
    ADD CONSTRAINT plan_digest_is_of_its_content CHECK (digest = encode(sha256(convert_to(content, 'UTF8')), 'hex'));

ALTER TABLE procedure_approval
    ADD CONSTRAINT approval_requester FOREIGN KEY (incident_id, requester_person_id)
        REFERENCES procedure_incident (id, requester_person_id),
    ADD CONSTRAINT approval_plan FOREIGN KEY (plan_id, incident_id, digest, beneficiary_person_id)
        REFERENCES procedure_plan (id, incident_id, digest, beneficiary_id),
    ADD CONSTRAINT approval_practice_person FOREIGN KEY (person_id, practice) REFERENCES people_person (id, practice),
    ADD CONSTRAINT approval_practice_incident FOREIGN KEY (incident_id, practice) REFERENCES procedure_incident (id, practice),
    ADD CONSTRAINT approval_step_up FOREIGN KEY (step_up_id, account_id, digest)
        REFERENCES people_stepup (id, account_id, digest);

ALTER TABLE procedure_planrefusal
    ADD CONSTRAINT refusal_plan FOREIGN KEY (plan_id, incident_id) REFERENCES procedure_plan (id, incident_id);

-- A window and an execution name one approval of each side: the constants are what the key compares.
ALTER TABLE procedure_window
    ADD COLUMN ops_side    varchar(6) GENERATED ALWAYS AS ('ops') STORED,
    ADD COLUMN second_side varchar(6) GENERATED ALWAYS AS ('second') STORED,
    ADD CONSTRAINT window_plan FOREIGN KEY (plan_id, incident_id) REFERENCES procedure_plan (id, incident_id),
    ADD CONSTRAINT window_ops_approval FOREIGN KEY (ops_approval_id, plan_id, ops_side)
        REFERENCES procedure_approval (id, plan_id, side),
    ADD CONSTRAINT window_second_approval FOREIGN KEY (second_approval_id, plan_id, second_side)
        REFERENCES procedure_approval (id, plan_id, side),
    ADD CONSTRAINT one_window_per_ops_approval    UNIQUE (ops_approval_id),
    ADD CONSTRAINT one_window_per_second_approval UNIQUE (second_approval_id);

ALTER TABLE procedure_handover
    ADD CONSTRAINT handover_window FOREIGN KEY (window_id, incident_id) REFERENCES procedure_window (id, incident_id),
    ADD CONSTRAINT handover_plan   FOREIGN KEY (plan_id, incident_id)   REFERENCES procedure_plan (id, incident_id);

ALTER TABLE procedure_execution
    ADD COLUMN ops_side    varchar(6) GENERATED ALWAYS AS ('ops') STORED,
    ADD COLUMN second_side varchar(6) GENERATED ALWAYS AS ('second') STORED,
    ADD CONSTRAINT execution_window FOREIGN KEY (window_id, incident_id) REFERENCES procedure_window (id, incident_id),
    ADD CONSTRAINT execution_plan   FOREIGN KEY (plan_id, incident_id)   REFERENCES procedure_plan (id, incident_id),
    ADD CONSTRAINT execution_undoes FOREIGN KEY (undoes_id, incident_id) REFERENCES procedure_execution (id, incident_id),
    ADD CONSTRAINT execution_ops_approval FOREIGN KEY (ops_approval_id, plan_id, ops_side)
        REFERENCES procedure_approval (id, plan_id, side),
    ADD CONSTRAINT execution_second_approval FOREIGN KEY (second_approval_id, plan_id, second_side)
        REFERENCES procedure_approval (id, plan_id, side);

-- A range over text makes equality fit for GiST without an extension: one window per physical database at any moment.
CREATE TYPE procedure_textrange AS RANGE (subtype = text);
ALTER TABLE procedure_window
    ADD CONSTRAINT one_open_window_per_database EXCLUDE USING gist
        (procedure_textrange(database_key::text, database_key::text, '[]') WITH &&, during WITH &&),
    ADD CONSTRAINT window_has_both_ends CHECK (NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)),
    ADD CONSTRAINT window_is_under_4_hours CHECK (upper(during) - lower(during) <= interval '4 hours');
