"""Password schemes as a formula: `hex(sha1(salt + hex(sha1(password))))`. Read here, checked as far as it can be, never guessed.

Pure: a small recursive-descent reader over a closed list of functions; there is no code in a formula.
"""

import hmac
import re
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .formula_functions import DIGEST, DIGESTS, FUNCTIONS, NUMBER, TEXT_ONLY, WORDS, Function, Parameter
from .formula_nodes import BYTES, TEXT, FormulaRefused, Given, Node, added, call, ingredient, literal
from .salts import Salt

LONGEST_FORMULA = 600
DEEPEST = 20
MOST_ROUNDS = 1_000_000
INGREDIENTS = ("password", "salt", "pepper", "login", "key")
NEVER_READABLE = frozenset({"password", "pepper"})
TOKEN = re.compile(
    r"\s*(?:(?P<bytes>[xX]'(?:[0-9A-Fa-f]{2})*')|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>[0-9]{1,10})|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>[+(),=]))"
)


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that was read. names: its ingredients. shows: those that can be read back from the hash."""

    text: str
    root: Node = field(repr=False)
    form: re.Pattern[str] = field(repr=False)

    def __str__(self) -> str:
        return self.text

    @property
    def names(self) -> frozenset[str]:
        return self.root.names

    @property
    def shows(self) -> frozenset[str]:
        return self.root.shows

    def make(self, given: Given) -> str:
        """A new hash; a function that makes its own salt makes a new one. Raises FormulaRefused for values it cannot take."""
        own = _own_of(self.root)
        return self._of(replace(given, inner=own.own.new()) if own and own.own else given)

    def verify(self, written: str, given: Given) -> bool:
        """Whether the same ingredients give what is written, with the salt that stands in it. Raises FormulaRefused."""
        match = self.form.fullmatch(written)
        if match is None:
            return False
        again = self._of(replace(given, inner=match[1]) if match.groups() else given)
        return hmac.compare_digest(again.encode(), written.encode())

    def _of(self, given: Given) -> str:
        try:
            return str(self.root.run(given))
        except FormulaRefused:
            raise
        except (
            ValueError,
            OverflowError,
            MemoryError,
        ) as error:  # what a library says of a cost or a value; it may quote it
            raise FormulaRefused(_("a function of the formula does not take these values")) from error


def read(text: str, *, salt: Salt | None = None) -> Formula:
    """The formula that a profile writes. salt: what the word `salt` means in it. Raises FormulaRefused with the place."""
    if len(text) > LONGEST_FORMULA:
        raise FormulaRefused(_("it is longer than {most} characters"), most=LONGEST_FORMULA)
    reader = _Reader(text, salt)
    root = reader.sum()
    reader.require_end()
    _check(root)
    return Formula(text, root, re.compile(root.pattern))


def _check(root: Node) -> None:
    if root.kind != TEXT:
        raise FormulaRefused(_("the hash would be bytes: write it as hex() or base64()"), place=1)
    if "password" not in root.names:
        raise FormulaRefused(_("the password is not in it"), place=1)
    readable = NEVER_READABLE & root.shows
    if readable:
        raise FormulaRefused(_("{name} could be read back from the hash"), place=1, name=min(readable))
    if root.salted > 1 or (root.salted and _own_of(root) is None):
        reason = _(
            "a function that makes its own salt stands once, and inside no other function, so that its salt can be read"
        )
        raise FormulaRefused(reason, place=1)


def _own_of(root: Node) -> Node | None:
    return next((part for part in (root.parts or (root,)) if part.own is not None), None)


@dataclass(slots=True)
class _Token:
    kind: str
    text: str
    place: int


class _Reader:
    """Reads from left to right. sum = item {+ item}; item = text | x'bytes' | ingredient | function(arguments) | (sum)."""

    def __init__(self, text: str, salt: Salt | None) -> None:
        self.tokens, self.salt, self.depth = _tokens(text), salt, 0
        self.end = len(text) + 1
        self.rounds: list[Node] = []

    def no(self, reason: str | Promise, **facts: Any) -> FormulaRefused:
        return FormulaRefused(reason, place=self.tokens[0].place if self.tokens else self.end, **facts)

    def sum(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.no(_("it is nested deeper than {most} functions"), most=DEEPEST)
        parts = [self.item()]
        while self.takes("+"):
            parts.append(self.item())
        self.depth -= 1
        return added(tuple(parts))

    def item(self) -> Node:
        token = self.next(_("a text, an ingredient or a function is missing"))
        if token.kind == "text":
            return literal(token.text[1:-1].replace("''", "'"), token.place)
        if token.kind == "bytes":
            return literal(bytes.fromhex(token.text[2:-1]), token.place)
        if token.kind == "name":
            return self.function(token) if self.takes("(") else self.named(token)
        if token.text == "(":
            inside = self.sum()
            self.require(")")
            return inside
        raise FormulaRefused(_("{text} cannot stand here"), place=token.place, text=token.text)

    def named(self, token: _Token) -> Node:
        if token.text == "it" and self.rounds:
            return replace(self.rounds[-1], place=token.place)
        if token.text == "salt" and self.salt is None:
            raise FormulaRefused(
                _("write under [password] how a salt is made, such as salt = 'hex32'"), place=token.place
            )
        if token.text == "salt" and self.salt is not None:
            kind, length = self.salt.kind, self.salt.length
            return ingredient("salt", token.place, kind=kind, longest=length, is_fixed=True)
        if token.text not in INGREDIENTS:
            known = ", ".join(INGREDIENTS)
            reason = _("{name} is no ingredient; known are {known}; a text stands in ' '")
            raise FormulaRefused(reason, place=token.place, name=token.text, known=known)
        return ingredient(token.text, token.place)

    def function(self, token: _Token) -> Node:
        if token.text == "repeat":
            return self.repeat(token)
        if token.text not in FUNCTIONS:
            known = ", ".join(sorted({*FUNCTIONS, "repeat"}))
            reason = _("{name} is no function; known are {known}")
            raise FormulaRefused(reason, place=token.place, name=token.text, known=known)
        function = FUNCTIONS[token.text]
        found = self.arguments(function)
        return function.build(token.place, **found)

    def repeat(self, token: _Token) -> Node:
        """repeat(count, start, step): step again and again, in which `it` is the value before. Its length must stay."""
        count = self.argument(Parameter("count", NUMBER, 1, MOST_ROUNDS))
        self.require(",")
        start = self.sum()
        self.require(",")
        self.rounds.append(ingredient("it", token.place, kind=start.kind, longest=start.longest, is_fixed=True))
        step = self.sum()
        self.rounds.pop()
        self.require(")")
        return _repeated(token.place, count, start, step)

    def arguments(self, function: Function) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for number, parameter in enumerate(function.parameters):
            if parameter.kind == WORDS:
                found[parameter.name] = self.words(parameter, first=not number)
            elif self.peek(")") and parameter.default is not None:
                found[parameter.name] = parameter.default
            else:
                if number:
                    self.require(",")
                found[parameter.name] = self.argument(parameter)
        self.require(")")
        return found

    def argument(self, parameter: Parameter) -> Any:
        if len(self.tokens) > 1 and self.tokens[0].text == parameter.name and self.tokens[1].text == "=":
            del self.tokens[:2]
        if parameter.kind == NUMBER:
            return self.number(parameter)
        if parameter.kind == DIGEST:
            return self.word(tuple(DIGESTS))
        if parameter.choices:
            return self.word(parameter.choices)
        place = self.tokens[0].place if self.tokens else self.end
        value = self.sum()
        if parameter.kind == TEXT_ONLY and value.kind == BYTES:
            raise FormulaRefused(_("a text is needed here, not bytes"), place=place)
        return value

    def number(self, parameter: Parameter) -> int:
        token = self.next(_("a number is missing"))
        if token.kind != "number" or not parameter.least <= int(token.text) <= parameter.most:
            reason = _("{name} is a number from {least} to {most}")
            facts = {"name": parameter.name, "least": parameter.least, "most": parameter.most}
            raise FormulaRefused(reason, place=token.place, **facts)
        return int(token.text)

    def word(self, known: tuple[str, ...]) -> str:
        token = self.next(_("a word is missing"))
        word = token.text.strip("'")
        if word not in known:
            raise FormulaRefused(_("it must be one of {known}"), place=token.place, known=", ".join(known))
        return word

    def words(self, parameter: Parameter, *, first: bool) -> tuple[str, ...]:
        found = []
        while not first and self.takes(","):
            found.append(self.word(parameter.choices))
        return tuple(found)

    def peek(self, sign: str) -> bool:
        return bool(self.tokens) and self.tokens[0].text == sign

    def takes(self, sign: str) -> bool:
        found = self.peek(sign)
        if found:
            self.tokens.pop(0)
        return found

    def next(self, missing: str | Promise) -> _Token:
        if not self.tokens:
            raise self.no(missing)
        return self.tokens.pop(0)

    def require(self, sign: str) -> None:
        if not self.takes(sign):
            raise self.no(_("{sign} is missing"), sign=sign)

    def require_end(self) -> None:
        if self.tokens:
            raise self.no(_("a + or the end is missing"))


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    end = len(text.rstrip())
    while at < end:
        match = TOKEN.match(text, at)
        if match is None:
            rest = text[at:].lstrip()
            raise FormulaRefused(_("{text} cannot be read"), place=len(text) - len(rest) + 1, text=rest[:10])
        kind = str(match.lastgroup)
        found.append(_Token(kind, match[kind], match.start(kind) + 1))
        at = match.end()
    return found


def _repeated(place: int, count: int, start: Node, step: Node) -> Node:
    if not step.is_fixed or step.shows or step.kind != start.kind:
        raise FormulaRefused(
            _("each round must give a digest of one length, of the kind that it starts with"), place=step.place
        )
    if start.salted or step.salted:
        raise FormulaRefused(_("a function that makes its own salt cannot be repeated"), place=place)

    def run(given: Given) -> str | bytes:
        value = start.run(given)
        for _round in range(count):
            value = step.run(replace(given, it=value))
        return value

    made = call(step.kind, run, [start, step], place=place, longest=step.longest, work=(count - 1) * step.work)
    return replace(made, names=made.names - {"it"})
