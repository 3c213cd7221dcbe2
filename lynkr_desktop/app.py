"""The desktop program put together: settings, secrets, engine, tray, window, loops. Only this room knows which loop is whose."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Final

os.environ.setdefault("QT_API", "pyside6")  # qasync would otherwise take whatever binding it finds

import qasync
from PySide6.QtWidgets import QApplication

from lynkr_desktop import hosts, logs, startup
from lynkr_desktop.config import file as settings_file
from lynkr_desktop.config.secrets import EnvironmentSecrets, KeychainSecrets, KeychainState, ToldSecrets
from lynkr_desktop.config.settings import EngineLoop, Settings
from lynkr_desktop.engine.events import Trouble
from lynkr_desktop.engine.service import EngineService
from lynkr_desktop.errors import LynkrError
from lynkr_desktop.headless import calm_collector, loop_factory
from lynkr_desktop.ui import autostart, text, text_clients, text_tray
from lynkr_desktop.ui.answers import answer
from lynkr_desktop.ui.bridge import Bridge
from lynkr_desktop.ui.commands import commands_of
from lynkr_desktop.ui.garbage import GarbageCollector
from lynkr_desktop.ui.pages.activity import ActivityPage
from lynkr_desktop.ui.pages.clients import ClientsPage
from lynkr_desktop.ui.pages.overview import OverviewPage
from lynkr_desktop.ui.pages.providers import ProvidersPage
from lynkr_desktop.ui.pages.settings import SettingsPage
from lynkr_desktop.ui.pages.tiers import TiersPage
from lynkr_desktop.ui.pages.welcome import WelcomePage
from lynkr_desktop.ui.premises import Premises, Surroundings
from lynkr_desktop.ui.qt_words import speak
from lynkr_desktop.ui.single_instance import Claim, Question, SingleInstance, take_activation_token
from lynkr_desktop.ui.theme import Theme
from lynkr_desktop.ui.tray import Tray
from lynkr_desktop.ui.widgets.command_palette import CommandPalette, PaletteCommand
from lynkr_desktop.ui.window import MainWindow

_log: Final = logging.getLogger(__name__)
_SWITCH_SECONDS: Final = 0.0005  # how long the window's Python may hold the engine's thread up
_STOP_SECONDS: Final = 10.0  # beyond what answers in progress are given
OK: Final = 0
FAILED: Final = 1
BAD_CONFIG: Final = 2


def run(env_file: Path | None, *, is_background: bool = False) -> int:
    """Show tray and window until the user quits; in the background, the tray only. Returns the exit code."""
    logs.configure(None, "WARNING")
    try:
        start = startup.read(startup.current_environment(), env_file, is_desktop=True)
    except LynkrError as error:
        print(f"lynkr-desktop: {error}", file=sys.stderr)
        return BAD_CONFIG
    logs.configure(start.places.log_dir, os.environ.get("LOG_LEVEL", "INFO").upper())
    logs.catch_crashes()
    application = QApplication(sys.argv[:1])
    application.setApplicationName("lynkr-desktop")
    application.setApplicationDisplayName(text.APPLICATION)
    application.setDesktopFileName("lynkr-desktop")
    speak(application, start.settings.desktop.language)
    application.setQuitOnLastWindowClosed(False)
    instance = SingleInstance(start.places.runtime_dir / "lynkr-desktop.sock")
    match instance.claim(sys.argv[1:], take_activation_token()):
        case Claim.HANDED_OVER:
            return OK
        case Claim.NO_ANSWER:
            print(f"lynkr-desktop: {text_tray.OTHER_INSTANCE_SILENT}", file=sys.stderr)
            return FAILED
        case Claim.FIRST:
            pass
    sys.setswitchinterval(_SWITCH_SECONDS)
    collector = GarbageCollector(application)
    loop = qasync.QEventLoop(application)
    asyncio.set_event_loop(loop)
    with loop:
        try:
            return _live(loop, Desktop(application, start, instance, is_background=is_background))
        finally:
            collector.close()


def _live(loop: asyncio.AbstractEventLoop, desktop: "Desktop") -> int:
    """Run to the end, also where Qt ends the loop from outside: the session's end, or the system's own Quit."""
    main = loop.create_task(desktop.live(), name="desktop")
    try:
        loop.run_until_complete(main)
    except RuntimeError:
        if main.done():
            raise
        desktop.quit()
        loop.run_until_complete(asyncio.wait_for(main, desktop.stop_seconds))
    return main.result()


class Desktop:
    """Everything that lives while the program runs."""

    def __init__(
        self, application: QApplication, start: startup.Startup, instance: SingleInstance, *, is_background: bool
    ) -> None:
        self._start = start
        self._shows_window = start.settings.desktop.shows_window_at_start and not is_background
        self._instance = instance
        self._quit = asyncio.Event()
        self._loop = asyncio.get_event_loop()
        self._keychain = KeychainSecrets(self._keychain_changed)
        self._secrets = ToldSecrets(EnvironmentSecrets(start.given, self._keychain), logs.REDACTOR.learn)
        self._engine = EngineService(start.settings, {}, None, start.places.ledger_file)
        self._host = _host(self._engine, start.settings)
        self._bridge = Bridge(
            self._engine, self._host.run, start.settings, self._save, self._secrets, is_read_only=start.is_read_only
        )
        self._premises = Premises(
            _surroundings(start),
            self._secrets,
            self._engine,
            self._host.run,
            retry=self._retry_keychain,
            learn=logs.REDACTOR.learn,
        )
        self._theme = Theme(application, start.settings.desktop.theme)
        self._tray = Tray(self._bridge, self._token_text)
        self._window = self._make_window()
        self._tray.notes.is_watched = self._window.isActiveWindow
        self._activity = self._add_pages()
        self._connect(application)

    @property
    def stop_seconds(self) -> float:
        """How long a proper end may take."""
        return self._bridge.settings.limits.stop_seconds + _STOP_SECONDS

    async def live(self) -> int:
        """Start, wait for the end, stop. Returns the exit code."""
        self._take_signals()
        self._tray.start()
        if self._shows_window or not self._tray.is_visible:
            self._window.bring_up()
        try:
            await self._host.start()
        except LynkrError as error:
            self._bridge.signals.trouble.emit(Trouble("start", error.title, error.detail))
            _log.error("the engine did not start: %s", error)
        else:
            calm_collector()
            self._bridge.spawn(self._unlock(), "keys")
            for number, notice in enumerate(self._start.notices):
                _log.warning("%s", notice)
                await self._host.run(self._engine.report(Trouble(f"start-{number}", text_tray.START_NOTICE, notice)))
        await self._quit.wait()
        await self._stop()
        return OK

    async def _unlock(self) -> None:
        """Fetch token and keys; the keychain may ask the user first. Until then nobody is let in."""
        await self._premises.unlock()
        await self._bridge.load_keys()

    async def _retry_keychain(self) -> None:
        await self._keychain.retry()
        if self._keychain.state is KeychainState.READY:
            await self._bridge.load_keys()

    def _keychain_changed(self) -> None:
        """Called in the keychain's thread."""
        state, detail = self._keychain.state, self._keychain.detail
        self._loop.call_soon_threadsafe(lambda: self._bridge.spawn(self._tell_keychain(state, detail), "keychain"))

    async def _tell_keychain(self, state: KeychainState, detail: str) -> None:
        self._premises.keychain_changed.emit()
        if state is KeychainState.READY:
            await self._host.run(self._engine.report(Trouble("keychain", "", is_over=True)))
        elif state in (KeychainState.LOCKED, KeychainState.MISSING):
            await self._host.run(self._engine.report(Trouble("keychain", text_tray.KEYCHAIN_TROUBLE, detail)))

    async def _stop(self) -> None:
        self._window.remember_geometry()
        self._tray.stop()
        self._window.hide()
        self._bridge.close()
        await self._host.stop()
        self._instance.close()

    def quit(self) -> None:
        """End the program; may be called at any time."""
        self._quit.set()

    def _connect(self, application: QApplication) -> None:
        self._tray.window_wanted.connect(self._window.bring_up)
        self._tray.quit_wanted.connect(self.quit)
        self._tray.page_wanted.connect(self._open_page)
        self._tray.exchange_wanted.connect(self._show_exchange)
        self._window.closed.connect(self.quit)
        self._tray.visibility_changed.connect(self._tray_came_or_went)
        self._instance.called.connect(self._called)
        self._instance.asked.connect(lambda question: self._bridge.spawn(self._answer(question), "answer the command line"))
        application.commitDataRequest.connect(lambda _manager: self.quit())

    def _tray_came_or_went(self, is_visible: bool) -> None:
        """Without a tray a hidden window could never be found again."""
        if not is_visible and not self._window.isVisible():
            self._window.bring_up()

    def _called(self, _arguments: list[str], activation_token: str) -> None:
        """A later start wants the window. Wayland lets it come to the front only with that start's permission."""
        if activation_token:
            os.environ["XDG_ACTIVATION_TOKEN"] = activation_token
        self._window.bring_up()

    async def _answer(self, question: Question) -> None:
        question.answer(await answer(self._bridge, self._premises, question.command, question.arguments))

    def _open_page(self, key: str) -> None:
        self._window.bring_up()
        self._window.show_page(key)

    def _make_window(self) -> MainWindow:
        geometry = self._start.places.data_dir / "window.geometry"
        return MainWindow(
            self._theme,
            self._bridge,
            load_geometry=lambda: geometry.read_bytes() if geometry.is_file() else b"",
            save_geometry=lambda content: _write(geometry, content),
            hides_on_close=lambda: self._tray.is_visible,
        )

    def _add_pages(self) -> ActivityPage:
        overview = OverviewPage(self._theme, self._bridge)
        activity = ActivityPage(self._theme, self._bridge)
        tiers = TiersPage(self._theme, self._bridge)
        providers = ProvidersPage(self._theme, self._bridge)
        self._window.add_page("overview", text.OVERVIEW, "overview", overview)
        self._window.add_page("activity", text.ACTIVITY, "activity", activity, find=activity.focus_filter)
        self._window.add_page("tiers", text.TIERS, "tiers", tiers)
        self._window.add_page("providers", text.PROVIDERS, "providers", providers)
        clients = ClientsPage(self._theme, self._bridge, self._premises)
        clients.exchange_wanted.connect(self._show_exchange)
        self._window.add_page("clients", text.CLIENTS, "clients", clients)
        settings = SettingsPage(self._theme, self._bridge, self._premises)
        self._window.add_page("settings", text.SETTINGS, "settings", settings, keys="Ctrl+,")
        if self._premises.around.is_first_start:
            self._add_welcome()
        self._palette = CommandPalette(self._window, lambda: self._commands(providers))
        self._window.palette_wanted.connect(self._palette.open)
        for page in (overview, activity, tiers):
            page.page_wanted.connect(self._open_page)
        overview.exchange_wanted.connect(self._show_exchange)
        return activity

    def _commands(self, providers: ProvidersPage) -> list[PaletteCommand]:
        def test(account_id: str) -> None:
            self._window.show_page("providers")
            providers.cards[account_id].test.click()

        return commands_of(self._window, self._bridge, self._premises, test)

    def _add_welcome(self) -> None:
        welcome = WelcomePage(self._theme, self._bridge, self._premises)
        welcome.finished.connect(lambda: self._bridge.spawn(self._end_welcome(), "end the welcome"))
        welcome.card.exchange_wanted.connect(self._show_exchange)
        self._window.add_page("welcome", text_clients.WELCOME, "lynkr", welcome, is_listed=False)
        self._window.show_page("welcome")

    async def _end_welcome(self) -> None:
        """Show the overview; the settings' file tells the next start that it is not the first."""
        self._window.show_page("overview")
        await asyncio.to_thread(self._save, self._bridge.settings)

    def _show_exchange(self, exchange_id: str) -> None:
        self._open_page("activity")
        self._activity.open_exchange(exchange_id)

    def _take_signals(self) -> None:
        """SIGTERM and Ctrl-C end the program properly. A timer lets Python see them where the loop cannot."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            try:
                loop.add_signal_handler(number, self.quit)
            except (NotImplementedError, RuntimeError):
                signal.signal(number, lambda *_: self.quit())

    def _save(self, settings: Settings) -> None:
        settings_file.save(self._start.places.settings_file, startup.to_save(self._start, settings))

    async def _token_text(self) -> str:
        return self._premises.token.reveal()


def _surroundings(start: startup.Startup) -> Surroundings:
    notice = Path(getattr(sys, "_MEIPASS", sys.prefix)) / "NOTICE.txt"  # beside the packaged program
    return Surroundings(
        start.places,
        startup.known_names(),
        frozenset(start.given),
        autostart.of_this_system(os.environ),
        notice if notice.is_file() else None,
        start.is_first and all(account.id == startup.EMBEDDED for account in start.settings.accounts),
        start.saved.endpoint != start.settings.endpoint,
        os.environ,
    )


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        _log.info("the window's place is not kept: %s", error.strerror)


def _host(engine: EngineService, settings: Settings) -> hosts.Host:
    if settings.desktop.engine_loop is EngineLoop.QT:
        return hosts.SameLoop(engine)
    return hosts.OwnThread(engine, loop_factory())
