"""One SELECT of a profile, with the columns and parameters that its place agrees to. It never connects anywhere."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from .sections import Section
from .statements import Parsed, parse_query


@dataclass(frozen=True, slots=True)
class Query:
    """One SELECT of the profile, run as it is written, with the parameters it names. place: its section and key."""

    sql: str
    parsed: Parsed
    place: str = ""

    @property
    def parameters(self) -> frozenset[str]:
        return self.parsed.parameters


def read_query(
    section: Section, schema: str, *, output: tuple[str, ...] | None, parameters: Iterable[str] = (), key: str = "sql"
) -> Query:
    """The query under this key. Raises the section's refusal for another shape than output and parameters say.

    output None: its columns are free.
    """
    if key == "sql":
        section.only(("sql",))
    with section.reading(key):
        query = Query(section.text(key), parse_query(section.text(key), schema=schema), section.place(key))
    if output is not None and query.parsed.output != output:
        raise section.no(key, _("its columns must be {wanted}, in this order").format(wanted=", ".join(output)))
    _check_parameters(section, key, query.parameters, frozenset(parameters))
    return query


def _check_parameters(section: Section, key: str, used: frozenset[str], known: frozenset[str]) -> None:
    unknown = sorted(used - known)
    if unknown:
        names = {"unknown": ", ".join(unknown), "known": ", ".join(sorted(known)) or "-"}
        raise section.no(key, _("the parameter {unknown} is not known here; known are {known}").format(**names))
