"""The password parts of docs/profiles.md are true: every function and salt is named, every formula shown is one."""

import re
from pathlib import Path

import pytest

from recovery.hashing import formulas
from recovery.hashing.formula_functions import FUNCTIONS
from recovery.hashing.salts import SALTS, salt_named
from recovery.language import profiles

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDE, EXAMPLE = (DOCS / "profiles.md").read_text(), (DOCS / "example-profile.toml").read_text()
FORMULAS = GUIDE.split("\n### Formulas\n", 1)[1].split("\n### ", 1)[0]
REFERENCE, TRIED = FORMULAS.split("Formulas that were tried:")
DECLARED = re.search(r'```toml\n(\[password\]\ncolumn = "member.pass"\nscheme = "declared".*?)```', GUIDE, re.DOTALL)[1]
SHOWN = [re.findall(r"`([^`]+)`", line.replace("\\|", "|")) for line in TRIED.splitlines() if line.startswith("| ")][1:]


def first_column(text: str) -> list[str]:
    return re.findall(r"^\| ([^|]*) \|", text, re.MULTILINE)


def test_every_function_stands_in_the_guide_and_no_other() -> None:
    named = {name for cell in first_column(REFERENCE) for name in re.findall(r"`([A-Za-z0-9_]+)\(", cell)}

    assert named == {*FUNCTIONS, "repeat"}


def test_every_salt_stands_in_the_guide_and_no_other() -> None:
    section = GUIDE.split("\n### Salts\n", 1)[1].split("\n#", 1)[0]

    named = {name.strip("`") for cell in first_column(section) for name in re.findall(r"`[^`]+`", cell)}

    assert named == {name if name == "uuid" else f"{name}N" for name in SALTS}


@pytest.mark.parametrize("line", SHOWN, ids=lambda line: line[0])
def test_formula_that_the_guide_shows_can_be_read(line: list[str]) -> None:
    formula, *rest = line
    salt = salt_named(rest[0].partition('"')[2].rstrip('"')) if rest else salt_named("hex32")

    assert "password" in formulas.read(formula, salt=salt).names


def test_declared_scheme_of_the_guide_is_accepted_with_its_example(tmp_path: Path) -> None:
    text = re.sub(r"(?ms)^\[password\]\n.*?(?=^# Step 5)", lambda _found: f"{DECLARED}\n", EXAMPLE)
    text = text.replace('"password_hash"]', '"password_hash", "salt"]')
    text = text.replace("pass = %(password_hash)s,", "pass = %(password_hash)s, otp_seed = %(salt)s,")
    text = text.replace("pass = %(before_pass)s,", "pass = %(before_pass)s, otp_seed = %(before_otp_seed)s,")
    text = text.replace("pass, status,", "pass, otp_seed, status,")
    text = text.replace("%(password_hash)s, 'active'", "%(password_hash)s, %(salt)s, 'active'")
    path = tmp_path / "mine.toml"
    path.write_text(text)

    rule = profiles.load(str(path)).password

    assert rule.has_salt_column
