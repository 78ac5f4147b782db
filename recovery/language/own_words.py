"""Parts of a SQL text in its own words: what stands after WHERE, behind each assignment, in each place of an INSERT.

Nothing is rendered anew here: a rendering may mean something else to the server than what the profile says.
"""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext_lazy as _
from sqlglot.tokens import Token, TokenType

from .columns import StatementRefused

OPENS = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE}
CLOSES = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE}
ENDS_WHERE = {TokenType.RETURNING, TokenType.SEMICOLON}
ENDS_SET = {TokenType.WHERE, *ENDS_WHERE}
ENDS_LIST = {
    *(TokenType.FROM, TokenType.WHERE, TokenType.GROUP_BY, TokenType.HAVING, TokenType.WINDOW, TokenType.ORDER_BY),
    *(TokenType.LIMIT, TokenType.OFFSET, TokenType.FETCH, TokenType.RETURNING, TokenType.SEMICOLON),
}

Placed = tuple[Token, int]  # a token and how deep in brackets it stands


def where_text(sql: str, tokens: Sequence[Token]) -> str:
    """What follows WHERE, up to RETURNING; "" without one."""
    placed = list(_placed(tokens))
    start = _first(placed, {TokenType.WHERE}, after=-1)
    return "" if start is None else _between(sql, start, _first(placed, ENDS_WHERE, after=start.end))


def assigned_texts(sql: str, tokens: Sequence[Token]) -> list[str]:
    """The right sides of an UPDATE's SET, in their order."""
    placed = list(_placed(tokens))
    start = _first(placed, {TokenType.SET}, after=-1)
    if start is None:
        raise StatementRefused(_("a SET is missing"))
    parts = _parts(sql, placed, start.end + 1, _first(placed, ENDS_SET, after=start.end), depth=0)
    return [text[_position_of_equals(text_tokens, begin) :].strip() for text, begin, text_tokens in parts]


def valued_texts(sql: str, tokens: Sequence[Token]) -> list[str]:
    """The values of an INSERT's one row, or of the list of its SELECT, in their order and without names given by AS."""
    placed = list(_placed(tokens))
    values = _first(placed, {TokenType.VALUES}, after=-1)
    if values is not None:
        opening = _first(placed, {TokenType.L_PAREN}, after=values.end)
        closing = opening and _first(placed, {TokenType.R_PAREN}, after=opening.end)
        if opening is None or closing is None:
            raise StatementRefused(_("an INSERT takes one row of VALUES or one SELECT"))
        return [text for text, _begin, _own in _parts(sql, placed, opening.end + 1, closing, depth=1)]
    start, end = _select_list(placed)
    return [_without_name(*part) for part in _parts(sql, placed, start.end + 1, end, depth=0)]


def source_text(sql: str, tokens: Sequence[Token]) -> str:
    """What follows the list of an INSERT's SELECT, from FROM or WHERE on up to RETURNING; "" for VALUES."""
    placed = list(_placed(tokens))
    if _first(placed, {TokenType.VALUES}, after=-1) is not None:
        return ""
    _start, end = _select_list(placed)
    if end is None or end.token_type in ENDS_WHERE:
        return ""
    stop = _first(placed, ENDS_WHERE, after=end.end)
    return sql[end.start : stop.start if stop else len(sql)].strip()


def _select_list(placed: list[Placed]) -> tuple[Token, Token | None]:
    start = _first(placed, {TokenType.SELECT}, after=-1)
    if start is None:
        raise StatementRefused(_("an INSERT takes one row of VALUES or one SELECT"))
    following = next((token for token, _depth in placed if token.start > start.end), None)
    if following is not None and following.token_type in {TokenType.DISTINCT, TokenType.ALL}:
        raise StatementRefused(_("DISTINCT is not understood in an INSERT; use GROUP BY or LIMIT"))
    return start, _first(placed, ENDS_LIST, after=start.end)


def _placed(tokens: Sequence[Token]) -> Iterator[Placed]:
    """Each token with its depth; a bracket belongs to the outer side. The FROM of IS DISTINCT FROM begins no clause."""
    depth, before = 0, None
    for token in tokens:
        depth -= token.token_type in CLOSES
        is_comparison = token.token_type is TokenType.FROM and before is TokenType.DISTINCT
        yield token, depth + is_comparison
        depth += token.token_type in OPENS
        before = token.token_type


def _first(placed: list[Placed], kinds: set[TokenType], *, after: int) -> Token | None:
    return next((t for t, depth in placed if depth == 0 and t.start > after and t.token_type in kinds), None)


def _between(sql: str, start: Token, end: Token | None) -> str:
    return sql[start.end + 1 : end.start if end else len(sql)].strip()


def _parts(
    sql: str, placed: list[Placed], start: int, end: Token | None, *, depth: int
) -> Iterator[tuple[str, int, list[Placed]]]:
    """What stands between the commas of one list: its text, where it begins, its tokens."""
    stop = end.start if end else len(sql)
    inside = [(token, deep) for token, deep in placed if start <= token.start < stop]
    commas = [token for token, deep in inside if deep == depth and token.token_type is TokenType.COMMA]
    begins = [start, *(comma.end + 1 for comma in commas)]
    for begin, finish in zip(begins, [*(comma.start for comma in commas), stop], strict=True):
        own = [(token, deep - depth) for token, deep in inside if begin <= token.start < finish]
        yield sql[begin:finish].strip(), begin + _blank(sql[begin:finish]), own


def _blank(text: str) -> int:
    return len(text) - len(text.lstrip())


def _position_of_equals(own: list[Placed], begin: int) -> int:
    equals = _first(own, {TokenType.EQ}, after=-1)
    if equals is None:
        raise StatementRefused(_("assign one column at a time: SET a = 1, b = 2"))
    return equals.end + 1 - begin


def _without_name(text: str, begin: int, own: list[Placed]) -> str:
    name = _first(own, {TokenType.ALIAS}, after=-1)
    return text if name is None else text[: name.start - begin].strip()
