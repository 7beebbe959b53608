"""Settings are read from YAML, typed, and refused by name where they do not fit."""

import re
from importlib.resources import files

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from places import ROOT

from timer_forecaster.pretraining import PretrainingConfig, Stage, read_config

RECIPES = files("timer_forecaster.pretraining") / "recipes"


def stage(**changes):
    fields = {"name": "a", "steps": 100, "tokens_per_step": 64, "window_patches": (8,)}
    return Stage(**(fields | {"learning_rate": 1.0} | changes))


@pytest.mark.parametrize("name", ["timer-s1-mini.yaml", "timer-s1-small.yaml", "tiny.yaml"])
def test_recipes_are_valid(name):
    config = read_config(RECIPES / name)
    assert config.steps == sum(stage.steps for stage in config.stages)


def test_the_recipe_of_the_embedded_checkpoint_has_its_architecture():
    from timer_forecaster.checkpoints.registry import find_checkpoint
    from timer_forecaster.models.timer_s1 import TimerS1Architecture

    shipped = find_checkpoint("timer-s1-mini") / "config.json"
    config = read_config(RECIPES / "timer-s1-mini.yaml")
    assert config.architecture == TimerS1Architecture.from_config_file(shipped)


def test_the_example_of_the_manual_is_valid():
    manual = ROOT / "docs" / "pretraining.md"
    (text,) = re.findall(r"```yaml\n(.*?)```", manual.read_text(encoding="utf-8"), re.DOTALL)
    names = [stage.name for stage in PretrainingConfig.from_mapping(yaml.safe_load(text)).stages]
    assert names == ["pre-training", "continued-pre-training", "long-context-extension"]


def test_values_are_converted_to_the_types_of_the_fields(settings, tmp_path):
    settings["optimizer"] = {"weight_decay": 0}
    file = tmp_path / "run.yaml"
    # YAML 1.1 takes 2e-3 for a text.
    file.write_text(
        yaml.safe_dump(settings).replace("warmup_steps: 3", "final_learning_rate: 2e-3")
    )
    config = read_config(file)
    assert config.stages[0].final_learning_rate == 2e-3
    assert config.stages[0].window_patches == (8,)
    assert config.stages[1].window_patches == (8, 16)
    assert config.optimizer.weight_decay == 0.0


def test_a_stage_inherits_what_its_data_do_not_name(settings):
    settings["data"] = {"corpus": "corpus", "real_share": 0.4, "flip": 0.1}
    settings["stages"][1] |= {"data": {"real_share": 0.8}, "revisit_share": 0.25}
    first, second = PretrainingConfig.from_mapping(settings).stages
    assert first.data is None
    assert (second.data.corpus, second.data.real_share, second.data.flip) == ("corpus", 0.8, 0.1)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["stepz"], 1, r"unknown keys \['stepz'\]; known are \['architecture', "),
        (["architecture", "width"], 1, r"unknown keys \['width'\] in architecture; known are"),
        (["stages", 1, "data"], {"corpse": "x"}, r"\['corpse'\] in stages\[1\].data; known are"),
        (["stages", 0, "steps"], "many", r"stages\[0\].steps is 'many'; expected int"),
        (["stages", 0, "learning_rate"], "fast", r"stages\[0\].learning_rate is 'fast'; expected"),
        (["stages", 0, "learning_rate"], True, "is True; expected float"),
        (["bfloat16"], 1, "bfloat16 is 1; expected bool"),
        (["stages", 0], 7, r"stages\[0\] is 7; expected keys and values"),
        (["stages", 1, "name"], "first", r"named \['first', 'first'\]"),
        (["stages", 1, "name"], "a/b", "'a/b' of a stage must be the name of a folder"),
        (["stages", 0, "serial_weighting"], "flat", "serial_weighting='flat' is unknown; use one"),
        (["stages", 0, "full_depth_share"], 2, "full_depth_share=2.0 must lie between 0 and 1"),
        (["stages", 0, "revisit_share"], 0.5, "needs data of the stage's own"),
        (["stages", 0, "window_patches"], 3, "must be more than the 3 patches of one pass"),
        (["stages", 0, "window_patches"], [], "window_patches=\\(\\) of stage 'first'"),
        (["stages", 0, "tokens_per_step"], 7, "makes 0 windows of 8 patches"),
        (["stages", 0, "steps"], 0, "steps=0 of stage 'first'"),
        (["gradient_accumulation"], 3, "gradient_accumulation=3 does not divide"),
        (["log_every"], 3, "checkpoint_every=4 must be a multiple of log_every=3"),
        (["pool_steps"], 0, "pool_steps=0 must be at least 1"),
        (["objective"], "masked", "objective='masked' is unknown; use one of"),
        (["optimizer"], {"name": "sgd"}, "name='sgd' is unknown; use one of"),
        (["optimizer"], {"clip_norm": 0}, "clip_norm=0.0 must be positive"),
        (["data", "real_share"], 0.5, "real_share=0.5 needs a corpus"),
        (["data", "families"], {"clean": 1}, r"families has unknown names \['clean'\]; known are"),
        (["stages", 1, "data"], {"families": {"clean": 1}}, r"unknown names \['clean'\]"),
        (
            ["architecture", "max_context_length"],
            255,
            "window_patches=16 of stage 'second' are 256 steps, more than max_context_length=255",
        ),
        (["masks"], {"points": 2}, "must be shares"),
    ],
)
def test_what_does_not_fit_is_named(settings, path, value, message):
    place = settings
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(ValueError, match=message):
        PretrainingConfig.from_mapping(settings)


def test_missing_keys_and_broken_files_are_named(settings, tmp_path):
    del settings["stages"][0]["steps"]
    with pytest.raises(ValueError, match=r"keys \['steps'\] are missing in stages\[0\]"):
        PretrainingConfig.from_mapping(settings)
    file = tmp_path / "run.yaml"
    file.write_text("stages: [")
    with pytest.raises(ValueError, match=r"run\.yaml is not YAML"):
        read_config(file)
    file.write_text("")
    with pytest.raises(ValueError, match=r"run\.yaml: the file is None; expected keys and values"):
        read_config(file)


@given(
    steps=st.integers(1, 200),
    warmup=st.integers(0, 50),
    final=st.none() | st.floats(0.0, 1.0),
)
def test_the_rate_warms_up_and_goes_to_its_end_in_a_line(steps, warmup, final):
    piece = stage(steps=steps, warmup_steps=warmup, final_learning_rate=final)
    rates = np.array([piece.learning_rate_at(step) for step in range(steps)])
    assert (rates > 0).all() or final == 0
    assert rates.max() <= 1.0
    after = rates[warmup:]
    if final is None:
        assert (after == 1.0).all()
    elif len(after) > 1:
        np.testing.assert_allclose(np.diff(after), (final - 1.0) / steps, atol=1e-12)
    if 0 < warmup <= steps:
        assert rates[0] == pytest.approx(1 / warmup)


def test_steps_belong_to_stages_in_their_order(config):
    places = [config.locate(step) for step in range(config.steps)]
    assert [stage.name for stage, _ in places] == ["first"] * 14 + ["second"] * 10
    assert [step for _, step in places] == [*range(14), *range(10)]
    with pytest.raises(ValueError, match="after the last of 24"):
        config.locate(24)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.uint64])
def test_integers_of_numpy_are_python_integers(kind):
    found = stage(steps=kind(100), warmup_steps=kind(5), window_patches=(kind(8),))
    assert found == stage(steps=100, warmup_steps=5)
    assert [type(value) for value in (found.steps, found.window_patches[0])] == [int, int]
    assert found.learning_rate_at(50) == stage(steps=100, warmup_steps=5).learning_rate_at(50)
