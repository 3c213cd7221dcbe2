"""Play the matrix and write what came of it: docs/compatibility.md for people, compatibility.json for programs.

There is a lane for each proxy and each vendor's wire; two run side by side, each with one client at a time, each run bounded.
What a lane found is written as soon as it ends.
"""

import argparse
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fakes.program import ROOT
from tests.matrix import report
from tests.matrix.cells import PROXIES, WIRES, Cell, Lane, chosen_scenarios
from tests.matrix.places import is_installed
from tests.matrix.programs import programs
from tests.matrix.scenarios import SCENARIOS, Scenario
from tests.matrix.sdks import sdks
from tests.matrix.values import Client

_SIDE_BY_SIDE = 2
_saying = threading.Lock()


def main() -> int:
    """The whole matrix. Returns the exit code: 1 if a cell of ours failed."""
    options = _options()
    began = time.monotonic()
    cells: list[Cell] = []
    left: list[str] = []
    known = [client.name for client in clients()]
    wanted = [name for name in known if not options.clients or name in options.clients]
    scenarios = chosen_scenarios(options.scenarios)
    lanes = [(wire, proxy) for proxy in options.proxies if _is_there(proxy) for wire in options.wires]
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as runs:
        for found, rest in runs.map(lambda lane: play_lane(lane[0], lane[1], wanted, scenarios), lanes):
            cells += found
            left += [rest] if rest else []
            report.write(options.out, found, clients())
    shown = report.write(options.out, [], clients())
    _say(f"{report.summary(cells)}; {time.monotonic() - began:.0f} seconds")
    for cell in report.behind(shown):
        _say(f"LiteLLM passes what we fail: {cell.client}, {cell.scenario}, {cell.wire}")
    for rest in left:
        _say(f"Left behind: {rest}")
    return 1 if left or any(cell.result == "fail" and cell.proxy == "lynkr" for cell in cells) else 0


def _is_there(proxy: str) -> bool:
    if proxy == "litellm" and not is_installed(proxy):
        _say("LiteLLM could not be installed on this machine; its table is left out")
        return False
    return True


def clients() -> list[Client]:
    """All clients; a lane has its own, for some hold a process."""
    return [*sdks(), *programs()]


def play_lane(wire: str, proxy: str, wanted: list[str], scenarios: tuple[Scenario, ...]) -> tuple[list[Cell], str]:
    """One lane from its start to its end."""
    cells: list[Cell] = []
    with tempfile.TemporaryDirectory(prefix="lynkr-matrix-", ignore_cleanup_errors=True) as home:
        lane = Lane(wire, proxy, Path(home).resolve())
        try:
            for client in clients():
                if client.name not in wanted:
                    continue
                for cell in lane.play(client, scenarios):
                    cells.append(cell)
                    _say(_told(cell))
                client.close()
        finally:
            left = lane.close()
    return cells, left


def _told(cell: Cell) -> str:
    place = f"{cell.proxy:8} {cell.wire:12} {cell.client:24} {cell.scenario:15}"
    return f"{place} {cell.result:5} {cell.seconds:6.1f} s  {cell.reason[:400]}"


def _say(line: str) -> None:
    with _saying:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("--clients", nargs="*", default=[], metavar="NAME", help="only these")
    parser.add_argument("--scenarios", nargs="*", default=[], choices=[one.name for one in SCENARIOS], metavar="NAME")
    parser.add_argument("--wires", nargs="*", default=list(WIRES), choices=list(WIRES))
    parser.add_argument("--proxies", nargs="*", default=list(PROXIES), choices=list(PROXIES))
    parser.add_argument("--out", type=Path, default=ROOT / "docs", help="folder of the reports")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
