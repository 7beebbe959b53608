"""Rotary attention is relative, causal, and gated."""

import pytest
import torch

from timer_forecaster.models.timer_s1 import TimerS1Architecture
from timer_forecaster.models.timer_s1.attention import (
    GatedAttention,
    mask_filler,
    pick,
    rotary_tables,
    rotate,
)

SIZES = TimerS1Architecture(hidden_size=32, num_attention_heads=4)
CPU = torch.device("cpu")


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def attention():
    torch.manual_seed(0)
    return GatedAttention(SIZES).eval().requires_grad_(False)


def tables(n_tokens, head_dim=8, dtype=torch.float32):
    return rotary_tables(n_tokens, head_dim, 10000.0, CPU, dtype)


def test_a_rotation_is_a_multiplication_of_complex_numbers():
    x = normal(1, 2, 5, 8)
    frequencies = 10000.0 ** -(torch.arange(4) / 4)
    angles = torch.outer(torch.arange(5.0), frequencies)
    turned = torch.complex(x[..., :4], x[..., 4:]) * torch.polar(torch.ones(5, 4), angles)
    expected = torch.cat([turned.real, turned.imag], dim=-1)
    torch.testing.assert_close(rotate(x, *tables(5)), expected)


def test_scores_depend_on_the_distance_alone():
    query, key = normal(8), normal(8, seed=1)
    cos, sin = tables(20)
    queries, keys = (rotate(x.expand(1, 1, 20, 8), cos, sin)[0, 0] for x in (query, key))
    scores = queries @ keys.T
    for distance in (0, 3, 7):
        diagonal = scores.diagonal(-distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal), atol=1e-5, rtol=0)


def test_one_token_of_each_row_is_picked():
    x = normal(3, 4, 2)
    newest = torch.tensor([3, 0, 2])[:, None, None]
    assert torch.equal(pick(x, newest)[:, 0], x[torch.arange(3), [3, 0, 2]])
    assert pick(x, None) is x
    assert torch.equal(pick(x[:, :1], newest), x[:, :1])


def test_filler_is_masked_where_there_is_any():
    assert mask_filler(torch.tensor([4, 4])[:, None, None], 5) is None
    mask = mask_filler(torch.tensor([1, 2])[:, None, None], 3)
    assert mask.shape == (2, 1, 1, 3)
    assert mask[:, 0, 0].tolist() == [[True, True, False], [True, True, True]]


def test_the_newest_token_gets_the_same_output_alone(attention):
    x, newest = normal(2, 6, 32), torch.tensor([5, 2])[:, None, None]
    everything = attention(x, tables(6))
    found = attention(x, tables(6), newest)
    torch.testing.assert_close(found[:, 0], everything[[0, 1], [5, 2]])


def test_a_closed_gate_lets_nothing_through(attention):
    attention.gate_proj.weight.zero_()
    x = normal(1, 4, 32)
    half = attention(x, tables(4))
    attention.gate_proj.bias.fill_(-100.0)
    assert attention(x, tables(4)).abs().max() < 1e-20
    attention.gate_proj.bias.fill_(100.0)
    bias_was = half - attention(x, tables(4))
    assert bias_was.abs().max() > 1e-3


def test_the_size_of_queries_and_keys_makes_no_difference(attention):
    x = normal(1, 4, 32)
    expected = attention(x, tables(4))
    for layer in (attention.q_proj, attention.k_proj):
        layer.weight *= 100
        layer.bias *= 100
    torch.testing.assert_close(attention(x, tables(4)), expected, atol=1e-4, rtol=1e-3)
