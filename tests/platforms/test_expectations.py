"""What make platforms expects of each software fits its profile. Quick: nothing is installed or started here."""

import pytest

from recovery.language import profiles
from tests.platforms.catalogue import SOFTWARE
from tests.platforms.words import ADDED, CHANGED

CASES = [
    pytest.param(kind, variant, id=f"{name}-{variant.name}")
    for name, kind in SOFTWARE.items()
    for variant in kind.variants
]


@pytest.mark.parametrize("name", profiles.shipped())
def test_every_shipped_profile_loads(name):
    profile = profiles.load(name)

    assert profile.title


def test_every_shipped_profile_of_other_software_is_played():
    played = {kind.profile for kind in SOFTWARE.values()}

    assert set(profiles.shipped()) - played == {"saas"}


@pytest.mark.parametrize("name", SOFTWARE)
def test_the_three_outcomes_are_played(name):
    assert {variant.outcome for variant in SOFTWARE[name].variants} == {"create", "reset", "enable"}


@pytest.mark.parametrize(("kind", "variant"), CASES)
def test_rows_that_are_expected_are_rows_that_the_profile_writes(kind, variant):
    outcome = profiles.load(kind.profile).outcomes[variant.outcome]
    writes = {(str(column.table), column.name) for column in outcome.writes}

    wanted = {(row.table, name) for row in variant.rows if row.kind == CHANGED for name in row.columns}

    assert wanted <= writes
    assert {row.table for row in variant.rows if row.kind == ADDED} <= {table for table, _column in writes}


@pytest.mark.parametrize("name", SOFTWARE)
def test_each_software_has_a_login_check_in_its_profile(name):
    profile = profiles.load(SOFTWARE[name].profile)

    assert profile.login_check is not None
