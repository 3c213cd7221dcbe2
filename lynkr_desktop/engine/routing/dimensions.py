"""The routing signals: one table of name, measure and sentence. Pure.

A measure maps what is known of a request to 0–100. Dimensions of the *envelope* (tools, history) only rank requests inside the
tier that the ask itself has.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from lynkr_desktop.engine.routing.reading import Reading
from lynkr_desktop.engine.routing.route import Facts

Measure = Callable[[Facts, Reading], float]


class Signal(msgspec.Struct, frozen=True):
    """One row of the table. `envelope_points`: so many points 100 moves the score inside the ask's tier; 0 for the ask's own.

    `concepts`: where none of them is named there is nothing to measure; empty if something else can be measured as well.
    """

    name: str
    measure: Measure
    reason: str
    concepts: tuple[str, ...] = ()
    envelope_points: float = 0.0


def _steps(count: int, *values: float) -> float:
    """The value of the n-th step; beyond the last, the last."""
    return values[min(count, len(values) - 1)]


def _rise(amount: float, full: float) -> float:
    return min(100.0, 100.0 * amount / full)


def _named(concept: str, *values: float) -> Measure:
    """How many different words of a concept are named; a mechanical edit or a question of fact quietens it."""

    def measure(_facts: Facts, reading: Reading) -> float:
        return _steps(reading.count(concept), *values) * reading.weight_of_subject

    return measure


def _token_count(_facts: Facts, reading: Reading) -> float:
    tokens = reading.total_chars / 4
    for limit, value in ((20, 0), (60, 10), (150, 25), (500, 40), (2000, 60), (5000, 75), (10000, 90)):
        if tokens < limit:
            return float(value)
    return 100.0


def _prompt_complexity(_facts: Facts, reading: Reading) -> float:
    return _rise(max(0.0, reading.instruction_chars / reading.sentences - 40), 160) * reading.weight_of_subject


def _clauses(_facts: Facts, reading: Reading) -> float:
    return _rise(reading.clauses, 8) * reading.weight_of_subject


def _tool_count(facts: Facts, _reading: Reading) -> float:
    count = len(facts.tool_names)
    for limit, value in ((0, 0), (3, 20), (6, 40), (10, 60), (15, 80)):
        if count <= limit:
            return float(value)
    return 100.0


_TOOL_WEIGHTS: Final = (
    ("bash", 90), ("shell", 90), ("exec", 90), ("terminal", 90), ("task", 90), ("agent", 90), ("write", 80), ("edit", 70),
    ("patch", 70), ("websearch", 50), ("web_search", 50), ("fetch", 40), ("read", 30), ("glob", 20), ("grep", 20), ("list", 20),
)  # fmt: skip


def _tool_complexity(facts: Facts, _reading: Reading) -> float:
    names = facts.tool_names[:64]
    if not names:
        return 0.0
    total = 0.0
    for name in names:
        low = name.lower()
        total += next((value for piece, value in _TOOL_WEIGHTS if piece in low), 50)
    return total / len(names)


def _tool_chain(_facts: Facts, reading: Reading) -> float:
    return _steps(reading.count("sequence"), 0, 40, 70, 100) * reading.weight_of_subject


def _multi_step(_facts: Facts, reading: Reading) -> float:
    steps = reading.numbered + reading.count("sequence")
    return _steps(steps, 0, 10, 40, 70, 85, 100) * reading.weight_of_subject


def _code_generation(_facts: Facts, reading: Reading) -> float:
    if reading.count("build") and reading.count("artefact"):
        return 100.0
    return 60.0 if reading.count("build") else 0.0


def _conversation_depth(facts: Facts, _reading: Reading) -> float:
    return _steps(len(facts.earlier_texts), 0, 30, 60, 100)


def _prior_tool_usage(facts: Facts, _reading: Reading) -> float:
    return _steps(facts.earlier_tool_result_count, 0, 40, 40, 60, 60, 60, 80, 80, 80, 80, 100)


def _ambiguity(_facts: Facts, reading: Reading) -> float:
    """A short ask that names no work is seldom any; one that names some may mean much."""
    if reading.places or reading.has_trace or reading.has_code or reading.instruction_chars >= 100:
        return 0.0
    if reading.wants_work:
        return 15.0 if reading.instruction_chars < 50 else 0.0
    return 100.0 if reading.instruction_chars < 60 else 50.0


def _output_format(facts: Facts, reading: Reading) -> float:
    return 100.0 if facts.has_output_schema else _steps(reading.count("format"), 0, 50, 80)


def _references(_facts: Facts, reading: Reading) -> float:
    return _steps(reading.places, 0, 30, 60, 80, 100)


def _breadth(_facts: Facts, reading: Reading) -> float:
    named = reading.count("breadth") + (1 if reading.counted >= 10 else 0)
    values = (0, 20, 40, 60) if reading.count("design") else (0, 75, 90, 100)
    return _steps(named, *values) * reading.weight_of_subject


def _proof(_facts: Facts, reading: Reading) -> float:
    value = max(_steps(reading.count("proof"), 0, 90, 100), 60 if reading.count("formal") > 1 else 0)
    return value * reading.weight_of_subject


def _formal(_facts: Facts, reading: Reading) -> float:
    named = reading.count("formal") + min(1, reading.count("crypto"))
    return _steps(named, 0, 30, 85, 100) * reading.weight_of_subject


def _formulas(_facts: Facts, reading: Reading) -> float:
    return _steps(reading.formulas, 0, 60, 85, 100) * reading.weight_of_subject


def _cause(_facts: Facts, reading: Reading) -> float:
    value = _steps(reading.count("cause"), 0, 35, 65, 85, 100) + (15 if reading.has_trace else 0)
    return min(100.0, value) * reading.weight_of_subject


def _design_task(_facts: Facts, reading: Reading) -> float:
    """Something is to be designed or built that has many parts."""
    if not reading.count("design"):
        return 0.0
    parts = 2 + reading.count("design") + reading.clauses / 2 + reading.count("system") + reading.count("distributed")
    return _rise(parts, 6) * reading.weight_of_subject


def _system_parts(_facts: Facts, reading: Reading) -> float:
    """What a system is made of is named, and it is to be built."""
    parts = sum(map(reading.count, ("system", "distributed", "security", "concurrency")))
    if not parts or not (reading.count("build") or reading.count("design")):
        return 0.0
    return _rise(parts + reading.clauses / 2 - 0.5, 5) * reading.weight_of_subject


def _work(_facts: Facts, reading: Reading) -> float:
    return _steps(reading.count("work"), 0, 60, 80, 100) * reading.weight_of_subject


def _explain(_facts: Facts, reading: Reading) -> float:
    return 100.0 if reading.count("explain") else 0.0


def _mechanical(_facts: Facts, reading: Reading) -> float:
    return 100.0 if reading.is_mechanical else 0.0


def _lookup(_facts: Facts, reading: Reading) -> float:
    return 100.0 if reading.is_fact_question else 0.0


def _small_talk(_facts: Facts, reading: Reading) -> float:
    return 100.0 if reading.count("chat") and len(reading.words) <= 12 else 0.0


def _pasted(_facts: Facts, reading: Reading) -> float:
    return 100.0 if reading.has_code else 0.0


# What each says to the score is fitted by packaging/train_router.py, together with the words (see `learned`). The points of the
# envelope are set by hand.
SIGNALS: Final[tuple[Signal, ...]] = (
    Signal("tokenCount", _token_count, "The ask is long."),
    Signal("promptComplexity", _prompt_complexity, "Its sentences are long."),
    Signal("clauseCount", _clauses, "It lists several parts."),
    Signal("technicalDepth", _named("technical", 0, 15, 30, 45, 60, 75, 90, 100), "It uses technical words.", ("technical",)),
    Signal("domainSpecificity", _named("domain", 0, 30, 60, 80, 100), "It belongs to a special field.", ("domain",)),
    Signal("toolChainPotential", _tool_chain, "One step follows another.", ("sequence",)),
    Signal("multiStepReasoning", _multi_step, "It has several steps."),
    Signal("codeGeneration", _code_generation, "Code or text is to be written.", ("build",)),
    Signal("boundedWork", _work, "A bounded piece of work is to be done.", ("work",)),
    Signal("explanation", _explain, "Something is to be explained or compared.", ("explain",)),
    Signal("analysisDepth", _named("analysis", 0, 60, 100), "Something must be weighed.", ("analysis",)),
    Signal("constraintCount", _named("constraint", 0, 30, 55, 80, 100), "Several conditions must hold at once.", ("constraint",)),
    Signal("referenceComplexity", _references, "It names several files."),
    Signal("outputFormat", _output_format, "The answer must have a given form."),
    Signal("ambiguity", _ambiguity, "The ask is short."),
    Signal("proof", _proof, "An argument must hold.", ("proof", "formal")),
    Signal("formalReasoning", _formal, "It asks for formal reasoning.", ("formal", "crypto")),
    Signal("mathematics", _named("maths", 0, 50, 80, 100), "It needs mathematics.", ("maths",)),
    Signal("formulas", _formulas, "It holds formulas."),
    Signal("algorithms", _named("algorithm", 0, 40, 70, 100), "An algorithm must be found.", ("algorithm",)),
    Signal("causeUnknown", _cause, "A cause must be found."),
    Signal("concurrency", _named("concurrency", 0, 60, 85, 100), "Things happen at the same time.", ("concurrency",)),
    Signal("distributedSystems", _named("distributed", 0, 50, 80, 100), "Several machines must agree.", ("distributed",)),
    Signal("security", _named("security", 0, 50, 80, 100), "Security is at stake.", ("security",)),
    Signal("systemDesign", _design_task, "A system must be designed or changed.", ("design",)),
    Signal(
        "systemParts",
        _system_parts,
        "A system of several parts is to be built.",
        ("system", "distributed", "security", "concurrency"),
    ),
    Signal("breadth", _breadth, "Many places are touched."),
    Signal("pastedCode", _pasted, "Code is shown."),
    Signal("lookup", _lookup, "It asks for a fact."),
    Signal("mechanicalEdit", _mechanical, "It is a mechanical edit.", ("mechanical",)),
    Signal("smallTalk", _small_talk, "It is small talk.", ("chat",)),
    Signal("toolCount", _tool_count, "Tools beyond the program's own are offered.", envelope_points=2.0),
    Signal("toolComplexity", _tool_complexity, "Powerful tools beyond the program's own are offered.", envelope_points=1.0),
    Signal("conversationDepth", _conversation_depth, "The conversation is long.", envelope_points=1.0),
    Signal("priorToolUsage", _prior_tool_usage, "Tools were used before.", envelope_points=1.0),
)
