"""The snapshot's builder: exact numbers, nothing executed, differences told and never averaged."""

import importlib.util
import json
import sys
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "packaging" / "build_models.py"


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_models", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_models"] = module
    spec.loader.exec_module(module)
    return module


def first(**entry: Any) -> dict[str, Any]:
    """The first source with one model of OpenAI."""
    row = {
        "litellm_provider": "openai",
        "mode": "chat",
        "input_cost_per_token": 3e-06,
        "output_cost_per_token": 1.5e-05,
        "supports_function_calling": True,
        **entry,
    }
    table: dict[str, Any] = json.loads(json.dumps({"m-1": row}), parse_float=Decimal, parse_int=Decimal)
    return table


SECOND = """
import os
os.abort()
providers: list[Provider] = [
    Provider(id='openai', models=[
        ModelInfo(id='m-1', name='Model One',
            match=ClauseOr(or_=[ClauseEquals(equals='M-1'), ClauseStartsWith(starts_with='m1-')]),
            prices=[
                ConditionalPrice(prices=ModelPrice(input_mtok=Decimal('9'), output_mtok=Decimal('9'))),
                ConditionalPrice(constraint=StartDateConstraint(start_date=datetime.date(2024, 1, 1)), prices=ModelPrice(
                    input_mtok=TieredPrices(base=Decimal('3.01'), tiers=[Tier(start=200000, price=Decimal('6'))]),
                    output_mtok=Decimal('15'), cache_read_mtok=Decimal('0.3'))),
                ConditionalPrice(constraint=StartDateConstraint(start_date=datetime.date(2999, 1, 1)), prices=ModelPrice(
                    input_mtok=Decimal('1'), output_mtok=Decimal('1'))),
            ]),
        ModelInfo(id='m-image-1', match=ClauseEquals(equals='m-image-1'),
            prices=ModelPrice(input_mtok=Decimal('5'), output_mtok=Decimal('5'))),
        ModelInfo(id='m-2', context_window=1000, match=ClauseEquals(equals='m-2'),
            prices=ModelPrice(input_mtok=Decimal('0.5'), output_mtok=Decimal('1'))),
    ]),
]
"""


def merged(build: ModuleType, table: dict[str, Any], overrides: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    vendor = build.Vendor("openai", "openai", "openai")
    found: tuple[dict[str, Any], dict[str, str]] = build.snapshot_of(vendor, table, build.providers_of(SECOND), overrides)
    return found


STEP = {"input_cost_per_token_above_200k_tokens": 6e-06}


def test_both_sources_become_one_row_with_exact_prices(build: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    models, aliases = merged(build, first(max_input_tokens=128000, supports_vision=True, **STEP), {})
    row = models["m-1"]
    assert (row.input_price, row.output_price, row.cache_read_price) == ("3", "15", "0.3")
    assert [(step.above_tokens, step.input_price, step.output_price) for step in row.steps] == [(200_000, "6", None)]
    assert (row.title, row.context_tokens, row.takes_images, row.thinks) == ("Model One", 128_000, True, False)
    assert row.note == ""
    assert capsys.readouterr().out == ""
    assert aliases == {}  # "m-1" is a row itself, and "m1-" is no whole name


def test_a_model_of_the_second_source_alone_is_kept_and_pictures_are_not(build: ModuleType) -> None:
    models, _ = merged(build, first(**STEP), {})
    assert sorted(models) == ["m-1", "m-2"]
    assert (models["m-2"].input_price, models["m-2"].context_tokens, models["m-2"].source) == ("0.5", 1000, "genai-prices")


def test_a_difference_is_told_marked_and_taken_from_the_first(build: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    models, _ = merged(build, first(input_cost_per_token=4e-06, **STEP), {})
    assert models["m-1"].input_price == "4"
    assert models["m-1"].note == "The sources differ: input_price 4 or 3.01."
    assert "differs  openai:m-1" in capsys.readouterr().out


def test_a_reviewed_override_settles_a_difference(build: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    settled = {"m-1": {"input_price": "3.5", "steps": [], "reason": "Seen on the vendor's page."}, "m-2": {"is_left_out": True}}
    models, _ = merged(build, first(input_cost_per_token=4e-06), settled)
    assert models["m-1"].input_price == "3.5"
    assert (models["m-1"].steps, models["m-1"].note) == ((), "")
    assert "m-2" not in models
    assert capsys.readouterr().out == ""


def test_the_dust_of_floats_is_swept(build: ModuleType) -> None:
    rows = build.first_rows(first(input_cost_per_token=2.4999999999e-07), "openai")
    assert rows["m-1"].prices[0]["input_price"] == Decimal("0.25")


def test_a_second_source_of_another_shape_stops_the_build(build: ModuleType) -> None:
    for text in ("x = 1", "providers: list = [f(x) for x in y]"):
        with pytest.raises(SystemExit, match="changed its shape"):
            build.providers_of(text)


def test_a_wheel_that_was_not_reviewed_is_refused(build: ModuleType, tmp_path: Path) -> None:
    (tmp_path / f"litellm-{build.FIRST.version}-py3-none-any.whl").write_bytes(b"something else")
    with pytest.raises(SystemExit, match="its hash differs"):
        build.wheel_of(build.FIRST, tmp_path)
