"""Write one text of all that the packaged program carries: names, versions and licences in full."""

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
_LICENCE_FILE: Final = re.compile(r"(^|/)(licen[cs]e|copying|notice|authors)[^/]*$", re.IGNORECASE)
_HEAD: Final = """\
Lynkr Desktop carries the software below. Each part keeps its own licence.

Qt and PySide6 are used under the GNU Lesser General Public License, version 3. Their libraries lie as separate files in
PySide6/Qt/lib of this folder and may be replaced by others of the same version. The Qt Company publishes their source.
Python itself is used under the Python Software Foundation License.
"""


def main() -> None:
    """Write the notice to the file that is named on the command line."""
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    parts = [_HEAD]
    for name in sorted({*_names("runtime"), *_names("embedded"), *_names("vectors")}):
        try:
            parts.append(_entry(distribution(name)))
        except PackageNotFoundError:  # belongs to another system
            continue
    target.write_text(f"\n{'=' * 100}\n\n".join(parts), encoding="utf-8")
    print(f"{target}: {len(parts) - 1} packages")


def _names(lock: str) -> list[str]:
    """The packages of a lock, without what only building needs."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    return [name for name in re.findall(r"(?m)^([a-z0-9.-]+)==", text) if name != "setuptools"]


def _entry(package: Distribution) -> str:
    facts = package.metadata
    classifiers = [line.rpartition(" :: ")[2] for line in facts.get_all("Classifier") or [] if line.startswith("License ::")]
    licence = _field(package, "License-Expression") or ", ".join(classifiers) or _field(package, "License") or "see below"
    texts = [
        path.read_text(encoding="utf-8", errors="replace").strip()
        for file in package.files or []
        if ".dist-info/" in file.as_posix() and _LICENCE_FILE.search(file.as_posix())
        if (path := Path(str(file.locate()))).is_file()
    ]
    return "\n\n".join([f"{facts['Name']} {facts['Version']}\nLicence: {licence}", *texts]) + "\n"


def _field(package: Distribution, name: str) -> str:
    """The first line of a field of a package's description; empty if it has none."""
    return str((package.metadata.get_all(name) or [""])[0]).partition("\n")[0]


if __name__ == "__main__":
    main()
