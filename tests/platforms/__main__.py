"""python -m tests.platforms [NAME ...] [--variant VARIANT ...] [--fresh] [--record]: recover real software, one after the other.

Ends with 1 if anything does not hold. Work folder: PLATFORMS_WORK, else one in the user's cache.
"""

import argparse
import signal
import sys
from types import FrameType

from django.conf import settings

from breakglass.practice.cluster import ServerFailed
from tests.platforms import record
from tests.platforms.catalogue import SOFTWARE
from tests.platforms.console import Console
from tests.platforms.playing import Played, play, timed
from tests.platforms.software import Software, say
from tests.platforms.words import Broken, Variant


def main(arguments: list[str]) -> int:
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    played = [one for name in asked.names or SOFTWARE for one in _software(SOFTWARE[name](), asked)]
    _summary(played)
    return 0 if played and all(one.holds for one in played) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.platforms", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*SOFTWARE, []], metavar="NAME", help=", ".join(SOFTWARE))
    parser.add_argument("--variant", action="append", help="only this way to be locked out; may stand several times")
    parser.add_argument("--fresh", action="store_true", help="make the databases anew")
    parser.add_argument("--record", action="store_true", help="write what was seen into docs/platforms.md")
    return parser


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _software(software: Software, asked: argparse.Namespace) -> list[Played]:
    """Everything about one software; whatever was started is stopped again."""
    try:
        say(f"{software.name}: installed in {timed(software.install):.0f} s")
        if asked.fresh:
            software.forget()
        say(f"{software.name} {software.version()}: started in {timed(software.start):.0f} s")
        wanted = [one for one in software.variants if not asked.variant or one.name in asked.variant]
        played = [_told(software, _played(software, one), record_it=asked.record) for one in wanted]
    finally:
        software.stop()
    return played


def _played(software: Software, variant: Variant) -> Played:
    """With a console of its own: no variant sees what another left, and nobody waits for fresh one-time codes."""
    console = Console(software)
    try:
        console.start()
        return play(software, variant, console)
    finally:
        console.stop()


def _told(software: Software, played: Played, *, record_it: bool) -> Played:
    rows = ", ".join(map(str, played.rows))
    say(f"{played.software} {played.variant.name}: {_verdict(played)} in {played.seconds:.0f} s; {rows}")
    for fault in played.faults:
        say(f"    {fault}")
    if record_it:
        record.write(software, played)
    return played


def _verdict(played: Played) -> str:
    return "holds" if played.holds else "FAILS"


def _summary(played: list[Played]) -> None:
    say("")
    for one in played:
        row = (one.software, one.variant.name, one.variant.outcome, f"{len(one.rows)} rows", f"{one.seconds:.0f} s")
        say("  ".join(f"{text:<16}" for text in row) + _verdict(one))


if __name__ == "__main__":
    settings.configure(USE_I18N=False)  # profiles are read here, no console runs in this process
    try:
        sys.exit(main(sys.argv[1:]))
    except (Broken, ServerFailed) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped.")
