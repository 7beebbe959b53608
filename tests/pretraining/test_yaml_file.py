"""A key of a recipe stands once."""

import pytest

from timer_forecaster.pretraining.yaml_file import read_yaml


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("seed: 1\nsteps: 2\nseed: 3\n", "seed", 3),
        ("stages:\n  - name: a\n    steps: 1\n    steps: 2\n", "steps", 4),
        ("data: {flip: 0.1, flip: 0.2}\n", "flip", 1),
        ("data: {flip: 0.1}\ndata: {}\n", "data", 2),
    ],
)
def test_a_key_that_stands_twice_is_named(tmp_path, text, key, line):
    file = tmp_path / "run.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=f"run.yaml is not YAML: the key '{key}'.* line {line}"):
        read_yaml(file)


def test_the_same_key_in_two_places_is_read(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("a: &shared {steps: 1}\nb: {<<: *shared, name: x}\nc: [{steps: 1}, {steps: 2}]")
    expected = {"a": {"steps": 1}, "b": {"steps": 1, "name": "x"}}
    assert read_yaml(file) == {**expected, "c": [{"steps": 1}, {"steps": 2}]}


@pytest.mark.parametrize("content", [b"stages: [", b"\xff\xfe\x00", b"a: !!python/object:os {}"])
def test_what_is_no_yaml_is_refused(tmp_path, content):
    file = tmp_path / "run.yaml"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"run\.yaml is not YAML"):
        read_yaml(file)
