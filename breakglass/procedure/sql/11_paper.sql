-- The script of a run on paper stays as it was made; only its sealed text goes, once the run is decided.

CREATE TRIGGER stays BEFORE DELETE OR TRUNCATE ON recovery_paperscript
    FOR EACH STATEMENT EXECUTE FUNCTION procedure_stays();
CREATE TRIGGER only_changes BEFORE UPDATE ON recovery_paperscript FOR EACH ROW
    EXECUTE FUNCTION procedure_only_changes('wiped_at', 'nonce,sealed');
CREATE TRIGGER wiped_stays BEFORE UPDATE ON recovery_paperscript FOR EACH ROW
    WHEN (OLD.wiped_at IS NOT NULL OR NEW.wiped_at IS NULL OR length(NEW.sealed) > 0) EXECUTE FUNCTION procedure_stays();
ALTER TABLE recovery_paperscript ENABLE ALWAYS TRIGGER stays;
ALTER TABLE recovery_paperscript ENABLE ALWAYS TRIGGER only_changes;
ALTER TABLE recovery_paperscript ENABLE ALWAYS TRIGGER wiped_stays;
