"""The outcomes of a guessed profile: the statements that create, reset, enable, disable and restore an account. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.utils.translation import gettext as _

from .guess_catalog import Catalog, has_word
from .guess_columns import Names, NewRow, toml, toml_sql
from .guess_finds import Accounts, is_set, literal, opposite
from .guess_owners import Audit, Owner, Session, Tenant
from .guess_words import LOGINS, OFF


@dataclass(frozen=True)
class Guess:
    """All that was found of one platform."""

    catalog: Catalog
    accounts: Accounts
    tenant: Tenant | None
    owner: Owner
    sessions: tuple[Session, ...]
    audit: Audit | None

    @cached_property
    def names(self) -> Names:
        return Names(self.catalog)

    @property
    def table(self) -> str:
        return self.names.table(self.accounts.relation.table)

    @property
    def here(self) -> str:
        """The one account that is meant, unless it counts as deleted."""
        guards = [f" AND {self.names.on(name, opposite(rule))}" for name, rule in self.accounts.deleted.items()]
        return f"WHERE {self.names.name(self.accounts.key)} = %(key)s{''.join(guards)}"

    def doubts(self, place: str) -> Iterator[str]:
        for sentence in self.accounts.doubts.get(place, ()):
            yield doubt(sentence)


def doubt(sentence: str) -> str:
    return f"# DOUBT: {sentence}{'' if sentence.endswith('?') else '.'}"


def statement(kind: str, name: str, sql: str, *more: str, expect: str = "1") -> Iterator[str]:
    yield f"\n[[outcome.{kind}.statement]]"
    yield f"name = {toml(name)}"
    yield f"sql = {toml_sql(sql)}"
    yield f"expect = {expect}"
    yield from more


def create(guess: Guess) -> Iterator[str]:
    row, membership = _new_account(guess), guess.owner.membership
    member = _new_member(guess) if membership else None
    generated = row.generated | (member.generated if member else {})
    yield "\n# A) A new owner."
    for sentence in [*row.doubts, *(member.doubts if member else [])]:
        yield doubt(sentence)
    yield from guess.doubts("create")
    yield "[outcome.create]"
    used = [*row.values.values(), *(member.values.values() if member else [])]
    inputs = [
        name for name in ("login", "email", "name", "password_hash") if any(f"%({name})s" in value for value in used)
    ]
    yield f"inputs = {toml(inputs)}"
    if generated:
        pairs = ", ".join(f"{name} = {toml(generator)}" for name, generator in generated.items())
        yield f"generate = {{ {pairs} }}"
    more = [f"returns = {{ new_key = {toml(guess.accounts.key)} }}"] if member else []
    yield from statement("create", "insert the account", _insert(guess, row, tenant=guess.tenant), *more)
    if member and membership:
        yield from statement("create", f"make the account {membership.value}", _insert_member(guess, member))


def _new_account(guess: Guess) -> NewRow:
    accounts = guess.accounts
    row = NewRow(guess.catalog, accounts.relation, frozenset(accounts.secrets), key=accounts.key)
    fields = accounts.relation.fields
    if guess.tenant:
        row.put(guess.tenant.column, f"t.{guess.names.name(guess.tenant.key)}")
    lowered = accounts.login in accounts.relation.lowered
    row.put(accounts.login, "lower(%(login)s)" if lowered else "%(login)s")
    if accounts.email and accounts.email != accounts.login:
        row.put(accounts.email, "%(email)s")
        row.doubts.append(_("the address gets what is typed as the login"))
    for other in fields.values():
        if (
            other.kind == "text"
            and other.must_be_said
            and has_word(other.name, LOGINS[:11])
            and other.name != accounts.name
        ):
            row.put(other.name, f"left(%(login)s, {other.width})" if other.width else "%(login)s")
    if accounts.name:
        width = fields[accounts.name].width
        row.put(accounts.name, f"left(%(name)s, {width})" if width else "%(name)s")
    row.put(accounts.password, "%(password_hash)s")
    for switch in accounts.switches:
        if switch.on != "NULL":
            row.put(switch.name, switch.on)
    if guess.owner.column:
        row.put(guess.owner.column, guess.owner.value)
    for name in accounts.updated:
        row.put(name, "now()")
    row.fill()
    return row


def _insert(guess: Guess, row: NewRow, *, tenant: Tenant | None) -> str:
    listed = ", ".join(map(guess.names.name, row.values))
    values, key = ", ".join(row.values.values()), guess.names.name(guess.accounts.key)
    if tenant is None:
        return f"INSERT INTO {guess.table} ({listed})\nVALUES ({values})\nRETURNING {key}"
    source = f"FROM {guess.names.table(tenant.relation.table)} AS t\nWHERE {guess.names.filled(tenant.system, 't')}"
    return f"INSERT INTO {guess.table} ({listed})\nSELECT {values}\n{source}\nRETURNING {key}"


def _new_member(guess: Guess) -> NewRow:
    membership = guess.owner.membership
    assert membership is not None
    row, names = NewRow(guess.catalog, membership.relation, prefix="member"), guess.names
    row.put(membership.account, "%(new_key)s")
    if membership.role is not None:
        row.put(membership.column, f"r.{names.name(membership.role_key)}")
    else:
        row.put(membership.column, literal(membership.value))
    link = membership.relation.link_to(guess.tenant.relation.table) if guess.tenant else None
    if link and guess.tenant:
        tenants, where = names.table(guess.tenant.relation.table), names.filled(guess.tenant.system, "t")
        row.put(link.column, f"(SELECT t.{names.name(guess.tenant.key)} FROM {tenants} AS t WHERE {where})")
    row.fill()
    return row


def member_key(guess: Guess) -> tuple[str, ...]:
    membership = guess.owner.membership
    return (membership.relation.key or (membership.account, membership.column)) if membership else ()


def _insert_member(guess: Guess, row: NewRow) -> str:
    membership, names = guess.owner.membership, guess.names
    assert membership is not None
    listed, values = ", ".join(map(names.name, row.values)), ", ".join(row.values.values())
    start = f"INSERT INTO {names.table(membership.relation.table)} ({listed})"
    returning = f"RETURNING {', '.join(map(names.name, member_key(guess)))}"
    if membership.role is None:
        return f"{start}\nVALUES ({values})\n{returning}"
    role = names.table(membership.role.table)
    where = f"WHERE {names.filled('{' + membership.role_name + '}', 'r')} = {literal(membership.value)}"
    return f"{start}\nSELECT {values}\nFROM {role} AS r\n{where}\n{returning}"


def reset(guess: Guess) -> Iterator[str]:
    accounts = guess.accounts
    written = [f"{guess.names.name(accounts.password)} = %(password_hash)s", *_unlocked(guess), *_touched(guess)]
    yield "\n# B) A new password; locks and running sessions end."
    yield from guess.doubts("reset")
    yield "[outcome.reset]"
    yield 'inputs = ["key", "password_hash"]'
    yield from statement("reset", "set the password", f"UPDATE {guess.table}\nSET {', '.join(written)}\n{guess.here}")
    yield from _end_sessions(guess, "reset")


def _unlocked(guess: Guess) -> list[str]:
    accounts, names = guess.accounts, guess.names
    moments = [*accounts.failed_at, *([accounts.locked_until] if accounts.locked_until else [])]
    nulls = [name for name in moments if accounts.relation.fields[name].is_nullable]
    return [f"{names.name(name)} = 0" for name in accounts.counters] + [f"{names.name(name)} = NULL" for name in nulls]


def _touched(guess: Guess) -> list[str]:
    return [f"{guess.names.name(name)} = now()" for name in guess.accounts.updated]


def enable(guess: Guess) -> Iterator[str]:
    accounts, names = guess.accounts, guess.names
    written = [f"{names.name(switch.name)} = {switch.on}" for switch in accounts.switches]
    written += [f"{names.name(note.name)} = NULL" for note in accounts.notes]
    yield "\n# C) A disabled account counts again, with the password it has."
    if not accounts.switches:
        yield from _not_filled_in(guess, "enable", _("what lets a disabled account in again"))
        return
    yield from guess.doubts("switch")
    for name in suspensions(guess):
        sentence = _("{column} of the tenant stops everybody in it; a second statement with a repair could clear it")
        yield doubt(sentence.format(column=name))
    yield "[outcome.enable]"
    yield 'inputs = ["key"]'
    text = f"UPDATE {guess.table}\nSET {', '.join([*written, *_unlocked(guess), *_touched(guess)])}\n{guess.here}"
    yield from statement("enable", "enable the account", text)


def _not_filled_in(guess: Guess, kind: str, what: str) -> Iterator[str]:
    """A profile must have the outcome: a statement that meets no row, so that no plan of it is ever made."""
    idle, key = guess.names.name(guess.accounts.idle), guess.names.name(guess.accounts.key)
    sentence = _("NOT FILLED IN: write here {what}. As it stands no row is ever met and every plan is refused")
    yield doubt(sentence.format(what=what))
    yield f"[outcome.{kind}]"
    yield 'inputs = ["key"]'
    text = f"UPDATE {guess.table}\nSET {idle} = {idle}\nWHERE {key} = %(key)s AND false"
    yield from statement(kind, f"NOT FILLED IN: {kind} the account", text)


def suspensions(guess: Guess) -> dict[str, str]:
    """Columns of the tenant that stop everybody in it, with the condition."""
    columns = guess.tenant.relation.fields.values() if guess.tenant else ()
    return {c.name: is_set(c) for c in columns if has_word(c.name, OFF) and c.kind in {"flag", "moment"}}


def disable(guess: Guess) -> Iterator[str]:
    accounts, names = guess.accounts, guess.names
    yield "\n# D) The account of this incident turns out to be the wrong one."
    if not accounts.switches:
        yield from _not_filled_in(guess, "disable", _("what disables an account"))
        yield from _end_sessions(guess, "disable")
        return
    switch = accounts.switches[0]
    written = [f"{names.name(switch.name)} = {switch.off}"]
    noted = [note for note in accounts.notes if note.kind == "text"]
    for note in accounts.notes:
        text = "'breakglass ' || %(incident)s"
        said = f"left({text}, {note.width})" if note.width else text
        written.append(f"{names.name(note.name)} = {said if note in noted else 'now()'}")
    yield "[outcome.disable]"
    yield f"inputs = {toml(['key', 'incident'] if noted else ['key'])}"
    text = f"UPDATE {guess.table}\nSET {', '.join([*written, *_touched(guess)])}\nWHERE {names.name(accounts.key)} = %(key)s"
    yield from statement("disable", "disable the account", text)
    yield from _end_sessions(guess, "disable")


def restore(guess: Guess) -> Iterator[str]:
    """Only columns whose names can be part of a parameter's."""
    accounts, names = guess.accounts, guess.names
    own = [switch.name for switch in accounts.switches] + [note.name for note in accounts.notes]
    plain = [name for name in own if names.name(name) == name]
    where = f"WHERE {names.name(accounts.key)} = %(key)s"
    found = []
    if names.name(accounts.password) == accounts.password:
        found += [("reset", "put the old password back", [f"{accounts.password} = %(before_{accounts.password})s"])]
    if plain and len(plain) == len(own):
        found += [("enable", "put back what let the account in", [f"{name} = %(before_{name})s" for name in plain])]
    if found:
        yield "\n# E) What one run changed goes back to what it was."
        yield "[outcome.restore]"
        yield 'inputs = ["key"]'
    for undone, name, written in found:
        text = f"UPDATE {guess.table}\nSET {', '.join([*written, *_touched(guess)])}\n{where}"
        yield from statement("restore", name, text, f"undoes = {toml(undone)}")


def _end_sessions(guess: Guess, kind: str) -> Iterator[str]:
    for session in guess.sessions:
        names, table = guess.names, session.relation.table
        where = f"WHERE {names.name(session.account)} = %(key)s"
        text = f"DELETE FROM {names.table(table)}\n{where}\nRETURNING {', '.join(map(names.name, session.key))}"
        yield from statement(kind, f"end the sessions in {table.name}", text, expect="{ least = 0, most = 1000 }")
