"""Tokens of a context."""

import math

import pytest
import torch
from ttm import tiny_ttm, walks

from timer_forecaster.models.ttm.tokens import (
    FrequencyTokens,
    MultiScalePatcher,
    Patching,
    PositionalEncoding,
    RegisterTokens,
    prefix_of_frequency,
    sines,
)


def test_patches_are_the_newest_steps():
    context = torch.arange(20.0).view(1, 10, 2)
    patches = Patching(4)(context)
    assert patches.tolist() == [
        [[[4, 6, 8, 10], [12, 14, 16, 18]], [[5, 7, 9, 11], [13, 15, 17, 19]]]
    ]


def test_coarse_scales_come_first_and_are_means():
    patcher = MultiScalePatcher(tiny_ttm(multi_scale=True))
    context = walks(2, 48, 3)
    tokens = patcher(Patching(8)(context))
    assert tokens.shape == (2, 3, 10, 16) and len(patcher.projectors) == 3
    rows = context.transpose(1, 2)
    halves = rows.unflatten(-1, (24, 2)).mean(-1)
    quarters = rows.unflatten(-1, (12, 4)).mean(-1)[..., 4:]  # the newest whole patch
    for first, scale, steps in ((0, 2, quarters), (1, 1, halves), (4, 0, rows)):
        expected = patcher.projectors[scale](steps.unflatten(-1, (-1, 8)))
        torch.testing.assert_close(tokens[:, :, first : first + expected.shape[2]], expected)


def test_registers_come_first():
    tokens = RegisterTokens(2, 16)
    found = tokens(torch.zeros(3, 4, 5, 16))
    assert found.shape == (3, 4, 7, 16)
    assert torch.equal(found[1, 2, :2], tokens.patch_tokens) and not found[:, :, 2:].any()


@pytest.mark.parametrize("ignored", [False, True])
def test_the_strongest_frequencies_are_found_in_order(ignored):
    part = FrequencyTokens(tiny_ttm(fft_length=3, fft_ignore_dc=ignored))
    steps = torch.arange(48.0)[None, :, None]
    series = 10.0 + 2 * torch.sin(2 * math.pi * 7 * steps / 48)
    series = series + 3 * torch.sin(2 * math.pi * 4 * steps / 48) + 0.5 * torch.cos(math.pi * steps)
    expected = [4, 7, 24] if ignored else [0, 4, 7]
    assert part.strongest(series).tolist() == [[expected]]
    assert part.strongest(series.bfloat16()).shape == (1, 1, 3)  # there is no FFT of this type


def test_frequencies_may_be_one_token_or_computed():
    hidden, context = torch.zeros(2, 3, 6, 16), walks(2, 48, 3)
    joined = FrequencyTokens(tiny_ttm(fft_length=3, get_one_freq_emb=True))
    assert joined.freq_embedding.embedding_dim == 5
    assert joined(hidden, context).shape == (2, 3, 7, 16)
    computed = FrequencyTokens(tiny_ttm(fft_length=3, use_fft_embedding=False))
    bins = computed.strongest(context)
    expected = computed.freq_index_mlp((bins / 25.0)[..., None])
    torch.testing.assert_close(computed(hidden, context)[:, :, :3], expected)


def test_the_prefix_has_the_width_of_tokens():
    prefix = prefix_of_frequency(tiny_ttm(frequency_token_vocab_size=3))
    assert prefix(torch.tensor([0, 2])).shape == (2, 16)
    assert prefix[1].out_features == 12  # halfway between patch and token


def test_sines_have_mean_zero_and_deviation_a_tenth():
    for width in (16, 7):
        table = sines(6, width)
        assert abs(table.mean()) < 1e-6 and table.std().item() == pytest.approx(0.1)


def test_only_random_positions_are_trained():
    assert not PositionalEncoding("sincos", 6, 16).position_enc.requires_grad
    assert PositionalEncoding("random", 6, 16).position_enc.requires_grad
