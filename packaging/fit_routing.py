"""Fit the routing weights and the curve's corners and print them for `dimensions` and `score`. Run by hand.

    python packaging/fit_routing.py DATA_FOLDER

DATA_FOLDER holds `coding-requests.jsonl.gz` and `data/uncommonroute-tiers.jsonl.gz` (CommonstackAI/UncommonRoute, MIT).
`routing_asks.tsv` beside this script was written for the purpose; its odd lines are fitted on, its even lines only measured.
"""

import gzip
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from lynkr_desktop.config.settings import TIERS
from lynkr_desktop.engine.routing.dimensions import SIGNALS
from lynkr_desktop.engine.routing.reading import read
from lynkr_desktop.engine.routing.route import Facts
from lynkr_desktop.engine.routing.rules import forced

TARGETS = (12.0, 38.0, 63.0, 88.0)
PRIOR = 0.02  # pull towards the weights written by hand, in shares of all rows
LEAST = 0.25  # of a weight set by hand
CAUTION = 1.6  # a hard ask sent too low costs the user more than an easy one sent too high
BASE = 12.0
# The weights before any fitting: where the descent starts and what it is held to.
BY_HAND = {
    "tokenCount": 4.0,
    "promptComplexity": 5.0,
    "clauseCount": 8.0,
    "technicalDepth": 3.0,
    "domainSpecificity": 3.0,
    "toolChainPotential": 2.0,
    "multiStepReasoning": 4.0,
    "codeGeneration": 14.0,
    "boundedWork": 12.0,
    "explanation": 10.0,
    "analysisDepth": 8.0,
    "constraintCount": 6.0,
    "referenceComplexity": 3.0,
    "outputFormat": 2.0,
    "ambiguity": -4.0,
    "proof": 45.0,
    "formalReasoning": 22.0,
    "mathematics": 12.0,
    "formulas": 8.0,
    "algorithms": 9.0,
    "causeUnknown": 22.0,
    "concurrency": 8.0,
    "distributedSystems": 8.0,
    "security": 7.0,
    "systemDesign": 22.0,
    "systemParts": 12.0,
    "breadth": 16.0,
    "pastedCode": 3.0,
    "lookup": -12.0,
    "mechanicalEdit": -14.0,
    "smallTalk": -20.0,
}
OWN = [signal for signal in SIGNALS if not signal.is_envelope]
Row = tuple[list[float], int, float]  # values, tier, weight of the row


def rows_of(name: str, asks: Sequence[tuple[str, str]], share: float) -> list[Row]:
    """The measured values of asks; together they weigh `share`. Asks that a rule decides teach nothing."""
    rows: list[Row] = []
    for tier, text in asks:
        facts = Facts(text=text, text_chars=len(text))
        reading = read(text, len(text))
        if forced(facts, text, reading) is None:
            values = [signal.measure(facts, reading) / 100.0 for signal in OWN]
            rows.append((values, [each.value for each in TIERS].index(tier), 0.0))
    print(f"{name}: {len(rows)} of {len(asks)} asks are left to the score")
    return [(values, tier, share / len(rows)) for values, tier, _ in rows]


def asks_of(path: Path) -> list[tuple[str, str]]:
    """Tier and text of single asks; wrapped copies are left out."""
    asks = []
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        row = json.loads(line)
        if "prompt" in row:
            asks.append((row["tier"], row["prompt"]))
        elif row["meta"].get("wrap") in {None, "translated"} and len(row["request"]["messages"]) == 1:
            content = row["request"]["messages"][0]["content"]
            if isinstance(content, str):
                asks.append((row["tier"], content))
    return asks


def fit(rows: list[Row], rounds: int = 200) -> tuple[float, list[float]]:
    """Least squares by coordinate descent; no weight changes its sign or falls below a quarter."""
    prior = [BY_HAND[signal.name] for signal in OWN]
    weights, base = list(prior), BASE
    rest = [TARGETS[tier] - base - sum(w * v for w, v in zip(weights, values, strict=True)) for values, tier, _ in rows]
    for _ in range(rounds):
        step = sum(share * r for r, (_, _, share) in zip(rest, rows, strict=True)) / sum(share for _, _, share in rows)
        base += step
        rest = [r - step for r in rest]
        for k, start in enumerate(prior):
            top = PRIOR * (start - weights[k])
            low = PRIOR
            for r, (values, _, share) in zip(rest, rows, strict=True):
                top += share * r * values[k]
                low += share * values[k] * values[k]
            new = weights[k] + top / low
            least = LEAST * start  # no signal is switched off by one set of data
            new = max(least, new) if start > 0 else min(least, new)
            change = new - weights[k]
            weights[k] = new
            rest = [r - change * values[k] for r, (values, _, _) in zip(rest, rows, strict=True)]
    return base, weights


def corners(rows: list[Row], base: float, weights: list[float]) -> list[float]:
    """The raw score at each tier boundary that parts neighbouring tiers best, each tier weighing the same."""
    raws = sorted((base + sum(w * v for w, v in zip(weights, values, strict=True)), tier, share) for values, tier, share in rows)
    sums = [sum(share for _, tier, share in raws if tier == each) for each in range(4)]
    found = []
    for cut in range(3):
        gain = 0.0
        gains = []
        for raw, tier, share in raws:
            gain += share / sums[tier] if tier == cut else -CAUTION * share / sums[tier] if tier == cut + 1 else 0.0
            gains.append((gain, raw))
        best = max(gains)[0]
        near = [raw for each, raw in gains if each >= best - 0.01]  # the middle of a flat top is steadier than its highest point
        found.append(sum(near) / len(near))
    return found


def main() -> None:
    """Print the fitted constants."""
    folder = Path(sys.argv[1])
    own = [tuple(line.split("\t", 1)) for line in (Path(__file__).parent / "routing_asks.tsv").read_text("utf-8").splitlines()]
    rows = rows_of("routing_asks, odd lines", [(t, x) for t, x in own[::2]], 1.5)
    rows += rows_of("coding-requests", asks_of(folder / "coding-requests.jsonl.gz"), 1.5)
    rows += rows_of("uncommonroute-tiers", asks_of(folder / "data" / "uncommonroute-tiers.jsonl.gz"), 1.0)
    base, weights = fit(rows)
    print(f"BASE = {base:.1f}")
    for signal, weight in zip(OWN, weights, strict=True):
        print(f"{signal.name:24} {BY_HAND[signal.name]:6.1f} -> {weight:6.1f}")
    print("corners", [round(corner, 1) for corner in corners(rows, base, weights)])


if __name__ == "__main__":
    main()
