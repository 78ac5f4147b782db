"""Texts that look like one thing and would do another are refused, each with a sentence. The guard itself is the database."""

import pytest

from recovery.language import statements
from recovery.language.columns import Column, StatementRefused, Table

WRITES = [
    # two acts in one text
    ("UPDATE a SET b = 1 WHERE id = 1; DROP TABLE a", "exactly one statement"),
    ("UPDATE a SET b = 1 WHERE id = 1;\n-- nothing\n;SELECT 1", "exactly one statement"),
    ("UPDATE a SET b = 1 WHERE id = 1; COMMIT", "exactly one statement"),
    ("BEGIN; UPDATE a SET b = 1 WHERE id = 1", "exactly one statement"),
    ("/* UPDATE a SET b = 1 WHERE id = 1 */", "exactly one statement"),
    ("-- UPDATE a SET b = 1 WHERE id = 1", "exactly one statement"),
    # other commands
    ("EXPLAIN ANALYZE UPDATE a SET b = 1 WHERE id = 1", "only INSERT, UPDATE and DELETE"),
    ("PREPARE p AS UPDATE a SET b = 1 WHERE id = 1", "."),
    ("EXECUTE p", "."),
    ("COPY a FROM PROGRAM 'id'", "."),
    ("COPY (SELECT 1) TO '/tmp/x'", "."),
    ("DO $$ BEGIN PERFORM 1; END $$", "."),
    ("CALL tidy()", "."),
    ("LOCK TABLE a", "."),
    ("VACUUM a", "."),
    ("SET ROLE postgres", "."),
    ("RESET ALL", "."),
    ("NOTIFY a", "."),
    ("CREATE TABLE a AS SELECT 1", "only INSERT"),
    ("ALTER ROLE breakglass_reader SUPERUSER", "."),
    ("REFRESH MATERIALIZED VIEW a", "."),
    # acts inside the act
    (
        "WITH d AS (DELETE FROM b WHERE id = 1 RETURNING id) INSERT INTO a (id) SELECT d.id FROM d RETURNING id",
        "writes or locks",
    ),
    (
        "WITH x AS (WITH y AS (UPDATE b SET c = 1 WHERE id = 1 RETURNING id) SELECT y.id FROM y) "
        "DELETE FROM a WHERE id IN (SELECT x.id FROM x) RETURNING id",
        "writes or locks",
    ),
    ("INSERT INTO a (b) SELECT c.d FROM c FOR UPDATE RETURNING b", "."),
    ("INSERT INTO a (b) VALUES (1) ON CONFLICT (b) DO UPDATE SET b = 2 RETURNING b", "ON CONFLICT"),
    ("MERGE INTO a USING b ON a.id = b.id WHEN NOT MATCHED THEN INSERT VALUES (1)", "only INSERT"),
    # a WHERE that is none
    ("UPDATE a SET b = 1 -- WHERE id = 1", "a WHERE is missing"),
    ("UPDATE a SET b = 1 /* WHERE id = 1 */", "a WHERE is missing"),
    ("UPDATE a SET b = 'x WHERE id = 1'", "a WHERE is missing"),
    ("UPDATE a SET b = $q$ WHERE id = 1 $q$", "a WHERE is missing"),
    ("UPDATE a SET b = E'\\' WHERE id = 1 --'", "a WHERE is missing"),
    ("UPDATE a SET b = (SELECT c.d FROM c WHERE c.id = 1)", "a WHERE is missing"),
    ("UPDATE a SET b = 1 RETURNING (SELECT c.d FROM c WHERE c.id = 1)", "a WHERE is missing"),
    ("UPDATE a SET b = c\u00a0WHERE id = 1", "no-break space"),  # one name for PostgreSQL
    ("UPDATE a SET b = 1\u2028WHERE id = 1", "no-break space"),
    ("UPDATE a SET b = c\x1cWHERE id = 1", "no-break space"),
    ("UPDATE a SET b = 1 {# note #} WHERE id = {key}", "."),
    # where quotes end
    ("UPDATE a SET b = c$x$ WHERE id = 1 $x$", "."),
    ("UPDATE a SET b = B'\\' WHERE id = 1 --'", "."),
    ("UPDATE a SET b = U&'\\0027' WHERE id = 1; DROP TABLE a", "exactly one statement"),
    # values from texts
    ("UPDATE a SET b = $x$%(login)s$x$ WHERE id = 1", "in quotes or in a comment"),
    ("UPDATE a SET b = E'%(login)s' WHERE id = 1", "in quotes or in a comment"),
    ('UPDATE a SET "%(login)s" = 1 WHERE id = 1', "."),
    ("UPDATE %(login)s SET b = 1 WHERE id = 1", "."),
    ("UPDATE a SET b = 1 WHERE id = %(key)d", "."),
    ("UPDATE a SET b = 1 WHERE id = {key}", "."),
    ("UPDATE a SET b = 1 WHERE id = :key", "."),
    ("UPDATE a SET b = 1 WHERE id = ?", "no other way"),
    ("UPDATE a SET b = 1 WHERE id = %(key)s AND c = %b", "."),
    # names
    ('UPDATE "a\0" SET b = 1 WHERE id = 1', "NUL"),
    (f'UPDATE "{"ä" * 32}" SET b = 1 WHERE id = 1', "no name that PostgreSQL keeps"),
    ("UPDATE \u0430dminuser SET b = 1 WHERE id = 1", "needs quotes"),  # a Cyrillic letter that looks like an a
    ("UPDATE a SET \uff42 = 1 WHERE id = 1", "needs quotes"),  # a full-width b
    ('UPDATE U&"\\0061" SET b = 1 WHERE id = 1', "."),
    ("UPDATE other.public.a SET b = 1 WHERE id = 1", "another database"),
    # places that are no columns
    ("UPDATE a SET b.c = 1 WHERE id = 1", "."),
    ("UPDATE a SET (b) = ROW(1) WHERE id = 1", "one column at a time"),
    ("DELETE FROM a WHERE CURRENT OF cursor", "."),
    ("INSERT INTO a (b) TABLE c", "."),
    ("INSERT INTO a DEFAULT VALUES RETURNING id", "names its columns"),
    ("INSERT INTO a (b) SELECT 1 UNION SELECT 2 RETURNING b", "one row of VALUES or one SELECT"),
    ("INSERT INTO a (b) SELECT DISTINCT c.d FROM c RETURNING b", "DISTINCT is not understood"),
]


@pytest.mark.parametrize(("text", "reason"), WRITES)
def test_text_that_is_no_single_plain_write_is_refused(text: str, reason: str) -> None:
    with pytest.raises(StatementRefused, match=reason) as caught:
        statements.parse_write(text)

    assert str(caught.value)


ACTING = [
    *("setval('s', 1)", "nextval('s')", "lastval()", "currval('s')", "set_config('role', 'postgres', false)"),
    *("pg_terminate_backend(1)", "pg_cancel_backend(1)", "pg_sleep(60)", "pg_reload_conf()", "pg_rotate_logfile()"),
    *("pg_read_file('/etc/passwd')", "pg_read_binary_file('x')", "pg_ls_dir('/')", "pg_stat_file('x')"),
    *("lo_import('/etc/passwd')", "lo_export(1, 'x')", "lo_unlink(1)", "lowrite(1, 'x')"),
    *("dblink('dbname=x', 'SELECT 1')", "dblink_exec('x', 'DROP TABLE a')", "dblink_connect('x')"),
    *("pg_advisory_lock(1)", "pg_notify('a', 'b')", "pg_logical_emit_message(false, 'a', 'b')", "pg_switch_wal()"),
    *("query_to_xml('DELETE FROM a', true, true, '')", "ts_stat('SELECT 1')", "crosstab('SELECT 1')", "txid_current()"),
    *("pg_catalog.setval('s', 1)", "\"setval\"('s', 1)", '"pg_catalog" . "setval" (\'s\', 1)', "SETVAL('s', 1)"),
    *("setval /* not this */ ('s', 1)", "setval\n('s', 1)", "abs(setval('s', 1))", "(SELECT setval('s', 1))"),
    *("U&\"\\0073etval\"('s', 1)", "u&\"setva!006c\" UESCAPE '!' ('s', 1)"),
]


@pytest.mark.parametrize("call", ACTING)
def test_query_that_calls_a_function_with_effects_is_refused(call: str) -> None:
    with pytest.raises(StatementRefused):
        statements.parse_query(f"SELECT {call} AS x")


@pytest.mark.parametrize("call", [call for call in ACTING if not call.startswith(("nextval", "lastval", "currval"))])
def test_write_that_calls_a_function_with_effects_is_refused(call: str) -> None:
    with pytest.raises(StatementRefused):
        statements.parse_write(f"UPDATE a SET b = {call} WHERE id = 1")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT x.y FROM dblink('a', 'SELECT 1') AS x (y int)",
        "SELECT a.id FROM a, LATERAL pg_ls_dir('/') AS f (name)",
        "SELECT a.id FROM a WHERE EXISTS (SELECT pg_sleep(9))",
        "SELECT a.id FROM a ORDER BY setval('s', a.id)",
        "SELECT count(*) FILTER (WHERE pg_notify('a', 'b') IS NULL) AS n FROM a",
    ],
)
def test_function_with_effects_is_found_wherever_it_stands(query: str) -> None:
    with pytest.raises(StatementRefused, match="does more than compute"):
        statements.parse_query(query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT setval AS x FROM a",
        "SELECT 'setval(1)' AS x FROM a",
        "SELECT a.id FROM a WHERE a.note = $x$pg_sleep(1)$x$ -- pg_sleep(1)",
        "SELECT coalesce(max(a.id), 0) AS x, to_char(now(), 'YYYY') AS y FROM a WHERE a.id IN (1, 2)",
    ],
)
def test_words_that_are_no_calls_are_let_be(query: str) -> None:
    assert statements.parse_query(query).output


def test_sequences_are_found_by_name() -> None:
    parsed = statements.parse_write(
        "INSERT INTO a (id, n) VALUES (nextval('A_seq'), nextval('\"App\".\"B seq\"'::regclass)) RETURNING id",
        schema="ops",
    )

    assert parsed.sequences == {Table("ops", "a_seq"), Table("App", "B seq")}


def test_sequence_that_is_not_a_plain_text_is_refused() -> None:
    with pytest.raises(StatementRefused, match="nextval takes the name of its sequence"):
        statements.parse_write("INSERT INTO a (id) SELECT nextval(c.name) FROM c RETURNING id")


def test_backslash_in_a_plain_text_is_a_letter_like_any_other() -> None:
    parsed = statements.parse_write("UPDATE a SET b = 'x\\' WHERE id = '\\'")

    assert (parsed.where, parsed.assigned["b"].text) == ("id = '\\'", "'x\\'")


def test_values_keep_their_own_words() -> None:
    parsed = statements.parse_write(
        "UPDATE a SET b = \"myFunc\"(c, 'x,y'), d = ARRAY[1, 2]::int[], e = (c = 1), f = $$a, b = c WHERE$$ WHERE c IS DISTINCT FROM 1"
    )

    assert {name: new.text for name, new in parsed.assigned.items()} == {
        "b": "\"myFunc\"(c, 'x,y')",
        "d": "ARRAY[1, 2]::int[]",
        "e": "(c = 1)",
        "f": "$$a, b = c WHERE$$",
    }


def test_list_of_a_select_keeps_its_own_words() -> None:
    parsed = statements.parse_write(
        "INSERT INTO a (b, c, d) SELECT extract(epoch FROM now())::bigint, q.x IS DISTINCT FROM q.y AS c, lower(%(login)s)"
        " FROM q WHERE q.id = 1 ORDER BY q.id LIMIT 1 RETURNING b"
    )

    assert [new.text for new in parsed.assigned.values()] == [
        "extract(epoch FROM now())::bigint",
        "q.x IS DISTINCT FROM q.y",
        "lower(%(login)s)",
    ]
    assert parsed.source == "FROM q WHERE q.id = 1 ORDER BY q.id LIMIT 1"


def test_name_of_a_result_keeps_its_letters_only_in_quotes() -> None:
    parsed = statements.parse_write(
        'UPDATE a SET b = 1 WHERE id = 1 RETURNING "userId", userNo, id AS "newId", id AS Other'
    )

    assert parsed.returning == ("userId", "userno", "newId", "other")


def test_alias_is_folded_like_any_name() -> None:
    parsed = statements.parse_write("UPDATE a AS Acc SET b = 1 WHERE ACC.id = 1")

    assert (parsed.alias, parsed.reads) == ("acc", {Column(Table("public", "a"), "id")})
