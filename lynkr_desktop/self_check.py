"""Tests an installation from inside, for packagers and support: does everything load, and does the engine serve a request?"""

import asyncio
import contextlib
import json
import os
import secrets
import socket
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from lynkr_desktop import __version__, startup
from lynkr_desktop.config.secrets import Secret, usable_backend
from lynkr_desktop.config.settings import Endpoint, Settings
from lynkr_desktop.engine.service import EngineService

_QUESTION: Final = {"model": "lynkr-auto", "max_tokens": 16, "messages": [{"role": "user", "content": "Say hello."}]}
_ANSWER_SECONDS: Final = 60


def run() -> int:
    """Print a JSON report. Returns 0 if all is well."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    report: dict[str, Any] = {"version": __version__}
    checks: dict[str, Callable[[], str]] = {"window": _window, "keychain": _keychain, "clouds": _clouds}
    checks["engine"] = lambda: asyncio.run(_engine())
    is_ok = True
    for name, check in checks.items():
        try:
            report[name] = check()
        except Exception as error:  # whatever it is, it belongs into the report
            report[name], is_ok = f"failed: {type(error).__name__}: {error}", False
    report["ok"] = is_ok
    print(json.dumps(report, indent=2))
    return 0 if is_ok else 1


def _window() -> str:
    import qasync  # noqa: PLC0415 - a headless installation may do without
    from PySide6 import __version__ as qt_version  # noqa: PLC0415
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415

    from lynkr_desktop.ui.theme import Theme  # noqa: PLC0415
    from lynkr_desktop.ui.widgets.sidebar import Sidebar  # noqa: PLC0415

    application = QApplication.instance() or QApplication([])
    Sidebar(Theme(application)).grab()  # type: ignore[arg-type]
    return f"Qt {qt_version}, {qasync.QtModuleName} through qasync"


def _keychain() -> str:
    backend = usable_backend()
    return type(backend).__module__ if backend is not None else "none on this system now"


def _clouds() -> str:
    """Which clouds' libraries are here: they are extras, and imported only when they are used."""
    wanted = {"Amazon": ("botocore.auth", "botocore.eventstream"), "Google": ("google.auth.transport.urllib3", "google.auth")}
    found = []
    for cloud, modules in wanted.items():
        with contextlib.suppress(ImportError):
            for name in modules:
                import_module(name)
            found.append(cloud)
    return ", ".join(found) or "none installed"


async def _engine() -> str:
    token = secrets.token_hex(16)
    settings = startup.with_built_in_model(Settings())
    settings = replace(settings, endpoint=Endpoint(_free_port()))
    with tempfile.TemporaryDirectory(prefix="lynkr-check-") as folder:
        engine = EngineService(settings, {}, Secret(token), Path(folder) / "ledger.db")
        await engine.start()
        try:
            if not settings.accounts:
                await asyncio.to_thread(_get, f"{engine.url}/health")
                return "serves; the built-in model is not installed"
            return await asyncio.to_thread(_ask, engine.url, token)
        finally:
            await engine.stop()


def _ask(url: str, token: str) -> str:
    """The built-in model's answer; it may need some seconds to start."""
    until = time.monotonic() + _ANSWER_SECONDS
    while True:
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            f"{url}/v1/chat/completions",
            json.dumps(_QUESTION).encode(),
            {"content-type": "application/json", "authorization": f"Bearer {token}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as reply:  # noqa: S310
                return f"the built-in model says: {json.load(reply)['choices'][0]['message']['content']!r}"
        except urllib.error.HTTPError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def _get(url: str) -> None:
    with urllib.request.urlopen(url, timeout=10) as reply:  # noqa: S310
        reply.read()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
