"""Passes that enter new tokens alone get the numbers of passes over the whole of every path."""

import pytest
import torch

from timer_forecaster.models.timer_s1 import TimerS1Architecture, key_values
from timer_forecaster.models.timer_s1.attention_kernels import ATTENTION_KERNELS
from timer_forecaster.models.timer_s1.key_values import KeyValueCache
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
PATCHES = (3, 3, 3, 2)  # of four passes
N_TOKENS = 7
LAST_TOKENS = {"ragged": [6, 0, 3, 5], "equal": [6] * 4, "filler after all": [4] * 4}
TOLERANCES = {torch.float32: 1e-5, torch.float64: 1e-10, torch.bfloat16: 6e-2}


def make_network(objective="stp", dtype=torch.float32):
    torch.manual_seed(0)
    return build_network(SIZES, objective).to(dtype).eval().requires_grad_(False)


def make_patches(*shape):
    return torch.randn(*shape, 32, generator=torch.Generator().manual_seed(1))


def whole_paths(contexts, last_token, added):
    """Join each context, without its filler, with what one of its paths added."""
    n_paths = len(added) // len(contexts)
    rows = [context[: last + 1] for context, last in zip(contexts, last_token, strict=True)]
    return [torch.cat([rows[i // n_paths], path])[None] for i, path in enumerate(added)]


def assert_near(actual, expected):
    # In bfloat16 rounding sends a token to another expert here and there.
    order = 2 if expected.dtype == torch.bfloat16 else torch.inf
    norms = [torch.linalg.vector_norm(x.double(), order) for x in (actual - expected, expected)]
    assert norms[0] / norms[1] <= TOLERANCES[expected.dtype]


def check(network, last_token, n_paths, rows_at_once=4, patches=PATCHES):
    contexts = make_patches(4, N_TOKENS).to(network.dtype)
    n_new = patches[0]
    added = make_patches(4 * n_paths, n_new * (len(patches) - 1)).to(network.dtype)
    cache = KeyValueCache(last_token, N_TOKENS, n_paths, added.shape[1])
    for part, last in zip(
        contexts.split(rows_at_once), last_token.split(rows_at_once), strict=True
    ):
        forecast = network.forecast_pass(part, n_new, last, cache)
        assert_near(forecast, network.forecast_pass(part, n_new, last))
    for number, n_patches in enumerate(patches[1:], start=1):
        new = added[:, (number - 1) * n_new : number * n_new]
        forecast = network.forecast_pass(new, n_patches, cache=cache)
        paths = whole_paths(contexts, last_token, added[:, : number * n_new])
        expected = torch.cat([network.forecast_pass(path, n_patches) for path in paths])
        assert_near(forecast, expected)


@pytest.mark.parametrize("last_token", LAST_TOKENS.values(), ids=LAST_TOKENS.keys())
@pytest.mark.parametrize("n_paths", [1, 3])
@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
def test_cached_passes_are_passes_over_whole_paths(dtype, n_paths, last_token):
    check(make_network(dtype=dtype), torch.tensor(last_token), n_paths)


@pytest.mark.parametrize("kernel", sorted(ATTENTION_KERNELS))
def test_with_each_kernel(kernel):
    network = make_network()
    network.set_attention_kernel(kernel)
    check(network, torch.tensor(LAST_TOKENS["ragged"]), 3)


@pytest.mark.parametrize(("objective", "patches"), [("ntp", (1, 1, 1)), ("mtp", PATCHES)])
def test_networks_of_other_objectives_too(objective, patches):
    check(make_network(objective), torch.tensor(LAST_TOKENS["ragged"]), 3, patches=patches)


@pytest.mark.parametrize("rows_at_once", [1, 3])
def test_contexts_may_be_entered_some_rows_after_the_other(rows_at_once):
    check(make_network(), torch.tensor(LAST_TOKENS["ragged"]), 3, rows_at_once)


def test_attention_may_take_several_turns(monkeypatch):
    monkeypatch.setattr(key_values, "_MOST_SCORES", 1)
    check(make_network(), torch.tensor(LAST_TOKENS["ragged"]), 3)


def test_filler_cannot_reach_what_is_added():
    network, last_token = make_network(), torch.tensor(LAST_TOKENS["ragged"])
    contexts, new = make_patches(4, N_TOKENS), make_patches(4, 3)
    forecasts = []
    for filler in (0.0, 100.0):
        contexts[torch.arange(N_TOKENS) > last_token[:, None]] = filler
        cache = KeyValueCache(last_token, N_TOKENS, 1, 3)
        network.forecast_pass(contexts, 3, last_token, cache)
        forecasts.append(network.forecast_pass(new, 3, cache=cache))
    assert_near(*forecasts)
