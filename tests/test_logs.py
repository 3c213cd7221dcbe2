"""The redactor before every sink: canary keys through each way that words can leave the program by."""

import logging
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from lynkr_desktop import logs
from lynkr_desktop.config.secrets import Secret, SessionSecrets, ToldSecrets
from tests.fakes.program import ROOT, canary

WAYS = {
    "the log": "logging.getLogger('x').warning('with %s', KEY)",
    "a traceback in the log": """
        try:
            raise ValueError(KEY)
        except ValueError:
            logging.getLogger('x').exception('it failed')
    """,
    "a chain of errors": """
        try:
            try:
                raise ValueError(KEY)
            except ValueError as error:
                raise RuntimeError('outer') from error
        except RuntimeError:
            logging.getLogger('x').exception('it failed')
    """,
    "a crash": "raise ValueError(KEY)",
    "a crash of a thread": """
        import threading
        def work(): raise ValueError(KEY)
        thread = threading.Thread(target=work); thread.start(); thread.join()
    """,
    "a destructor": """
        class Odd:
            def __del__(self): raise ValueError(KEY)
        Odd()
    """,
    "a task that nobody waits for": """
        import asyncio, gc
        async def work(): raise ValueError(KEY)
        async def main():
            task = asyncio.get_running_loop().create_task(work())
            await asyncio.sleep(0.01)
            del task; gc.collect()
        asyncio.run(main())
    """,
    "a callback of the loop": """
        import asyncio
        def work(): raise ValueError(KEY)
        async def main():
            asyncio.get_running_loop().call_soon(work)
            await asyncio.sleep(0.01)
        asyncio.run(main())
    """,
    "a notice": "from lynkr_desktop import headless; headless._say(f'the key {KEY} is odd')",
}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_out_shows_a_key(tmp_path: Path, way: str) -> None:
    key = canary("log")
    script = f"""
import logging, pathlib
from lynkr_desktop import logs
KEY = {key!r}
logs.configure(pathlib.Path({str(tmp_path)!r}), "DEBUG")
logs.catch_crashes()
logs.REDACTOR.learn([KEY])
{textwrap.dedent(WAYS[way])}
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    # Python may quote the line of the script, which here holds no key: the key itself is on a line that never fails.
    written = done.stdout + done.stderr + "".join(path.read_text("utf-8") for path in tmp_path.iterdir())
    assert "***" in written, written
    assert key not in written


def test_a_key_that_begins_like_another_leaves_no_rest() -> None:
    redactor = logs.Redactor()
    redactor.learn(["secret-value", "secret-value-and-more"])
    assert redactor.masked("a secret-value-and-more b secret-value") == "a *** b ***"


def test_what_looks_like_a_key_is_masked_unknown() -> None:
    record = logging.LogRecord(
        "x", logging.INFO, "x", 1, "Authorization: Bearer abcdefghijklmnop1234 and sk-proj-abcdefghijkl", (), None
    )
    text = logs.Redactor().format(record)
    assert "abcdefghijkl" not in text


async def test_the_redactor_knows_a_secret_before_anybody_has_it() -> None:
    told: list[str] = []
    store = ToldSecrets(SessionSecrets({"a": Secret("first-secret")}), told.extend)
    assert await store.get("nothing") is None
    assert await store.get("a") == Secret("first-secret")
    await store.set("b", Secret("second-secret"))
    assert told == ["first-secret", "second-secret"]
    await store.delete("b")
    assert await store.get("b") is None
