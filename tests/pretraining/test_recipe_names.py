from pathlib import Path

import pytest

pytest.importorskip("accelerate")
pytest.importorskip("yaml")

from timer_forecaster.pretraining import read_config
from timer_forecaster.pretraining.recipe_names import recipe_names, settings_file


def test_every_recipe_is_read_by_its_name():
    for name in recipe_names():
        assert read_config(name) == read_config(settings_file(name))


def test_a_recipe_goes_before_a_file_and_a_path_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("tiny").write_text("steps: 1")
    assert settings_file("tiny").name == "tiny.yaml"
    assert settings_file("./tiny") == Path("tiny")
    Path("mine").write_text("steps: 1")
    assert settings_file("mine") == Path("mine")


def test_a_name_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(
        ValueError, match=r"'huge' is neither .* timer-s1-mini, timer-s1-small, tiny"
    ):
        read_config("huge")
