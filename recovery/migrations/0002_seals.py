"""The key of sealed rows never reaches a backup (unlogged table); it is wiped once, and what is sealed is never exchanged."""

from django.db import migrations

FORWARD = """
ALTER TABLE recovery_sealkey SET UNLOGGED;

CREATE FUNCTION recovery_seal_stays() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'BG004', CONSTRAINT = 'what_is_recorded_stays';
END $$;

CREATE TRIGGER stays BEFORE UPDATE OR DELETE OR TRUNCATE ON recovery_sealedrow
    FOR EACH STATEMENT EXECUTE FUNCTION recovery_seal_stays();
CREATE TRIGGER stays BEFORE DELETE OR TRUNCATE ON recovery_sealkey
    FOR EACH STATEMENT EXECUTE FUNCTION recovery_seal_stays();
CREATE TRIGGER is_only_wiped BEFORE UPDATE ON recovery_sealkey FOR EACH ROW
    WHEN (OLD.wiped_at IS NOT NULL OR NEW.wiped_at IS NULL OR NEW.key <> ''::bytea OR NEW.incident <> OLD.incident)
    EXECUTE FUNCTION recovery_seal_stays();
ALTER TABLE recovery_sealedrow ENABLE ALWAYS TRIGGER stays;
ALTER TABLE recovery_sealkey ENABLE ALWAYS TRIGGER stays;
ALTER TABLE recovery_sealkey ENABLE ALWAYS TRIGGER is_only_wiped;
"""

BACKWARD = """
DROP TRIGGER stays ON recovery_sealedrow;
DROP TRIGGER stays ON recovery_sealkey;
DROP TRIGGER is_only_wiped ON recovery_sealkey;
DROP FUNCTION recovery_seal_stays();
ALTER TABLE recovery_sealkey SET LOGGED;
"""


class Migration(migrations.Migration):
    dependencies = [("recovery", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
