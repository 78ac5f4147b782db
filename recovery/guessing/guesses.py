"""A first profile for a platform that nobody described yet: a shipped one where its tables are known, else a guess with its doubts."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from .. import database
from ..language import profiles
from ..language.columns import CONSOLE_SCHEMA, Column
from ..language.profile import Profile
from . import guess_catalog, guess_text
from .guess_catalog import Catalog
from .guess_finds import find_accounts
from .guess_outcomes import Guess
from .guess_owners import find_audit, find_owner, find_sessions, find_tenant


@dataclass(frozen=True)
class Answer:
    """shipped: the name of the profile that fits, or "". text: a whole profile, or "". sentences: for people, in both cases."""

    shipped: str
    text: str
    sentences: tuple[str, ...]


def look(conninfo: str, *, schema: str = "public", is_new: bool = False) -> Answer:
    """What can be said of this database. It only reads, in one snapshot.

    Args:
        conninfo: of a login that may read the tables, best the DBA's own: without rows many guesses are doubts.
        is_new: guess even where a shipped profile fits.

    Raises: what the platform answers.
    """
    with database.connect(conninfo, purpose="read", schema=schema, reading=True) as session:
        catalog, name = guess_catalog.read(session, schema), database.identity(session).database_name
        known, near = _recognised(catalog)
        if known and not is_new:
            sentence = _("This looks like {title}: name the shipped profile “{name}” in the platform file.")
            return Answer(known, "", (sentence.format(title=profiles.load(known).title, name=known), _empty()))
        return _guessed(catalog, name, near)


def _guessed(catalog: Catalog, name: str, near: tuple[str, ...]) -> Answer:
    found = find_accounts(catalog)
    if isinstance(found, list):
        return Answer("", "", (*near, *found, _empty(), _("Begin with the example of docs/profiles.md in its place.")))
    tenant, owner = find_tenant(catalog, found), find_owner(catalog, found)
    guess = Guess(catalog, found, tenant, owner, tuple(find_sessions(catalog, found)), find_audit(catalog, found))
    text = guess_text.text(guess, database=name)
    count = text.count("# DOUBT: ")
    sentence = _("{count} doubts are marked in it. Read it with somebody who knows the software.").format(count=count)
    blank = [
        _("What disables an account was not found: enable and disable are NOT FILLED IN, and are refused until then.")
    ]
    return Answer("", text, (*near, *([] if found.switches else blank), sentence))


def _empty() -> str:
    return _("No profile was written: the file that this output was sent to, if any, is empty and may be removed.")


def _recognised(catalog: Catalog) -> tuple[str, tuple[str, ...]]:
    """The shipped profile whose columns are all there; else sentences on those that lack some of them."""
    fits, near = [], []
    for name in profiles.shipped():
        wanted = _columns(profiles.load(name))
        tables = {column.table for column in wanted}
        if not tables <= catalog.relations.keys():
            continue
        lacking = sorted(column for column in wanted if column.name not in catalog.relations[column.table].fields)
        if not lacking:
            fits.append((len(wanted), name))
            continue
        sentence = _("It has the tables of the shipped profile {name}, but not {lacking}: another version?")
        near.append(sentence.format(name=name, lacking=", ".join(map(str, lacking))))
    return max(fits)[1] if fits else "", tuple(near)


def _columns(profile: Profile) -> frozenset[Column]:
    """Every column that the profile names, apart from PostgreSQL's own and the console's views."""
    named = {
        Column(rule.table, name) for rule in profile.tables.values() for name in (*rule.key, *rule.shows, *rule.secret)
    }
    for query in profile.queries:
        named |= query.parsed.reads
    for outcome in profile.outcomes.values():
        named |= outcome.writes | outcome.reads
    return frozenset(column for column in named if column.table.schema != CONSOLE_SCHEMA and column.name != "xmin")
