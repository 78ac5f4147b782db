"""Writes what was guessed as a profile: valid TOML that the loader takes, each doubt as a comment where it belongs. Pure."""

import re
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from .guess_catalog import Relation, has_word
from .guess_columns import toml, toml_key, toml_sql
from .guess_finds import literal, opposite
from .guess_outcomes import Guess, create, disable, doubt, enable, member_key, reset, restore, suspensions
from .guess_words import FACTORS, OFF, ON, STATUS

BCRYPT = "$2b$12$"
SHOWN_MOST = 12


def text(guess: Guess, *, database: str) -> str:
    """The whole profile."""
    sections = (_head(guess, database), _tables(guess), _tenant(guess), _password(guess), _owners(guess))
    outcomes = (create(guess), reset(guess), enable(guess), disable(guess), restore(guess))
    lines = [line for section in (*sections, *outcomes, _proof(guess), _audit(guess)) for line in section]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines).strip()) + "\n"


def _head(guess: Guess, database: str) -> Iterator[str]:
    schema, table = guess.catalog.schema, guess.accounts.relation.table
    place = {"database": database, "schema": schema}
    yield "# " + _("A first profile, guessed from the catalog of the database {database}, schema {schema}.").format(
        **place
    )
    yield "# " + _("Read every line with somebody who knows the software. What is marked DOUBT was not certain.")
    yield "# " + _("Then play it on a copy: manage.py platform check, grants, and make drill. See docs/profiles.md.")
    yield f"title = {toml(f'{database}, {schema}')}"
    yield f"schema = {toml(schema)}"
    yield from guess.doubts("accounts")
    yield f"accounts = {toml(table.name)}"


def _tables(guess: Guess) -> Iterator[str]:
    accounts = guess.accounts
    volatile = [*accounts.counters, *accounts.failed_at, *accounts.updated, *([accounts.seen] if accounts.seen else [])]
    secret = [accounts.password, *(name for name in accounts.secrets if name not in {accounts.key, accounts.login})]
    shown = [accounts.login, accounts.email, accounts.name, *(switch.name for switch in accounts.switches)]
    shown += [guess.owner.column, guess.tenant.column if guess.tenant else ""]
    shows = [name for name in dict.fromkeys(shown) if name and name not in secret]
    yield "\n" + "\n".join(guess.doubts("login"))
    yield from _table(accounts.relation, (accounts.key,), accounts.login, shows, secret, volatile)
    if guess.tenant:
        tenant = guess.tenant
        yield ""
        yield from _table(tenant.relation, (tenant.key,), tenant.name, [tenant.name])
    if guess.owner.membership:
        membership = guess.owner.membership
        yield ""
        yield from _table(membership.relation, member_key(guess), membership.account, [membership.column])
    for session in guess.sessions:
        yield "\n" + "\n".join(guess.doubts(f"table {session.relation.table.name}"))
        yield from _table(session.relation, session.key, session.account, [], session.secrets)
    if guess.sessions:
        yield "\n[delete]"
        yield f"tables = {toml(session.relation.table.name for session in guess.sessions)}"
    yield from guess.doubts("sessions")


def _table(
    relation: Relation,
    key: tuple[str, ...],
    label: str,
    shows: Iterable[str],
    secret: Iterable[str] = (),
    volatile: Iterable[str] = (),
) -> Iterator[str]:
    yield f"[table.{toml_key(relation.table.name)}]"
    yield f"key = {toml(key)}"
    yield f"label = {toml(label)}"
    for name, listed in (("shows", list(shows)), ("secret", list(secret)), ("volatile", list(dict.fromkeys(volatile)))):
        if listed:
            yield f"{name} = {toml(listed)}"


def _tenant(guess: Guess) -> Iterator[str]:
    tenant = guess.tenant
    if tenant is None:
        return
    yield ""
    yield from guess.doubts("tenant")
    yield "[tenant]"
    yield f"table = {toml(tenant.relation.table.name)}"
    yield f"key = {toml(tenant.key)}"
    yield f"system = {toml(guess.names.filled(tenant.system))}"


def _password(guess: Guess) -> Iterator[str]:
    accounts, table = guess.accounts, guess.accounts.relation.table
    known = [form for form in accounts.forms if form.beginning]
    yield ""
    for form in [form for form in accounts.forms if not form.beginning]:
        sentence = _("some hashes are {form}; if the software still writes those, declare the scheme with a formula")
        yield doubt(sentence.format(form=form.name))
    if not accounts.forms:
        sentence = _("no hash could be seen, so its form is a guess from the width of the column")
        yield doubt(sentence)
    if any(has_word(name, ("salt",)) for name in accounts.relation.fields):
        yield doubt(_("there is a column for a salt; see declared schemes in docs/profiles.md"))
    yield "[password]"
    yield f"column = {toml(f'{table.name}.{accounts.password}')}"
    yield f"scheme = {toml('row' if known else 'default')}"
    yield f"default = {toml(known[0].beginning if known else BCRYPT)}"
    if known:
        names, key = guess.names, guess.names.name(accounts.key)
        prefix = names.name(f"{accounts.password}_prefix")
        query = f"SELECT s.{prefix} AS prefix FROM {_secrets(guess)} AS s WHERE s.{key} = %(key)s"
        yield f"current = {toml(query)}"
    width = accounts.relation.fields[accounts.password].width
    if width:
        yield f"longest = {width}"


def _secrets(guess: Guess) -> str:
    return f"breakglass.{guess.names.name(guess.accounts.relation.table.name + '_secrets')}"


def _owners(guess: Guess) -> Iterator[str]:
    accounts, names, tenant = guess.accounts, guess.names, guess.tenant
    enabled = " AND ".join(names.on(switch.name, opposite(switch.off_when), "u") for switch in accounts.switches)
    columns = {
        "id": f"u.{names.name(accounts.key)}::text",
        "login": f"u.{names.name(accounts.login)}",
        "name": f"coalesce(u.{names.name(accounts.name)}, '')" if accounts.name else "''",
        "tenant": f"t.{names.name(tenant.name)}::text" if tenant else "''",
        "tenant_key": f"t.{names.name(tenant.key)}::text" if tenant else "''",
        "enabled": enabled or "NULL::boolean",
        "is_owner": "true",
        "last_sign_in": f"u.{names.name(accounts.seen)}::text" if accounts.seen else "NULL::text",
    }
    listed = ",\n       ".join(f"{value} AS {name}" for name, value in columns.items())
    blockers = ",\n         ".join(_blockers(guess))
    key = names.name(accounts.key)
    joins = [f"JOIN {_secrets(guess)} AS s ON s.{key} = u.{key}"]
    if tenant:
        on = f"t.{names.name(tenant.key)} = u.{names.name(tenant.column)}"
        joins.append(f"JOIN {names.table(tenant.relation.table)} AS t ON {on}")
    where = " AND ".join(_conditions(guess))
    yield "\n# Every account that can own the platform, with everything that stops its sign-in."
    yield from guess.doubts("owner")
    if accounts.counters:
        yield doubt(_("from how many failed sign-ins on is an account locked? 10 is taken"))
    if not enabled:
        yield doubt(
            _("`enabled` is NOT FILLED IN: no column of {table} was found that disables an account. {hint}").format(
                table=accounts.relation.table, hint=_elsewhere(guess)
            )
        )
    yield "[owners]"
    query = f"SELECT {listed},\n       array_remove(ARRAY[\n         {blockers}\n       ]::text[], NULL) AS blockers"
    source = "\n".join([f"FROM {guess.table} AS u", *joins, *([f"WHERE {where}"] if where else [])])
    yield f"sql = {toml_sql(query, source, f'ORDER BY u.{key}')}"


def _elsewhere(guess: Guess) -> str:
    """Columns one membership away that may say it, by their names."""
    catalog, own = guess.catalog, guess.accounts.relation
    near = [own, *(relation for relation in catalog.relations.values() if relation.link_to(own.table))]
    tables = dict.fromkeys(link.table for relation in near for link in relation.links if link.table != own.table)
    found = [
        f"{table}.{name}"
        for table in tables
        if table in catalog.relations
        for name in catalog.relations[table].fields
        if has_word(name, (*STATUS, *ON, *OFF))
    ]
    told = _("Perhaps it is {columns}.").format(columns=", ".join(found[:5])) + " " if found else ""
    return told + _(
        "Until it is written here, and the blocker that stands for it is gone, every owner counts as stopped"
    )


def _off(guess: Guess, switch) -> str:
    return guess.names.on(switch.name, switch.off_when, "u")


def _conditions(guess: Guess) -> Iterator[str]:
    owner, names = guess.owner, guess.names
    if guess.tenant and guess.tenant.system != "true":
        yield names.filled(guess.tenant.system, "t")
    if owner.column:
        value = f"u.{names.name(owner.column)}"
        yield value if owner.value == "true" else f"{value} = {owner.value}"
    if owner.membership:
        yield f"u.{names.name(guess.accounts.key)} IN ({_members(guess)})"


def _members(guess: Guess) -> str:
    membership, names = guess.owner.membership, guess.names
    assert membership is not None
    start = f"SELECT m.{names.name(membership.account)} FROM {names.table(membership.relation.table)} AS m"
    if membership.role is None:
        return f"{start} WHERE m.{names.name(membership.column)} = {literal(membership.value)}"
    on = f"r.{names.name(membership.role_key)} = m.{names.name(membership.column)}"
    role = f"JOIN {names.table(membership.role.table)} AS r ON {on}"
    return f"{start} {role} WHERE r.{names.name(membership.role_name)} = {literal(membership.value)}"


def _blockers(guess: Guess) -> Iterator[str]:
    accounts, names = guess.accounts, guess.names
    since = "".join(f" || coalesce(', {n.name}: ' || u.{names.name(n.name)}::text, '')" for n in accounts.notes)
    if not accounts.switches:
        yield "'other: NOT FILLED IN, what disables an account'"
    for switch in accounts.switches:
        yield f"CASE WHEN {_off(guess, switch)} THEN 'disabled: {switch.name}'{since} END"
    for name, rule in accounts.deleted.items():
        yield f"CASE WHEN {names.on(name, rule, 'u')} THEN 'deleted: {name}' END"
    for name, rule in suspensions(guess).items():
        yield f"CASE WHEN {names.on(name, rule, 't')} THEN 'tenant_suspended: {name}' END"
    for name in accounts.counters:
        yield f"CASE WHEN u.{names.name(name)} >= 10 THEN 'locked: {name} is ' || u.{names.name(name)}::text END"
    if accounts.locked_until:
        until = f"u.{names.name(accounts.locked_until)}"
        yield f"CASE WHEN {until} > now() THEN 'locked: until ' || {until}::text END"
    yield from _sign_in_blockers(guess)


def _sign_in_blockers(guess: Guess) -> Iterator[str]:
    accounts, names = guess.accounts, guess.names
    is_set = names.name(f"{accounts.password}_is_set")
    yield f"CASE WHEN NOT s.{is_set} THEN 'no_password: none was ever set' END"
    for column in accounts.factors:
        is_on = (
            f"u.{names.name(column.name)} IS TRUE"
            if column.kind == "flag"
            else f"s.{names.name(f'{column.name}_is_set')}"
        )
        if column.kind == "flag" or column.name in accounts.secrets:
            yield f"CASE WHEN {is_on} THEN 'second_factor: {column.name}' END"
    if accounts.outside:
        yield f"CASE WHEN u.{names.name(accounts.outside)} IS NOT NULL THEN 'external_sign_in: ' || u.{names.name(accounts.outside)} END"
    if accounts.must_change:
        yield f"CASE WHEN u.{names.name(accounts.must_change)} IS TRUE THEN 'must_change: at the next sign-in' END"


def _proof(guess: Guess) -> Iterator[str]:
    accounts, names = guess.accounts, guess.names
    if not accounts.seen:
        return
    seen, key, login = (names.name(name) for name in (accounts.seen, accounts.key, accounts.login))
    yield "\n# How a sign-in after the change shows."
    yield doubt(_("does only a sign-in write {column}?").format(column=accounts.seen))
    yield "[proof]"
    what = f"SELECT u.{seen}::text AS at, 'the last sign-in of ' || u.{login} AS what\nFROM {guess.table} AS u"
    where = f"WHERE u.{key} = %(key)s AND u.{seen} > %(since)s::timestamptz"
    yield f"sql = {toml_sql(what, where)}"


def _audit(guess: Guess) -> Iterator[str]:
    if guess.audit is None:
        return
    names, relation = guess.names, guess.audit.relation
    at, key = names.name(guess.audit.at), names.name(relation.key[0])
    told = [
        c for c in relation.fields.values() if c.kind != "bytes" and not has_word(c.name, (*FACTORS, "secret", "token"))
    ]
    pairs = ", ".join(f"'{c.name}', a.{names.name(c.name)}" for c in told[:40])
    yield "\n# The platform's own log."
    yield from guess.doubts("audit")
    yield "[audit]"
    query = f"SELECT a.{key}::text AS id, a.{at}::text AS at,\n       jsonb_build_object({pairs})::text AS line"
    where = f"WHERE a.{at} >= %(since)s::timestamptz AND a.{at} < %(until)s::timestamptz"
    yield f"sql = {toml_sql(query, f'FROM {names.table(relation.table)} AS a', where, f'ORDER BY a.{key}')}"
