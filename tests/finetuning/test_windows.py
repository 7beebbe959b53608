import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from timer_forecaster.finetuning.windows import (
    MOST_VALIDATED,
    WindowSampler,
    data_fingerprint,
    split_series,
    split_windows,
)
from timer_forecaster.models.timer_s1 import TimerS1Architecture

CPU = torch.device("cpu")
SIZES = TimerS1Architecture(
    hidden_size=16,
    intermediate_size=16,
    num_hidden_layers=1,
    num_mtp_tokens=1,
    num_attention_heads=2,
    num_experts=2,
    input_token_len=8,
    max_context_length=64,
    interior_masks=True,
)


@given(
    lengths=st.lists(st.integers(2, 400), min_size=1, max_size=8),
    share=st.floats(0.05, 0.9),
    horizon=st.integers(1, 50),
)
def test_what_validates_is_later_than_what_is_trained_on(lengths, share, horizon):
    # every step of every series is another number, so that values tell where they are from
    starts = np.cumsum([0, *lengths])
    series = [np.arange(a, b, dtype=float) for a, b in itertools.pairwise(starts)]
    split = split_series(series, share, 30, horizon)
    trained = np.concatenate(split.training)
    validated = split.targets[np.isfinite(split.targets)]
    assert not set(trained) & set(validated)
    assert len(split.contexts) <= MOST_VALIDATED
    for context, target in zip(split.contexts, split.targets, strict=True):
        assert len(context) <= 30
        assert target[0] == context[-1] + 1


def test_of_many_windows_an_even_choice_validates():
    series = [np.arange(200.0) for _ in range(300)]
    split = split_series(series, 0.2, 50, 10)
    assert len(split.contexts) == MOST_VALIDATED
    assert len(split.training) == 300


def test_missing_ends_and_constant_contexts_do_not_validate():
    ends_missing = np.r_[np.arange(40.0), np.full(10, np.nan)]
    constant = np.r_[np.full(40, 3.0), np.arange(10.0)]
    assert not split_series([ends_missing, constant], 0.2, 40, 10).contexts


def test_an_infinite_value_is_refused_by_name():
    with pytest.raises(ValueError, match=r"series\[1\] is infinite at step 2"):
        split_series([np.arange(9.0), np.array([0, 1, np.inf])], 0.2, 8, 1)


def test_a_series_of_which_nothing_is_observed_is_named():
    for nothing in (np.array([]), np.full(9, np.nan)):
        with pytest.raises(ValueError, match=r"series\[1\] holds no observed value"):
            split_series([np.arange(9.0), nothing], 0.2, 8, 1)


def test_infinite_rows_are_named_by_their_number():
    contexts, targets = [np.arange(8.0) for _ in range(10)], np.ones((10, 2))
    targets[3, 1] = np.inf
    with pytest.raises(ValueError, match=r"targets\[3\] is infinite at step 1"):
        split_windows(contexts, targets, 0.2, 8)
    contexts[9] = np.array([np.inf, 1.0])
    with pytest.raises(ValueError, match=r"contexts\[9\] is infinite"):
        split_windows(contexts, np.ones((10, 2)), 0.2, 8)


def test_contexts_that_show_nothing_do_not_validate():
    contexts = [np.arange(8.0), np.full(8, np.nan), np.array([]), np.full(8, 0.1)]
    assert len(split_windows(contexts, np.ones((4, 2)), 0.75, 8).contexts) == 0
    series = np.r_[np.arange(60.0), np.full(30, np.nan), np.arange(20.0)]
    assert len(split_series([series], 0.3, 10, 5).contexts) == 3  # of six


def test_rows_are_split_by_their_order_and_overlapping_ones_left_out():
    values = np.arange(60.0)
    rows = np.lib.stride_tricks.sliding_window_view(values, 12)
    contexts, targets = list(rows[:, :8]), rows[:, 8:]
    split = split_windows(contexts, targets, 0.2, 8)
    assert max(row[-1] for row in split.training) < split.targets.min()
    assert len(split.contexts) == round(0.2 * len(rows))


def sampler(series, *, interior=True, seed=0, n_patches=4):
    config = SIZES
    if not interior:
        config = TimerS1Architecture(**{**vars(SIZES), "interior_masks": False})
    return WindowSampler(series, config, 16, n_patches, seed, CPU)


def test_batches_follow_the_seed_alone():
    series = [np.sin(np.arange(100)), np.cos(np.arange(30))]
    one, other, third = sampler(series), sampler(series), sampler(series, seed=1)
    first = one.batch()
    torch.rand(3)
    assert all(map(torch.equal, first, other.batch()))
    assert not torch.equal(first.inputs, third.batch().inputs)
    assert not torch.equal(first.inputs, one.batch().inputs)


def test_a_series_that_is_constant_but_for_rounding_cannot_be_trained_on():
    with pytest.raises(ValueError, match="one of them at least must vary"):
        sampler([np.full(100, 0.1)])


def test_small_movements_far_from_the_series_level_are_kept():
    steps = np.sin(np.arange(4000) / 3)
    risen = sampler([steps + 1e6 * np.arange(4000)]).batch()
    straight = sampler([1e6 * np.arange(4000.0)]).batch()
    assert not torch.equal(risen.targets, straight.targets)


def test_windows_of_huge_and_tiny_series_keep_their_shape():
    shape = np.sin(np.arange(100) / 3)
    batches = [sampler([values]).batch() for values in (shape, 1e9 + 1e-2 * shape, shape * 1e-30)]
    for batch in batches[1:]:
        torch.testing.assert_close(batch.targets, batches[0].targets, atol=1e-3, rtol=0)


@pytest.mark.parametrize("interior", [True, False])
def test_gaps_are_masked_or_filled_as_the_network_expects(interior):
    values = np.sin(np.arange(64) / 3)
    values[20:28] = np.nan
    batch = sampler([values], interior=interior, n_patches=8).batch()
    flags = batch.inputs[..., 8:].flatten(1)
    first = flags.argmax(1)
    shown = torch.stack([row[start:].mean() for row, start in zip(flags, first, strict=True)])
    assert (shown == 1).all() if not interior else (shown < 1).all()
    assert not batch.known.all()
    assert torch.isfinite(batch.targets).all()


def test_series_too_short_to_train_on_are_refused():
    with pytest.raises(ValueError, match=r"more than 8 steps .* longest has 8 there"):
        sampler([np.arange(8.0), np.arange(5.0)])


def test_data_are_told_apart_by_their_values_and_lengths():
    one = data_fingerprint([np.arange(4.0)])
    assert one == data_fingerprint([np.arange(4.0)])
    assert one != data_fingerprint([np.arange(2.0), np.arange(2.0, 4.0)])


def test_windows_know_their_series():
    series = [np.arange(3.0), np.arange(60.0) ** 2, np.arange(2.0), np.sin(np.arange(80.0))]
    split = split_series(series, 0.5, 20, 10)
    for number, own in zip(split.trained_series, split.training, strict=True):
        np.testing.assert_array_equal(own, series[number][: len(own)])
    for number, own in zip(split.validated_series, split.contexts, strict=True):
        assert set(own) <= set(series[number])
    assert set(split.validated_series) >= {1, 3}
    rows, after = [np.arange(8.0) + i for i in range(10)], np.ones((10, 2))
    split = split_windows(rows, after, 0.3, 8)
    assert split.trained_series == list(range(len(split.training)))
    assert split.validated_series == [7, 8, 9]
