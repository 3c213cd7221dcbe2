"""What the figures mean: the floors that must hold, and the table. Measures nothing."""

import os
import sys
from dataclasses import dataclass
from typing import Final

Figures = dict[str, float]
_WIRES: Final = ("openai", "anthropic")
_COLUMNS: Final = (("per second", 12), ("median ms", 12), ("first word ms", 15), ("cpu us", 10), ("cpu us per event", 18))
_LONGEST_TURN_MS: Final = 5.0
# Below this, two medians differ by noise only.
_LEAST_ADDED_MS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Floor:
    """A bound that must hold: the worst value that is still accepted."""

    name: str
    value: float
    worst: float

    @property
    def holds(self) -> bool:
        """Is it kept?"""
        return self.value <= self.worst


def floors_of(figures: dict[str, Figures], alone: Figures, held: Figures) -> list[Floor]:
    """All floors: ratios to nginx in the same run, and a few absolute bounds with room for a slow machine.

    `held` are the longest turns of the loop that large bodies caused, in ms.
    """
    return [
        *(floor for wire in _WIRES for floor in _floors_beside_nginx(figures, wire)),
        Floor("CPU per request, old engine against young", alone["cpu old / young"], 1.1),
        Floor("cold start to the first answer, s", alone["cold start s"], 1.0),
        Floor("memory idle, MiB", alone["memory idle MiB"], 80),
        *(Floor(f"{name}: longest turn, ms", value, _LONGEST_TURN_MS) for name, value in held.items()),
    ]


def _floors_beside_nginx(figures: dict[str, Figures], wire: str) -> list[Floor]:
    def times_nginx(case: str, key: str) -> float:
        return figures[f"lynkr {wire} {case}"][key] / figures[f"nginx {wire} {case}"][key]

    def added(program: str, case: str, key: str) -> float:
        """What the program adds to the provider's own time."""
        alone = figures[f"direct {wire} {case}"][key]
        return max(figures[f"{program} {wire} {case}"][key] - alone, _LEAST_ADDED_MS)

    added_times = added("lynkr", "1k c1", "median ms") / added("nginx", "1k c1", "median ms")
    return [
        Floor(f"{wire}: CPU, 1k c16, times nginx", times_nginx("1k c16", "cpu us"), 15),
        Floor(f"{wire}: CPU, 100k c16, times nginx", times_nginx("100k c16", "cpu us"), 15),
        Floor(f"{wire}: CPU per streamed event, times nginx", times_nginx("stream c4", "cpu us per event"), 12),
        Floor(f"{wire}: added median, 1k c1, times nginx", added_times, 6),
        Floor(f"{wire}: added time to the first word, ms", added("lynkr", "first word", "first word ms"), 2),
    ]


def table(figures: dict[str, Figures], alone: Figures, floors: list[Floor]) -> str:
    """All of it as text."""
    lines = [
        f"{os.cpu_count()} cores, Python {sys.version.split()[0]}; medians of all rounds.",
        "Lynkr answers both from a provider that speaks OpenAI's format, nginx passes each on to its own.",
        "",
        " " * 34 + "".join(name.rjust(width) for name, width in _COLUMNS) + "  CPU, times nginx",
    ]
    for key in sorted(figures, key=lambda key: (key.split(" ", 2)[1:], key)):
        program, wire, case = key.split(" ", 2)
        row = figures[key]
        cells = "".join(_cell(row.get(name)).rjust(width) for name, width in _COLUMNS)
        ratio = row["cpu us"] / figures[f"nginx {wire} {case}"]["cpu us"] if program == "lynkr" else None
        lines.append(f"{wire + ', ' + case:26}{program:8}{cells}{_cell(ratio).rjust(18)}")
    lines += ["", *(f"{name:50}{_cell(value):>8}" for name, value in alone.items())]
    lines += ["", f"{'floors':50}{'now':>8}{'worst':>8}"]
    for floor in floors:
        verdict = "" if floor.holds else "  BROKEN"
        lines.append(f"{floor.name:50}{_cell(floor.value):>8}{_cell(floor.worst):>8}{verdict}")
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
