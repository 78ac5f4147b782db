"""Repeated and optional statements: what the file may say, and what a plan then holds."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from recovery import database
from recovery.language import profiles
from recovery.language.profile import SHIPPED, Profile, Statement
from recovery.planning import choices
from recovery.refusals import ProfileRefused
from recovery.run_refusals import PlanAltered, StatementUnfit
from tests.recovery.stage import Stage

SAAS = (SHIPPED / "saas.toml").read_text()
NOTE = "UPDATE adminuser SET display_name = %(word)s WHERE id = %(key)s"
ASKED = {"key": "1", "login": "dana@acme.example", "email": "dana@acme.example", "name": None}


def load(folder: Path, *steps: str) -> Profile:
    """The shipped profile with further statements in `enable`."""
    added = "".join(
        f'\n[[outcome.enable.statement]]\nname = "step {n}"\nexpect = 1\n{step}\n' for n, step in enumerate(steps)
    )
    path = folder / "mine.toml"
    path.write_text(SAAS.replace("# Disable now", f"{added}\n# Disable now", 1))
    return profiles.load(str(path))


def reason(folder: Path, *steps: str) -> str:
    with pytest.raises(ProfileRefused) as caught:
        load(folder, *steps)
    return f"{caught.value.facts['key']}: {caught.value.facts['reason']}".removeprefix("outcome.enable.statement ")


def chosen(stage: Stage, profile: Profile, **asked: str) -> tuple[Statement, ...]:
    """The further statements that a plan would hold."""
    outcome = profile.outcomes["enable"]
    with database.reading(stage.place.platform, profile) as session:
        return choices.choose(session, outcome, outcome.statements, {**ASKED, **asked})[1:]


def names(statements: tuple[Statement, ...]) -> dict[str, Mapping[str, str]]:
    return {statement.name: statement.bound for statement in statements}


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (f'sql = "{NOTE}"\neach = {{ word = [] }}', "2.each.word: between 1 and 100 values are needed"),
        (f'sql = "{NOTE}"\neach = {{ word = ["a", "a"] }}', "2.each.word: a name stands twice in the list"),
        (f'sql = "{NOTE}"\neach = {{ word = [1] }}', "2.each.word: a list of texts is needed"),
        (f'sql = "{NOTE}"\neach = {{ word = ["a"], b = ["c"] }}', "2.each: one name with its list of values is needed"),
        (f'sql = "{NOTE}"\neach = 7', "2.each: a section is needed"),
        (f'sql = "{NOTE}"\neach = "DELETE FROM session"', "2.each: only a SELECT may stand here"),
        (f'sql = "{NOTE}"\neach = {{ Word = ["a"] }}', "2.each.Word: a name is made of small letters"),
        (f'sql = "{NOTE}"\neach = {{ before_x = ["a"] }}', "2.each.before_x: a name is made of small letters"),
        (f'sql = "{NOTE}"\neach = {{ login = ["a"] }}', "2.each.login: another value has this name already"),
        (f'sql = "{NOTE}"\neach = {{ other = ["a"] }}', "2.each: the statement uses none of its values"),
        (
            f"sql = \"{NOTE} RETURNING id\"\neach = {{ word = ['a'] }}\nreturns = {{ again = 'id' }}",
            "2.returns: a repeated statement returns no values",
        ),
        (
            f'sql = "{NOTE}"\ngenerate = {{ word = "now" }}',
            "2.generate.word: it must be one of hex32, text16, uuid, uuid_hex",
        ),
        (f'sql = "{NOTE}"\ngenerate = {{ key = "uuid" }}', "2.generate.key: another value has this name already"),
        (f'sql = "{NOTE}"', "2.sql: the parameter word is neither an input nor returned before"),
        (
            f"sql = \"{NOTE}\"\neach = {{ word = ['a'] }}\nwhen = 'SELECT %(incident)s IS NULL AS holds'",
            "2.when: the parameter incident is not known here",
        ),
        (
            "sql = \"UPDATE adminuser SET totp_secret = %(word)s WHERE id = %(key)s\"\ngenerate = { word = 'hex32' }",
            "2.sql: word stands in the plan for all to see",
        ),
        (
            "sql = \"UPDATE adminuser SET role = 'x' WHERE id = %(key)s RETURNING id\"\nreturns = { key = 'id' }",
            "2.returns.key: another value has this name already",
        ),
    ],
)
def test_repeated_statement_against_the_rules_is_refused(tmp_path: Path, step: str, sentence: str) -> None:
    assert reason(tmp_path, step).startswith(sentence)


RETURNING = "sql = \"UPDATE adminuser SET role = 'x' WHERE id = %(key)s RETURNING id\"\nreturns = { found = 'id' }"
USING = 'sql = "UPDATE adminuser SET display_name = %(found)s WHERE id = %(key)s"'


def when(condition: str) -> str:
    return f'\nwhen = "SELECT {condition} AS holds"'


def test_value_that_two_statements_always_return_is_refused(tmp_path: Path) -> None:
    assert reason(tmp_path, RETURNING, RETURNING) == (
        "3.returns.found: two statements return it in every plan; one of them needs a `when`"
    )


def test_value_comes_from_whichever_statement_applies(stage: Stage, tmp_path: Path) -> None:
    first, second = when("%(login)s = 'dana@acme.example'"), when("%(login)s <> 'dana@acme.example'")
    profile = load(tmp_path, RETURNING + first, RETURNING + second, USING)

    assert list(names(chosen(stage, profile))) == ["step 0", "step 2"]
    assert list(names(chosen(stage, profile, login="other@acme.example"))) == ["step 1", "step 2"]


def test_value_that_nothing_returns_in_this_plan_is_refused(stage: Stage, tmp_path: Path) -> None:
    profile = load(tmp_path, RETURNING + when("false"), USING)

    with pytest.raises(StatementUnfit, match="step 1: it needs found, but every statement that returns it is left out"):
        chosen(stage, profile)


def test_value_that_two_statements_return_in_this_plan_is_refused(stage: Stage, tmp_path: Path) -> None:
    profile = load(tmp_path, RETURNING + when("true"), RETURNING + when("true"))

    with pytest.raises(StatementUnfit, match="step 1: it returns found, which an earlier statement of this plan"):
        chosen(stage, profile)


def test_condition_that_is_unknown_leaves_the_statement_out(stage: Stage, tmp_path: Path) -> None:
    profile = load(tmp_path, RETURNING + when("%(name)s = 'x'"))

    assert chosen(stage, profile) == ()


def test_statement_is_repeated_for_each_row_of_a_query(stage: Stage, tmp_path: Path) -> None:
    step = f'sql = "{NOTE}"\neach = "SELECT t.name AS word, t.id::text AS no FROM tenant AS t WHERE t.is_system"'

    found = chosen(stage, load(tmp_path, step))

    (house,) = stage.place.acme.rows("SELECT name AS word, id::text AS no FROM tenant WHERE is_system")
    assert names(found) == {f"step 0 ({house['word']}, {house['no']})": house}


def test_each_value_is_asked_whether_it_applies(stage: Stage, tmp_path: Path) -> None:
    step = f"sql = \"{NOTE}\"\neach = {{ word = ['a', 'b', 'c'] }}" + when("%(word)s <> 'b'")

    assert list(names(chosen(stage, load(tmp_path, step)))) == ["step 0 (a)", "step 0 (c)"]


def test_each_repetition_has_its_own_random_value(stage: Stage, tmp_path: Path) -> None:
    sql = NOTE.replace("%(word)s", "%(word)s || %(code)s")
    step = f"sql = \"{sql}\"\neach = {{ word = ['a', 'b'] }}\ngenerate = {{ code = 'text16' }}"

    codes = {statement.bound["code"] for statement in chosen(stage, load(tmp_path, step))}

    assert len(codes) == 2


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("SELECT t.name AS word FROM tenant AS t WHERE false", "finds nothing to repeat it for"),
        ("SELECT NULL::text AS word FROM tenant AS t LIMIT 1", "gives an empty value"),
        ("SELECT 'x' AS word FROM tenant AS t", "gives the same values twice"),
        ("SELECT n.n::text AS word FROM generate_series(1, 101) AS n (n)", "finds more than 100 rows"),
    ],
)
def test_query_that_gives_no_clear_values_is_refused(stage: Stage, tmp_path: Path, query: str, why: str) -> None:
    profile = load(tmp_path, f'sql = "{NOTE}"\neach = "{query}"')

    with pytest.raises(StatementUnfit, match=f"step 0: the query under `each` {why}"):
        chosen(stage, profile)


def test_values_of_a_plan_lead_back_to_the_statement(tmp_path: Path) -> None:
    profile = load(tmp_path, f"sql = \"{NOTE}\"\neach = {{ word = ['a', 'b'] }}")
    fields = {"name": "step 0 (b)", "sql": NOTE, "bound": {"word": "b"}}

    assert choices.recall(profile, "enable", fields).bound == {"word": "b"}


@pytest.mark.parametrize(
    "altered",
    [{"bound": {"word": "c"}}, {"bound": {}}, {"sql": NOTE + " "}, {"name": "step 0"}, {"bound": {"key": "2"}}],
)
def test_entry_that_the_profile_never_made_is_refused(tmp_path: Path, altered: dict) -> None:
    profile = load(tmp_path, f"sql = \"{NOTE}\"\neach = {{ word = ['a', 'b'] }}")
    fields = {"name": "step 0 (b)", "sql": NOTE, "bound": {"word": "b"}} | altered

    with pytest.raises(PlanAltered):
        choices.recall(profile, "enable", fields)
