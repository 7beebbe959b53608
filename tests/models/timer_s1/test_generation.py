"""The released forecast is a loop over growing contexts that computes no token twice."""

import pytest
import torch

from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1.generation import middle_quantile
from timer_forecaster.models.timer_s1.patches import patchify
from timer_forecaster.pretraining import build_network

SIZES = TimerS1Architecture(
    hidden_size=32,
    intermediate_size=64,
    num_hidden_layers=2,
    num_mtp_tokens=2,
    num_attention_heads=4,
    num_experts=4,
    initializer_range=0.2,
)
TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-10, torch.bfloat16: 6e-2}


def make_network(objective="stp", dtype=torch.float32):
    torch.manual_seed(0)
    return build_network(SIZES, objective).to(dtype).eval().requires_grad_(False)


def assert_near(actual, expected):
    # In bfloat16 rounding sends a token to another expert here and there.
    order = 2 if expected.dtype == torch.bfloat16 else torch.inf
    norms = [torch.linalg.vector_norm(x.double(), order) for x in (actual - expected, expected)]
    assert norms[0] / norms[1] <= TOLERANCES[expected.dtype]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("horizon", [48, 49, 170])
def test_generate_is_a_loop_over_growing_contexts(dtype, horizon):
    network = make_network(dtype=dtype)
    series = torch.randn(5, 75, generator=torch.Generator().manual_seed(2)).to(dtype)
    context, pieces = series, []
    while sum(piece.shape[-1] for piece in pieces) < horizon:
        pieces.append(network.forecast_pass(patchify(context, None, 16), 3))
        context = torch.cat([context, pieces[-1].quantile(0.5, dim=1)], dim=-1)
    expected = torch.cat(pieces, dim=-1)[..., :horizon]
    assert_near(network.generate(series, horizon, revin=False), expected)


def test_generate_computes_no_token_twice(monkeypatch):
    network = make_network()
    tokens = []
    for block in network.modules():
        if hasattr(block, "k_proj"):
            block.k_proj.register_forward_hook(
                lambda _module, _inputs, output: tokens.append(output.shape[:2].numel())
            )
    network.generate(torch.zeros(5, 80).normal_(), 130)
    assert tokens == [5 * 5] * 4 + [5 * 3] * 4 + [5 * 3] * 4
    tokens.clear()
    # A budget below that of one row: each row enters, and is rolled out, alone.
    monkeypatch.setattr(type(network), "token_budget", 1)
    network.generate(torch.zeros(2, 80).normal_(), 130)
    assert tokens == ([5] * 4 + [3] * 8) * 2


def test_the_middle_of_crossing_quantiles_is_the_median_of_their_values():
    quantiles = torch.tensor([[[3.0, 1.0], [1.0, 2.0], [2.0, 9.0]]])
    assert middle_quantile(quantiles).tolist() == [[2.0, 2.0]]
    assert middle_quantile(quantiles[:, :2]).tolist() == [[2.0, 1.5]]


def test_normalizing_makes_scale_and_level_irrelevant():
    network = make_network()
    series = torch.randn(3, 75, generator=torch.Generator().manual_seed(2)).double().cumsum(-1)
    expected = network.generate(series, 40)
    found = (network.generate(series * 1000 + 70, 40) - 70) / 1000
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)
    plain = network.generate(series, 40, revin=False)
    assert (plain - expected).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("dtype", "exponents"), [(torch.float32, (60, 100)), (torch.float64, (60, 500, 1000))]
)
def test_large_values_do_not_overflow_the_statistics(dtype, exponents):
    network = make_network()
    series = torch.randn(3, 75, generator=torch.Generator().manual_seed(2)).to(dtype).cumsum(-1)
    near = network.generate(series * 2.0**30, 40) / 2.0**30  # where 1e-5 no longer counts
    for exponent in exponents:
        found = network.generate(series * 2.0**exponent, 40)
        torch.testing.assert_close(found / 2.0**exponent, near, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("factor", [1e-30, 1e-170, 1e-310])
def test_small_values_have_finite_forecasts(factor):
    series = torch.randn(3, 75, generator=torch.Generator().manual_seed(2)).double() * factor
    assert make_network().generate(series, 40).abs().max() < 1e-3


def test_forecasts_too_large_for_the_type_of_the_inputs_are_refused():
    series = torch.randn(3, 75, generator=torch.Generator().manual_seed(2))
    series = series / series.abs().max() * 3.4e38
    with pytest.raises(ValueError, match="too large for float32"):
        make_network().generate(series, 40)
    assert torch.isfinite(make_network().generate(series.double(), 40)).all()
