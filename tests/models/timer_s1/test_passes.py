"""A forecast computes only what it needs of the last block, and gets the full pass's numbers."""

import pytest
import torch

from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1.attention_kernels import ATTENTION_KERNELS
from timer_forecaster.models.timer_s1.experts import EXPERT_STRATEGIES
from timer_forecaster.pretraining import build_network

SIZES = TimerS1Architecture(
    hidden_size=32,
    intermediate_size=64,
    num_hidden_layers=2,
    num_mtp_tokens=3,
    num_attention_heads=4,
    num_experts=4,
    initializer_range=0.2,
)
N_TOKENS = 7
LAST_TOKENS = {"ragged": [6, 0, 3, 5], "equal": [6] * 4, "filler after all": [4] * 4, "none": None}


# Of the largest value; the norms round to float32 in a float64 network too.
TOLERANCES = {torch.float32: 1e-6, torch.float64: 1e-6, torch.bfloat16: 2e-2}


def make_network(objective="stp", dtype=torch.float32):
    torch.manual_seed(0)
    return build_network(SIZES, objective).to(dtype).eval().requires_grad_(False)


def make_patches(n_tokens=N_TOKENS):
    return torch.randn(4, n_tokens, 32, generator=torch.Generator().manual_seed(1))


def full_forecast(network, patches, n_patches, last_token):
    rows = torch.arange(len(patches))
    stages = network.stages(patches, n_patches - 1)
    newest = [stage.hidden_states[rows, last_token] for stage in stages]
    return torch.cat([network.predict_patch(hidden_states) for hidden_states in newest], dim=-1)


def assert_same(actual, expected):
    error = (actual - expected).abs().max() / expected.abs().max()
    assert error <= TOLERANCES[expected.dtype]


@pytest.mark.parametrize("last_token", LAST_TOKENS.values(), ids=LAST_TOKENS.keys())
@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("kernel", sorted(ATTENTION_KERNELS))
@pytest.mark.parametrize("strategy", sorted(EXPERT_STRATEGIES))
def test_forecast_pass_is_the_full_pass_at_the_newest_tokens(strategy, kernel, dtype, last_token):
    network = make_network(dtype=dtype)
    network.set_expert_strategy(strategy)
    network.set_attention_kernel(kernel)
    patches = make_patches().to(dtype)
    given = None if last_token is None else torch.tensor(last_token)
    newest = torch.full((4,), N_TOKENS - 1) if given is None else given
    for n_patches in range(1, SIZES.num_mtp_tokens + 2):
        forecast = network.forecast_pass(patches, n_patches, given)
        assert forecast.shape == (4, 9, 16 * n_patches)
        assert_same(forecast, full_forecast(network, patches, n_patches, newest))


@pytest.mark.parametrize("objective", ["ntp", "mtp"])
def test_networks_of_other_objectives_too(objective):
    network, patches = make_network(objective), make_patches()
    last_token = torch.tensor([6, 0, 3, 5], dtype=torch.int32)
    n_patches = network.pass_length // 16
    forecast = network.forecast_pass(patches, n_patches, last_token)
    assert_same(forecast, full_forecast(network, patches, n_patches, last_token))


def test_rows_of_one_token():
    network, patches = make_network(), make_patches(n_tokens=1)
    forecast = network.forecast_pass(patches, 2)
    assert_same(forecast, full_forecast(network, patches, 2, torch.zeros(4, dtype=torch.long)))


@pytest.mark.parametrize("kernel", sorted(ATTENTION_KERNELS))
def test_filler_cannot_reach_a_forecast(kernel):
    network, patches = make_network(), make_patches()
    network.set_attention_kernel(kernel)
    last_token = torch.tensor([6, 0, 3, 5])
    before = network.forecast_pass(patches, 4, last_token)
    filler = torch.arange(N_TOKENS) > last_token[:, None]
    patches[filler] = 100.0
    assert_same(network.forecast_pass(patches, 4, last_token), before)
    patches[2, 3] = 100.0  # the newest token itself can
    changed = (network.forecast_pass(patches, 4, last_token) - before).abs().amax((1, 2)) > 1e-3
    assert changed.tolist() == [False, False, True, False]


@pytest.mark.parametrize("n_patches", [1, 2, 4])
def test_the_last_block_routes_the_newest_tokens_alone(n_patches):
    network = make_network()
    routed = []
    for block in network.modules():
        if hasattr(block, "ffn_layer"):
            block.ffn_layer.gate.register_forward_hook(
                lambda _gate, inputs, _output: routed.append(len(inputs[0]))
            )
    network.forecast_pass(make_patches(), n_patches)
    assert routed == [4 * N_TOKENS] * n_patches + [4]


def test_rows_do_not_depend_on_the_rows_beside_them():
    network, patches = make_network(), make_patches()
    together = network.forecast_pass(patches, 4, torch.tensor([6, 0, 3, 5]))
    for row, last in enumerate([6, 0, 3, 5]):
        alone = network.forecast_pass(patches[row : row + 1, : last + 1], 4)
        assert_same(together[row : row + 1], alone)


def test_in_bfloat16_a_row_hardly_depends_on_the_length_of_others():
    network = make_network(dtype=torch.bfloat16)
    patches = make_patches(700).bfloat16()
    with torch.no_grad():
        alone = network.forecast_pass(patches[:1, :90], 4)
        beside = network.forecast_pass(patches[:2], 4, torch.tensor([89, 699]))
    assert_same(beside[:1], alone)


def test_any_number_of_rows_is_forecast_in_parts(monkeypatch):
    network, patches = make_network(), make_patches()
    last_token = torch.tensor([6, 0, 3, 5])
    expected = network.forecast_pass(patches, 3, last_token)
    sizes = []
    network.model.embed_layer.register_forward_hook(
        lambda _module, inputs, _output: sizes.append(len(inputs[0]))
    )
    monkeypatch.setattr(type(network), "token_budget", 2 * N_TOKENS)
    assert_same(network.forecast_contexts(patches, 3, last_token), expected)
    assert sizes == [2, 2]


def test_fewer_rows_go_together_the_further_they_go():
    network = make_network()
    length = network.pass_length
    one_pass = network.rows_at_once(100, length, 9)
    assert one_pass == network.rows_at_once(100, 1, 1) == network.token_budget // 100
    further = [network.rows_at_once(100, n * length, 9) for n in (2, 10, 1000)]
    assert further == sorted(further, reverse=True)
    assert further[-1] == 1
