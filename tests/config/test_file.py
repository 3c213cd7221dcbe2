"""The settings file: what the user gets from a good, broken, newer, misspelt or unwritable one."""

import dataclasses
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from lynkr_desktop.config import migrations
from lynkr_desktop.config.file import convert, load, save
from lynkr_desktop.config.settings import VERSION, Account, AccountKey, Mode, ModeKind, Settings, Target, Tier, validate
from lynkr_desktop.errors import ConfigError

VERSION_1 = Path(__file__).with_name("version-1.json")


def changed(port: int = 9000) -> Settings:
    settings = Settings(accounts=(Account("lab", "openai-compatible", base_url="http://127.0.0.1:8000", title="Łab"),))
    return dataclasses.replace(settings, endpoint=dataclasses.replace(settings.endpoint, port=port))


def test_no_file_gives_defaults_without_a_word(tmp_path: Path) -> None:
    loaded = load(tmp_path / "settings.json")
    assert (loaded.settings, loaded.is_read_only, loaded.notice) == (Settings(), False, "")


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    save(path, changed())
    loaded = load(path)
    assert (loaded.settings, loaded.is_read_only, loaded.notice) == (changed(), False, "")


def test_version_1_loads_for_ever() -> None:
    loaded = load(VERSION_1)
    assert (loaded.is_read_only, loaded.notice) == (False, "")
    settings = loaded.settings
    assert settings.version == VERSION
    assert settings.endpoint.port == 8123
    assert settings.routing.mode == Mode(ModeKind.PIN, Tier.COMPLEX)
    assert settings.routing.tiers.simple == (Target("lab", "qwen2.5:7b"), Target("anthropic", "claude-haiku-4-5"))
    assert settings.limits.connect_seconds == 5.0
    assert [account.is_enabled for account in settings.accounts] == [True, False]
    assert [account.keys for account in settings.accounts] == [(AccountKey("https://api.anthropic.com"),), ()]


def test_version_2_loads_for_ever() -> None:
    loaded = load(VERSION_1.with_name("version-2.json"))
    assert (loaded.is_read_only, loaded.notice) == (False, "")
    (account,) = loaded.settings.accounts
    assert account.keys == (AccountKey("https://api.openai.com", "2", "team"), AccountKey("https://api.openai.com"))
    assert account.refs == ("openai:2", "openai")


@pytest.mark.parametrize("ids", [["", ""], ["2", "2"], ["1"], ["endpoint-token"], ["a:b"], [str(each) for each in range(2, 30)]])
def test_keys_that_cannot_be_told_apart_are_refused(ids: list[str]) -> None:
    account = Account("openai", "openai", keys=tuple(AccountKey("https://x.example", each) for each in ids))
    with pytest.raises(ConfigError) as caught:
        validate(Settings(accounts=(account,)))
    assert caught.value.field.startswith("accounts[0].keys")


def test_the_file_is_for_this_user_only(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text("{}")
    path.chmod(0o644)
    save(path, changed())
    assert path.stat().st_mode & 0o777 == 0o600


def test_saving_leaves_no_other_file(tmp_path: Path) -> None:
    save(tmp_path / "settings.json", changed())
    save(tmp_path / "settings.json", changed(9001))
    assert [entry.name for entry in tmp_path.iterdir()] == ["settings.json"]


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles" / "lynkr.json"
    real.parent.mkdir()
    link = tmp_path / "settings.json"
    link.symlink_to(real)
    save(link, changed())
    assert link.is_symlink()
    assert load(real).settings == changed()


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(b'\xef\xbb\xbf{"endpoint": {"port": 9000}}')
    loaded = load(path)
    assert (loaded.settings.endpoint.port, loaded.notice) == (9000, "")


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'{"endpoint": {"port": "many"}}', "endpoint.port"),
        (b'{"endpoint": {"port": 70000}}', "endpoint.port"),
        (b'{"accounts": [{"id": "a", "provider": "openai"}, {"id": 7, "provider": "openai"}]}', "accounts[1].id"),
        (b'{"routing": {"mode": {"kind": "sometimes"}}}', "routing.mode.kind"),
        (b'{"version": "one"}', "version"),
        (b'{\n  "endpoint": {"port": 1,}\n}', "line 2, column 2"),
        (b'{"endpoint": \xff}', "Byte 13"),
        (b'{"limits": {"idle_seconds": NaN}}', "NaN"),
        (b"[]", "JSON object"),
        (b"", "line 1, column 1"),
        (b"[" * 100_000, "not valid JSON"),
    ],
)
def test_a_broken_file_is_named_and_kept(tmp_path: Path, content: bytes, place: str) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    loaded = load(path)
    assert loaded.settings == Settings()
    assert not loaded.is_read_only
    assert place in loaded.notice
    assert str(path) in loaded.notice
    assert "settings.broken-1.json" in loaded.notice
    save(path, loaded.settings)
    assert (tmp_path / "settings.broken-1.json").read_bytes() == content
    assert (tmp_path / "settings.broken-1.json").stat().st_mode & 0o777 == 0o600


def test_the_same_broken_file_is_kept_once_and_another_one_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    for content in (b"{1", b"{1", b"{2"):
        path.write_bytes(content)
        load(path)
    kept = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir() if entry != path}
    assert kept == {"settings.broken-1.json": b"{1", "settings.broken-2.json": b"{2"}


def test_misspelt_settings_are_named_and_the_rest_is_used(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    content = (
        b'{"endpoint": {"port": 9000, "prot": 1}, "accounts": [{"id": "a", "provider": "openai", "modell": "x"}], "them": 1}'
    )
    path.write_bytes(content)
    loaded = load(path)
    assert loaded.settings.endpoint.port == 9000
    assert "endpoint.prot, accounts[0].modell, them" in loaded.notice
    assert (tmp_path / "settings.broken-1.json").read_bytes() == content


def test_a_newer_file_is_used_but_never_saved_over(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    content = json.dumps({"version": VERSION + 1, "endpoint": {"port": 9000}, "hologram": True})
    path.write_text(content)
    loaded = load(path)
    assert loaded.is_read_only
    assert loaded.settings.endpoint.port == 9000
    assert "newer" in loaded.notice
    with pytest.raises(ConfigError, match="newer"):
        save(path, Settings())
    assert path.read_text() == content


def test_a_newer_file_that_is_foreign_gives_defaults(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"version": VERSION + 1, "endpoint": "everywhere"}))
    loaded = load(path)
    assert (loaded.settings, loaded.is_read_only) == (Settings(), True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["settings.json"]


def test_a_file_that_cannot_be_read_is_not_saved_over(tmp_path: Path) -> None:
    (tmp_path / "settings.json").mkdir()
    loaded = load(tmp_path / "settings.json")
    assert loaded.is_read_only
    assert str(tmp_path / "settings.json") in loaded.notice


def test_settings_that_make_no_sense_are_not_saved(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        save(tmp_path / "settings.json", changed(port=0))
    assert caught.value.field == "endpoint.port"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as caught:
        save(tmp_path / "file" / "settings.json", changed())
    assert str(tmp_path / "file") in caught.value.detail


def _limit_file_size() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit for the size of files")
def test_a_full_disk_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    save(path, changed())
    before = path.read_bytes()
    program = (
        "import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from pathlib import Path\n"
        "from lynkr_desktop.config.file import save\n"
        "from lynkr_desktop.config.settings import Settings\n"
        "from lynkr_desktop.errors import ConfigError\n"
        "try: save(Path(sys.argv[1]), Settings())\n"
        "except ConfigError as error: print(error.title, error.detail)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-B", "-c", program, str(path)],
        preexec_fn=_limit_file_size,
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    assert "could not be saved" in ran.stdout
    assert str(path) in ran.stdout
    assert "Free some space" in ran.stdout
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["settings.json"]


def test_migrations_run_one_version_at_a_time() -> None:
    steps = {
        1: lambda raw: {**raw, "endpoint": {"port": raw["port"]}},
        2: lambda raw: {key: value for key, value in raw.items() if key != "port"},
    }
    old = {"version": 1, "port": 9000}
    assert migrations.migrate(old, steps, newest=3) == {"version": 3, "endpoint": {"port": 9000}}
    assert old == {"version": 1, "port": 9000}


def test_every_version_has_its_step() -> None:
    assert sorted(migrations.STEPS) == list(range(1, VERSION))


def test_numbers_as_text_are_refused_not_guessed() -> None:
    with pytest.raises(ConfigError, match="a whole number"):
        convert({"ledger": {"keep_days": "30"}})
