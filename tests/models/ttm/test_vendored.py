"""Our classes and the class that sktime vendors load each other's files, with equal output."""

import pytest
import torch
from ttm import MIXING, QUANTILES, R3, TINY, save, tiny_network, walks

from timer_forecaster.checkpoints.loading import load_plain_network
from timer_forecaster.models.ttm import (
    TinyTimeMixerForDecomposedPrediction,
    TinyTimeMixerForPrediction,
    TTMArchitecture,
)

OURS = {False: TinyTimeMixerForPrediction, True: TinyTimeMixerForDecomposedPrediction}
KINDS = {
    "plain": {},
    "prefix": {"resolution_prefix_tuning": True, "frequency_token_vocab_size": 8},
    "r3": R3,
    "decomposed": {"decompose": True, "residual_context_length": 24} | QUANTILES,
    "decomposed points": {"decompose": True, "loss": "huber"},
    "mixing": MIXING,
    "offset": MIXING | {"fcm_prepend_past_offset": 3, "fcm_use_mixer": False},
    "reconciled": {
        "num_input_channels": 4,
        "enable_forecast_channel_mixing": True,
        "fcm_context_length": 0,
    },
    "groups": {"gate_mode": "group_sigmoid", "gate_groups": 3},
    "one frequency": {"fft_length": 3, "get_one_freq_emb": True, "fft_ignore_dc": True},
    "positions": {
        "use_positional_encoding": True,
        "positional_encoding_type": "random",
        "enable_base_norm_always": True,
        "self_attn": True,
        "self_attn_heads": 2,
    },
    "filtered quantiles": QUANTILES | {"prediction_filter_length": 7, "mq_kernel_size": 5},
    "known columns": {
        "num_input_channels": 3,
        "exogenous_channel_indices": [1, 2],
        "decoder_mode": "mix_channel",
        "enable_forecast_channel_mixing": True,
        "fcm_gated_attn": False,
        "fcm_use_mixer": True,
        "extras": {"known_columns": [["price", 1.5, 0.5], [0, 0.0, 1.0]]},
    },
    "batch norm": {"norm_mlp": "BatchNorm", "scaling": "mean"},
}
LOSSES = {"penalize_large_width_ratio": 0.1, "point_extra_weight": 2}


@pytest.fixture(scope="module")
def vendored():
    """Return sktime's classes by whether they are decomposed."""
    module = pytest.importorskip(
        "sktime.libs.granite_ttm.modeling_tinytimemixer", exc_type=ImportError
    )
    names = {False: "TinyTimeMixerForPrediction", True: "TinyTimeMixerForDecomposedPrediction"}
    if not hasattr(module, names[True]):
        pytest.skip("this sktime has no decomposed class")
    return {kind: getattr(module, name) for kind, name in names.items()}


def inputs(architecture):
    channels = architecture.num_input_channels
    given = {"past_values": walks(2, 48, channels), "future_values": walks(2, 12, channels, seed=1)}
    if architecture.resolution_prefix_tuning:
        given["freq_token"] = torch.tensor([0, 7])
    return given


def assert_equal(ours, theirs, given):
    with torch.no_grad():
        own, found = ours(**given), theirs(**given)
    names = ("prediction_outputs", "quantile_outputs", "loss")
    for name in names:
        expected = getattr(found, name)
        if expected is None:
            assert getattr(own, name) is None, name
        else:
            torch.testing.assert_close(getattr(own, name), expected, atol=1e-5, rtol=1e-5)
    assert own.loss is not None


@pytest.mark.parametrize("name", KINDS)
def test_theirs_loads_what_we_save(name, vendored, tmp_path):
    network = tiny_network(**KINDS[name], **LOSSES)
    architecture = network.architecture
    save(network, tmp_path / "plain")
    behind = OURS[architecture.decompose].from_pretrained(tmp_path / "plain")
    behind.save_pretrained(tmp_path / "behind")
    for folder in ("plain", "behind"):
        theirs, info = vendored[architecture.decompose].from_pretrained(
            tmp_path / folder, output_loading_info=True
        )
        assert not any(info[f"{kind}_keys"] for kind in ("missing", "unexpected", "mismatched"))
        assert_equal(network, theirs.eval(), inputs(architecture))


@pytest.mark.parametrize("name", KINDS)
def test_we_load_what_theirs_saves(name, vendored, tmp_path):
    decomposed = KINDS[name].get("decompose", False)
    architecture = TTMArchitecture(**(TINY | KINDS[name] | LOSSES))
    torch.manual_seed(0)
    fields = {**TINY, **KINDS[name], **LOSSES}
    kind = vendored[decomposed]
    theirs = kind(kind.config_class(**fields)).eval()
    theirs.save_pretrained(tmp_path)
    assert_equal(load_plain_network(tmp_path), theirs, inputs(architecture))
    assert_equal(OURS[decomposed].from_pretrained(tmp_path), theirs, inputs(architecture))
