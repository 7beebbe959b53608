"""Adapted networks give the numbers of networks whose weights were changed in place."""

import copy

import pytest
import torch

from timer_forecaster.models.ttm import TTMArchitecture, make_network
from timer_forecaster.models.ttm.adaptation import adapted, parameter_shapes
from timer_forecaster.models.ttm.targets import (
    QUANTILE_HEAD,
    TARGETS,
    replaced_by,
    widened_by_lora,
)

SIZES = {
    "plain": {},
    "quantiles": {"multi_quantile_head": True, "mq_use_decoder_pool": True, "gate_mode": "glu"},
    "levels": {
        "adaptive_patching_levels": 2,
        "decoder_mode": "mix_channel",
        "num_input_channels": 2,
    },
    "batch norm": {"norm_mlp": "BatchNorm", "resolution_prefix_tuning": True},
    "decomposed": {"decompose": True, "multi_quantile_head": True},
}


def made(name, dtype=torch.float32):
    torch.manual_seed(0)
    network = make_network(TTMArchitecture(num_layers=1, decoder_num_layers=1, **SIZES[name]))
    return network.to(dtype).eval().requires_grad_(False)


def forecast(network):
    generator = torch.Generator().manual_seed(1)
    past = torch.randn(3, 64, 2, generator=generator)
    inputs = {}
    if network.config.resolution_prefix_tuning:
        inputs["freq_token"] = torch.arange(3)
    return network(past, **inputs).prediction_outputs.detach()


def new_weights(network, target):
    """Return weights of a target, and the weights of a plain network that is the same."""
    generator = torch.Generator().manual_seed(2)
    own = dict(network.named_parameters())
    noise = {name: torch.randn(value.shape, generator=generator) / 5 for name, value in own.items()}
    if target != "lora":
        new = {name: own[name] + noise[name] for name in replaced_by(target, own)}
        return new, new
    new, plain = {}, {}
    for layer in widened_by_lora(own):
        n_out, n_in = own[f"{layer}.weight"].shape
        first = torch.randn(2, n_in, generator=generator) / 3
        second = torch.randn(n_out, 2, generator=generator) / 3
        new |= {f"{layer}.lora_A.weight": first, f"{layer}.lora_B.weight": second}
        plain[f"{layer}.weight"] = own[f"{layer}.weight"] + second @ first
    return new, plain


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("target", TARGETS)
def test_it_forecasts_as_a_network_with_its_weights(sizes, target):
    base = made(sizes)
    before, stored = forecast(base), copy.deepcopy(base.state_dict())
    new, plain = new_weights(base, target)
    found = forecast(adapted(base, new))
    expected = copy.deepcopy(base)
    expected.load_state_dict({**stored, **plain})
    torch.testing.assert_close(found, forecast(expected), rtol=1e-4, atol=1e-5)
    assert torch.equal(found, before) == (not new)
    assert torch.equal(forecast(base), before)
    assert all(torch.equal(value, stored[name]) for name, value in base.state_dict().items())


def test_other_weights_are_shared_and_parameters_stay_themselves():
    base = made("quantiles")
    new, _ = new_weights(base, "decoder+head")
    new = {name: torch.nn.Parameter(value) for name, value in new.items()}
    network = adapted(base, new)
    for name, value in network.named_parameters():
        assert value is (new[name] if name in new else base.get_parameter(name))
    output = network(torch.randn(2, 64, 1)).quantile_outputs.sum()
    output.backward()
    assert all(value.grad is not None for value in new.values())
    assert all(value.grad is None for value in base.parameters())


def test_low_rank_matrices_are_trained():
    base = made("quantiles")
    new, _ = new_weights(base, "lora")
    new = {name: torch.nn.Parameter(value) for name, value in new.items()}
    adapted(base, new)(torch.randn(2, 64, 1)).quantile_outputs.sum().backward()
    assert all(value.grad.abs().sum() > 0 for value in new.values())


@pytest.mark.parametrize("target", ["head", "lora"])
def test_new_weights_compute_in_the_type_of_the_base(target):
    base = made("quantiles", torch.bfloat16)
    new, _ = new_weights(made("quantiles"), target)
    network = adapted(base, new)
    assert network.dtype == torch.bfloat16
    assert not torch.equal(forecast(network), forecast(base))


def test_a_network_gets_a_part_that_it_did_not_have():
    base = made("plain")
    shapes = parameter_shapes(base.config, QUANTILE_HEAD)
    names = replaced_by("quantile-head", shapes)
    new = {name: torch.ones(shapes[name]) / 10 for name in names}
    network = adapted(base, new, QUANTILE_HEAD)
    assert network.config.forecasts_quantiles
    torch.testing.assert_close(forecast(network), forecast(base))
    with pytest.raises(ValueError, match=r"a weight is missing: 'multi_quantile_head_block\.pw2"):
        adapted(base, {name: new[name] for name in names if "pw2" not in name}, QUANTILE_HEAD)
    with pytest.raises(ValueError, match="which the network does not have"):
        adapted(base, new)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"head.wait": torch.ones(2)}, "'head.wait', which the network does not have"),
        ({"head.base_forecast_block.bias": torch.ones(2)}, r"have the shape \(2,\)"),
        ({"head.base_forecast_block.lora_A.weight": torch.ones(1, 2)}, "low-rank matrices of"),
    ],
)
def test_weights_that_do_not_fit_are_named(weights, message):
    with pytest.raises(ValueError, match=message):
        adapted(made("plain"), weights)
