"""The simulated day: no model changes inside a task, and it costs less than one strong model for everything."""

import importlib
from types import ModuleType

import pytest

from tests.fakes.program import ROOT


@pytest.fixture
def day(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    return importlib.import_module("routing_day")


def test_a_day_keeps_its_tasks_together_and_saves(day: ModuleType) -> None:
    ours, strong, weak = day.simulate(day.ours()), day.simulate(day.always(day.C)), day.simulate(day.always(day.S))
    assert ours.requests == strong.requests > 100
    assert ours.changes_in_tasks == 0
    assert ours.hard_to_simple == 0 < weak.hard_to_simple
    assert ours.cost < strong.cost
    assert (strong.changes, strong.lost_tokens) == (0, 0)


def test_the_original_changes_models_inside_tasks(day: ModuleType) -> None:
    assert day.simulate(day.original).changes_in_tasks > 0


def test_the_original_scores_as_was_measured_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What version 9.0.1 itself gave to these asks, without tools and with fourteen."""
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    rules = importlib.import_module("original_rules")
    names = "Task Bash Glob Grep Read Edit Write NotebookEdit WebFetch WebSearch TodoWrite BashOutput KillShell SlashCommand"
    tools = [{"name": name} for name in names.split()]
    for ask, bare, wrapped in (
        ("What is the capital of France?", 13, 50),
        ("Write a Python function that reverses a linked list.", 15, 52),
        ("Fix the bug in src/app.py line 42", 10, 47),
        ("continue", 12, 49),
    ):
        messages = [{"role": "user", "content": ask}]
        assert rules.score({"messages": messages}) == bare
        assert abs(rules.score({"messages": messages, "tools": tools}) - max(51, wrapped)) <= 3
