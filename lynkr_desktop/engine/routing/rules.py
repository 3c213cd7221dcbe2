"""The few asks that need no score. Pure; word boundaries everywhere."""

import re
from typing import Final

import msgspec

from lynkr_desktop.config.settings import Tier
from lynkr_desktop.engine.routing.reading import Reading
from lynkr_desktop.engine.routing.route import Facts

_RULE_CHARS: Final = 2048  # rules look no further


class Forced(msgspec.Struct, frozen=True):
    """A tier decided by a rule, and the rule in words (they follow the tier's name and a colon)."""

    tier: Tier
    reason: str


_SMALL: Final = re.compile(
    r"(?:hi|hello|hey|hiya|howdy|yo|good (?:morning|afternoon|evening|night)|how are you(?: doing)?(?: today)?|what'?s up"
    r"|thanks?(?: you)?(?: (?:so|very) much| a lot)?|thx|ty|cheers|bye|goodbye|see you(?: later)?|cool|nice|great|perfect"
    r"|hallo|moin|servus|danke(?: schön| dir)?|vielen dank|tschüss|guten (?:morgen|tag|abend)|bonjour|salut|merci(?: beaucoup)?"
    r"|au revoir|hola|buenos días|(?:muchas )?gracias|adiós|olá|oi|bom dia|obrigad[oa]|tchau|ciao|grazie(?: mille)?|buongiorno"
    r"|привет|здравствуй(?:те)?|спасибо|пока|你好|您好|谢谢|再见|早上好|こんにちは|ありがとう(?:ございます)?|さようなら"
    r"|안녕(?:하세요)?|감사합니다|고마워|what(?:'s| is) the (?:time|date)|what (?:time|day) is it(?: today)?"
    r"|yes|no|nope|yep|ok(?:ay)?|sure|got it|understood|help|menu|commands?|options?)(?: there| all| everyone)?"
    r"(?:[\s,!.?。！？]{1,8}(?:how are you(?: doing)?(?: today)?|wie geht'?s|ça va|cómo estás|(?:and )?thanks|thank you))?"
    r"[\s!.?。！？…:)]*",
    re.IGNORECASE,
)
_DEEP: Final = re.compile(
    r"\bultrathink\b|\bthink (?:really |very |much )?hard(?:er|est)?\b|\b(?:from|using) first principles\b", re.IGNORECASE
)
_PROVE: Final = re.compile(
    r"(?:^|[.!?;:,]\s{1,4}|\b(?:please|and|then|formally|rigorously|to|can you|or|must) )"
    r"(?:dis)?prove (?:that|this|the|it\b|or|formally|rigorously|whether|by|your|our|a)"
    r"|\bverify (?:formally|rigorously)|\bformal(?:ly)? (?:verif|proof|prove)|\bgive (?:a|an|me a) (?:formal |rigorous )?proof\b"
    r"|\b(?:flaw|gap|mistake|error) in (?:my|the|this|our) proof\b",
    re.IGNORECASE,
)
_HEAVY: Final = re.compile(
    r"\bsecurity (?:audit|review|assessment) of\b|\baudit\b[^.\n]{1,60}\bfor (?:security|vulnerabilit)"
    r"|\bpenetration test|\bvulnerability scan"
    r"|\b(?:do|perform|run|conduct|carry out) (?:an? )?(?:\w{1,20} ){0,2}(?:security|architecture) (?:audit|review|assessment)"
    r"|^(?:security (?:audit|review|assessment)|architecture review|system design)\b"
    r"|\brefactor (?:the |this |our |my )?(?:entire|whole|all)\b|\bcomplete rewrite\b"
    r"|\brewrite (?:the |this |our )?(?:entire|whole)\b"
    r"|\bdebug(?:ging)? (?:an? |this |the )?(?:complex|difficult|hard|tricky)\b|\bproduction (?:incident|outage)\b",
    re.IGNORECASE,
)
# Words without which a pattern cannot match: a long text is not searched for nothing.
_DEEP_WORDS: Final = frozenset(("think", "ultrathink", "principles"))
_PROVE_WORDS: Final = frozenset(("prove", "disprove", "proof", "verify", "formal", "formally"))
_HEAVY_WORDS: Final = frozenset(
    ("security", "audit", "architecture", "penetration", "vulnerability", "design", "refactor", "rewrite", "debug", "debugging")
) | {"production"}
_QUESTION_ABOUT: Final = re.compile(r"\s*(?:what(?:'s| is| are| does)|who|when|where|define|explain what)\b", re.IGNORECASE)

_RULES: Final = (
    (_DEEP_WORDS, _DEEP, Forced(Tier.REASONING, "you asked for hard thinking")),
    (_PROVE_WORDS, _PROVE, Forced(Tier.REASONING, "a proof is wanted")),
    (_HEAVY_WORDS, _HEAVY, Forced(Tier.COMPLEX, "a whole audit, redesign or incident")),
)


def forced(facts: Facts, text: str, reading: Reading) -> Forced | None:
    """The rule that decides alone, if there is one.

    A formal context is needed for REASONING: "verify the e-mail" forces nothing. A mechanical edit, a question of fact or a
    quoted phrase forces nothing upwards.
    """
    if facts.is_side_request:
        return Forced(Tier.SIMPLE, "a side request of the program, such as a title")
    if len(text) <= 60 and _SMALL.fullmatch(text):
        return Forced(Tier.SIMPLE, "a greeting or a word of thanks")
    if reading.is_mechanical or reading.is_fact_question or _QUESTION_ABOUT.match(reading.instruction):
        return None
    bare = reading.instruction[:_RULE_CHARS]
    for words, pattern, rule in _RULES:
        if not words.isdisjoint(reading.vocabulary) and pattern.search(bare):
            return rule
    return None
