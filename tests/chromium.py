"""Finds a Chromium that starts, or installs one; the browser tests never skip. Usage: CHROMIUM=$(python -m tests.chromium)"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    "The browser tests need Chromium, and it could not be installed. Install it (Debian: apt-get install chromium) "
    "or name one: make test CHROMIUM=/path/to/chromium"
)


def main() -> None:
    found = next(_found(), None)
    if found is None:
        _install()
        found = next(_found(), None)
    if found is None:
        sys.exit(MISSING)
    print(found)  # noqa: T201 - the answer


def _found() -> Iterator[str]:
    if named := os.environ.get("CHROMIUM"):
        if not _starts(named):
            sys.exit(f"CHROMIUM names {named}, which does not start. Name another one, or none.")
        yield named
    yield from (path for name in NAMES if (path := shutil.which(name)) and _starts(path))
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    if _starts(own):
        yield own


def _starts(path: str) -> bool:
    """A file is not enough: distributions ship stubs, and shared libraries may be missing."""
    if not Path(path).exists():
        return False
    return subprocess.run([path, "--version"], check=False, capture_output=True, timeout=60).returncode == 0


def _install() -> None:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium")
    else:
        _run(sys.executable, "-m", "playwright", "install", "chromium")


def _run(*command: str) -> None:
    subprocess.run(command, check=False, stdout=sys.stderr, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
