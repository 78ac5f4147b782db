"""Which functions a SQL text calls, and which of them a profile may never call, because they do more than compute.

A list can never be complete: the guard is the database, where the reader is read-only and a run has column rights alone.
"""

import re
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from sqlglot.tokens import Token, TokenType

from .columns import StatementRefused, Table, quoted

NAMES = {TokenType.VAR, TokenType.IDENTIFIER}
# They run texts as SQL, reach files or other servers, end sessions, hold locks, wait, or change settings and sequences.
REFUSED = re.compile(
    r"pg_.*|lo_.*|dblink.*|postgres_fdw_.*|http.*|txid_.*|crosstab.*|connectby|.*_to_xml(_and_xmlschema|schema)?"
    r"|loread|lowrite|setval|setseed|set_config|set_limit|ts_stat|ts_rewrite|brin_.*|gin_clean_pending_list|xslt_process"
)
HARMLESS = frozenset({"pg_typeof", "pg_column_size", "pg_input_is_valid"})
ONLY_IN_WRITES = frozenset({"nextval", "currval", "lastval"})
SEQUENCE = TokenType.STRING


def called(tokens: Sequence[Token]) -> frozenset[str]:
    """The names in front of an opening bracket, without schema, as PostgreSQL folds them; words of SQL are not among them."""
    return frozenset(_folded(name) for name, _open in _calls(tokens))


def require_harmless(tokens: Sequence[Token], *, is_write: bool) -> None:
    """Raises StatementRefused for a function that does more than compute, and for names written with U&."""
    for first, second in zip(tokens, tokens[1:], strict=False):
        if second.token_type is TokenType.AMP and first.text.upper() == "U" and second.start == first.end + 1:
            raise StatementRefused(_("a name written with U& is not understood; write it as it is"))
    for name in sorted(called(tokens)):
        if name not in HARMLESS and (REFUSED.fullmatch(name) or (name in ONLY_IN_WRITES and not is_write)):
            raise StatementRefused(_("the function {name} does more than compute"), name=name)


def sequences(tokens: Sequence[Token], schema: str) -> frozenset[Table]:
    """The sequences that nextval('...') takes numbers from. Raises StatementRefused when one is not named as a text."""
    found = set()
    for name, opening in _calls(tokens):
        if _folded(name) == "nextval":
            inside = tokens[opening + 1] if opening + 1 < len(tokens) else None
            if inside is None or inside.token_type is not SEQUENCE:
                raise StatementRefused(_("nextval takes the name of its sequence as a text"))
            found.add(_named(inside.text, schema))
    return frozenset(found)


def _calls(tokens: Sequence[Token]) -> Iterator[tuple[Token, int]]:
    for place, (before, token) in enumerate(zip(tokens, tokens[1:], strict=False)):
        if token.token_type is TokenType.L_PAREN and before.text and _is_name(before):
            yield before, place + 1


def _is_name(token: Token) -> bool:
    return token.token_type in NAMES or re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]*", token.text) is not None


def _folded(token: Token) -> str:
    return token.text if token.token_type is TokenType.IDENTIFIER else token.text.lower()


def _named(text: str, schema: str) -> Table:
    """The sequence as regclass reads it: names are folded unless they stand in quotes."""
    parts = re.findall(r'"((?:[^"]|"")+)"|([^".]+)', text)
    names = [kept.replace('""', '"') if kept else plain.lower() for kept, plain in parts]
    if len(names) not in {1, 2}:
        raise StatementRefused(_("{name} is not written as table or schema.table"), name=text)
    for name in names:
        quoted(name)
    return Table(names[0] if len(names) == 2 else schema, names[-1])
