"""One target under atheris, for `python -m tests.fuzz`. The first argument is its name, the rest is libFuzzer's."""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["lynkr_desktop"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Write the seeds where libFuzzer finds them, and run."""
    target = TARGETS[sys.argv.pop(1)]
    for number, seed in enumerate(target.seeds):
        (Path(sys.argv[-1]) / f"seed-{number}").write_bytes(seed)
    atheris.Setup(sys.argv, target.run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
