"""Parse the command line, call the desktop program or the headless one. No logic."""

import argparse
import sys
from pathlib import Path
from typing import Final

from lynkr_desktop import __version__, command_line

_COMMANDS: Final = (
    f"To ask what runs: lynkr-desktop {' | '.join(command_line.COMMANDS)}, each with --help; {command_line.EXIT_CODES}"
)


def main(argv: list[str] | None = None) -> int:
    """The program. Returns the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments[:1] == ["--embedded-server"]:
        from lynkr_desktop.engine.providers import embedded_server  # noqa: PLC0415 - each program imports only its own

        return embedded_server.main(arguments[1:])
    if arguments and arguments[0] in command_line.COMMANDS:
        return command_line.main(arguments)
    options = _parser().parse_args(arguments)
    if options.headless or options.token:
        from lynkr_desktop import headless  # noqa: PLC0415

        return headless.print_token() if options.token else headless.run(options.env_file)
    if options.self_check:
        from lynkr_desktop import self_check  # noqa: PLC0415

        return self_check.run()
    from lynkr_desktop import app  # noqa: PLC0415

    return app.run(options.env_file, is_background=options.background)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lynkr-desktop", description="Lets coding programs use any language model.", epilog=_COMMANDS
    )
    parser.add_argument("--version", action="version", version=f"lynkr-desktop {__version__}")
    parser.add_argument("--headless", action="store_true", help="serve without a window, until SIGTERM")
    parser.add_argument("--background", action="store_true", help="do not show the window, only the tray's icon")
    parser.add_argument("--env-file", type=Path, metavar="FILE", help="read Lynkr's variables from a .env file")
    parser.add_argument("--token", action="store_true", help="print the endpoint token and exit")
    parser.add_argument("--self-check", action="store_true", help="test this installation and exit")
    return parser


if __name__ == "__main__":
    sys.exit(main())
