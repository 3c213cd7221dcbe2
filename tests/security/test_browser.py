"""A malicious web page in a real browser: whatever it tries, it reads nothing and the provider hears nothing.

The same page attacks a server that permits everything first, so that what ours refuses was really tried.
"""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.fakes.lab import account
from tests.fakes.program import Program
from tests.fakes.upstream import Upstream

pytestmark = pytest.mark.journey
Start = Callable[..., Program]
PATIENCE = 60.0  # seconds; only ever used up by a failing test
PAGE = Path(__file__).parent / "page.html"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
READS = ("json with token", "json with x-api-key", "read health", "read models")


class Site:
    """A web server in a thread: the page's own, with a plan to tell, or one that permits everything. `asked` lists what was."""

    def __init__(self, plan: dict[str, object] | None = None) -> None:
        self.asked: list[str] = []
        self.told: dict[str, dict[str, str]] = {}
        self.is_told = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(f"GET {self.path} {self.headers.get('upgrade', '')}".strip())
                if plan is not None:
                    body = json.dumps(plan).encode() if self.path == "/plan" else PAGE.read_bytes()
                    self._answer(body, "application/json" if self.path == "/plan" else "text/html")
                else:
                    self._answer(b"permitted", "text/plain")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                site.asked.append(f"POST {self.path} {self.headers.get('content-type', '').partition(';')[0]}")
                self._answer(b"permitted", "text/plain")
                if self.path == "/told":
                    site.told = json.loads(body)
                    site.is_told.set()

            def do_OPTIONS(self) -> None:
                self._answer(b"", "text/plain")

            def _answer(self, body: bytes, kind: str) -> None:
                self.send_response(200)
                for name in ("origin", "headers", "methods"):
                    self.send_header(
                        f"access-control-allow-{name}", "*" if name != "headers" else "authorization,content-type,x-api-key"
                    )
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Start a browser without a window at an address; every foreign name leads to this machine."""
    if BROWSER is None:
        if os.environ.get("CI") == "true":
            pytest.fail("chromium is not installed")
        pytest.skip("no chromium on this machine")
    started: list[subprocess.Popen[bytes]] = []

    def start(url: str, *arguments: str) -> "subprocess.Popen[bytes]":
        assert BROWSER is not None
        command = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        command += [f"--user-data-dir={tmp_path / 'browser'}", "--disable-background-networking", *arguments]
        command += ["--host-resolver-rules=MAP *.example 127.0.0.1", "--no-proxy-server", url]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=os.environ | {"HOME": str(tmp_path)}
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE)


def test_a_web_page_gets_nowhere(headless: Start, openai_upstream: Upstream, browser: Callable[..., object]) -> None:
    """Forms, beacons, requests with the very token, reading, sockets: all refused, and nothing reached the provider."""
    program = headless(MODEL_PROVIDER="openai:gpt-4o-mini", **account(openai_upstream))
    open_site = Site()
    targets = {
        "open": f"http://127.0.0.1:{open_site.port}",
        "ours": program.url,
        "by another name": f"http://rebound.example:{program.port}",
    }
    page = Site({"targets": targets, "token": program.token})
    try:
        browser(f"http://evil.example:{page.port}/")
        assert page.is_told.wait(PATIENCE), f"the page did not come to its end: {page.asked}"
    finally:
        page.close()
        open_site.close()
    assert [page.told["open"][name] for name in READS] == ["permitted"] * len(READS), "the attacks must be real"
    chat = "/v1/chat/completions"
    assert open_site.asked.count(f"POST {chat} text/plain") == 3, "post, form and beacon"
    assert f"GET {chat} websocket" in open_site.asked
    for name in ("ours", "by another name"):
        assert [page.told[name][read] for read in READS] == ["refused"] * len(READS)
        assert page.told[name]["web socket"] == "refused"
    assert openai_upstream.received == []


def test_a_rebound_name_shows_nothing(
    headless: Start, openai_upstream: Upstream, browser: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    """DNS rebinding makes us the page's own origin, where no browser rule helps: only the Host tells."""
    program = headless(MODEL_PROVIDER="openai:gpt-4o-mini", **account(openai_upstream))
    for path, words in (("http://rebound.example", b"not ours"), ("http://127.0.0.1", b"lynkr-desktop")):
        process = browser(f"{path}:{program.port}/", "--dump-dom", "--timeout=5000")
        shown, _ = process.communicate(timeout=PATIENCE)
        assert words in shown, shown
    assert openai_upstream.received == []
