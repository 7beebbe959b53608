"""The configuration of transformers."""

import json

import pytest
from ttm import OWN, R3, TINY, tiny_ttm

from timer_forecaster.models.ttm import TinyTimeMixerConfig


def test_it_has_the_fields_and_defaults_of_the_architecture():
    config = TinyTimeMixerConfig(**TINY)
    assert config.architecture == tiny_ttm()
    assert config.model_type == "tinytimemixer" and config.num_patches == 6


def test_it_is_read_and_written_in_the_released_layout(tmp_path):
    for name in ("r2_ft", "r3_decomposed"):
        config = TinyTimeMixerConfig.from_pretrained(OWN / name)
        config.save_pretrained(tmp_path)
        stored, written = (
            json.loads((folder / "config.json").read_text()) for folder in (OWN / name, tmp_path)
        )
        assert written.pop("transformers_version") and stored.pop("transformers_version")
        assert written == stored


def test_settings_that_are_rare_are_written_where_they_are_set(tmp_path):
    config = TinyTimeMixerConfig(**TINY, **R3)
    config.save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    assert written["gate_mode"] == "glu" and "gate_groups" not in written
    assert TinyTimeMixerConfig.from_pretrained(tmp_path).architecture == config.architecture


def test_the_number_of_patches_follows_the_other_fields():
    config = TinyTimeMixerConfig.from_pretrained(OWN / "r2_ft", context_length=180)
    assert config.num_patches == 19
    config.context_length = 90
    assert config.num_patches == 10
    with pytest.raises(ValueError, match="num_patches=9 does not fit context_length=48"):
        TinyTimeMixerConfig(**TINY, num_patches=9)


@pytest.mark.parametrize(
    ("changes", "error"), [({"patch_stride": 4}, "patch_stride=4"), ({"mode": "x"}, "mode='x'")]
)
def test_bad_fields_are_named(changes, error):
    with pytest.raises(ValueError, match=error):
        TinyTimeMixerConfig(**(TINY | changes))
    config = TinyTimeMixerConfig(**TINY)
    for name, value in changes.items():
        setattr(config, name, value)
    with pytest.raises(ValueError, match=error):
        _ = config.architecture


def test_entries_of_other_libraries_are_kept_and_remote_code_is_not():
    config = TinyTimeMixerConfig(**TINY, quantile_list=[0.1], auto_map={"AutoConfig": "a.B"})
    assert config.quantile_list == [0.1] and not hasattr(config, "auto_map")
    with pytest.raises(ValueError, match="mq_use_positional=True"):
        TinyTimeMixerConfig(**TINY, mq_use_positional=True)
