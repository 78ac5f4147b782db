"""The guarded clock and the append-only log, as the database itself keeps them."""

from django.db import migrations, models

CLOCK = """
CREATE SCHEMA audit;
REVOKE ALL ON SCHEMA audit FROM PUBLIC;

CREATE TABLE audit.clock (
    one        boolean     PRIMARY KEY DEFAULT true CONSTRAINT clock_has_one_row CHECK (one),
    high_water timestamptz NOT NULL
);
INSERT INTO audit.clock (high_water) VALUES (clock_timestamp());

-- The only clock of a rule. clock_timestamp(), because now() stands still inside a transaction that began in the window
-- and acts after its end. Never goes back: up to two seconds it waits at the mark, beyond that it refuses.
CREATE FUNCTION audit.now() RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
DECLARE
    mark   timestamptz;
    moment timestamptz;
BEGIN
    SELECT high_water INTO STRICT mark FROM audit.clock FOR UPDATE;
    moment := clock_timestamp();
    IF moment < mark - interval '2 seconds' THEN
        RAISE EXCEPTION 'the database clock moved back from % to %', mark, moment
        USING ERRCODE = 'BG001', DETAIL = json_build_object('mark', mark, 'now', moment)::text;
    END IF;
    IF moment > mark THEN
        UPDATE audit.clock SET high_water = moment;
        RETURN moment;
    END IF;
    RETURN mark;
END $$;
REVOKE ALL ON FUNCTION audit.now() FROM PUBLIC;
"""

LOG = """
CREATE TABLE audit.entry (
    seq      bigint PRIMARY KEY CONSTRAINT seq_counts_from_zero CHECK (seq >= 0),
    entry    text   NOT NULL,
    incident text   NOT NULL GENERATED ALWAYS AS ((entry::jsonb) ->> 'incident') STORED,
    event    text   NOT NULL GENERATED ALWAYS AS ((entry::jsonb) ->> 'event') STORED,
    by       text   NOT NULL GENERATED ALWAYS AS ((entry::jsonb) ->> 'by') STORED,
    CONSTRAINT entry_is_one_line     CHECK (strpos(entry, chr(10)) = 0 AND strpos(entry, chr(13)) = 0),
    CONSTRAINT entry_is_at_most_64_k CHECK (octet_length(entry) <= 65536)
);
CREATE INDEX entry_of_incident ON audit.entry (incident, seq);
CREATE INDEX entry_of_event    ON audit.entry (event, seq);
CREATE INDEX entry_by          ON audit.entry (by, seq);

-- One row: the log's size, and the place handed to the one transaction that is appending. Its row lock puts all appends
-- in a line; an advisory lock could be held by any session.
CREATE TABLE audit.head (
    one            boolean PRIMARY KEY DEFAULT true CONSTRAINT head_has_one_row CHECK (one),
    size           bigint  NOT NULL,
    place_xid      xid8,
    place_at       text,
    place_incident text,
    place_n        bigint,
    place_prev     text
);
INSERT INTO audit.head (size) VALUES (0);

-- Takes the next place: the database's clock, the incident's next number and the SHA-256 of its previous line.
-- The lock comes in a statement of its own: the next statement's snapshot must see what the last holder committed.
CREATE FUNCTION audit.lock(p_incident text) RETURNS TABLE (at text, n bigint, prev text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
#variable_conflict use_column
DECLARE
    last text;
BEGIN
    PERFORM 1 FROM audit.head FOR UPDATE;
    SELECT entry INTO last FROM audit.entry WHERE incident = p_incident ORDER BY seq DESC LIMIT 1;
    RETURN QUERY
    UPDATE audit.head
       SET place_xid = pg_current_xact_id(),
           place_at = to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
           place_incident = p_incident,
           place_n = coalesce(((last::jsonb) ->> 'n')::bigint, 0) + 1,
           place_prev = coalesce(encode(sha256(convert_to(last, 'UTF8')), 'hex'), '')
    RETURNING place_at, place_n, place_prev;
END $$;
REVOKE ALL ON FUNCTION audit.lock(text) FROM PUBLIC;

-- The only way in. The line must carry exactly the place taken in this transaction; a rollback gives the number back.
CREATE FUNCTION audit.append(p_line text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
DECLARE
    head   audit.head;
    fields jsonb := p_line::jsonb;
BEGIN
    SELECT * INTO STRICT head FROM audit.head FOR UPDATE;
    IF head.place_xid IS DISTINCT FROM pg_current_xact_id() THEN
        RAISE EXCEPTION 'no place was taken in this transaction: call audit.lock first' USING ERRCODE = 'BG006';
    END IF;
    IF (fields -> 'at', fields -> 'incident', fields -> 'n', fields -> 'prev') IS DISTINCT FROM
       (to_jsonb(head.place_at), to_jsonb(head.place_incident), to_jsonb(head.place_n), to_jsonb(head.place_prev)) THEN
        RAISE EXCEPTION 'the entry does not carry the place that it was given' USING ERRCODE = 'BG006';
    END IF;
    INSERT INTO audit.entry (seq, entry) VALUES (head.size, p_line);
    UPDATE audit.head SET size = size + 1, place_xid = NULL;
    RETURN head.size;
END $$;
REVOKE ALL ON FUNCTION audit.append(text) FROM PUBLIC;
"""

GUARDS = """
-- Refuses whatever is not an INSERT, for the owner too; ENABLE ALWAYS holds under session_replication_role = replica.
CREATE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION '% on audit.% is refused: what was recorded stays', TG_OP, TG_TABLE_NAME USING ERRCODE = 'BG004';
END $$;

CREATE TRIGGER entry_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
ALTER TABLE audit.entry ENABLE ALWAYS TRIGGER entry_stays;
CREATE TRIGGER head_stays BEFORE DELETE OR TRUNCATE ON audit.head FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
ALTER TABLE audit.head ENABLE ALWAYS TRIGGER head_stays;
CREATE TRIGGER clock_stays BEFORE DELETE OR TRUNCATE ON audit.clock FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
ALTER TABLE audit.clock ENABLE ALWAYS TRIGGER clock_stays;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(CLOCK, "DROP SCHEMA audit CASCADE"),
        migrations.RunSQL(LOG, migrations.RunSQL.noop),
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False, verbose_name="number")),
                ("entry", models.TextField(verbose_name="line")),
                ("incident", models.TextField(verbose_name="incident")),
                ("event", models.TextField(verbose_name="event")),
                ("by", models.TextField(verbose_name="by")),
            ],
            options={
                "verbose_name": "log entry",
                "verbose_name_plural": "log entries",
                "db_table": '"audit"."entry"',
                "ordering": ("-seq",),
                "managed": False,
            },
        ),
    ]
