"""Every sentence in every language: none is missing, none is left over, and none on a page goes past the catalogue."""

import re
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QComboBox, QLabel, QLineEdit, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from lynkr_desktop.engine.events import Attempt, Trouble
from lynkr_desktop.engine.providers.catalogue import PROVIDERS
from lynkr_desktop.ui import format as shown
from lynkr_desktop.ui import language, text, text_settings, text_setup
from lynkr_desktop.ui.client_guides import GUIDES
from lynkr_desktop.ui.language import ENGLISH, LANGUAGES, Language
from lynkr_desktop.ui.theme import Theme
from tests.ui import sentences
from tests.ui.ledger_desk import LedgerDesk, an_exchange
from tests.ui.stage import Stage, stage_of

TRANSLATED = [each for each in LANGUAGES if each is not ENGLISH]
GERMAN, CHINESE = TRANSLATED
PARTS = re.compile(r"\{(\w+)\}")


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Other tests read English."""
    yield
    language.use(ENGLISH)


@pytest.mark.parametrize("spoken", TRANSLATED, ids=lambda each: each.code)
def test_every_sentence_is_translated_and_nothing_else_is(spoken: Language) -> None:
    wanted = {words for section in sentences.sections().values() for words in section}
    there = set(language.catalogue(spoken))
    heard = set(sentences.heard())
    assert sorted((wanted | heard) - there) == [], f"add these to ui/languages/{spoken.code}.json"
    assert sorted(there - wanted - heard) == [], f"nobody says these any more: strike them from ui/languages/{spoken.code}.json"


@pytest.mark.parametrize("spoken", TRANSLATED, ids=lambda each: each.code)
def test_translations_keep_the_parts_and_have_all_forms(spoken: Language) -> None:
    counted = {words for section in sentences.sections().values() for words, is_counted in section.items() if is_counted}
    for english, words in language.catalogue(spoken).items():
        forms = [words] if isinstance(words, str) else words
        assert len(forms) == (spoken.forms if english in counted else 1), english
        for form in forms:
            assert form.strip(), english
            assert sorted(set(PARTS.findall(form))) == sorted(set(PARTS.findall(english))), english


def test_sentences_are_only_where_they_are_looked_for() -> None:
    modules = {path.stem for path in sentences.UI.glob("text*.py")} | {"format"}
    assert modules == set(language.TEXTS)
    assert [words for name in language.TEXTS for words in sentences.unsaid(name)] == []


@pytest.mark.parametrize(
    ("choice", "system", "code"),
    [
        ("", ["de-AT", "en-US"], "de"),
        ("", ["fr-FR", "de"], "de"),
        ("", ["zh-Hans-CN"], "zh"),
        ("", ["zh-TW", "en"], "en"),
        ("", ["fr"], "en"),
        ("", [], "en"),
        ("zh", ["de-DE"], "zh"),
        ("xx", ["de-DE"], "en"),
    ],
)
def test_the_language_is_the_chosen_one_or_the_systems(choice: str, system: list[str], code: str) -> None:
    assert language.language_of(choice, system).code == code


def test_constants_and_sentences_follow_the_language() -> None:
    language.use(GERMAN)
    assert (text.ACTIVITY, text.EXCHANGE_HEADERS[0]) == ("Aktivität", "Zeit")
    assert text_settings.LIMITS[0][:2] == ("connect_seconds", "Verbinden innerhalb von")
    assert text_setup.requests_counted(1) == "1 Anfrage"
    assert text_setup.requests_counted(1281) == "1.281 Anfragen"
    language.use(CHINESE)
    assert [text.ACTIVITY, text_setup.requests_counted(1)] == ["活动", "1 个请求"]
    language.use(ENGLISH)
    assert [text.ACTIVITY, text_setup.requests_counted(1)] == ["Activity", "1 request"]


def test_numbers_and_dates_follow_the_language() -> None:
    language.use(GERMAN)
    assert shown.money("1204.5") == "1.204 $"
    assert shown.money("0.0312") == "0,031 $"
    assert shown.tokens(38_200) == "38,2k"
    assert shown.duration(900) == "0,9 s"
    assert shown.percent(1, 30) == "3,3 %"
    assert re.fullmatch(r"\d{1,2}\. Nov\.", shown.day(1_795_000_000_000))
    assert language.plain_number(" 2,5 ") == "2.5"
    assert language.plain_number("2.5") == "2.5"
    language.use(CHINESE)
    assert shown.money("1204.5") == "$1,204"
    assert re.fullmatch(r"11月\d{1,2}日", shown.day(1_795_000_000_000))


# ---------------------------------------------------------------- a language that nobody speaks

ACCENTS = str.maketrans("aeiouyAEIOUYcnsz", "áéíóúýÁÉÍÓÚÝçñšž")


def strange(words: str) -> str:
    """The sentence in brackets, with accents and half as long again; its parts stay."""
    pieces = re.split(r"(\{\w+\})", words)
    long = "".join(piece if index % 2 else piece.translate(ACCENTS) for index, piece in enumerate(pieces))
    return f"⟦{long}{'~' * (len(re.sub(PARTS, '', words)) // 3)}⟧"


@pytest.fixture
def stage(desk: LedgerDesk, theme: Theme, qtbot: QtBot) -> Stage:
    """All pages in the strange language, with requests of each kind."""
    every = {words: is_counted for section in sentences.sections().values() for words, is_counted in section.items()}
    every.update(dict.fromkeys(sentences.heard(), False))
    catalogue: dict[str, str | list[str]] = {
        words: [strange(words)] * 2 if is_counted else strange(words) for words, is_counted in every.items()
    }
    language.use(Language("strange", "Strange"), catalogue)
    failed = Attempt("openai", "gpt-5-mini", "COMPLEX", 0, None, 300, 429, "rate")
    desk.record(
        [
            an_exchange(1, reason="COMPLEX: a cause must be found, many places are touched; 61 of 100.", dimensions=()),
            an_exchange(2, error="rate", error_detail="", status=429, reason="", dimensions=(), attempts=(failed,)),
            an_exchange(3, cost_basis="free", cost_usd="0", reason="", dimensions=(), method="sticky"),
        ]
    )
    desk.health = {"openai": ("failing", ""), "lab": ("no_key", "")}
    stage = stage_of(theme, desk, (1100, 720))
    qtbot.addWidget(stage.window)
    stage.window.show()
    return stage


def told(widget: QWidget) -> Iterator[str]:
    """All words of a widget: what it shows, what it says to screen readers, what it says under the mouse."""
    yield widget.accessibleName()
    yield widget.accessibleDescription()
    yield widget.toolTip()
    match widget:
        case QLabel() | QAbstractButton():
            yield widget.text()
        case QLineEdit():
            yield widget.placeholderText()
            yield widget.text()
        case QPlainTextEdit():
            yield widget.placeholderText()
        case QComboBox():
            yield from (widget.itemText(index) for index in range(widget.count()))
        case QAbstractItemView() if widget.model() is not None:
            model = widget.model()
            for column in range(model.columnCount()):
                yield str(model.headerData(column, Qt.Orientation.Horizontal) or "")
                yield from (str(model.data(model.index(row, column)) or "") for row in range(min(3, model.rowCount())))


def untranslated(words: str, known: set[str]) -> list[str]:
    """The words outside of brackets that are no names."""
    while (inner := re.sub(r"⟦[^⟦⟧]*⟧", " ", words)) != words:
        words = inner
    words = re.sub(r"https?://\S+|<[^>]+>|[\w./~-]*/[\w./~-]+", " ", words)
    return [word for word in re.findall(r"[^\W\d_]{3,}", words) if word.casefold() not in known]


@pytest.mark.parametrize("page", ["overview", "activity", "tiers", "providers", "clients", "settings", "welcome"])
def test_every_word_on_a_page_comes_from_the_catalogue(stage: Stage, page: str) -> None:
    names = [f"{each.id} {each.title}" for table in (PROVIDERS.values(), stage.desk.settings.accounts, GUIDES) for each in table]
    known = {word.casefold() for name in names for word in re.findall(r"[^\W\d_]+", name)}
    known |= {"claude", "haiku", "sonnet", "opus", "deepseek", "qwen", "coder", "gpt", "mini"}
    known |= {"simple", "medium", "complex", "reasoning", "lynkr", "auto", "keyring", "gnome", "mcp", "english", "deutsch"}
    known |= {"简体中文", "observe", "direct", "score"}
    stage.window.show_page(page)
    if page == "welcome":
        stage.welcome.show_step(1)
    if page == "activity":
        stage.activity.open_exchange(an_exchange(2).id)
    if page == "overview":
        stage.desk.signals.trouble.emit(Trouble("x", "", ""))
    QTest.qWait(20)
    shown_widgets = [each for each in stage.window.findChildren(QWidget) if each.isVisible()]
    found = {
        f"{type(each).__name__}: {words}"
        for each in shown_widgets
        if not each.property("holds_code")
        for words in told(each)
        if untranslated(words, known)
    }
    assert sorted(found) == []


@pytest.mark.parametrize(
    ("english", "german"),
    [
        (
            "COMPLEX: a cause must be found, many places are touched; 61 of 100.",
            "COMPLEX: eine Ursache ist zu finden, viele Stellen sind betroffen; 61 von 100.",
        ),
        ("SIMPLE: a greeting or a word of thanks.", "SIMPLE: ein Gruß oder ein Dank."),
        (
            "COMPLEX: it has several steps; 61 of 100. Kept on gpt-5.1, which served before.",
            "COMPLEX: sie hat mehrere Schritte; 61 von 100. Bei gpt-5.1 geblieben, das vorher bediente.",
        ),
        (
            "MEDIUM: kept on gpt-5.1; a switch to COMPLEX would cost $0.02 now and pay only after 3 turns.",
            "MEDIUM: bei gpt-5.1 geblieben; ein Wechsel zu COMPLEX kostet jetzt $0.02 und lohnt sich erst nach 3 turns.",
        ),
        ("Words that nobody translated.", "Words that nobody translated."),
    ],
)
def test_reasons_of_the_engine_are_found_again(english: str, german: str) -> None:
    language.use(GERMAN)
    assert text.reason(english) == german
