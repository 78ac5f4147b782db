"""Reads what a profile says of its outcomes: inputs, generated values, statements. It never connects anywhere."""

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext as _

from .columns import Column, Table
from .profile import CLEARED, NOTES, OUTCOMES, STOPS, Each, Expect, Outcome, Statement, TableRule
from .queries import read_query
from .sections import Section
from .statements import parse_write

STATEMENT = ("name", "sql", "expect", "returns", "when", "each", "generate", "undoes", "repair")
ASKED = ("key", "login", "email", "name")  # what is known of an order before the platform is looked at
MOST_ROWS = 1000
MOST_REPEATED = 100


def read_outcomes(root: Section, schema: str, tables: Mapping[Table, TableRule]) -> Mapping[str, Outcome]:
    """The outcomes by their kinds. Raises the section's refusal."""
    volatile = frozenset(Column(rule.table, name) for rule in tables.values() for name in rule.volatile)
    found = {}
    for kind, section in root.each("outcome").items():
        if kind not in OUTCOMES:
            raise section.no("", _("it is not known; known are {known}").format(known=", ".join(OUTCOMES)))
        found[kind] = _outcome(section.only(("inputs", "clears", "generate", "statement")), kind, schema, volatile)
    return MappingProxyType(found)


def _outcome(section: Section, kind: str, schema: str, volatile: frozenset[Column]) -> Outcome:
    return Outcome(
        kind=kind,
        inputs=section.texts("inputs"),
        generated=_texts(section, "generate"),
        statements=tuple(_statement(step, schema) for step in section.steps("statement")),
        volatile=volatile,
        clears=_clears(section, kind),
    )


def _clears(section: Section, kind: str) -> frozenset[str]:
    """Which blockers the outcome takes away. Only enable and reset are recommended for what they clear."""
    if kind not in CLEARED:
        if section.has("clears"):
            raise section.no("clears", _("it stands in {known} only").format(known=", ".join(sorted(CLEARED))))
        return frozenset()
    found = frozenset(section.texts("clears", default=sorted(CLEARED[kind])))
    if unknown := found - STOPS.keys() - NOTES.keys():
        names = {"name": min(unknown), "known": ", ".join((*STOPS, *NOTES))}
        raise section.no("clears", _("{name} is not known; known are {known}").format(**names))
    return found


def _texts(section: Section, key: str) -> Mapping[str, str]:
    below = section.below(key, optional=True)
    return MappingProxyType({name: below.text(name) for name in below.content})


def _statement(section: Section, schema: str) -> Statement:
    section.only(STATEMENT)
    with section.reading("sql"):
        parsed = parse_write(section.text("sql"), schema=schema)
    each, when = _each(section, schema), None
    if section.has("when"):
        known = (*ASKED, *(each.names if each else ()))
        when = read_query(section, schema, output=("holds",), parameters=known, key="when")
    return Statement(
        name=section.text("name"),
        sql=section.text("sql"),
        expect=_expect(section),
        parsed=parsed,
        returns=_texts(section, "returns"),
        when=when,
        undoes=section.text("undoes", default=""),
        repair=section.text("repair", default=""),
        each=each,
        generated=_texts(section, "generate"),
    )


def _each(section: Section, schema: str) -> Each | None:
    """`each = { role = ["a", "b"] }`, or a query whose columns are the names."""
    if not section.has("each"):
        return None
    if isinstance(section.content["each"], str):
        query = read_query(section, schema, output=None, parameters=ASKED, key="each")
        return Each(query.parsed.output, query=query)
    listed = section.below("each")
    if len(listed.content) != 1:
        raise section.no("each", _("one name with its list of values is needed"))
    (name,) = listed.content
    values = listed.texts(name)
    if not 0 < len(values) <= MOST_REPEATED:
        raise listed.no(name, _("between 1 and {most} values are needed").format(most=MOST_REPEATED))
    return Each((name,), values)


def _expect(section: Section) -> Expect:
    """`expect = 1`, or `expect = { least = 0, most = 20 }`."""
    if isinstance(section.content.get("expect"), dict):
        bounds = section.below("expect").only(("least", "most"))
        expect = Expect(bounds.number("least"), bounds.number("most"))
    else:
        count = section.number("expect")
        expect = Expect(count, count)
    if not 0 <= expect.least <= expect.most <= MOST_ROWS or expect.most == 0:
        raise section.no("expect", _("it must be between 0 and {most} rows, at least 1").format(most=MOST_ROWS))
    return expect
