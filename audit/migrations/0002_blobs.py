"""Large contents, kept in chunks under their SHA-256, and the rights of the console's logins."""

from django.conf import settings
from django.db import migrations, models

from audit import grants

BLOBS = """
CREATE TABLE audit.blob (
    sha256     text        PRIMARY KEY CONSTRAINT sha256_is_hex CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    bytes      bigint      NOT NULL CONSTRAINT blob_is_at_most_64_m CHECK (bytes BETWEEN 0 AND 67108864),
    media_type text        NOT NULL CONSTRAINT media_type_is_short CHECK (length(media_type) BETWEEN 1 AND 200),
    name       text        NOT NULL CONSTRAINT name_is_short CHECK (length(name) BETWEEN 1 AND 255),
    at         timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE audit.blob_chunk (
    sha256 text    NOT NULL REFERENCES audit.blob,
    n      integer NOT NULL CONSTRAINT chunks_count_from_zero CHECK (n >= 0),
    data   bytea   NOT NULL CONSTRAINT chunk_is_at_most_256_k CHECK (octet_length(data) BETWEEN 1 AND 262144),
    PRIMARY KEY (sha256, n)
);

-- The only way in. The server hashes what it stores, so a row cannot claim a number that is not its content's.
CREATE FUNCTION audit.keep(p_data bytea, p_media_type text, p_name text) RETURNS text
LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    number text := encode(sha256(p_data), 'hex');
BEGIN
    INSERT INTO audit.blob (sha256, bytes, media_type, name) VALUES (number, octet_length(p_data), p_media_type, p_name)
    ON CONFLICT (sha256) DO NOTHING;
    IF FOUND THEN
        INSERT INTO audit.blob_chunk (sha256, n, data)
        SELECT number, n, substring(p_data FROM n * 262144 + 1 FOR 262144)
        FROM generate_series(0, (octet_length(p_data) + 262143) / 262144 - 1) AS n;
    END IF;
    RETURN number;
END $$;
REVOKE ALL ON FUNCTION audit.keep(bytea, text, text) FROM PUBLIC;

CREATE TRIGGER blob_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.blob
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
ALTER TABLE audit.blob ENABLE ALWAYS TRIGGER blob_stays;
CREATE TRIGGER blob_chunk_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.blob_chunk
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
ALTER TABLE audit.blob_chunk ENABLE ALWAYS TRIGGER blob_chunk_stays;
"""


def grant(apps, schema_editor):
    schema_editor.execute(grants.sql(app_role=settings.APP_ROLE, keeper_role=settings.KEEPER_ROLE))


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_clock_and_log")]
    operations = [
        migrations.RunSQL(
            BLOBS, "DROP TABLE audit.blob_chunk, audit.blob; DROP FUNCTION audit.keep(bytea, text, text)"
        ),
        migrations.RunPython(grant, migrations.RunPython.noop),
        migrations.CreateModel(
            name="Blob",
            fields=[
                ("sha256", models.TextField(primary_key=True, serialize=False, verbose_name="SHA-256")),
                ("bytes", models.BigIntegerField(verbose_name="bytes")),
                ("media_type", models.TextField(verbose_name="media type")),
                ("name", models.TextField(verbose_name="name")),
                ("at", models.DateTimeField(verbose_name="kept at")),
            ],
            options={
                "verbose_name": "kept file",
                "verbose_name_plural": "kept files",
                "db_table": '"audit"."blob"',
                "ordering": ("-at",),
                "managed": False,
            },
        ),
    ]
