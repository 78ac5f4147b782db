"""From an empty folder to databases that are ready: servers, roles, tables, the locked-out platform, practice people."""

import hashlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from breakglass.practice import cast, console, databases, platform, platform_file
from breakglass.practice.cluster import Cluster
from breakglass.practice.home import CannotRun, Home, Secrets

ROOT = Path(__file__).resolve().parent.parent.parent
CONSOLE_DB = "breakglass"
STAMP = "prepared"


class Practice:
    """One set-up: its folder, its secrets, its two servers, and the environment of each of its processes."""

    def __init__(self, home: Home, port: int) -> None:
        self.home, self.port = home, port
        self.secrets: Secrets = home.secrets()
        self.console, self.platform = Cluster(home / "console"), Cluster(home / "platform")
        self.base_url = f"http://127.0.0.1:{port}"
        self.acme_url = f"http://127.0.0.1:{port + 1}"

    def start_servers(self) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(Cluster.start, (self.console, self.platform)))

    def stop_servers(self) -> None:
        with ThreadPoolExecutor() as pool:
            list(pool.map(Cluster.stop, (self.console, self.platform)))

    def prepare(self) -> list[cast.Member]:
        """Bring everything up to date; what is unchanged since the last time costs nothing. Raises CannotRun."""
        self._prepare_console()
        self._prepare_platform()
        members = cast.ensure(self.home)
        stamp, wanted = self.home / STAMP, _version()
        if not stamp.exists() or stamp.read_text() != wanted:
            self._prepare_inside()
            stamp.write_text(wanted)
        return members

    def _prepare_console(self) -> None:
        with self.console.connect() as connection:
            console.ensure(connection, self.secrets.console, CONSOLE_DB)

    def _prepare_platform(self) -> None:
        with self.platform.connect() as connection:
            platform.ensure_logins(connection, self.secrets.platform)
            is_there = databases.exists(connection, platform.DBNAME)
        if not is_there:
            platform.build(self.platform, platform.DBNAME, self.secrets.passwords)
        platform_file.write(
            *(self.home.folder, self.platform, platform.DBNAME, self.secrets.platform),
            sign_in_url=f"{self.acme_url}/",
            log=self.acme_log,
        )

    def _prepare_inside(self) -> None:
        done = manage(self.owner_environment(), "prepare_practice", str(self.home / cast.FILE))
        if done:
            raise CannotRun("The databases could not be prepared, see above. Nothing was started.")

    @property
    def acme_log(self) -> Path:
        return self.home / "logs" / "acme-backend.jsonl"

    def environment(self) -> dict[str, str]:
        """Of the web processes and the worker: they know the app's login and neither the owner's nor the keeper's."""
        urls = self.secrets.console.urls(self.console, CONSOLE_DB)
        return _inherited() | {
            "SECRET_KEY": self.secrets.secret_key,
            "DATABASE_URL": urls["DATABASE_URL"],
            "BASE_URL": self.base_url,
            "BREAKGLASS_PLATFORMS": os.environ.get("BREAKGLASS_PLATFORMS") or str(self.home / "platforms.toml"),
            "BREAKGLASS_PRACTICE": "true",
            "BREAKGLASS_HOME": str(self.home.folder),
            "PORT": str(self.port),
        }

    def keeper_environment(self) -> dict[str, str]:
        urls = self.secrets.console.urls(self.console, CONSOLE_DB)
        return self.environment() | {
            "DATABASE_URL": urls["KEEPER_DATABASE_URL"],
            "KEEPER_KEY": self.secrets.keeper_key,
        }

    def owner_environment(self) -> dict[str, str]:
        """Of the one command that migrates; it is gone before anything serves."""
        urls = self.secrets.console.urls(self.console, CONSOLE_DB)
        return self.environment() | {
            "DATABASE_OWNER_URL": urls["DATABASE_OWNER_URL"],
            "PRACTICE_DBA_URL": self.platform.superuser_url(platform.DBNAME),
            "PRACTICE_KEEPER_KEY": self.secrets.keeper_key,
        }

    def acme_environment(self) -> dict[str, str]:
        url = self.platform.url(platform.APP, self.secrets.platform.app, platform.DBNAME)
        return _inherited() | {"ACME_DATABASE_URL": url, "ACME_LOG": str(self.acme_log)}


def manage(environment: dict[str, str], *arguments: str) -> int:
    """Run manage.py in that environment; its return code."""
    return subprocess.run([sys.executable, "manage.py", *arguments], check=False, cwd=ROOT, env=environment).returncode


def _inherited() -> dict[str, str]:
    """Our own environment without what would lead a practice process to somebody else's database."""
    foreign = ("DATABASE_", "KEEPER_", "PG", "SECRET_KEY", "ACME_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


def _version() -> str:
    """A digest of everything that the preparation depends on."""
    patterns = ("**/migrations/*.py", "**/*.sql", "**/profiles/*.toml", "**/grants.py", "practice/**/*.py")
    rooms = (ROOT / room for room in ("audit", "recovery", "breakglass"))
    files = {file for room in rooms for pattern in patterns for file in room.glob(pattern)}
    digest = hashlib.sha256()
    for file in sorted(files | set(ROOT.glob("requirements*.txt"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()
