"""Where files lie."""

import sys
from pathlib import Path

import pytest

from lynkr_desktop.config.paths import create_folders, paths
from lynkr_desktop.errors import ConfigError


def test_one_variable_moves_everything(tmp_path: Path) -> None:
    places = paths({"LYNKR_DATA_DIR": str(tmp_path / "x")})
    every = (places.data_dir, places.settings_file, places.ledger_file, places.log_dir, places.runtime_dir)
    assert all(place.is_relative_to(tmp_path / "x") for place in every)


def test_a_relative_folder_and_the_home_are_made_absolute() -> None:
    assert paths({"LYNKR_DATA_DIR": "x"}).data_dir == Path.cwd() / "x"
    assert paths({"LYNKR_DATA_DIR": "~/x"}).data_dir == Path.home() / "x"


def test_an_empty_variable_is_none() -> None:
    assert paths({"LYNKR_DATA_DIR": " "}) == paths({})


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has sessions without such a folder")
def test_a_session_without_a_folder_of_its_own_does_not_use_the_shared_one(tmp_path: Path) -> None:
    assert paths({"XDG_RUNTIME_DIR": str(tmp_path)}).runtime_dir.parent == tmp_path
    assert paths({}).runtime_dir.is_relative_to(paths({}).data_dir)


def test_folders_are_for_this_user_only(tmp_path: Path) -> None:
    places = paths({"LYNKR_DATA_DIR": str(tmp_path / "x")})
    create_folders(places)
    create_folders(places)
    for folder in (places.data_dir, places.log_dir, places.runtime_dir):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=str(tmp_path / "file")):
        create_folders(paths({"LYNKR_DATA_DIR": str(tmp_path / "file" / "x")}))
