"""The language of the program and of Qt's own words: the buttons of file dialogs, the menus of text fields."""

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from lynkr_desktop.ui import language

_QT_NAMES = {"zh": "zh_CN"}


def speak(application: QCoreApplication, choice: str) -> None:
    """Use the chosen language, or the system's where `choice` is empty. Call it before there are any widgets."""
    chosen = language.language_of(choice, QLocale.system().uiLanguages())
    language.use(chosen)
    QLocale.setDefault(QLocale(_QT_NAMES.get(chosen.code, chosen.code)))
    words = QTranslator(application)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if words.load(f"qtbase_{_QT_NAMES.get(chosen.code, chosen.code)}", folder):
        application.installTranslator(words)
