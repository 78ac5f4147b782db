"""What is recorded: one line per variant, and nothing of others is lost."""

import pytest

from tests.platforms import record
from tests.platforms.playing import Played
from tests.platforms.rowdiff import Change
from tests.platforms.words import CHANGED, SignIn, Variant

FORGOTTEN, DISABLED = Variant("forgotten", "reset", "owner", ()), Variant("disabled", "enable", "owner", ())
CHANGED_ROW = Change(CHANGED, "public.person", "1", frozenset({"mail"}), {})


class Shop:
    name, title, profile, major, variants = "shop", "Shop", "saas", 18, (FORGOTTEN, DISABLED)
    owner = SignIn("owner", "secret")

    def version(self):
        return "1.2"


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "platforms.md"
    made.write_text("# Title\n\n## Results\n")
    return made


def lines(file):
    return [line for line in file.read_text().splitlines() if line.startswith("| ") and "locked out" not in line]


def test_a_variant_is_one_line_with_its_rows(file):
    record.write(Shop(), Played("shop", FORGOTTEN, 31.4, [CHANGED_ROW]), file=file)

    (line,) = lines(file)
    assert line.startswith("| forgotten | reset | `~ public.person (mail)` | 31 s |")
    assert line.endswith("| holds |")


def test_variants_stand_in_their_order_whenever_they_were_played(file):
    record.write(Shop(), Played("shop", DISABLED), file=file)
    record.write(Shop(), Played("shop", FORGOTTEN), file=file)

    assert [line.split(" | ")[0] for line in lines(file)] == ["| forgotten", "| disabled"]


def test_a_variant_that_is_played_again_replaces_its_line(file):
    record.write(Shop(), Played("shop", FORGOTTEN, faults=["it does not work"]), file=file)
    record.write(Shop(), Played("shop", FORGOTTEN), file=file)

    assert len(lines(file)) == 1
    assert lines(file)[0].endswith("| holds |")


def test_what_stands_around_a_software_stays(file):
    record.write(Shop(), Played("shop", FORGOTTEN), file=file)
    file.write_text(file.read_text() + "\n## Afterwards\n")

    record.write(Shop(), Played("shop", DISABLED), file=file)

    assert file.read_text().startswith("# Title\n\n## Results\n")
    assert file.read_text().endswith("\n## Afterwards\n")
