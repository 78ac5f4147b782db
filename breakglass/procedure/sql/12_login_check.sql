-- A login check is added to the record and read, nothing else, and never under an incident that is final.

CREATE TRIGGER stays BEFORE UPDATE OR DELETE OR TRUNCATE ON procedure_logincheck
    FOR EACH STATEMENT EXECUTE FUNCTION procedure_stays();
CREATE TRIGGER a_incident_is_not_final BEFORE INSERT ON procedure_logincheck
    FOR EACH ROW EXECUTE FUNCTION procedure_incident_is_not_final();
ALTER TABLE procedure_logincheck ENABLE ALWAYS TRIGGER stays;
ALTER TABLE procedure_logincheck ENABLE ALWAYS TRIGGER a_incident_is_not_final;
