"""Build dist/lynkr-desktop: the notice, then PyInstaller with packaging/lynkr.spec. Run by `make build`."""

import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent


def main() -> None:
    """Build, and say where it is and how large. Raises `CalledProcessError` if a step fails."""
    subprocess.run([sys.executable, "packaging/notice.py", "build/NOTICE.txt"], cwd=ROOT, check=True)
    options = ["--noconfirm", "--clean", "--log-level=WARN", "--distpath=dist", "--workpath=build/pyinstaller"]
    subprocess.run([sys.executable, "-m", "PyInstaller", *options, "packaging/lynkr.spec"], cwd=ROOT, check=True)
    files = [path for path in (ROOT / "dist" / "lynkr-desktop").rglob("*") if path.is_file() and not path.is_symlink()]
    size = sum(path.stat().st_size for path in files) / 2**20
    print(f"dist/lynkr-desktop: {len(files)} files, {size:.0f} MiB")


if __name__ == "__main__":
    main()
