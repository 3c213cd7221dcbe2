"""The programs under test as processes: started, pinned to one core, measured through /proc, ended."""

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
TOKEN = "bench-token"
_TICKS = os.sysconf("SC_CLK_TCK")
_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
NGINX_CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_max_body_size 64m;
    client_body_buffer_size 1m;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    upstream provider {{ server 127.0.0.1:{upstream}; keepalive 128; keepalive_requests 1000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{
            proxy_pass http://provider;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


class Program:
    """A process in a session of its own; `cpu` and `memory` count its children too. One that `hears` has an open input."""

    def __init__(
        self, command: list[str], *, environment: dict[str, str] | None = None, core: int | None = None, hears: bool = False
    ) -> None:
        before = os.sched_getaffinity(0) if _CORES else set()
        if core is not None and len(_CORES) > 1:
            os.sched_setaffinity(0, {_CORES[core % len(_CORES)]})  # inherited by the child and all its threads
        try:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, start_new_session=True,
                stdin=subprocess.PIPE if hears else subprocess.DEVNULL,
            )  # fmt: skip
        finally:
            if before:
                os.sched_setaffinity(0, before)

    def first_line(self, seconds: float = 20.0) -> str:
        """What it writes first. Raises `RuntimeError` if it says nothing."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            raise RuntimeError(f"{self.process.args!r} did not start.")
        return line.decode()

    def _family(self) -> list[int]:
        """Its process id and those of its children, theirs too."""
        family, fresh = [], [self.process.pid]
        while fresh:
            family += fresh
            fresh = [child for parent in fresh for child in _children(parent)]
        return family

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        total = 0
        for pid in self._family():
            fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12]) if fields else 0
        return total / _TICKS

    def memory_mib(self) -> float:
        """Proportional set size: shared pages count once."""
        total = 0
        for pid in self._family():
            for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total / 1024

    def end(self) -> None:
        """SIGTERM, then SIGKILL if that is not heard."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                os.killpg(self.process.pid, number)
                try:
                    self.process.wait(8)
                except subprocess.TimeoutExpired:
                    continue
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:  # it ended meanwhile
        return ""


def _children(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, _read(str(task)).split())


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, seconds: float = 10.0) -> None:
    """Until somebody listens there."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.005)
    raise RuntimeError(f"Nothing listens on port {port}.")


@contextmanager
def upstream() -> Iterator[int]:
    """The scripted provider; gives its port."""
    port = free_port()
    program = Program([sys.executable, "-m", "tests.bench.upstream", str(port)], core=1)
    try:
        wait_for_port(port)
        yield port
    finally:
        program.end()


@contextmanager
def nginx(upstream_port: int, folder: Path) -> Iterator[tuple[Program, str]]:
    """Debian's nginx as a plain reverse proxy; gives the process and its address."""
    binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if binary is None:
        raise RuntimeError("nginx is not installed: apt-get install nginx-light")
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX_CONFIG.format(folder=folder, port=port, upstream=upstream_port))
    folder.chmod(0o755)
    program = Program([binary, "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")], core=0)
    try:
        wait_for_port(port)
        yield program, f"http://127.0.0.1:{port}"
    finally:
        program.end()


def environment_of(upstream_port: int, folder: Path, port: int) -> dict[str, str]:
    """Our program's variables: all four tiers on the scripted provider, so that it scores and routes each request."""
    return {
        "LYNKR_DATA_DIR": str(folder / "lynkr"),
        "LYNKR_TOKEN": TOKEN,
        "PORT": str(port),
        "OPENAI_API_KEY": "bench-key",
        "OPENAI_ENDPOINT": f"http://127.0.0.1:{upstream_port}/v1/chat/completions",
        "OPENAI_MODEL": "bench",
        "MODEL_PROVIDER": "openai",
        **{f"TIER_{tier}": "openai:bench" for tier in ("SIMPLE", "MEDIUM", "COMPLEX", "REASONING")},
    }


def start_engine(upstream_port: int, folder: Path, core: int | None = 0) -> tuple[Program, str]:
    """Our own program without a window."""
    environment = environment_of(upstream_port, folder, free_port())
    program = Program([sys.executable, "-m", "lynkr_desktop", "--headless"], environment=environment, core=core)
    try:
        return program, str(json.loads(program.first_line())["url"])
    except BaseException:
        program.end()
        raise
