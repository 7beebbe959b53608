"""Settings of a TinyTimeMixer are read from YAML, typed, and refused by name."""

import dataclasses
from importlib.resources import files

import pytest
import yaml

from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.models.families import read_architecture
from timer_forecaster.models.ttm.presets import preset
from timer_forecaster.pretraining import PretrainingConfig, TTMPretrainingConfig, read_config
from timer_forecaster.pretraining.trainer import _plain
from timer_forecaster.pretraining.ttm_config import READ_BY

RECIPE = files("timer_forecaster.pretraining") / "recipes" / "ttm-mini.yaml"


def test_the_recipe_is_that_of_the_tiny_preset_and_forecasts_as_the_embedded_checkpoint():
    config = read_config(RECIPE)
    assert isinstance(config, TTMPretrainingConfig)
    embedded = read_architecture(find_checkpoint("ttm-mini", weights=False) / "config.json")
    assert config.architecture == preset("tiny", extras=config.architecture.extras)
    for name in READ_BY:
        assert getattr(config.architecture, name) == getattr(embedded, name)
    constant, decay = config.stages
    assert constant.final_learning_rate is None  # so that the decay may start at any time
    assert decay.final_learning_rate < decay.learning_rate == constant.learning_rate


def test_settings_come_back_from_plain_values(ttm_settings, tmp_path):
    config = TTMPretrainingConfig.from_mapping(ttm_settings)
    file = tmp_path / "run.yaml"
    file.write_text(yaml.safe_dump(_plain(config)))
    assert read_config(file) == config


def test_sizes_may_be_changed_or_given_without_a_preset(ttm_settings):
    ttm_settings["architecture"] = {"size": "small", "prediction_length": 24, "num_layers": 1}
    changed = TTMPretrainingConfig.from_mapping(ttm_settings).architecture
    assert (changed.d_model, changed.prediction_length, changed.num_layers) == (384, 24, 1)
    ttm_settings["architecture"] = dataclasses.asdict(preset("tiny"))
    assert TTMPretrainingConfig.from_mapping(ttm_settings).architecture == preset("tiny")


def test_a_stage_inherits_what_its_data_do_not_name(ttm_settings):
    ttm_settings["data"] = {"corpus": "corpus", "real_share": 0.4}
    ttm_settings["stages"][1]["data"] = {"real_share": 0.8}
    data = TTMPretrainingConfig.from_mapping(ttm_settings).stages[1].data
    assert (data.corpus, data.real_share) == ("corpus", 0.8)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["stepz"], 1, r"unknown keys \['stepz'\]; known are \['architecture', "),
        (["objective"], "stp", r"unknown keys \['objective'\]"),
        (["masks"], {}, r"unknown keys \['masks'\]"),
        (["model"], "timer-s1", "model='timer-s1' is unknown; use one of \\('ttm',\\)"),
        (["architecture", "size"], "huge", "architecture: size='huge' is unknown; use one of"),
        (["architecture", "width"], 1, r"unknown keys \['width'\] in architecture; known are"),
        (["architecture", "extras"], {"n": 1}, r"unknown keys \['n'\] in architecture"),
        (["architecture", "d_model"], 30, "architecture: d_model=30 must be divisible by 4"),
        (["architecture", "multi_quantile_head"], False, "multi_quantile_head=False cannot be"),
        (["architecture", "resolution_prefix_tuning"], True, "resolution_prefix_tuning cannot be"),
        (["architecture", "decoder_mode"], "mix_channel", "decoder_mode .*cannot be pre-trained"),
        (["architecture"], 7, "architecture is 7; expected keys and values"),
        (["contexts"], {"points": 2}, "contexts: .*points"),
        (["contexts"], {"shortest": 1}, "contexts: shortest=1 must be at least 2"),
        (["contexts"], {"shortest": 65}, "shortest=65 of contexts must be at most context_length"),
        (["contexts"], {"longest": 1}, r"unknown keys \['longest'\] in contexts"),
        (["stages", 0, "windows_per_step"], 0, "windows_per_step=0 of stage 'first'"),
        (["stages", 0, "windows_per_step"], "all", r"stages\[0\].windows_per_step is 'all'"),
        (["stages", 0, "tokens_per_step"], 8, r"unknown keys \['tokens_per_step'\] in stages\[0\]"),
        (["stages", 1, "name"], "first", r"named \['first', 'first'\]"),
        (["stages", 0, "warmup_steps"], 99, "warmup_steps=99 of stage 'first' must not be more"),
        (["passes"], 3, "pool_steps=4 must be a multiple of passes=3"),
        (["passes"], 0, "passes=0 must be at least 1"),
        (["gradient_accumulation"], 3, "multiple of gradient_accumulation=3"),
        (["initial_checkpoint"], {"grow": "x"}, "initial_checkpoint is .*expected str"),
    ],
)
def test_what_does_not_fit_is_named(ttm_settings, path, value, message):
    place = ttm_settings
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises((TypeError, ValueError), match=message):
        TTMPretrainingConfig.from_mapping(ttm_settings)


def test_the_file_names_the_family(ttm_settings, settings, tmp_path):
    file = tmp_path / "run.yaml"
    for values, kind in ((ttm_settings, TTMPretrainingConfig), (settings, PretrainingConfig)):
        file.write_text(yaml.safe_dump(values))
        assert type(read_config(file)) is kind
    file.write_text(yaml.safe_dump(ttm_settings | {"model": "patchtst"}))
    with pytest.raises(ValueError, match=r"run.yaml: model='patchtst' is unknown; use one of"):
        read_config(file)
