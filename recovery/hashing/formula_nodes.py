"""What a formula is made of: ingredients, and typed nodes that know their length, their work and what they let be read. Pure."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TEXT, BYTES = "text", "bytes"
LONGEST_VALUE = 65_536  # bytes of any value in between
MOST_WORK = 20_000_000  # about microseconds, all functions of a formula together
LONGEST_TYPED = 1024  # bytes of what comes from outside: password, pepper, login

Value = str | bytes


class FormulaRefused(ValueError):
    """A formula that cannot be used, or values that it cannot take; the reason is a sentence. place: the character, from 1."""

    def __init__(self, reason: str | Promise, *, place: int = 0, **facts: object) -> None:
        super().__init__(reason)
        self.reason, self.place, self.facts = reason, place, facts

    def __str__(self) -> str:
        sentence = str(self.reason).format(**self.facts)
        return (
            str(_("at character {place}: {sentence}")).format(place=self.place, sentence=sentence)
            if self.place
            else sentence
        )


@dataclass(frozen=True, slots=True)
class Given:
    """The ingredients of one hash. inner: the salt of a function that makes its own. it: the value of the last round."""

    password: str = field(repr=False)
    salt: Value = field(default="", repr=False)
    pepper: str = field(default="", repr=False)
    login: str = ""
    key: str = ""
    inner: str = field(default="", repr=False)
    it: Value = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Own:
    """A function that makes its own salt and writes it down. pattern: what it writes, its one group is that salt."""

    new: Callable[[], str]
    pattern: str


@dataclass(frozen=True, slots=True)
class Node:
    """One part of a formula.

    longest: bytes at most. is_fixed: its length does not hang on what was typed. work: about microseconds.
    names: the ingredients in it. shows: those that can be read back from its value. parts: what a sum is made of.
    """

    kind: str
    longest: int
    run: Callable[[Given], Value]
    place: int
    work: int = 0
    is_fixed: bool = False
    names: frozenset[str] = frozenset()
    shows: frozenset[str] = frozenset()
    salted: int = 0
    own: Own | None = None
    literal: str | None = None
    parts: tuple["Node", ...] = ()

    @property
    def pattern(self) -> str:
        """A regular expression for its text."""
        if self.parts:
            return "".join(part.pattern for part in self.parts)
        if self.own is not None:
            return self.own.pattern
        return "(?s:.*)" if self.literal is None else re.escape(self.literal)

    def data(self, given: Given) -> bytes:
        return as_bytes(self.run(given))


def as_bytes(value: Value) -> bytes:
    return value.encode() if isinstance(value, str) else value


def call(
    kind: str, run: Callable[[Given], Value], of: Iterable[Node], *, place: int, longest: int, **facts: object
) -> Node:
    """A function of other nodes; facts replace what follows from them. Raises FormulaRefused for too much of it."""
    nodes = tuple(of)
    made = Node(
        kind,
        longest,
        run,
        place,
        work=sum(node.work for node in nodes) + int(facts.pop("work", 2)),  # type: ignore[call-overload]
        is_fixed=bool(facts.pop("is_fixed", all(node.is_fixed for node in nodes))),
        names=frozenset().union(*(node.names for node in nodes)),
        shows=frozenset().union(*(node.shows for node in nodes)) if facts.pop("shows", False) else frozenset(),
        salted=sum(node.salted for node in nodes),
    )
    check_size(made)
    return replace(made, **facts) if facts else made  # type: ignore[arg-type]


def check_size(node: Node) -> None:
    if node.longest > LONGEST_VALUE:
        raise FormulaRefused(_("the value gets longer than {most} bytes"), place=node.place, most=LONGEST_VALUE)
    if node.work > MOST_WORK:
        seconds = MOST_WORK // 1_000_000
        raise FormulaRefused(_("this costs more than about {seconds} seconds"), place=node.place, seconds=seconds)


def literal(value: Value, place: int) -> Node:
    kind = TEXT if isinstance(value, str) else BYTES
    text = value if isinstance(value, str) else None
    return Node(kind, len(as_bytes(value)), lambda _given: value, place, is_fixed=True, literal=text)


def ingredient(
    name: str, place: int, *, kind: str = TEXT, longest: int = LONGEST_TYPED, is_fixed: bool = False
) -> Node:
    named = frozenset({name})
    return Node(kind, longest, lambda given: getattr(given, name), place, is_fixed=is_fixed, names=named, shows=named)


def added(parts: tuple[Node, ...]) -> Node:
    """The sum: text of texts, else bytes, where a text counts as UTF-8."""
    if len(parts) == 1:
        return parts[0]
    longest, place = sum(part.longest for part in parts), parts[0].place
    if all(part.kind == TEXT for part in parts):
        joined: Callable[[Given], Value] = lambda given: "".join(str(part.run(given)) for part in parts)  # noqa: E731
        return call(TEXT, joined, parts, place=place, longest=longest, shows=True, parts=parts)
    return call(
        BYTES,
        lambda given: b"".join(part.data(given) for part in parts),
        parts,
        place=place,
        longest=longest,
        shows=True,
    )
