"""Makes .venv with what a requirements file names. Runs before anything is installed: standard library only, no imports of ours.
What it says goes to the error output: the output belongs to the command behind it, which may write a file.

Usage: python3 breakglass/practice/virtualenv.py requirements-practice.txt
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
OLDEST = (3, 11)
NEEDED_MB = {"requirements-practice.txt": 400, "requirements-dev.txt": 900}


def main(requirements: str) -> None:
    if sys.version_info < OLDEST:
        sys.exit("Python 3.11 or newer is needed, this is %s. Try: make PYTHON=python3.11" % sys.version.split()[0])
    with (ROOT / ".venv.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two set-ups from one folder wait for each other
        if not _is_current(requirements):
            _check_disk(NEEDED_MB[requirements])
            _make()
            _install(requirements)


def _wanted(requirements: str) -> str:
    """A digest over all requirements files, since they include each other."""
    texts = [path.read_bytes() for path in sorted(ROOT.glob("requirements*.txt"))]
    return hashlib.sha256(b"\0".join([requirements.encode(), sys.version.encode(), *texts])).hexdigest()


def _stamp(requirements: str) -> Path:
    return VENV / (".installed-" + requirements)


def _is_current(requirements: str) -> bool:
    """Whether it was installed, alone or as a part of what the tests need."""
    stamps = {name: _stamp(name) for name in (requirements, "requirements-dev.txt")}
    return any(stamp.exists() and stamp.read_text() == _wanted(name) for name, stamp in stamps.items())


def _check_disk(needed: int) -> None:
    free = shutil.disk_usage(ROOT).free // 2**20
    if free < needed:
        sys.exit(
            "About %d MB of disk are needed below %s, %d MB are free. Make room and start again." % (needed, ROOT, free)
        )


def _make() -> None:
    if (VENV / "bin" / "pip").exists():
        return
    print("Making the virtual environment in .venv ...", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False, capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        said = (done.stdout + done.stderr).strip()
        sys.exit(
            "Python cannot make a virtual environment (on Debian: apt-get install python3-venv). It said:\n" + said
        )


def _install(requirements: str) -> None:
    print("Installing %s ..." % requirements, file=sys.stderr, flush=True)
    options = ["--quiet", "--disable-pip-version-check", "--no-input"]
    command = [str(VENV / "bin" / "python"), "-m", "pip", "install", *options, "-r", str(ROOT / requirements)]
    if subprocess.run(command, check=False, cwd=ROOT, stdout=sys.stderr).returncode:
        sys.exit("The packages could not be installed, see above. Is the package index reachable? Then start again.")
    _stamp(requirements).write_text(_wanted(requirements))


if __name__ == "__main__":
    main(sys.argv[1])
