"""One reading of an ask: what is instruction, what is pasted, which concepts are named. Pure and bounded; no weights here."""

import re
from typing import Final

import msgspec
from msgspec.structs import force_setattr

from lynkr_desktop.engine.routing import lexicon

_FENCE: Final = re.compile(r"```[^`]*(?:```|\Z)|`[^`\n]{1,200}`")
_QUOTES: Final = '"“«「„'
_QUOTED: Final = re.compile('"[^"\n]{3,400}"|“[^”\n]{3,400}”|«[^»\n]{3,400}»|「[^」\n]{3,200}」|„[^“”\n]{3,400}[“”]')
_CODE_FIRST: Final = frozenset(" \t@<+|")
_CODE_STARTS: Final = ("//", "/*", "#include", "import ", "from ", "def ", "class ", "func ", "return ", "$ ")
_CODE_LAST: Final = frozenset(";{}()>],\\")
_CODE_ENDS: Final = ("):", "*/")
# Each pattern starts with a literal or a plain class of characters, so that a long text is skimmed and not tried at every place.
_TRACES: Final = ("Traceback (most recent", 'File "', "panicked at", "Exception in thread", "Error: ")
_TRACE_LINES: Final = ("\n    at ", "\n\tat ")
_PLACE: Final = re.compile(r"\.(?:py|tsx?|jsx?|go|rs|java|cc?|cpp|h|rb|php|sql|ya?ml|json|md|sh|kt|swift|cs|html|css)\b")
_PLACE_CHARS: Final = 24  # so much before the ending tells files apart
_NUMBERED: Final = (re.compile(r"\.(?<=[0-9]\.)\s"), re.compile(r"\)(?<=[0-9]\))\s"))
_DIGITS: Final = "0123456789"
_THINGS: Final = "files modules services slices controllers endpoints queries tables classes tests pipelines"
_COUNTABLE: Final = {thing: re.compile(rf" {thing}\b") for thing in _THINGS.split()}
_NUMBER_BEFORE: Final = re.compile(r"([0-9]{2,6})\+?(?: \w{1,20})?\Z")
_NUMBER_CHARS: Final = 28  # the longest match of it
_BIG_O: Final = re.compile(r"O\([^)\n]{1,30}\)")
_SYMBOLS: Final = "∀∃∑∫≤≥∈√⇒≡"
_POWER: Final = re.compile(r"\^[\w({]")
_OTHER_PROOFS: Final = ("proof of concept", "proof-of-concept", "proof of work", "future-proof", "fool-proof", "foolproof")
_CLAUSE_MARKS: Final = ",;:，、；："
_ASCII_MARKS: Final = ",;:"
_SENTENCE_ENDS: Final = tuple((mark, re.compile(re.escape(mark) + r"(?=\s|\Z|(?![。！？])[^\x00-\x7f])")) for mark in ".!?。！？")
# "What is a leak" is a question of fact, "what is leaking in our service" is not.
_OWN: Final = frozenset(
    ("my", "our", "we", "mein", "meinem", "unser", "unserem", "mon", "notre", "mi", "nuestro", "meu", "nosso", "мой", "наш")
)
_WANTS_WORK: Final = frozenset(
    ("proof", "formal", "cause", "design", "system", "breadth", "build", "explain", "work", "analysis", "concurrency")
)


class Reading(msgspec.Struct, frozen=True):
    """What one pass over an ask found. `counts` has how many different words of each concept the instruction names."""

    instruction: str  # the ask without what is pasted or quoted
    counts: dict[str, int]
    instruction_chars: int  # a CJK character counts as three: it says as much
    total_chars: int
    words: list[str]  # of the instruction, lower case, in their order; not to be changed
    vocabulary: frozenset[str]  # the different ones
    cjk: int  # so many of its characters are Chinese, Japanese or Korean
    sentences: int
    clauses: int
    is_lookup: bool
    has_code: bool
    has_trace: bool
    places: int  # files named
    numbered: int  # points of a numbered list
    counted: int  # the largest "200 files" named
    formulas: int
    # Drawn from the above once, as every signal asks for them.
    is_mechanical: bool = False
    is_fact_question: bool = False
    weight_of_subject: float = 1.0  # how far the subject counts, 0 to 1: a typo in a consensus protocol is still a typo

    def __post_init__(self) -> None:
        is_mechanical, is_fact_question = self._is_mechanical(), self._is_fact_question()
        force_setattr(self, "is_mechanical", is_mechanical)
        force_setattr(self, "is_fact_question", is_fact_question)
        force_setattr(self, "weight_of_subject", 0.15 if is_mechanical else 0.4 if is_fact_question else 1.0)

    def count(self, concept: str) -> int:
        """How many different words of a concept."""
        return self.counts.get(concept, 0)

    def _is_mechanical(self) -> bool:
        """Is a known edit or transformation all that is wanted?"""
        if not self.count("mechanical") or self.instruction_chars >= 400:
            return False
        wants_code = self.count("build") > 0 and self.count("artefact") > 0
        wants_more = self.count("cause") > 1 or self.count("breadth") > 1 or self.count("autonomous") > 0 or self.numbered > 1
        return not (wants_code or wants_more or self.count("explain") > 0)

    def _is_fact_question(self) -> bool:
        """Is it a short question of fact?"""
        if not self.is_lookup or self.instruction_chars >= lexicon.LONGEST_LOOKUP or self.clauses >= 3 or self.sentences >= 3:
            return False
        is_specific = self.count("cause") > 0 and not _OWN.isdisjoint(self.vocabulary)
        is_hard = self.count("proof") > 0 or max(map(self.count, ("formal", "cause", "design"))) > 1
        return not (self.has_code or is_specific or is_hard)

    @property
    def wants_work(self) -> bool:
        """Is anything named that would be work?"""
        return not _WANTS_WORK.isdisjoint(self.counts)


def read(text: str, total_chars: int = 0) -> Reading:
    """Read an ask once. `total_chars` is its length before it was cut, if it was."""
    instruction, has_code = _instruction(text)
    low = _without_other_proofs(instruction.lower())
    words = lexicon.words_of(low)
    vocabulary = frozenset(words)
    counts = lexicon.count(words, vocabulary)
    cjk = lexicon.cjk_characters(low, words)
    is_bare = len(low) + 2 * cjk < 60 and _WANTS_WORK.isdisjoint(counts)
    has_digits = any(map(instruction.__contains__, _DIGITS))
    return Reading(
        instruction=instruction,
        counts=counts,
        instruction_chars=len(instruction) + 2 * cjk,
        total_chars=max(total_chars, len(text)),
        words=words,
        vocabulary=vocabulary,
        cjk=cjk,
        sentences=max(1, sum([len(end.findall(instruction)) for mark, end in _SENTENCE_ENDS if mark in instruction])),
        clauses=sum(map(instruction.count, _ASCII_MARKS if instruction.isascii() else _CLAUSE_MARKS)),
        is_lookup=lexicon.is_lookup(words, low, is_bare=is_bare, has_cjk=cjk > 0),
        has_code=has_code,
        has_trace=_has_trace(text),
        places=_places(text),
        numbered=_numbered(instruction) if has_digits else 0,
        counted=_counted(low, vocabulary & _COUNTABLE.keys()) if has_digits else 0,
        formulas=_formulas(instruction),
    )


def _without_other_proofs(low: str) -> str:
    if "proof" in low:
        for other in _OTHER_PROOFS:
            low = low.replace(other, " ")
    return low


def _places(text: str) -> int:
    """How many different files are named."""
    ends = (text[max(0, found.start() - _PLACE_CHARS) : found.end()] for found in _PLACE.finditer(text[:4096]))
    return len({end.rsplit(maxsplit=1)[-1] for end in ends})


def _numbered(text: str) -> int:
    """How many points a numbered list has: `1. …`, `(2) …`."""
    count = 0
    for pattern in _NUMBERED:
        for found in pattern.finditer(text):
            before = text[max(0, found.start() - 3) : found.start() - 1].lstrip(_DIGITS)
            count += not before or before[-1] in " (\n\t:"
    return count


def _counted(low: str, things: frozenset[str]) -> int:
    """The largest number of files, tables or the like that is named, as in "200 old files"."""
    largest = 0
    for thing in things:
        for found in _COUNTABLE[thing].finditer(low):
            number = _NUMBER_BEFORE.search(low, max(0, found.start() - _NUMBER_CHARS), found.start())
            largest = max(largest, int(number[1])) if number else largest
    return largest


def _has_trace(text: str) -> bool:
    marks = (*_TRACES, *_TRACE_LINES) if "\n" in text else _TRACES
    return any(map(text.__contains__, marks))


def _formulas(text: str) -> int:
    count = len(_BIG_O.findall(text)) + (len(_POWER.findall(text)) if "^" in text else 0)
    return count if text.isascii() else count + sum(map(text.count, _SYMBOLS))


def _instruction(text: str) -> tuple[str, bool]:
    """The ask without what is pasted or quoted, and whether code was among it. Never empty if the text is not."""
    bare = _FENCE.sub(" ", text) if "`" in text else text
    has_code = len(bare) + 40 < len(text)
    if any(map(bare.__contains__, _QUOTES)):
        bare = _QUOTED.sub(" ", bare)
    if "\n" in bare:
        lines = bare.split("\n")
        kept = [line for line in lines if line and not _is_code(line)]
        has_code = has_code or len(kept) + 1 < len([line for line in lines if line])
        bare = "\n".join(kept)
    return (bare, has_code) if bare.strip() else (text[:400], has_code)


def _is_code(line: str) -> bool:
    if line[0] in _CODE_FIRST:
        return True
    end = line.rstrip()
    return end[-1:] in _CODE_LAST or line.startswith(_CODE_STARTS) or end.endswith(_CODE_ENDS)
