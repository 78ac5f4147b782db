"""What a profile's SQL may be, and what is read out of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.language import derived, statements
from recovery.language.columns import Column, StatementRefused, Table, quoted

ADMINUSER = Table("public", "adminuser")
RESET = "UPDATE adminuser AS u SET password_hash = %(password_hash)s, failed_logins = 0, updated_at = now() WHERE u.id = %(key)s"
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]) | st.just(" "), max_size=20)
NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,20}", fullmatch=True)


def names(columns: frozenset[Column]) -> set[str]:
    return {str(column) for column in columns}


def test_update_says_what_it_writes_and_reads() -> None:
    parsed = statements.parse_write(RESET)

    assert parsed.action == "update"
    assert names(parsed.writes) == {
        "public.adminuser.password_hash",
        "public.adminuser.failed_logins",
        "public.adminuser.updated_at",
    }
    assert names(parsed.reads) == {"public.adminuser.id"}
    assert parsed.parameters == {"password_hash", "key"}


def test_each_new_value_says_where_it_comes_from() -> None:
    parsed = statements.parse_write(
        "UPDATE a SET b = 1, c = now(), d = %(login)s::citext, e = lower(%(email)s), f = DEFAULT, g = NULL WHERE id = 1"
    )

    sources = {name: new.source for name, new in parsed.assigned.items()}

    assert sources == {
        "b": "literal",
        "c": "clock",
        "d": "parameter",
        "e": "expression",
        "f": "default",
        "g": "literal",
    }


def test_insert_from_a_select_reads_the_other_table() -> None:
    parsed = statements.parse_write(
        "INSERT INTO adminuser (tenant_id, email) SELECT t.id, %(email)s FROM tenant AS t WHERE t.is_system RETURNING id"
    )

    assert names(parsed.writes) == {"public.adminuser.tenant_id", "public.adminuser.email"}
    assert names(parsed.reads) == {"public.tenant.id", "public.tenant.is_system", "public.adminuser.id"}
    assert parsed.returning == ("id",)


def test_reserved_and_mixed_case_names_stay_as_they_are_quoted() -> None:
    parsed = statements.parse_write(
        'UPDATE Auth."user" SET "lastLogin" = NULL, Enabled = true WHERE "user".id = %(key)s'
    )

    assert parsed.table == Table("auth", "user")
    assert names(parsed.writes) == {"auth.user.lastLogin", "auth.user.enabled"}


def test_correlated_subquery_reads_both_tables() -> None:
    parsed = statements.parse_write(
        "UPDATE password SET hash = %(password_hash)s WHERE id = (SELECT max(p.id) FROM password AS p"
        " JOIN local_user AS l ON l.id = p.local_user_id WHERE l.user_id = %(key)s)"
    )

    assert names(parsed.reads) == {
        "public.password.id",
        "public.password.local_user_id",
        "public.local_user.id",
        "public.local_user.user_id",
    }


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("DROP TABLE adminuser", "only INSERT, UPDATE and DELETE"),
        ("ALTER TABLE adminuser ADD x int", "only INSERT, UPDATE and DELETE"),
        ("TRUNCATE adminuser", "only INSERT, UPDATE and DELETE"),
        ("GRANT ALL ON adminuser TO public", "only INSERT, UPDATE and DELETE"),
        ("COPY adminuser TO STDOUT", "only INSERT, UPDATE and DELETE"),
        ("DO $$ BEGIN END $$", "only INSERT, UPDATE and DELETE"),
        ("CALL do_it()", "only INSERT, UPDATE and DELETE"),
        ("SELECT 1", "only INSERT, UPDATE and DELETE"),
        ("MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN DELETE", "only INSERT, UPDATE and DELETE"),
        ("UPDATE a SET b = 1 WHERE id = 1; DELETE FROM a WHERE id = 2", "exactly one statement"),
        ("", "exactly one statement"),
        ("UPDATE a SET b = 1", "a WHERE is missing"),
        ("DELETE FROM a", "a WHERE is missing"),
        ("DELETE FROM a RETURNING (SELECT id FROM b WHERE b.id = 1)", "a WHERE is missing"),
        ("UPDATE a SET b = 1 FROM c WHERE a.id = c.id", "FROM is not understood"),
        ("DELETE FROM a USING c WHERE a.id = c.id", "USING is not understood"),
        ("UPDATE ONLY a SET b = 1 WHERE id = 1", "ONLY is not understood"),
        ("INSERT INTO a (b) VALUES (1) ON CONFLICT DO NOTHING", "ON CONFLICT is not understood"),
        (
            "WITH gone AS (DELETE FROM c RETURNING id) UPDATE a SET b = 1 WHERE id IN (SELECT id FROM gone)",
            "writes or locks",
        ),
        (
            "WITH seen AS (SELECT id FROM c) UPDATE a SET b = 1 WHERE id IN (SELECT s.id FROM seen AS s)",
            "WITH is not understood",
        ),
        ("UPDATE a SET b = 1 WHERE id IN (SELECT c.id FROM c FOR UPDATE)", "writes or locks"),
        ("UPDATE a SET (b, c) = (1, 2) WHERE id = 1", "one column at a time"),
        ("UPDATE a SET b[1] = 2 WHERE id = 1", "one column at a time"),
        ("UPDATE a SET b = 1, b = 2 WHERE id = 1", "assigned twice"),
        ("INSERT INTO a VALUES (1)", "names its columns"),
        ("INSERT INTO a (b, c) VALUES (1)", "2 columns but 1 values"),
        ("INSERT INTO a (b) VALUES (1), (2)", "one row of VALUES"),
        ("UPDATE a SET b = '%(login)s' WHERE id = 1", "in quotes or in a comment"),
        ("UPDATE a SET b = 1 WHERE id = 1 -- %(login)s", "in quotes or in a comment"),
        ("UPDATE a SET b = %s WHERE id = 1", "no other way"),
        ("UPDATE a SET b = $1 WHERE id = 1", "no other way"),
        ("UPDATE a SET b = '100%' WHERE id = 1", "neither a"),
        ("UPDATE a SET b = 1 WHERE id IN (SELECT c.id FROM c, d WHERE to_jsonb(c) IS NULL)", "whole row"),
        ("UPDATE a SET b = 1 WHERE id IN (SELECT * FROM c)", "name the columns"),
        ("UPDATE a SET b = 1 WHERE id = (SELECT id FROM c, d WHERE c.x = d.x)", "several tables"),
        ("UPDATE a SET b = 1 WHERE z.id = 1", "no table of this statement"),
        ("UPDATE other.public.a SET b = 1 WHERE id = 1", "another database"),
        (f"UPDATE {'a' * 64} SET b = 1 WHERE id = 1", "no name that PostgreSQL keeps"),
        ('UPDATE "a\0b" SET b = 1 WHERE id = 1', "NUL"),
        ("UPDATE a SET b = WHERE", "cannot be read"),
    ],
)
def test_statement_that_a_profile_may_not_hold_is_refused(sql: str, reason: str) -> None:
    with pytest.raises(StatementRefused, match=reason):
        statements.parse_write(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE a SET b = 1 WHERE id = 1",
        "SELECT id INTO b FROM a",
        "SELECT id FROM a FOR UPDATE",
        "WITH gone AS (DELETE FROM a RETURNING id) SELECT id FROM gone",
        "SELECT * FROM a",
        "TABLE a",
        "VALUES (1)",
        "SHOW ALL",
    ],
)
def test_query_that_does_more_than_read_columns_is_refused(sql: str) -> None:
    with pytest.raises(StatementRefused):
        statements.parse_query(sql)


def test_query_counts_columns_of_derived_tables_where_they_start() -> None:
    parsed = statements.parse_query(
        "WITH owners AS (SELECT u.id, u.email AS login FROM adminuser AS u)"
        " SELECT o.login, x.n FROM owners AS o, LATERAL (SELECT count(*) AS n FROM session AS s WHERE s.adminuser_id = o.id) AS x"
        " ORDER BY login"
    )

    assert names(parsed.reads) == {
        "public.adminuser.id",
        "public.adminuser.email",
        "public.session.adminuser_id",
    }
    assert parsed.tables == {ADMINUSER, Table("public", "session")}


def test_image_takes_the_statements_own_where() -> None:
    parsed = statements.parse_write(RESET)

    text = derived.image_select(parsed, ["email", "password_hash"], key=["id"], lock=True)

    assert "WHERE u.id = %(key)s" in text
    assert text.endswith('FOR UPDATE OF "u"')


def test_comment_behind_the_where_cannot_swallow_the_lock() -> None:
    parsed = statements.parse_write("UPDATE a SET b = 1 WHERE id = 1 -- the account")

    text = derived.image_select(parsed, ["b"], key=["id"], lock=True)

    assert text.splitlines()[-1] == 'FOR UPDATE OF "a"'


def test_secret_that_the_reader_may_not_see_is_read_as_its_stamp() -> None:
    parsed = statements.parse_write(RESET)

    text = derived.image_select(parsed, ["password_hash"], key=["id"], secret=["password_hash"], stamped=True)

    assert '"u"."password_hash"' not in text
    assert '"breakglass"."adminuser_secrets"' in text


def test_image_of_more_columns_than_a_function_takes_is_made_in_parts() -> None:
    text = derived.json_object({f"c{number}": "1" for number in range(95)})

    assert text.count("jsonb_build_object") == 3


@pytest.mark.parametrize("name", ["", "a" * 64, "é" * 32, "a\0b", "100%"])
def test_name_that_would_silently_become_another_is_refused(name: str) -> None:
    with pytest.raises(StatementRefused):
        quoted(name)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=80))
def test_any_text_is_taken_apart_or_refused(text: str) -> None:
    for parse in (statements.parse_write, statements.parse_query):
        try:
            parse(text)
        except StatementRefused as refusal:
            assert str(refusal)


@settings(deadline=None, max_examples=100)
@given(table=NAMES, column=NAMES, key=NAMES, value=TEXTS)
def test_quoted_names_and_values_come_out_as_they_went_in(table: str, column: str, key: str, value: str) -> None:
    literal = value.replace("'", "''").replace("%", "%%").replace("\0", "")
    sql = f'UPDATE "{table}" SET "{column}" = \'{literal}\' WHERE "{key}" = %(key)s'

    parsed = statements.parse_write(sql)

    assert parsed.writes == {Column(Table("public", table), column)}
    assert parsed.reads == {Column(Table("public", table), key)}


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.sampled_from(
            [
                *(
                    "UPDATE",
                    "DELETE FROM",
                    "INSERT INTO",
                    "SET",
                    "WHERE",
                    "RETURNING",
                    "SELECT",
                    "FROM",
                    "a",
                    "b",
                    "id",
                    "=",
                ),
                *(
                    "1",
                    "(",
                    ")",
                    ";",
                    ",",
                    "%(key)s",
                    "'",
                    '"',
                    "--",
                    "/*",
                    "*/",
                    "WITH",
                    "AS",
                    "*",
                    "$$",
                    "E'",
                    "\\",
                    "FOR",
                ),
            ]
        ),
        max_size=14,
    )
)
def test_no_mixture_of_words_writes_without_a_where(words: list[str]) -> None:
    sql = " ".join(words)
    try:
        parsed = statements.parse_write(sql)
    except StatementRefused:
        return

    assert parsed.action == "insert" or parsed.where
