"""Settings are read from YAML, typed, and refused by name where they do not fit."""

import math
import re
from importlib.resources import files

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from places import ROOT

from timer_forecaster.pretraining import PretrainingConfig, Stage, read_config
from timer_forecaster.pretraining.config import config_of

RECIPES = files("timer_forecaster.pretraining") / "recipes"


def stage(**changes):
    fields = {"name": "a", "steps": 100, "tokens_per_step": 64, "window_patches": (8,)}
    return Stage(**(fields | {"learning_rate": 1.0} | changes))


@pytest.mark.parametrize(
    "name", ["timer-s1-mini.yaml", "timer-s1-small.yaml", "tiny.yaml", "ttm-mini.yaml"]
)
def test_recipes_are_valid(name):
    config = read_config(RECIPES / name)
    assert config.steps == sum(stage.steps for stage in config.stages)


@pytest.mark.parametrize("name", ["timer-s1-small", "timer-s1-mini"])
def test_the_recipe_of_an_embedded_checkpoint_has_its_architecture(name):
    from timer_forecaster.checkpoints.registry import find_checkpoint
    from timer_forecaster.models.timer_s1 import TimerS1Architecture

    shipped = find_checkpoint(name) / "config.json"
    config = read_config(RECIPES / f"{name}.yaml")
    assert config.architecture == TimerS1Architecture.from_config_file(shipped)


def test_the_examples_of_the_manual_are_valid():
    manual = ROOT / "docs" / "pretraining.md"
    texts = re.findall(r"```yaml\n(.*?)```", manual.read_text(encoding="utf-8"), re.DOTALL)
    timer_s1, ttm = (config_of(yaml.safe_load(text)) for text in texts)
    names = [stage.name for stage in timer_s1.stages]
    assert names == ["pre-training", "continued-pre-training", "long-context-extension"]
    assert [stage.name for stage in ttm.stages] == ["constant", "decay"]


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


NOT_RATES = [math.nan, math.inf, -math.inf, -1e-3, 1e6, 1.5]
CANNOT_BE_MEANT = [
    *[("stages.1.learning_rate", v, "learning_rate=.* of stage 'second'") for v in NOT_RATES],
    ("stages.1.learning_rate", 0, "learning_rate=0.0 of stage 'second' must be positive"),
    *[("stages.1.final_learning_rate", v, "final_learning_rate=.*'second'") for v in NOT_RATES],
    ("stages.0.warmup_steps", 10**6, "warmup_steps=1000000 of stage 'first' must not be more"),
    ("stages.0.warmup_steps", 15, "warmup_steps=15 of stage 'first' must not be more"),
    ("stages.0.warmup_steps", -1, "warmup_steps=-1 of stage 'first'"),
    ("stages.0.warmup_steps", 2.5, r"stages\[0\].warmup_steps is 2.5; expected int"),
    ("stages.1.steps", -5, "steps=-5 of stage 'second'"),
    ("stages.1.steps", 1e6, r"stages\[1\].steps is 1000000.0; expected int"),
    ("stages.1.tokens_per_step", 0, "tokens_per_step=0 of stage 'second'"),
    ("stages.1.tokens_per_step", -64, "tokens_per_step=-64 of stage 'second'"),
    ("stages.1.window_patches", [8, -8], "window_patches=.* of stage 'second'"),
    ("stages.0.full_depth_share", math.nan, "full_depth_share=nan .* stage 'first'"),
    ("stages.0.inherited_learning_rate", -0.1, "inherited_learning_rate=-0.1 .* stage 'first'"),
    *[("optimizer.weight_decay", v, "weight_decay=") for v in (math.nan, math.inf, -1.0, 1e3)],
    *[("optimizer.clip_norm", v, "clip_norm=") for v in (math.nan, math.inf, -1.0, 0)],
    *[("ema_decay", v, "ema_decay=") for v in (math.nan, math.inf, 0.0, 1.0, -0.5, 2)],
    ("data.real_share", math.nan, "data: real_share=nan"),
    ("data.flip", math.inf, "data: flip=inf"),
    ("data.families", {"causal": math.nan}, "data: families needs finite weights"),
    ("data.families", {"causal": math.inf}, "data: families needs finite weights"),
    ("masks.points", math.nan, "masks: .*must be shares"),
    ("masks.leading", math.inf, "masks: .*must be shares"),
    ("gradient_accumulation", 0, "gradient_accumulation=0"),
    ("validation_rows", -1, "validation_rows=-1"),
    ("validation_patches", 0, "validation_patches=0"),
    ("validation_patches", 10**6, "validation_patches=1000000 are 16000000 steps, more than"),
    ("checkpoint_every", 0, "checkpoint_every=0"),
    ("log_every", -2, "log_every=-2"),
    ("seed", -1, "seed=-1"),
    ("seed", 2**64, "seed=18446744073709551616"),
    ("architecture.max_context_length", 500, "max_context_length=500 .* such as 496"),
]


@pytest.mark.parametrize(("key", "value", "message"), CANNOT_BE_MEANT)
def test_numbers_that_cannot_be_meant_are_refused_as_the_recipe_is_read(
    settings, tmp_path, key, value, message
):
    place: object = settings
    *path, last = key.split(".")
    for part in path:
        place = place[int(part)] if part.isdigit() else place.setdefault(part, {})
    place[last] = value
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(settings))
    with pytest.raises(ValueError, match=f"run.yaml: .*{message}"):
        read_config(file)


@pytest.mark.parametrize("name", ["learning_rate", "steps", "full_depth_share", "warmup_steps"])
@pytest.mark.parametrize("value", ["0.1", True, None, [1]])
def test_other_types_than_numbers_are_refused_in_python_too(name, value):
    with pytest.raises((TypeError, ValueError), match=f"{name}="):
        stage(**{name: value})


def test_numbers_of_numpy_are_kept_as_python_numbers(settings):
    changes = {"steps": np.uint8(40), "warmup_steps": np.int64(5), "learning_rate": np.float32(0.5)}
    piece = stage(**changes)
    assert (piece.steps, piece.warmup_steps, piece.learning_rate) == (40, 5, 0.5)
    assert {type(piece.steps), type(piece.learning_rate)} == {int, float}


def test_the_largest_and_least_numbers_that_can_be_meant_are_accepted(settings):
    settings["stages"][0] |= {"warmup_steps": 14, "learning_rate": 1.0, "final_learning_rate": 0}
    settings["optimizer"] = {"weight_decay": 0.1, "clip_norm": 1e-3}
    settings |= {"seed": 2**63 - 1, "ema_decay": 0.9999}
    assert PretrainingConfig.from_mapping(settings).stages[0].warmup_steps == 14


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
    warmup = min(warmup, steps)  # more is refused
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
