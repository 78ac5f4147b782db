"""The view through which the reader gets a platform's pepper and nothing else of the table that holds it. Pure."""

from collections.abc import Iterator

from .columns import CONSOLE_SCHEMA, Table, by_table, quoted
from .profile import Profile
from .rights import READER

VIEW = Table(CONSOLE_SCHEMA, "password_pepper")


def script(profile: Profile, *, owner: str) -> Iterator[str]:
    """The view from the profile's own query, for the DBA's script; nothing where the profile has none.

    The query's columns are granted to the view's owner alone. What is written %% in a profile is a % here.
    """
    query = profile.password.pepper
    if query is None:
        return
    for table, names in by_table(query.parsed.reads | profile.keys_of_bare(query.parsed)).items():
        yield f"GRANT USAGE ON SCHEMA {quoted(table.schema)} TO {owner};"
        yield f"GRANT SELECT ({', '.join(map(quoted, names))}) ON {table.quoted} TO {owner};"
    yield f"SET LOCAL search_path = {quoted(profile.schema)}, pg_temp;"
    text = query.sql.strip().rstrip(";").replace("%%", "%")
    yield f"CREATE VIEW {VIEW.quoted} WITH (security_barrier) AS\n{text};"
    yield "SET LOCAL search_path TO DEFAULT;"
    yield f"ALTER VIEW {VIEW.quoted} OWNER TO {owner};"
    yield f"GRANT SELECT ON {VIEW.quoted} TO {READER};"
