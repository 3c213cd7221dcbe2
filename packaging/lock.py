"""Write requirements/*.txt: every package of every purpose, exact and with its hashes. Run by `make lock`; needs pip-tools.

The locks are resolved on Linux with the oldest Python that we support. What only other systems or other Pythons need is added by
name here, and each such line gets its marker back, so that the same three files serve all of them. No address gets into a lock.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Final

from pip._internal.req.constructors import install_req_from_line
from piptools.repositories import PyPIRepository

ROOT: Final = Path(__file__).resolve().parent.parent
WINDOWS: Final = 'sys_platform == "win32"'
MAC: Final = 'sys_platform == "darwin"'
LINUX: Final = 'sys_platform == "linux"'
OLD_PYTHON: Final = 'python_version < "3.12"'

# Wanted by our dependencies on systems where the locks are not made.
ELSEWHERE: Final = {
    "runtime": {"pywin32-ctypes": WINDOWS},
    "dev": {"pywin32-ctypes": WINDOWS, "colorama": WINDOWS, "pefile": WINDOWS, "macholib": MAC},
    "training": {},
}
# Wanted only where the locks are made. Of what builds and tests, Google's library wants cryptography everywhere.
CRYPTOGRAPHY: Final = {"cryptography": LINUX, "cffi": LINUX, "pycparser": LINUX}
ONLY_HERE: Final = {
    "secretstorage": LINUX,
    "jeepney": LINUX,
    "importlib-metadata": OLD_PYTHON,
    "zipp": OLD_PYTHON,
    "backports-tarfile": OLD_PYTHON,
}
HEADER: Final = "# {purpose}: made by `make lock` from pyproject.toml. Not to be edited.\n\n"


def main() -> None:
    """Make all locks. Dev builds on runtime, so that a package has one version everywhere."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write("runtime", _resolved(folder, "runtime", runtime, []))
        dev = [*runtime, *project["dependency-groups"]["dev"]]
        everything = _resolved(folder, "dev", dev, ["--constraint", "runtime.txt"])
        _write("dev", everything)
        _write("postgres", _hashed(folder, re.findall(r"^asyncpg==[^\s;]+", everything, re.MULTILINE)))
        extras = project["project"]["optional-dependencies"]
        for extra in ("embedded", "vectors"):
            _write(extra, _hashed(folder, extras[extra]))
        _write("fuzz", _hashed(folder, project["dependency-groups"]["fuzz"]))
        training = project["dependency-groups"]["training"]
        _write("training", _resolved(folder, "training", training, ["--constraint", "runtime.txt"]))


def _resolved(folder: Path, purpose: str, wanted: list[str], options: list[str]) -> str:
    """The lock of all that is wanted and all that this wants. Works in a folder of its own: the lock names its inputs."""
    (folder / "pyproject.in").write_text("\n".join([*wanted, *ELSEWHERE[purpose]]) + "\n")
    options = [*options, "--generate-hashes", "--strip-extras", "--allow-unsafe", "--no-header", "--quiet"]
    options += ["--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links"]
    command = [sys.executable, "-m", "piptools", "compile", *options, "--output-file", f"{purpose}.txt", "pyproject.in"]
    subprocess.run(command, cwd=folder, check=True)
    only_here = CRYPTOGRAPHY if purpose == "runtime" else {}
    return _with_markers((folder / f"{purpose}.txt").read_text(), {**ONLY_HERE, **ELSEWHERE[purpose], **only_here})


def _hashed(folder: Path, wanted: list[str]) -> str:
    """The lock of these packages without what they want themselves: that is another inference library, and never imported."""
    repository = PyPIRepository([], cache_dir=str(folder))
    entries = []
    for requirement in sorted(wanted):
        hashes = sorted(repository.get_hashes(install_req_from_line(requirement)))
        entries.append(" \\\n".join([requirement, *(f"    --hash={value}" for value in hashes)]))
    return "\n".join(entries) + "\n"


def _write(purpose: str, lock: str) -> None:
    (ROOT / "requirements" / f"{purpose}.txt").write_text(HEADER.format(purpose=purpose) + lock)
    print(f"requirements/{purpose}.txt is up to date")


def _with_markers(lock: str, markers: dict[str, str]) -> str:
    """The lock with a marker on each line of a package that is not for everybody."""

    def marked(line: re.Match[str]) -> str:
        marker = markers.get(line["name"])
        return f"{line['name']}=={line['version']} ; {marker} \\" if marker else line[0]

    return re.sub(r"^(?P<name>[a-z0-9.-]+)==(?P<version>\S+) \\$", marked, lock, flags=re.MULTILINE)


if __name__ == "__main__":
    main()
