"""Targets of TinyTimeMixer choose weights by name."""

import pytest

from timer_forecaster.models.ttm import TTMArchitecture
from timer_forecaster.models.ttm.adaptation import parameter_shapes
from timer_forecaster.models.ttm.targets import (
    QUANTILE_HEAD,
    TARGETS,
    replaced_by,
    widened_by_lora,
)

R2 = TTMArchitecture(
    context_length=512,
    patch_length=64,
    patch_stride=64,
    prediction_length=96,
    d_model=192,
    num_layers=2,
    adaptive_patching_levels=3,
    decoder_num_layers=2,
    decoder_d_model=128,
)


def count(target, shapes):
    return sum(shapes[name].numel() for name in replaced_by(target, shapes))


def test_targets_have_the_sizes_of_granites_recipe():
    shapes = parameter_shapes(R2)
    assert count("full", shapes) == 805_280
    assert count("decoder+head", shapes) == 289_696
    assert count("head", shapes) == 96 * 8 * 128 + 96
    assert count("quantile-head", shapes) == 0
    assert replaced_by("lora", shapes) == []


def test_a_quantile_head_is_small():
    shapes = parameter_shapes(R2, QUANTILE_HEAD)
    assert count("quantile-head", shapes) == 1_727
    assert count("head", shapes) == 96 * 8 * 128 + 96 + 1_727


def test_decomposed_networks_have_the_targets_in_both_parts():
    sizes = TTMArchitecture(decompose=True, multi_quantile_head=True)
    shapes = parameter_shapes(sizes)
    for target in TARGETS:
        names = replaced_by(target, shapes) or widened_by_lora(shapes)
        parts = {name.partition("_forecaster.")[0] for name in names}
        assert parts == {"trend", "residual"}


@pytest.mark.parametrize("sizes", [{}, {"multi_scale": True}, {"norm_mlp": "BatchNorm"}])
def test_norms_are_all_norms(sizes):
    shapes = parameter_shapes(TTMArchitecture(multi_quantile_head=True, self_attn=True, **sizes))
    names = replaced_by("norms", shapes)
    assert names == [name for name in shapes if "norm" in name]


def test_low_rank_matrices_go_beside_layers_along_the_features():
    shapes = parameter_shapes(R2)
    layers = widened_by_lora(shapes)
    assert len(layers) == (3 * 2 + 2) * 3
    assert all("feature_mixer" in layer and len(shapes[f"{layer}.weight"]) == 2 for layer in layers)
