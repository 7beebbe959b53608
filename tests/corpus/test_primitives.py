"""Laws of the building blocks of synthetic series."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from timer_forecaster.corpus.primitives import (
    Draw,
    colored_noise,
    convolve,
    fast_size,
    first_order_gain,
    level_shifts,
    lookup,
    outliers,
    periods,
    season,
    segments,
    standardize,
    trend,
)


def make_draw(rows: int = 200, steps: int = 400, seed: int = 0) -> Draw:
    return Draw(rows, steps, torch.Generator().manual_seed(seed), "cpu")


def test_standardized_rows_have_mean_0_and_deviation_1() -> None:
    rows = standardize(torch.randn(5, 300) * 7 + 100)
    torch.testing.assert_close(rows.mean(1), torch.zeros(5), atol=1e-4, rtol=0)
    torch.testing.assert_close(rows.std(1, correction=0), torch.ones(5), atol=1e-4, rtol=0)


def test_a_table_is_read_with_period_1_and_linearly() -> None:
    table = torch.tensor([[0.0, 1.0, 4.0, 9.0]])
    phase = torch.tensor([[0.0, 0.25, 0.375, 0.875, 1.25, -0.75]])
    expected = torch.tensor([[0.0, 1.0, 2.5, 4.5, 1.0, 1.0]])
    torch.testing.assert_close(lookup(table, phase), expected)


@pytest.mark.parametrize(("length", "size"), [(2, 2), (3, 3), (5, 6), (7, 8), (13, 16), (25, 32)])
def test_fast_sizes_are_powers_of_two_or_three_times_one(length: int, size: int) -> None:
    assert fast_size(length) == size


def test_colored_noise_has_the_wanted_autocorrelation_and_variance() -> None:
    draw = make_draw(rows=300, steps=2048)
    rho = torch.full((300, 1), 0.8)
    values = colored_noise(draw, first_order_gain(draw, rho)).double()
    assert float(values.var()) == pytest.approx(1, abs=0.05)
    lagged = (values[:, 1:] * values[:, :-1]).mean() / values.square().mean()
    assert float(lagged) == pytest.approx(0.8, abs=0.02)


def test_a_filter_is_causal_and_equals_the_sum() -> None:
    shocks, response = torch.randn(3, 50), torch.randn(3, 50)
    expected = [
        np.convolve(a, b)[:50] for a, b in zip(shocks.numpy(), response.numpy(), strict=True)
    ]
    torch.testing.assert_close(
        convolve(shocks, response), torch.tensor(np.array(expected)), atol=1e-4, rtol=0
    )


def test_outer_periods_are_longer_than_inner_ones() -> None:
    inner, outer = periods(make_draw(rows=500))
    assert inner.shape == outer.shape == (500, 1)
    assert (inner >= 2).all()
    assert (outer > inner).float().mean() > 0.9


def test_a_season_repeats() -> None:
    draw = make_draw(rows=50)
    values = season(draw, torch.full((50, 1), 25.0))
    torch.testing.assert_close(values[:, 25:], values[:, :-25], atol=2e-3, rtol=0)


def test_trends_have_range_1() -> None:
    values = trend(make_draw())
    spread = values.amax(1) - values.amin(1)
    assert float(spread.median()) == pytest.approx(1, abs=0.1)
    assert (spread < 2.5).all()


def test_levels_shift_about_as_often_as_asked() -> None:
    jumps = (level_shifts(make_draw(rows=1000), mean_count=3.0).diff(dim=1) != 0).sum(1)
    assert float(jumps.float().mean()) == pytest.approx(3, abs=0.4)


def test_outliers_are_rare_and_in_the_share_of_rows() -> None:
    values = outliers(make_draw(rows=2000), share=0.2)
    with_outliers = (values != 0).any(1)
    assert 0.05 < with_outliers.float().mean() <= 0.23  # a chosen row may draw none
    assert (values[with_outliers] != 0).float().mean() < 0.2
    assert (outliers(make_draw(rows=2000), share=0.0) == 0).all()


def test_segments_count_up_from_the_first_step() -> None:
    numbers = segments(make_draw(), torch.full((200, 1), 40.0))
    steps = numbers.diff(dim=1)
    assert ((steps == 0) | (steps == 1)).all()
    assert float(numbers[:, -1].float().mean() - numbers[:, 0].float().mean()) == pytest.approx(
        10, abs=3
    )
