"""A digest as a few short words that two people can compare over the telephone. Pure."""

from pathlib import Path

WORDS = tuple(Path(__file__).with_name("words.txt").read_text(encoding="ascii").split())
COUNT = 6
BITS_PER_WORD = 10


def spoken(digest: str) -> str:
    """The first 60 bits of a digest (hex) as six words of a list of 1,024, separated by spaces."""
    bits = int(digest, 16) >> (len(digest) * 4 - COUNT * BITS_PER_WORD)
    places = range((COUNT - 1) * BITS_PER_WORD, -1, -BITS_PER_WORD)
    return " ".join(WORDS[bits >> place & (len(WORDS) - 1)] for place in places)
