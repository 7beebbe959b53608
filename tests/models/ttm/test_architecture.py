"""Fields, computed sizes, and entries of config.json."""

import dataclasses
import json
import subprocess
import sys

import pytest
from ttm import MIXING, OWN, R3, TINY, tiny_ttm

from timer_forecaster.models.ttm import TTMArchitecture


def test_no_torch_is_loaded_for_sizes():
    program = (
        "import sys; from timer_forecaster.models.ttm import TTMArchitecture; "
        "TTMArchitecture(); print({'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_fields_cannot_be_changed_and_equal_fields_are_equal():
    architecture = tiny_ttm()
    with pytest.raises(dataclasses.FrozenInstanceError):
        architecture.context_length = 96
    assert tiny_ttm() == architecture and hash(tiny_ttm()) == hash(architecture)
    assert tiny_ttm(d_model=24) != architecture


@pytest.mark.parametrize(
    ("changes", "tokens"),
    [
        ({}, 6),
        ({"context_length": 55}, 6),
        ({"resolution_prefix_tuning": True}, 7),
        ({"register_tokens": 3, "fft_length": 2}, 11),
        ({"fft_length": 4, "get_one_freq_emb": True}, 7),
        ({"multi_scale": True}, 6 + 3 + 1),
        ({"multi_scale": True, "register_tokens": 2, "resolution_prefix_tuning": True}, 13),
    ],
)
def test_tokens_are_counted(changes, tokens):
    assert tiny_ttm(**changes).num_patches == tokens


def test_indices_are_sorted_and_targets_are_the_other_channels():
    architecture = tiny_ttm(num_input_channels=4, prediction_channel_indices=[3, 1])
    assert architecture.target_channels == (1, 3) and architecture.n_targets == 2
    mixing = tiny_ttm(**MIXING)
    assert mixing.exogenous_channels == (1, 3) and mixing.target_channels == (0, 2)
    assert tiny_ttm(num_input_channels=4).target_channels is None


@pytest.mark.parametrize(
    ("changes", "fixed"),
    [
        ({}, False),
        ({"mode": "mix_channel"}, True),
        ({"decoder_mode": "mix_channel"}, True),
        ({"decoder_mode": "mix_channel", "use_decoder": False}, False),
        ({"num_input_channels": 2, "prediction_channel_indices": [0]}, True),
        (MIXING, True),
    ],
)
def test_networks_that_mix_or_pick_channels_have_a_fixed_number(changes, fixed):
    assert tiny_ttm(**changes).fixed_channels is fixed


@pytest.mark.parametrize("changes", [{}, R3, MIXING, {"decompose": True, "gate_groups": 4}])
def test_entries_are_read_and_written(changes):
    architecture = tiny_ttm(**changes)
    entries = json.loads(json.dumps(architecture.to_dict()))
    again = TTMArchitecture.from_dict(entries)
    assert again.to_dict() == architecture.to_dict()
    assert dataclasses.replace(again, extras={}) == architecture


def test_unknown_entries_are_kept():
    entries = {**TINY, "quantile_list": [0.1, 0.9], "transformers_version": "4.57.6"}
    written = TTMArchitecture.from_dict(entries).to_dict()
    assert written["quantile_list"] == [0.1, 0.9]
    assert written["transformers_version"] == "4.57.6"


def test_a_stored_number_of_patches_that_disagrees_is_refused():
    entries = tiny_ttm().to_dict()
    for changes in ({"context_length": 96}, {"num_patches": 7}, {"register_tokens": 1}):
        with pytest.raises(ValueError, match=r"num_patches=.* does not fit context_length="):
            TTMArchitecture.from_dict(entries | changes)
    # The advice of the error.
    del entries["num_patches"]
    assert TTMArchitecture.from_dict(entries | {"context_length": 96}).num_patches == 12


def test_another_model_is_refused():
    with pytest.raises(ValueError, match="model_type='Timer-S1' must be 'tinytimemixer'"):
        TTMArchitecture.from_dict({"model_type": "Timer-S1"})


def test_files_are_named_in_errors(tmp_path):
    path = tmp_path / "config.json"
    with pytest.raises(ValueError, match=r"config.json cannot be read"):
        TTMArchitecture.from_config_file(path)
    path.write_text('{"model_type": "Timer-S1"}')
    with pytest.raises(ValueError, match=r"config.json has model_type 'Timer-S1'"):
        TTMArchitecture.from_config_file(path)
    path.write_text(json.dumps(tiny_ttm().to_dict() | {"patch_stride": 4}))
    with pytest.raises(ValueError, match=r"config.json cannot be used: patch_stride=4"):
        TTMArchitecture.from_config_file(path)


def test_the_parts_of_a_decomposed_network_have_their_own_sizes():
    whole = TTMArchitecture.from_config_file(OWN / "r3_decomposed" / "config.json")
    trend, rest = whole.trend(), whole.residual()
    assert (trend.d_model, trend.patch_length, trend.context_length) == (12, 24, 96)
    assert (rest.d_model, rest.patch_length, rest.context_length) == (24, 12, 48)
    assert trend.scaler is None and rest.scaler is None and whole.scaler == "std"
    assert not trend.decompose and not rest.decompose


def test_pass_length_and_levels():
    assert tiny_ttm(prediction_filter_length=5).pass_length == 5
    assert tiny_ttm().pass_length == 12
    assert tiny_ttm().levels is None and len(tiny_ttm(**R3).levels) == 9


@pytest.mark.parametrize(
    ("scaling", "scaler"),
    [("std", "std"), (True, "std"), ("mean", "mean"), (None, None), (False, None), ("revin", None)],
)
def test_words_for_scaling(scaling, scaler):
    assert tiny_ttm(scaling=scaling).scaler == scaler
