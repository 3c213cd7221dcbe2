"""Write what came of the cells: a table for people, JSON for programs. A partial run replaces only the cells that it played."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.matrix.cells import LACKS, WIRES, Cell
from tests.matrix.scenarios import SCENARIOS
from tests.matrix.values import Client

_MARKS = {"pass": "✓", "fail": "✗", "n/a": "–"}
_BAR = "litellm"


def write(folder: Path, played: Sequence[Cell], clients: Sequence[Client]) -> list[Cell]:
    """Bring both reports up to date; all cells that they hold now, in the order of the tables."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "compatibility.json"
    earlier = [Cell(**cell) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]] if path.exists() else []
    by_place = {_place(cell): cell for cell in [*earlier, *played]}
    order = [
        (proxy, client.name, scenario.name, wire)
        for proxy in ("lynkr", _BAR)
        for client in clients
        for scenario in SCENARIOS
        for wire in WIRES
    ]
    cells = [by_place[place] for place in order if place in by_place]
    versions = {client.name: client.version for client in clients}
    lines = ",\n".join(json.dumps(asdict(cell), ensure_ascii=False) for cell in cells)
    path.write_text(f'{{"clients": {json.dumps(versions)},\n"cells": [\n{lines}\n]}}\n', encoding="utf-8")
    (folder / "compatibility.md").write_text(page(cells, clients), encoding="utf-8")
    return cells


def page(cells: Sequence[Cell], clients: Sequence[Client]) -> str:
    """The table for people."""
    ours = [cell for cell in cells if cell.proxy != _BAR]
    bar = [cell for cell in cells if cell.proxy == _BAR]
    names = {client.name: f"{client.title} {client.version}" for client in clients}
    lines = [
        "# Which clients work",
        "",
        "Each cell is a run of the real client, in the version named here, through `lynkr-desktop --headless` to a scripted",
        "model server that is as strict as its vendor. What is judged is what the client's user notices. `make matrix` makes",
        "this page anew.",
        "",
        "Each cell has six marks, one for each wire of the vendor: Anthropic's Messages, OpenAI's Chat Completions, OpenAI's",
        "Responses (at Azure's address), Gemini, Ollama, Amazon Bedrock's Converse. ✓ passed, ✗ failed, – does not apply, · was",
        "not played. The reasons are below the tables.",
        "",
        *_when(cells),
        *_legend(),
        f"**{summary(ours)}**",
        "",
        *_table(ours, names),
        *_reasons("What fails", [cell for cell in ours if cell.result == "fail"], names),
        *_reasons("What does not apply", [cell for cell in ours if cell.result == "n/a"], names),
    ]
    if bar:
        lines += [
            "## The same through LiteLLM's proxy",
            "",
            f"**{summary(bar)}**",
            "",
            *_table(bar, names),
            *_compared(ours, bar, names),
        ]
        lines += _reasons("What fails there", [cell for cell in bar if cell.result == "fail"], names)
    return "\n".join(lines).rstrip() + "\n"


def _when(cells: Sequence[Cell]) -> list[str]:
    days = sorted({cell.played for cell in cells if cell.played})
    return [f"Played on {days[0]}." if len(days) == 1 else f"Played from {days[0]} to {days[-1]}.", ""] if days else []


def summary(cells: Iterable[Cell]) -> str:
    """The counts in one line."""
    counts = Counter(cell.result for cell in cells)
    return f"{counts['pass']} passed, {counts['fail']} failed, {counts['n/a']} do not apply"


def behind(cells: Iterable[Cell]) -> list[Cell]:
    """Our cells that fail where LiteLLM's pass."""
    by_place = {_place(cell): cell for cell in cells}
    return [
        cell
        for place, cell in by_place.items()
        if cell.proxy != _BAR and cell.result == "fail" and (other := by_place.get((_BAR, *place[1:]))) and other.result == "pass"
    ]


def _place(cell: Cell) -> tuple[str, str, str, str]:
    return cell.proxy, cell.client, cell.scenario, cell.wire


def _legend() -> list[str]:
    rows = [f"| {scenario.name} | {scenario.title} |" for scenario in SCENARIOS]
    return ["| scenario | what the user must notice |", "| --- | --- |", *rows, ""]


def _table(cells: Sequence[Cell], names: dict[str, str]) -> list[str]:
    by_place = {(cell.client, cell.scenario, cell.wire): cell for cell in cells}
    shown = list(dict.fromkeys(cell.client for cell in cells))
    lines = ["| client | " + " | ".join(scenario.name for scenario in SCENARIOS) + " |", "| --- |" + " :-: |" * len(SCENARIOS)]
    for client in shown:
        marks = []
        for scenario in SCENARIOS:
            found = [by_place.get((client, scenario.name, wire)) for wire in WIRES]
            marks.append("".join(_MARKS[cell.result] if cell else "·" for cell in found))
        lines.append(f"| {names[client]} | " + " | ".join(marks) + " |")
    return [*lines, ""]


def _reasons(title: str, cells: Sequence[Cell], names: dict[str, str]) -> list[str]:
    if not cells:
        return []
    grouped: dict[tuple[str, str], list[str]] = {}
    of_wires = [f"- Every client, where the vendor speaks {wire}: {why}." for (wire, _), why in LACKS.items()]
    for cell in cells:
        if cell.reason in LACKS.values():
            continue
        places = grouped.setdefault((cell.client, cell.reason), [])
        place = f"{cell.scenario} → {cell.wire}" if cell.result == "fail" else cell.scenario
        if place not in places:
            places.append(place)
    rows = [f"- {names[client]}, {', '.join(places)}: {_clean(reason)}" for (client, reason), places in grouped.items()]
    return [f"### {title}", "", *(of_wires if cells[0].result == "n/a" else ()), *rows, ""]


def _compared(ours: Sequence[Cell], bar: Sequence[Cell], names: dict[str, str]) -> list[str]:
    lines = ["The scripted server is strict: what it refuses, the vendor may take on another day.", ""]
    if len(bar) < len(ours):
        told = f"{len(ours) - len(bar)} of {len(ours)} cells were not played there, to save time."
        lines += [told, ""]
    worse = behind([*ours, *bar])
    if not worse:
        return [*lines, "Every cell that LiteLLM passes passes here too.", ""]
    rows = [f"- {names[cell.client]}, {cell.scenario} → {cell.wire}" for cell in worse]
    return [*lines, "Cells that LiteLLM passes and that fail here:", "", *rows, ""]


def _clean(reason: str) -> str:
    text = reason.replace("|", "/").replace("<", "‹").replace("`", "'")
    return text if len(text) <= 240 else text[:240] + "…"
