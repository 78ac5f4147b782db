"""The house rules, read from syntax trees: imports point down only, no cycles, none inside functions, small files, no machine paths."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("audit", "recovery", "breakglass")  # each may import itself and those before it
LONGEST_FILE, LONGEST_TEST_FILE = 300, 400
# One file that a stranger runs alone, and one that is a list of facts without a function.
LONGER = {"audit.verify": 500, "breakglass.procedure.models": 400}
LONGEST_FUNCTION, LONG_FUNCTION = 50, 35
VAGUE_NAMES = {"utils", "helpers", "services", "common", "base", "manager", "core"}
MACHINE = re.compile(r"(?<![\w.])/(?:home|Users|root|work|mnt)/\w")
TEXT = {".py", ".md", ".toml", ".txt", ".html", ".css", ".js", ".sql", ".yml", ".cfg", ""}


def modules(*rooms: str) -> list[Path]:
    found = [file for room in rooms for file in (ROOT / room).rglob("*.py")]
    return sorted(file for file in found if "migrations" not in file.parts)


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(), str(file))


def dotted(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {dotted(file): file for file in modules(*ROOMS)}
OURS = [*modules(*ROOMS), *modules("tests")]


def imported(file: Path) -> Iterator[str]:
    """The modules that a module imports, as dotted names; `from package import module` names the module."""
    package = dotted(file) if file.name == "__init__.py" else dotted(file).rpartition(".")[0]
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield inner if inner in NAMES else source


def graph() -> dict[str, set[str]]:
    return {name: {other for other in imported(file) if other in NAMES} - {name} for name, file in NAMES.items()}


def functions() -> Iterator[tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for file in OURS:
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield file, node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def shown(file: Path, line: int) -> str:
    return f"{file.relative_to(ROOT)}:{line}"


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).suffix in TEXT]


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_down_only(room):
    above = ROOMS[ROOMS.index(room) + 1 :] + ("tests",)

    wrong = [(dotted(file), name) for file in modules(room) for name in imported(file) if name.split(".")[0] in above]

    assert wrong == []


def test_imports_have_no_cycle():
    edges = graph()
    while leaves := {name for name, others in edges.items() if not others & set(edges)}:
        edges = {name: others for name, others in edges.items() if name not in leaves}

    assert edges == {}


def test_nothing_is_imported_inside_a_function():
    inside = [
        shown(file, node.lineno)
        for file, function in functions()
        if "tests" not in file.relative_to(ROOT).parts
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert inside == []


def test_files_are_small():
    def most(file: Path) -> int:
        return LONGER.get(dotted(file), LONGEST_TEST_FILE if "tests" in file.relative_to(ROOT).parts else LONGEST_FILE)

    lengths = {file: len(file.read_text().splitlines()) for file in OURS}

    assert {dotted(file): lines for file, lines in lengths.items() if lines > most(file)} == {}


def test_no_function_is_long():
    assert [shown(file, node.lineno) for file, node in functions() if length(node) > LONGEST_FUNCTION] == []


def test_nine_in_ten_functions_end_without_scrolling():
    lengths = [length(node) for _file, node in functions()]

    assert sum(lines <= LONG_FUNCTION for lines in lengths) >= 0.9 * len(lengths)


def test_every_module_says_what_it_is_for():
    silent = [dotted(file) for file in OURS if tree(file).body and not ast.get_docstring(tree(file))]

    assert silent == []


def test_modules_have_telling_names():
    assert [dotted(file) for file in OURS if file.stem in VAGUE_NAMES] == []


def test_nothing_carries_on_after_an_unknown_fault():
    def is_blind(node: ast.ExceptHandler) -> bool:
        caught = node.type.id if isinstance(node.type, ast.Name) else ""
        return node.type is None or caught in {"Exception", "BaseException"}

    blind = [
        shown(file, node.lineno)
        for file in modules(*ROOMS)
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ExceptHandler) and is_blind(node) and not _raises(node)
    ]

    assert blind == []


def _raises(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Raise) for node in ast.walk(handler))


def test_no_file_names_a_path_of_somebodys_machine():
    found = [
        shown(file, number)
        for file in tracked()
        if file != Path(__file__)
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if MACHINE.search(line)
    ]

    assert found == []
