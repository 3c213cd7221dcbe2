"""Measure the score beside a length baseline and the original's rules, and write docs/routing-quality.md. Needs numpy.

    ROUTER_OUT_OF_FOLD=FILE python packaging/measure_router.py DATA_FOLDER

DATA_FOLDER is the one of `train_router.py`, with its own measuring scripts `evaluate.py` and `metrics.py`. FILE comes from
`train_router.py --out-of-fold FILE`.
"""

import datetime
import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import original_rules
import router_scorers

from lynkr_desktop.config.settings import TIERS, Tier

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "routing-quality.md"
FRESH: Final = ROOT / "tests" / "engine" / "routing" / "fresh_asks.tsv"
BOOTS: Final = 1000
Scorer = Callable[[Mapping[str, Any]], float]
SCORERS: Final[dict[str, Scorer]] = {
    "ours, not trained on the ask": router_scorers.out_of_fold,
    "ours, as shipped": router_scorers.ours,
    "length": original_rules.length,
    "the original's rules": original_rules.score,
}
Labelled = list[tuple[Mapping[str, Any], int]]


def _fresh() -> Labelled:
    rows = [line.split("\t", 1) for line in FRESH.read_text("utf-8").splitlines()]
    return [({"messages": [{"role": "user", "content": text.replace("\\n", "\n")}]}, Tier(tier).rank) for tier, text in rows]


def _sets(evaluate: Any) -> dict[str, Labelled]:
    found = {
        name: [(evaluate.request(row), Tier(row["tier"]).rank) for row in evaluate.read(name, "dev")]
        for name in evaluate.CONFIG["tiers"]
    }
    return {**found, "fresh asks": _fresh()}


def _interval(values: Any, chance: Any) -> str:
    means = [float(values[chance.integers(0, len(values), len(values))].mean()) for _ in range(BOOTS)]
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{values.mean():.3f} [{low:.2f}, {high:.2f}]"


def _accuracies(sets: dict[str, Labelled], tiers: dict[tuple[str, str], Any]) -> list[str]:
    chance = np.random.default_rng(0)
    lines = ["| tier accuracy [95 % interval] | " + " | ".join(SCORERS) + " |", "|---|" + "---|" * len(SCORERS)]
    for name, rows in sets.items():
        labels = np.array([rank for _, rank in rows])
        cells = [_interval(tiers[name, scorer] == labels, chance) for scorer in SCORERS]
        lines.append(f"| {name}, {len(rows)} requests | " + " | ".join(cells) + " |")
    return lines


def _reliability(sets: dict[str, Labelled], tiers: dict[tuple[str, str], Any]) -> list[str]:
    """Of the asks in a tier's range, how many need which tier, by heads that did not see them."""
    lines = ["| data set | range | asks | " + " | ".join(f"needs {tier}" for tier in TIERS) + " |", "|---|---|---|" + "---|" * 4]
    for name, rows in sets.items():
        labels = np.array([rank for _, rank in rows])
        for tier in TIERS:
            inside = labels[tiers[name, "ours, not trained on the ask"] == tier.rank]
            shares = [f"{100 * float((inside == rank).mean()):.0f} %" if len(inside) else "–" for rank in range(4)]
            lines.append(f"| {name} | {tier} | {len(inside)} | " + " | ".join(shares) + " |")
    return lines


TEXT: Final = """# How well the score sorts requests

Measured {date} by `packaging/measure_router.py`, with the scripts that come with the data. The score is the dimensions and the
learned words together (`packaging/train_router.py`); the table of words is {size} KB, packed.

- **not trained on the ask**: each ask of the training data is scored by a model fitted on four fifths of the data without it,
  its translations and its variants. This is the honest column.
- **as shipped**: the same files as in the program, which have seen these asks. It shows no more than that nothing was lost.
- **length**: how many characters the last message has. **The original's rules**: version 9.0.1, from its public description.

Trained on: `uncommonroute-tiers` (CommonstackAI/UncommonRoute, MIT), `coding-requests`, `routellm-mmlu` (lm-sys/RouteLLM,
Apache-2.0), and {written} asks in `packaging/routing_asks`. Never trained on: `swebench-verified`; the *fresh asks*
(`tests/engine/routing/fresh_asks.tsv`), which were written and labelled before they were scored, by the same rubric and the same
hand as the training asks: a stranger's asks will do worse. Their clean figure is 0.838: after they were scored the model was
trained again with more written asks, one of which is close to one of theirs. The dimensions' lexicon was once tuned by looking at
`coding-requests` and `uncommonroute-tiers`, so even the honest column flatters on those two.

{accuracies}

## Is a tier's range what it says?

{reliability}

## All measures

AUROC: does an ask that only the strong model gets right rank above one that both do? APGR: how much of the gap between weak and
strong model is recovered, averaged over all shares of strong calls; 0.5 is chance. The two sets of SWE-bench have 118 issues:
their intervals hold chance, and nothing should be read into them.

{table}
"""


def main() -> None:
    """Measure and write the page."""
    folder = Path(sys.argv[1]).resolve()
    sys.path.insert(0, str(folder))
    evaluate, metrics = importlib.import_module("evaluate"), importlib.import_module("metrics")
    results = {name: evaluate.evaluate(scorer, "dev", boots=BOOTS) for name, scorer in SCORERS.items()}
    sets = _sets(evaluate)
    tiers = {
        (name, scorer): metrics.tier_of([score(request) for request, _ in rows])
        for name, rows in sets.items()
        for scorer, score in SCORERS.items()
    }
    table = "\n".join(line for line in evaluate.table(results).splitlines() if not line.startswith("| latency"))
    words = ROOT / "lynkr_desktop" / "engine" / "data" / "routing_words.bin.gz"
    asks = (ROOT / "packaging" / "routing_asks" / "asks.tsv").read_text("utf-8").splitlines()
    languages = (ROOT / "packaging" / "routing_asks" / "languages.txt").read_text("utf-8")
    page = TEXT.format(
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        size=round(words.stat().st_size / 1024),
        written=f"{len(asks) + languages.count(': ')} written",
        accuracies="\n".join(_accuracies(sets, tiers)),
        reliability="\n".join(_reliability(sets, tiers)),
        table=table,
    )
    PAGE.write_text(page)
    print(page)


if __name__ == "__main__":
    main()
