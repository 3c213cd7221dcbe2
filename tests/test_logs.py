"""The redactor before every sink: canary keys through each way that words can leave the program by."""

import json
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


@pytest.mark.parametrize("is_json", [False, True], ids=["text", "json"])
@pytest.mark.parametrize("way", WAYS)
def test_no_way_out_shows_a_key(tmp_path: Path, way: str, is_json: bool) -> None:
    key = canary("log")
    script = f"""
import logging, pathlib
from lynkr_desktop import logs
KEY = {key!r}
logs.configure(pathlib.Path({str(tmp_path)!r}), "DEBUG", is_json={is_json})
logs.catch_crashes()
logs.REDACTOR.learn([KEY])
{textwrap.dedent(WAYS[way])}
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    # Python may quote the line of the script, which here holds no key: the key itself is on a line that never fails.
    written = done.stdout + done.stderr + "".join(path.read_text("utf-8") for path in tmp_path.iterdir())
    assert "***" in written, written
    assert key not in written


def test_a_line_of_json_is_one_object_whatever_is_in_it() -> None:
    redactor = logs.Redactor()
    redactor.is_json = True
    redactor.learn(['secret"with\\odd\nsigns'])
    try:
        int('secret"with\\odd\nsigns')
    except ValueError:
        record = logging.LogRecord("x.y", logging.ERROR, "x", 1, 'it %s "failed"', ('secret"with\\odd\nsigns\n',), sys.exc_info())
    line = redactor.format(record)
    row = json.loads(line)
    assert "\n" not in line
    assert (row["level"], row["logger"], row["message"]) == ("error", "x.y", 'it ***\n "failed"')
    assert "ValueError: invalid literal" in row["error"]
    assert row["time"].endswith("+00:00")


def test_files_rotate_and_are_few(tmp_path: Path) -> None:
    script = f"""
import logging, pathlib
from lynkr_desktop import logs
logs.configure(pathlib.Path({str(tmp_path)!r}), "INFO", is_json=True)
logging.getLogger().handlers[0].setLevel("CRITICAL")
for number in range(4000):
    logging.getLogger("x").info("%d %s", number, "y" * 4000)
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=60)
    files = sorted(tmp_path.iterdir())
    assert 2 <= len(files) <= 4
    assert sum(file.stat().st_size for file in files) < 9 * 2**20


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


def test_a_level_that_is_none_is_named_and_stops_nothing() -> None:
    script = "from lynkr_desktop import logs; logs.configure(None, 'LOUD')"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "LOUD is not known" in done.stderr


def test_a_file_of_keys_is_masked_in_each_of_its_parts() -> None:
    """A library quotes the private key alone, or one line of it, or as `repr` spells it."""
    key = "-----BEGIN PRIVATE KEY-----\ncanaryMIIEvQIBADANBgkqhkiG9w0\nBAQEFAASCBKcwggSjAgEAcanary\n-----END PRIVATE KEY-----\n"
    redactor = logs.Redactor()
    redactor.learn([json.dumps({"type": "service_account", "private_key": key, "client_email": "me@example.test"})])
    for spelt in (
        key,
        repr(key),
        json.dumps({"error": key}),
        "bad line: BAQEFAASCBKcwggSjAgEAcanary",
        repr(json.dumps({"private_key": key})),
    ):
        assert "canary" not in redactor.masked(spelt)
    assert redactor.masked("signed in as me@example.test") == "signed in as me@example.test"
