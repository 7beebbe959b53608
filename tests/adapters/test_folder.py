"""The folder of an adapter is found by any name, and written as a whole."""

import os
import shutil

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


@pytest.mark.parametrize("stop", range(1, 4))
@pytest.mark.parametrize("others", [{"seed": 1}, {"target": "lora"}, {"scores": 7}])
def test_a_stop_at_any_renaming_leaves_the_earlier_adapter_or_the_new_one(
    pipe, tmp_path, monkeypatch, stop, others
):
    """A signal that kills the process stops it in the same places; `benchmarks.kills` sends it."""
    old, new = make_adapter(pipe), make_adapter(pipe, **others)
    folder, calls, replace = old.save(tmp_path / "a"), [], os.replace

    def stopped(source, target, **options):
        calls.append(target)
        if len(calls) == stop:
            shutil.copytree(folder, tmp_path / "then")  # as a killed process would leave it
            raise KeyboardInterrupt
        return replace(source, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            new.save(folder)
    for left in (folder, tmp_path / "then"):
        found = Adapter.load(left)
        assert found in (old, new)
        assert found.record in (old.record, new.record)
        assert as_adapter(left) == found
    new.save(folder)
    assert Adapter.load(folder) == new
    assert sorted(path.name for path in folder.iterdir()) == ["adapter.json", "adapter.safetensors"]


def test_weights_and_a_description_of_others_are_no_adapter(adapter, pipe, tmp_path):
    old, new = adapter.save(tmp_path / "a"), make_adapter(pipe, seed=1).save(tmp_path / "b")
    shutil.copy(new / "adapter.json", old / "adapter.json")
    with pytest.raises(ValueError, match="is not the file that adapter"):
        Adapter.load(old)


def test_half_a_description_that_was_left_behind_is_passed_over(adapter, tmp_path):
    folder = adapter.save(tmp_path / "a")
    (folder / ".unfinished-host-1.0-adapter.json").write_text("{")
    assert Adapter.load(folder) == adapter


@pytest.mark.parametrize("stop", [1, 2])
def test_a_stop_leaves_no_description_of_other_weights_for_peft(pipe, tmp_path, monkeypatch, stop):
    old, new = make_adapter(pipe, "lora"), make_adapter(pipe, "lora", seed=1)
    folder, calls, replace = old.to_peft(tmp_path / "a"), [], os.replace

    def stopped(source, target, **options):
        calls.append(target)
        if len(calls) == stop:
            raise KeyboardInterrupt
        return replace(source, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            new.to_peft(folder)
    assert Adapter.from_peft(folder, pipe) in (old, new)


@pytest.mark.parametrize("place", ["file", "file/deeper", "deep/er"])
def test_places_that_cannot_be_written_are_named(adapter, tmp_path, place):
    (tmp_path / "file").touch()
    if place == "deep/er":
        assert Adapter.load(adapter.save(tmp_path / place)) == adapter
        return
    with pytest.raises(ValueError, match=r"cannot write .*file"):
        adapter.save(tmp_path / place)


def edited(folder, text):
    (folder / "adapter.json").write_text(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        ("null", "it is null"),
        ('{"format": 1}', "lacks 'base'"),
        (
            '{"format": 1, "base": {"name": 1, "revision": null, "signature": 2}, "target": "head",'
            ' "fingerprint": "x", "record": {}}',
            "no texts",
        ),
    ],
)
def test_descriptions_that_are_none_are_named(adapter, tmp_path, text, said):
    folder = adapter.save(tmp_path / "a")
    edited(folder, text)
    with pytest.raises(ValueError, match=said) as caught:
        Adapter.load(folder)
    assert str(folder) in str(caught.value)
