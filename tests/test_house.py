"""The rules of the house that no linter knows: sizes, names, docstrings, who makes tasks, and what no file may hold."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "lynkr_desktop"
MODULES = sorted(PACKAGE.rglob("*.py"))
MODULE_LINES = 600
FUNCTION_LINES = 60

# May only shrink. Path, or path:function, and why.
TOO_LONG: dict[str, str] = {}
MAKES_TASKS = {
    "engine/tasks.py": "the engine's one place",
    "app.py": "starts the engine on the window's loop",
    "ui/bridge.py": "carries calls of the window over to the engine",
}
SHAPELESS_NAMES = re.compile(r"(^|_)(utils?|helpers?|commons?|managers?|misc)($|_)")
# Built from pieces, so that this file does not hold what it looks for.
REGISTRY_HOSTS = re.compile(
    "|".join(["pypi" + r"\.org", "pythonhosted" + r"\.org", "npmjs" + r"\.(org|com)", "/opt" + "/(pypi|wheels)"])
)
PRIVATE_PATHS = re.compile("|".join(["/ro" + "ot/", "/wo" + "rk/", r"/home/(?!user\b|you\b)[a-z]", r"/Users/(?!you\b)[a-z]"]))


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def functions(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_no_module_and_no_function_outgrows_its_limit() -> None:
    found = {name_of(module) for module in MODULES if len(module.read_text(encoding="utf-8").splitlines()) > MODULE_LINES}
    for module in MODULES:
        found |= {f"{name_of(module)}:{node.name}" for node in functions(module) if length(node) > FUNCTION_LINES}
    assert found == set(TOO_LONG), "split what is new here, strike what is no longer too long"


def test_every_module_says_what_it_is() -> None:
    assert [name_of(module) for module in MODULES if not ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))] == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [name_of(module) for module in MODULES if SHAPELESS_NAMES.search(module.stem)] == []


def test_tasks_are_made_in_one_place() -> None:
    makers = {
        name_of(module)
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"create_task", "ensure_future"}
    }
    assert makers == set(MAKES_TASKS)


@pytest.mark.parametrize("module", ["lynkr_desktop.headless", "lynkr_desktop.engine.service"])
def test_the_engine_runs_without_qt(module: str) -> None:
    script = (
        f"import sys, {module}; print([name for name in sys.modules if name.split('.')[0] in ('PySide6', 'shiboken6', 'qasync')])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def tracked_files() -> list[Path]:
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("pattern", [REGISTRY_HOSTS, PRIVATE_PATHS], ids=["registry hosts", "private paths"])
def test_no_file_names_a_place_of_one_machine(pattern: re.Pattern[str]) -> None:
    found = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" in content[:1024]:
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert found == []


def test_the_locks_hold_hashes_and_no_addresses() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text, lock.name
        assert "--index-url" not in text, lock.name
        entries = re.split(r"(?m)^(?=[a-z0-9.-]+==)", text)[1:]
        assert entries, lock.name
        assert [entry.split(" ")[0] for entry in entries if "--hash=sha256:" not in entry] == [], lock.name
