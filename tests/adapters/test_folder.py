"""The folder of an adapter is found by any name, and written as a whole."""

import pytest
from adapter_cases import make_adapter

from timer_forecaster.adapters import folder as folder_format
from timer_forecaster.adapters.adapter import Adapter, as_adapter


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("no-such-adapter", ValueError, "'no-such-adapter' is neither a folder nor a hub id"),
        ("./no/adapter", ValueError, "'./no/adapter' is neither"),
        ("../adapter", ValueError, "'../adapter' is neither"),
        (".", ValueError, "'.' holds no adapter: adapter.safetensors and adapter.json are missing"),
        (7, TypeError, "adapter=7 must be an Adapter, or the name of a folder"),
        ({}, TypeError, r"adapter=\{\} must be an Adapter"),
    ],
)
def test_names_of_no_adapter(name, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for read in (Adapter.load, as_adapter):
        with pytest.raises(error, match=message):
            read(name)


def test_a_folder_has_no_revision(adapter, tmp_path):
    with pytest.raises(ValueError, match="revision='main' applies to hub ids"):
        Adapter.load(adapter.save(tmp_path), revision="main")


def test_a_writing_that_fails_leaves_what_was_there(adapter, pipe, tmp_path, monkeypatch):
    folder = adapter.save(tmp_path / "adapter")

    def fail(*arguments, **options):
        raise OSError("disk full")

    monkeypatch.setattr(folder_format, "save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        make_adapter(pipe, seed=1).save(folder)
    assert Adapter.load(folder) == adapter
    assert len(list(folder.iterdir())) == 2


def test_all_files_have_the_usual_permissions(adapter, tmp_path):
    (tmp_path / "usual").touch()
    folder = adapter.save(tmp_path / "adapter")
    modes = {file.stat().st_mode for file in folder.iterdir()}
    assert modes == {(tmp_path / "usual").stat().st_mode}


def test_names_of_a_folder_are_relative_to_home_and_to_where_one_is(adapter, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    adapter.save("~/mine")
    for name in ("~/mine", "mine", tmp_path / "mine"):
        assert as_adapter(name) == adapter
    assert as_adapter("mine") is as_adapter("~/mine")
