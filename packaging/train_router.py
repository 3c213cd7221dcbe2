"""Train the learned part of the score and write it into `engine/data`. Run by hand; needs scikit-learn.

    pip install --require-hashes -r requirements/training.txt -r requirements/runtime.txt
    python packaging/train_router.py DATA_FOLDER [--folds 5] [--out-of-fold FILE]

DATA_FOLDER holds `coding-requests.jsonl.gz`, `data/uncommonroute-tiers.jsonl.gz` (CommonstackAI/UncommonRoute, MIT) and
`data/routellm-mmlu.jsonl.gz` (lm-sys/RouteLLM, Apache-2.0). `routing_asks/` beside this script was written for the purpose
and is under this project's licence. Nothing else is trained on.

Three heads say how likely an ask needs more than SIMPLE, MEDIUM, COMPLEX (logistic regression over the dimensions and the
words); a fourth says how much more often a strong model is right than a weak one (ridge regression). All variants of one ask,
its translations too, stay on one side of each fold. Same data, same versions, same result.
"""

import argparse
import datetime
import gzip
import json
import random
import re
import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression, Ridge

from lynkr_desktop.config.settings import TIERS, Tier
from lynkr_desktop.engine.routing import lexicon
from lynkr_desktop.engine.routing.dimensions import SIGNALS
from lynkr_desktop.engine.routing.reading import Reading, read
from lynkr_desktop.engine.routing.route import Facts
from lynkr_desktop.engine.routing.word_features import (
    BUCKETS,
    START,
    Feature,
    features_of,
    kept_words,
    pair_feature,
    shrink_of,
    slot_of,
)

HERE: Final = Path(__file__).resolve().parent
OUT: Final = HERE.parent / "lynkr_desktop" / "engine" / "data"
OWN: Final = [signal for signal in SIGNALS if not signal.envelope_points]
SHARES: Final = {"written": 2.2, "languages": 1.2, "coding": 0.5, "uncommonroute": 0.8}  # what each source weighs
VARIANTS: Final = 4  # of an ask with gaps to fill
DIMENSION_SCALE: Final = 2.0  # a larger scale is held back less
WORD_SCALE: Final = 6.0
CAUTION: Final = 3.0  # a hard ask sent to SIMPLE costs its user more than the reverse
STRENGTH: Final = 1.0  # C of the logistic regressions
GAIN_WORD_SCALE: Final = 2.0
GAIN_ALPHA: Final = 300.0
GAIN_IN_TIERS: Final = 0.6  # of the gain's head goes into each head of the tiers: on graded questions it ranks better than they
GAIN_STRETCH: Final = 1.7  # a logistic curve over so many standard deviations is close to the share of asks below
FEWEST_ASKS: Final = 2  # a feature of fewer asks is chance
STEPS: Final = 127  # of a stored weight
GAP: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Row:
    """One ask. `group` is the same for all its variants; `label` a tier's rank, or a gain."""

    source: str
    group: str
    text: str
    label: float
    weight: float = 1.0


# --- Reading the data -------------------------------------------------------------------------------------------------------


def _slots() -> dict[str, list[str]]:
    lines = (HERE / "routing_asks" / "slots.txt").read_text("utf-8").splitlines()
    return {name: values.split(" | ") for name, _, values in (line.partition(": ") for line in lines) if values}


def _filled(text: str, slots: dict[str, list[str]], chance: random.Random, count: int) -> list[str]:
    """The ask with its gaps filled, in up to `count` ways."""
    plain = text.replace("\\n", "\n")
    if not any(name in slots for name in GAP.findall(plain)):
        return [plain]
    found = {GAP.sub(lambda gap: chance.choice(slots[gap[1]]) if gap[1] in slots else gap[0], plain) for _ in range(count)}
    return sorted(found)


def written() -> list[Row]:
    """The asks written for the purpose: `TIER<tab>ask` lines, and asks in many languages side by side."""
    chance, slots, rows = random.Random(1), _slots(), []
    folder = HERE / "routing_asks"
    for number, line in enumerate((folder / "asks.tsv").read_text("utf-8").splitlines()):
        tier, _, text = line.partition("\t")
        texts = _filled(text, slots, chance, VARIANTS)
        rows += [Row("written", f"w{number}", each, Tier(tier).rank, 1 / len(texts)) for each in texts]
    tier = ""
    for number, line in enumerate((folder / "languages.txt").read_text("utf-8").splitlines()):
        if line.startswith("# "):
            tier = line[2:]
            continue
        for translation in line.split(" || "):
            texts = _filled(translation.partition(": ")[2], slots, chance, 2)
            rows += [Row("languages", f"l{number}", each, Tier(tier).rank, 1 / len(texts)) for each in texts]
    return rows


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]


def given(folder: Path) -> list[Row]:
    """The tiers of the given data: single asks; of wrapped copies of one ask the bare one."""
    rows = []
    for number, row in enumerate(_lines(folder / "coding-requests.jsonl.gz")):
        messages, meta = row["request"]["messages"], row["meta"]
        if meta.get("wrap") in {None, "translated"} and len(messages) == 1 and isinstance(messages[0]["content"], str):
            group = f"p{meta['pair']}" if meta.get("pair") else f"c{number}"
            rows.append(Row("coding", group, messages[0]["content"], Tier(row["tier"]).rank))
    for number, row in enumerate(_lines(folder / "data" / "uncommonroute-tiers.jsonl.gz")):
        rows.append(Row("uncommonroute", f"u{number}", row["prompt"], Tier(row["tier"]).rank))
    return rows


def gains(folder: Path) -> list[Row]:
    """How much better the strong model did, -1 to 1, on graded questions."""
    rows = _lines(folder / "data" / "routellm-mmlu.jsonl.gz")
    return [Row("mmlu", f"m{at}", row["prompt"], row["q"]["strong"] - row["q"]["weak"]) for at, row in enumerate(rows)]


PREFIXES: Final = (
    *("please ", "could you ", "can you ", "hey, ", "I want you to ", "we need to ", "quick one: ", "ok now ", "now ", "next: "),
    *("so, ", "Hi! ", "I'd like you to ", "help me: ", "In {svc}, ", "for {subject}: ", "In our {scary} code: ", "in {file}, "),
    "for the {scary} module, ",
)
SUFFIXES: Final = (
    *(" thanks", " please", ". Thanks!", " asap", ", please.", " (in {lang})", " - it's for {svc}", ". We use {tool}."),
    ". This is for our {scary} project.",
)
PASTES: Final = (
    "def total(items):\n    result = 0\n    for item in items:\n        result += item.price\n    return result\n",
    "const a = await fetch(url);\nif (!a.ok) {\n  throw new Error('bad');\n}\n",
    "SELECT id, name\nFROM users\nWHERE id = 3;\n",
    '{\n  "a": [1, 2, 3],\n  "b": {"c": null}\n}\n',
    'Traceback (most recent call last):\n  File "a.py", line 3, in <module>\n    f()\nValueError: bad\n',
    "func main() {\n\tmu.Lock()\n\tdefer mu.Unlock()\n}\n",
)


def varied(rows: Sequence[Row]) -> list[Row]:
    """The rows, and half of the written ones again with words or code around them that change no tier."""
    chance, slots, result = random.Random(2), _slots(), list(rows)
    for row in rows:
        if row.source != "written" or chance.random() < 0.5:
            continue
        text, kind = row.text, chance.random()
        if kind < 0.45:
            text = _filled(chance.choice(PREFIXES), slots, chance, 1)[0] + text[0].lower() + text[1:]
        elif kind < 0.7:
            text = text.rstrip(".") + _filled(chance.choice(SUFFIXES), slots, chance, 1)[0]
        elif kind < 0.9:
            text = f"{text}\n```\n{chance.choice(PASTES) * chance.choice((1, 1, 3, 20))}```"
        else:
            text = text.rstrip(".?! ")
        result.append(replace(row, text=text, weight=row.weight / 2))
    return result


# --- Features ---------------------------------------------------------------------------------------------------------------


def _word_features(reading: Reading) -> tuple[list[Feature], float]:
    """The features of an ask, repeated as often as `learned` counts them, and what they are multiplied by."""
    words = kept_words(lexicon.words_of(reading.instruction.lower()))
    vocabulary = dict.fromkeys(words)
    found = [feature for word in vocabulary for feature in features_of(word)]
    pairs = [pair_feature(*pair) for pair in zip([START, *words], words, strict=False)]
    found += [pair for pair in pairs if pair]
    return found, shrink_of(len(vocabulary), lexicon.cjk_characters(reading.instruction.lower(), words))


class Matrix:
    """Rows as numbers: the dimensions, and the words of a vocabulary."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.dimensions, self.words, self.shrinks = [], [], []
        for row in rows:
            facts = Facts(text=row.text, text_chars=len(row.text))
            reading = read(row.text, len(row.text))
            self.dimensions.append([signal.measure(facts, reading) / 100.0 for signal in OWN])
            features, shrink = _word_features(reading)
            self.words.append(features)
            self.shrinks.append(shrink)

    def vocabulary(self, chosen: Iterable[int]) -> dict[Feature, int]:
        """The features that several asks of the chosen rows have."""
        groups: dict[Feature, set[str]] = defaultdict(set)
        for at in chosen:
            for feature in self.words[at]:
                groups[feature].add(self.rows[at].group)
        return {feature: at for at, feature in enumerate(sorted(key for key, its in groups.items() if len(its) >= FEWEST_ASKS))}

    def numbers(self, chosen: Sequence[int], vocabulary: dict[Feature, int], word_scale: float) -> Any:
        """A sparse matrix of the chosen rows."""
        columns, values, ends = [], [], [0]
        for at in chosen:
            known = [vocabulary[feature] for feature in self.words[at] if feature in vocabulary]
            columns += known
            values += [self.shrinks[at] * word_scale] * len(known)
            ends.append(len(columns))
        words = csr_matrix((values, columns, ends), shape=(len(chosen), len(vocabulary)))
        words.sum_duplicates()
        dimensions = csr_matrix(np.array([self.dimensions[at] for at in chosen]) * DIMENSION_SCALE)
        return hstack([dimensions, words]).tocsr()


# --- Fitting ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Head:
    """One fitted head: `dimensions` per 1.0 of a measure, `words` per 1 of a shrunk count."""

    bias: float
    dimensions: Any
    words: Any
    vocabulary: dict[Feature, int]

    def logits(self, matrix: Matrix, chosen: Sequence[int]) -> Any:
        """What the head says to the chosen rows."""
        numbers = matrix.numbers(chosen, self.vocabulary, 1.0)
        return numbers @ np.concatenate([self.dimensions / DIMENSION_SCALE, self.words]) + self.bias


def _row_weights(rows: Sequence[Row]) -> Any:
    """Each source weighs its share, then each tier the same."""
    weights = np.array([row.weight for row in rows])
    sources, labels = np.array([row.source for row in rows]), np.array([row.label for row in rows])
    for source, share in SHARES.items():
        weights[sources == source] *= share / max(1e-9, weights[sources == source].sum())
    for rank in range(len(TIERS)):
        weights[labels == rank] /= weights[labels == rank].sum()
    return weights * len(rows) / weights.sum()


def _head(model: Any, vocabulary: dict[Feature, int], word_scale: float) -> Head:
    weights = np.ravel(model.coef_)
    bias = float(np.ravel(model.intercept_)[0])
    return Head(bias, weights[: len(OWN)] * DIMENSION_SCALE, weights[len(OWN) :] * word_scale, vocabulary)


def fit_tiers(matrix: Matrix, chosen: Sequence[int]) -> list[Head]:
    """The three heads of the tiers."""
    vocabulary = matrix.vocabulary(chosen)
    numbers = matrix.numbers(chosen, vocabulary, WORD_SCALE)
    rows = [matrix.rows[at] for at in chosen]
    labels, weights = np.array([row.label for row in rows]), _row_weights(rows)
    heads = []
    for rank in range(len(TIERS) - 1):
        careful = np.where((labels >= 2) & (rank == 0), weights * CAUTION, weights)
        model = LogisticRegression(C=STRENGTH, max_iter=600).fit(numbers, labels > rank, sample_weight=careful)
        heads.append(_head(model, vocabulary, WORD_SCALE))
    return heads


def fit_gain(matrix: Matrix, chosen: Sequence[int]) -> Head:
    """The head of the gain, centred and stretched so that a logistic curve of it is about the share of questions below."""
    vocabulary = matrix.vocabulary(chosen)
    numbers = matrix.numbers(chosen, vocabulary, GAIN_WORD_SCALE)
    labels = np.array([matrix.rows[at].label for at in chosen])
    head = _head(Ridge(alpha=GAIN_ALPHA).fit(numbers, labels), vocabulary, GAIN_WORD_SCALE)
    told = head.logits(matrix, chosen)
    stretch = GAIN_STRETCH / float(told.std())
    return Head((head.bias - float(told.mean())) * stretch, head.dimensions * stretch, head.words * stretch, vocabulary)


def joined(tiers: Sequence[Head], gain: Head, matrix: Matrix) -> list[Head]:
    """The heads of the tiers with a share of the gain in each, centred so that asks with a tier stay on average."""
    rows = range(len(matrix.rows))
    centre = float(np.average(gain.logits(matrix, rows), weights=_row_weights(matrix.rows)))
    result = []
    for head in tiers:
        vocabulary = {feature: at for at, feature in enumerate(sorted({*head.vocabulary, *gain.vocabulary}))}
        words = np.zeros(len(vocabulary))
        for part, share in ((head, 1.0), (gain, GAIN_IN_TIERS)):
            for feature, column in part.vocabulary.items():
                words[vocabulary[feature]] += share * part.words[column]
        bias = head.bias + GAIN_IN_TIERS * (gain.bias - centre)
        result.append(Head(bias, head.dimensions + GAIN_IN_TIERS * gain.dimensions, words, vocabulary))
    return result


# --- Writing ----------------------------------------------------------------------------------------------------------------


def packed(heads: Sequence[Head]) -> tuple[bytes, list[float]]:
    """The table as `learned` reads it, and the size of one step for each head. Of two features in a bucket the heavier stays."""
    scales = [float(np.abs(head.words).max()) / STEPS for head in heads]
    entries: dict[Feature, list[int]] = defaultdict(lambda: [0] * len(heads))
    for at, (head, scale) in enumerate(zip(heads, scales, strict=True)):
        for feature, column in head.vocabulary.items():
            entries[feature][at] = round(head.words[column] / scale)
    marks, table = bytearray(BUCKETS), bytearray(BUCKETS * len(heads))
    taken: dict[int, int] = {}
    for feature, weights in sorted(entries.items()):
        weight = sum(map(abs, weights))
        bucket, mark = slot_of(feature)
        if weight > taken.get(bucket, 1):
            taken[bucket], marks[bucket] = weight, mark
            struct.pack_into(f"{len(heads)}b", table, bucket * len(heads), *weights)
    print(f"{len(entries)} features, {len(taken)} buckets")
    return bytes(marks + table), scales


def save(heads: Sequence[Head], quality: dict[str, float]) -> None:
    """Write both files."""
    table, scales = packed(heads)
    (OUT / "routing_words.bin.gz").write_bytes(gzip.compress(table, 9, mtime=0))
    digits = [[round(float(value), 4) for value in row] for row in np.stack([head.dimensions for head in heads], 1)]
    model = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "about": (
            "Made by packaging/train_router.py. Trained on UncommonRoute's tiers (CommonstackAI, MIT), RouteLLM's graded MMLU "
            "answers (lm-sys, Apache-2.0), and coding requests written for the purpose (Apache-2.0)."
        ),
        "bias": [round(head.bias, 4) for head in heads],
        "scale": [round(scale, 8) for scale in scales],
        "dimensions": {signal.name: row for signal, row in zip(OWN, digits, strict=True)},
        "quality": quality,
    }
    (OUT / "routing_model.json").write_text(json.dumps(model, indent=1) + "\n")


# --- Measuring --------------------------------------------------------------------------------------------------------------


def tiers_of(logits: Any) -> Any:
    """The tier of each row: how many heads in a row say yes."""
    return np.minimum.accumulate(logits > 0, axis=1).sum(axis=1)


def crossed(matrix: Matrix, folds: int, fit: Callable[[Matrix, Sequence[int]], Sequence[Head]]) -> Any:
    """What the heads say to rows that they were not fitted on."""
    groups = sorted({row.group for row in matrix.rows})
    random.Random(3).shuffle(groups)
    fold_of = {group: at % folds for at, group in enumerate(groups)}
    found: dict[int, list[float]] = {}
    for fold in range(folds):
        inside = [at for at, row in enumerate(matrix.rows) if fold_of[row.group] != fold]
        outside = [at for at, row in enumerate(matrix.rows) if fold_of[row.group] == fold]
        heads = fit(matrix, inside)
        for at, logits in zip(outside, np.stack([head.logits(matrix, outside) for head in heads], 1), strict=True):
            found[at] = [float(logit) for logit in logits]
        print(f"fold {fold + 1} of {folds} done", flush=True)
    return np.array([found[at] for at in range(len(matrix.rows))])


def report(matrix: Matrix, logits: Any) -> dict[str, float]:
    """Tier accuracy by source, each ask weighing the same."""
    tiers, labels = tiers_of(logits), np.array([row.label for row in matrix.rows])
    quality = {}
    for source in SHARES:
        mine = np.array([row.source == source for row in matrix.rows])
        weights = np.array([row.weight for row in matrix.rows])[mine]
        right = float(np.average(tiers[mine] == labels[mine], weights=weights))
        hard, easy = labels[mine] >= 2, labels[mine] == 0
        low, high = float((tiers[mine][hard] == 0).mean()), float((tiers[mine][easy] >= 2).mean())
        print(f"{source:14} accuracy {right:.3f}, hard to SIMPLE {low:.3f}, SIMPLE to COMPLEX+ {high:.3f}, {mine.sum()} rows")
        quality[f"crossed_accuracy_{source}"] = round(right, 3)
    return quality


def main() -> None:
    """Measure out of fold, then fit on all and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--folds", type=int, default=5, help="0 measures nothing")
    parser.add_argument("--out-of-fold", type=Path, help="write text → what four heads say that did not see it")
    options = parser.parse_args()
    matrix, graded = Matrix(varied(written() + given(options.data))), Matrix(gains(options.data))
    print(f"{len(matrix.rows)} rows with a tier, {len(graded.rows)} with a gain", flush=True)
    quality: dict[str, float] = {"rows_with_tier": len(matrix.rows), "rows_with_gain": len(graded.rows), "folds": options.folds}
    everything, questions = range(len(matrix.rows)), range(len(graded.rows))
    tiers, gain = fit_tiers(matrix, everything), fit_gain(graded, questions)
    if options.folds:
        told = crossed(matrix, options.folds, lambda rows, inside: [*joined(fit_tiers(rows, inside), gain, rows), gain])
        quality |= report(matrix, told[:, :3])

        def without(rows: Matrix, inside: Sequence[int]) -> list[Head]:
            apart = fit_gain(rows, inside)
            return [*joined(tiers, apart, matrix), apart]

        judged = crossed(graded, options.folds, without)
        labels = np.array([row.label for row in graded.rows])
        quality["crossed_gain_correlation"] = round(float(np.corrcoef(judged[:, 3], labels)[0, 1]), 3)
        print(f"gain: correlation {quality['crossed_gain_correlation']}")
        if options.out_of_fold:
            pairs = [(matrix, told), (graded, judged)]
            heads = {row.text: each for rows, all_told in pairs for row, each in zip(rows.rows, all_told.tolist(), strict=True)}
            options.out_of_fold.write_text(json.dumps(heads))
    save([*joined(tiers, gain, matrix), gain], quality)


if __name__ == "__main__":
    main()
