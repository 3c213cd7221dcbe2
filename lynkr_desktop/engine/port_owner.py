"""Who listens on a port of this machine, for a message. Asks the operating system; blocking, so for a worker thread."""

from typing import Final

_UNKNOWN: Final = "another program"


def port_owner(port: int) -> str:
    """The program's name and pid, or "another program" where the system does not tell."""
    import psutil  # noqa: PLC0415 - only needed when a port is taken

    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, OSError):
        pass
    return _UNKNOWN
