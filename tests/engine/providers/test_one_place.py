"""Adding a provider touches one place: no other module, and no test, names one of the catalogue's plain entries."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from lynkr_desktop.engine.providers.catalogue import PROVIDERS
from lynkr_desktop.engine.providers.provider import Auth, EnvNames, Provider
from lynkr_desktop.engine.wire.contract import Quirks
from tests.fakes.entry_upstream import LANES

ROOT = Path(__file__).resolve().parents[3]
# Entries that are nothing but an entry: the vendor speaks its wire, and no dated rule, price or original's habit concerns it.
PLAIN = ("atlas", "baidu", "edenai")


@pytest.mark.parametrize("name", PLAIN)
def test_a_provider_is_named_in_the_catalogue_only(name: str) -> None:
    assert name in PROVIDERS
    word = re.compile(rf"""["']{name}["']""")
    sources = [path for path in (ROOT / "lynkr_desktop").rglob("*.py") if word.search(path.read_text("utf-8"))]
    assert [path.relative_to(ROOT).as_posix() for path in sources] == ["lynkr_desktop/engine/providers/catalogue.py"]
    every = (ROOT / "tests/engine/test_every_provider.py").read_text("utf-8")
    assert not word.search(every)
    assert name in {str(lane) for lane in LANES}, "the tests of every provider have no lane for it"


def test_the_page_that_says_so_shows_an_entry_that_is_one() -> None:
    page = (ROOT / "docs/adding-a-provider.md").read_text("utf-8")
    code = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert code is not None
    (entry,) = eval(f"({code[1]})", {"Provider": Provider, "Auth": Auth, "EnvNames": EnvNames, "Quirks": Quirks})
    assert entry.id == "example"
    assert entry.needs_key


def test_the_clouds_libraries_are_not_imported_at_the_start() -> None:
    code = "import sys, lynkr_desktop.headless, lynkr_desktop.engine.service; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {"botocore", "google", "urllib3", "cryptography", "truststore"}
    assert not heavy & {name.partition(".")[0] for name in done.stdout.split()}
