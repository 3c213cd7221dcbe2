"""A real PostgreSQL server of the test's own: a fresh cluster in a folder, on loopback, ended with the test."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from tests.fakes.program import free_port

PROGRAMS: Final = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), default=None)
_USER: Final = "postgres"  # the server refuses to run as the system's administrator


def missing() -> str:
    """Why there is no server; empty if there can be one."""
    if PROGRAMS is None:
        return "PostgreSQL is not installed"
    if os.name == "posix" and os.geteuid() == 0 and not any(user.pw_name == _USER for user in pwd.getpwall()):
        return f"there is no user {_USER}, and PostgreSQL refuses to run as root"
    return ""


class PostgresServer:
    """A cluster. `url` leads to its database, with a password in it."""

    def __init__(self) -> None:
        assert PROGRAMS is not None
        self._folder = Path(tempfile.mkdtemp(prefix="lynkr-postgres-"))
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        password = f"canary-{secrets.token_hex(8)}"
        self.password = password
        self.url = f"postgresql://lynkr:{password}@127.0.0.1:{self._port}/postgres"
        secret = self._folder / "password"
        secret.write_text(password, encoding="ascii")
        if os.geteuid() == 0:
            shutil.chown(self._folder, _USER)
            shutil.chown(secret, _USER)
        options = ["--auth=scram-sha-256", "--username=lynkr", f"--pwfile={secret}", "--no-sync", "--encoding=UTF8", "--locale=C"]
        self._run("initdb", "-D", str(self._folder / "data"), *options)

    def _command(self, program: str, *arguments: str) -> list[str]:
        assert PROGRAMS is not None
        user = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--init-groups"] if os.geteuid() == 0 else []
        return [*user, str(PROGRAMS / program), *arguments]

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(self._command(program, *arguments), check=True, capture_output=True, cwd=self._folder)

    def start(self) -> None:
        """Serve, and wait until it does."""
        command = self._command("postgres", "-D", str(self._folder / "data"), "-k", str(self._folder), "-p", str(self._port))
        settings = ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=40"]
        self._process = subprocess.Popen(
            [*command, *settings], cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        ask = self._command("pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self._port), "-t", "1")
        assert any(subprocess.run(ask, check=False).returncode == 0 for _ in range(600)), "PostgreSQL did not start"

    def stop(self) -> None:
        """End it at once, as if its machine had gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        """End it and delete the cluster."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
