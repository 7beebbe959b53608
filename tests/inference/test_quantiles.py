"""The distribution behind quantiles: closed forms against integration, draws and laws."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import integrate, stats

from timer_forecaster.inference import quantiles as functionals

DECILES = tuple(round(0.1 * i, 1) for i in range(1, 10))
CASES = {
    "deciles": (stats.norm.ppf(DECILES), DECILES),
    "skewed": (stats.expon.ppf(DECILES), DECILES),
    "ties inside": (np.array([0.0, 1, 1, 1, 2, 3, 3, 4, 6]), DECILES),
    "ties in the tails": (np.array([0.0, 0, 0, 1, 1, 2, 3, 4, 4]), DECILES),
    "one point": (np.full(9, 5.3), DECILES),
    "two levels": (np.array([-2.0, 7.0]), (0.25, 0.6)),
    "uneven levels": (np.array([-1.0, 0.5, 0.75, 20.0]), (0.02, 0.5, 0.55, 0.99)),
}
PLACES = np.array([-40.0, -1.5, 0.0, 0.3, 1.0, 1.7, 3.0, 5.3, 60.0])

# Integers, so that shifts and powers of two are exact.
whole_values = arrays(np.int64, 9, elements=st.integers(-1000, 1000)).map(
    lambda values: np.sort(values).astype(float)
)
probabilities = st.floats(1e-6, 1 - 1e-6)


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request):
    return request.param


def crps(values, levels, at):
    deviation = functionals.absolute_deviation(values, levels, at)
    return deviation - functionals.mean_difference(values, levels)[..., None] / 2


def over_levels(function, values, levels):
    """Integrate a function of level and quantile over the levels, piece by piece."""

    def integrand(level):
        return function(level, functionals.evaluate(values, levels, np.array([level]))[0])

    ends = [0.0, *levels, 1.0]
    return sum(integrate.quad(integrand, low, high, limit=200)[0] for low, high in pairwise(ends))


def test_moments_are_integrals_of_the_quantile_function(case):
    mean = over_levels(lambda _, q: q, *case)
    variance = over_levels(lambda _, q: (q - mean) ** 2, *case)
    difference = 2 * over_levels(lambda p, q: (2 * p - 1) * q, *case)
    np.testing.assert_allclose(functionals.mean(*case), mean, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(functionals.variance(*case), variance, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(
        functionals.mean_difference(*case), difference, rtol=1e-7, atol=1e-12
    )


def test_deviations_are_integrals_of_the_quantile_function(case):
    expected = [over_levels(lambda _, q, y=y: abs(q - y), *case) for y in PLACES]
    found = functionals.absolute_deviation(*case, PLACES)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-12)


def test_score_is_the_integrated_squared_error_of_the_distribution_function(case):
    grid = np.linspace(-200, 250, 900_001)
    below = functionals.cdf(*case, grid)
    for y in (0.0, 1.7, 5.3):
        expected = integrate.trapezoid((below - (grid >= y)) ** 2, grid)
        np.testing.assert_allclose(crps(*case, np.array([y]))[0], expected, rtol=1e-3, atol=1e-3)


def test_density_and_masses_integrate_to_the_distribution_function(case):
    values, levels = case
    low, high = -3.0, 7.1
    found = functionals.cdf(values, levels, np.array([low, high]))
    masses = functionals.point_mass(values, levels, np.unique(values)).sum()
    points = [low, *np.unique(values[(values > low) & (values < high)]), high]

    def density(y):
        return np.exp(functionals.log_density(values, levels, np.array([y])))[0]

    mass = sum(integrate.quad(density, start, stop)[0] for start, stop in pairwise(points))
    np.testing.assert_allclose(mass + masses, found[1] - found[0], rtol=1e-7)


@pytest.mark.parametrize("name", ["deciles", "two levels", "uneven levels"])
def test_density_norm_is_the_integral_of_a_power(name):
    values, levels = CASES[name]

    def over_values(power):
        def term(level, quantile):
            log_density = functionals.log_density(values, levels, np.array([quantile]))[0]
            return np.exp((power - 1) * log_density)

        return over_levels(term, values, levels)

    for power in (1.5, 2.0, 3.0):
        found = functionals.density_norm(values, levels, power)
        np.testing.assert_allclose(found, over_values(power), rtol=1e-6)
    np.testing.assert_allclose(functionals.density_norm(values, levels, 1), 1)


def test_a_fine_grid_of_levels_gives_the_values_of_a_known_distribution():
    levels = tuple(np.linspace(0.001, 0.999, 999))
    laplace, at = stats.laplace.ppf(levels), np.array([-9.0, -0.7, 0.0, 0.2, 12.0])
    np.testing.assert_allclose(functionals.cdf(laplace, levels, at), stats.laplace.cdf(at), 1e-4)
    density = np.exp(functionals.log_density(laplace, levels, at))
    np.testing.assert_allclose(density, stats.laplace.pdf(at), rtol=1e-2)
    np.testing.assert_allclose(functionals.variance(laplace, levels), 2, rtol=1e-3)
    np.testing.assert_allclose(functionals.mean_difference(laplace, levels), 1.5, rtol=1e-3)
    np.testing.assert_allclose(functionals.density_norm(laplace, levels, 2), 0.25, rtol=1e-3)
    expected = np.abs(at) + np.exp(-np.abs(at))
    np.testing.assert_allclose(
        functionals.absolute_deviation(laplace, levels, at), expected, rtol=1e-3
    )


def test_moments_agree_with_draws(case):
    generator = np.random.default_rng(0)
    draws, others = functionals.evaluate(*case, generator.uniform(size=(2, 400_000)))
    close = {"rtol": 0.02, "atol": 0.02}
    np.testing.assert_allclose(functionals.mean(*case), draws.mean(), **close)
    np.testing.assert_allclose(functionals.variance(*case), draws.var(), **close)
    np.testing.assert_allclose(
        functionals.mean_difference(*case), np.abs(draws - others).mean(), **close
    )
    for y in (0.0, 1.7):
        found = functionals.absolute_deviation(*case, np.array([y]))[0]
        np.testing.assert_allclose(found, np.abs(draws - y).mean(), **close)
        found = functionals.cdf(*case, np.array([y]))[0]
        np.testing.assert_allclose(found, (draws <= y).mean(), atol=0.005)


@given(whole_values, probabilities, st.floats(-2000, 2000))
def test_distribution_function_is_the_inverse_of_the_quantile_function(values, level, y):
    """Q(p) <= y if and only if p <= F(y), up to rounding next to equality."""
    below = functionals.cdf(values, DECILES, np.array([y]))[0]
    quantile = functionals.evaluate(values, DECILES, np.array([level]))[0]
    assume(abs(below - level) > 1e-12)
    assert (quantile <= y + 1e-9) if level <= below else (quantile > y - 1e-9)


@given(arrays(float, 9, elements=st.floats(-1e3, 1e3)).map(np.sort))
def test_known_levels_are_inverted_exactly(values):
    np.testing.assert_array_equal(functionals.evaluate(values, DECILES, np.array(DECILES)), values)
    last = np.searchsorted(values, values, side="right")
    expected = [1.0 if k == 9 and values[-2] == values[-1] else DECILES[k - 1] for k in last]
    np.testing.assert_array_equal(functionals.cdf(values, DECILES, values), expected)


@given(whole_values)
def test_distribution_function_jumps_at_point_masses_alone(values):
    found = functionals.cdf(values, DECILES, values)
    before = functionals.cdf(values, DECILES, np.nextafter(values, -np.inf))
    jumps = functionals.point_mass(values, DECILES, values)
    np.testing.assert_allclose(found - before, jumps, atol=1e-9)


@given(whole_values, st.lists(st.floats(-3000, 3000), min_size=2, max_size=10).map(sorted))
def test_distribution_function_never_decreases(values, places):
    found = functionals.cdf(values, DECILES, np.array([-np.inf, *places, np.inf]))
    assert (np.diff(found) >= 0).all() and found[0] == 0 and found[-1] == 1


def test_rounding_does_not_reverse_the_order():
    """At these levels, interpolation by a weight of almost 1 rounds to above the upper end."""
    levels, nearly = (0.03, 0.29), np.nextafter(0.29, 0)
    found = functionals.cdf(np.array([-1e3, 1e-300]), levels, np.array([0.0, 1e-300]))
    assert found[0] <= found[1] == 0.29
    found = functionals.evaluate(np.array(levels), levels, np.array([nearly, 0.29]))
    assert found[0] <= found[1] == 0.29


@given(whole_values, st.integers(-(2**40), 2**40), st.floats(-2000, 2000).map(np.round))
def test_functionals_are_equivariant_to_shifts(values, shift, y):
    shifted, at, moved = values + shift, np.array([y]), np.array([y]) + shift
    for functional in (functionals.variance, functionals.mean_difference):
        np.testing.assert_array_equal(functional(shifted, DECILES), functional(values, DECILES))
    for function in (
        functionals.absolute_deviation,
        functionals.cdf,
        functionals.log_density,
        functionals.point_mass,
    ):
        np.testing.assert_array_equal(
            function(shifted, DECILES, moved), function(values, DECILES, at)
        )
    mean = functionals.mean(values, DECILES) + shift
    np.testing.assert_allclose(functionals.mean(shifted, DECILES), mean, rtol=1e-15, atol=1e-9)


@given(whole_values, st.integers(-300, 300), st.floats(-2000, 2000))
def test_functionals_are_equivariant_to_scale(values, exponent, y):
    factor = 2.0**exponent
    scaled, at = values * factor, np.array([y])
    for functional, power in (
        (functionals.mean, 1),
        (functionals.mean_difference, 1),
        (functionals.variance, 2),
    ):
        np.testing.assert_array_equal(
            functional(scaled, DECILES), functional(values, DECILES) * factor**power
        )
    for function, power in ((functionals.absolute_deviation, 1), (functionals.cdf, 0)):
        np.testing.assert_array_equal(
            function(scaled, DECILES, at * factor), function(values, DECILES, at) * factor**power
        )
    density = functionals.log_density(values, DECILES, at) - np.log(factor)
    np.testing.assert_allclose(
        functionals.log_density(scaled, DECILES, at * factor), density, atol=1e-9
    )


@given(whole_values, st.floats(-2000, 2000))
def test_functionals_know_no_direction(values, y):
    mirrored, at = -values[::-1], np.array([y])
    close = {"rtol": 1e-9, "atol": 1e-9}
    for functional in (functionals.variance, functionals.mean_difference):
        np.testing.assert_allclose(
            functional(mirrored, DECILES), functional(values, DECILES), **close
        )
    np.testing.assert_allclose(
        functionals.mean(mirrored, DECILES), -functionals.mean(values, DECILES), **close
    )
    np.testing.assert_allclose(
        functionals.absolute_deviation(mirrored, DECILES, -at),
        functionals.absolute_deviation(values, DECILES, at),
        **close,
    )
    up_to = functionals.cdf(values, DECILES, at) - functionals.point_mass(values, DECILES, at)
    np.testing.assert_allclose(functionals.cdf(mirrored, DECILES, -at), 1 - up_to, **close)


@given(whole_values, st.floats(-1e6, 1e6))
def test_score_is_not_negative_and_zero_for_certainty_alone(values, y):
    score = crps(values, DECILES, np.array([y]))[0]
    spread = values[-1] - values[0]
    assert score > 0 if spread else np.isclose(score, abs(y - values[0]), rtol=1e-12)


@given(whole_values, whole_values)
def test_score_is_least_in_expectation_for_the_true_distribution(true, other):
    """What another forecast loses is the integral of the squared difference of the two."""
    levels = np.linspace(0, 1, 10_001)[:-1] + 1 / 20_000
    draws = functionals.evaluate(true, DECILES, levels)
    loss = (crps(other, DECILES, draws) - crps(true, DECILES, draws)).mean()
    grid = np.linspace(-2e4, 2e4, 40_001)
    gap = functionals.cdf(true, DECILES, grid) - functionals.cdf(other, DECILES, grid)
    expected = integrate.trapezoid(gap**2, grid)
    np.testing.assert_allclose(loss, expected, rtol=0.01, atol=0.5)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_extreme_scales(case, scale):
    """No warning, and the values of the scale 1; a variance is 0 or infinite if floats end."""
    values, levels = case
    for functional in (functionals.mean, functionals.mean_difference):
        expected = functional(values, levels) * scale
        found = functional(values * scale, levels)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15 * scale)
    variance = functionals.variance(values * scale, levels)
    assert variance == (np.inf if np.ptp(values) > 0 and scale > 1 else 0)
    deviation = functionals.absolute_deviation(values, levels, PLACES) * scale
    places = PLACES * scale
    found = functionals.absolute_deviation(values * scale, levels, places)
    np.testing.assert_allclose(found, deviation, rtol=1e-12)
    found = functionals.cdf(values * scale, levels, places)
    np.testing.assert_allclose(found, functionals.cdf(values, levels, PLACES), atol=1e-12)
    norm = functionals.density_norm(values * scale, levels, 2) * scale
    np.testing.assert_allclose(norm, functionals.density_norm(values, levels, 2), rtol=1e-12)


def test_places_far_from_the_forecast(case):
    values, levels = case
    for scale in (1e-300, 1.0):
        at = np.array([-1e300, 1e300, -np.inf, np.inf])
        found = functionals.cdf(values * scale, levels, at)
        np.testing.assert_array_equal(found, [0, 1, 0, 1])
        found = functionals.absolute_deviation(values * scale, levels, at)
        np.testing.assert_allclose(found, np.abs(at))
        assert (functionals.log_density(values * scale, levels, at) < -1e290).all()


def test_a_small_spread_about_a_large_level_keeps_its_precision():
    values = 1e9 + 1e-3 * CASES["skewed"][0]
    centered = values - 1e9  # exact
    at = np.array([1e9 - 1e-4, 1e9, 1e9 + 5e-4, 1e9 + 1])
    for functional in (functionals.variance, functionals.mean_difference):
        np.testing.assert_allclose(
            functional(values, DECILES), functional(centered, DECILES), rtol=1e-12
        )
    for function in (functionals.absolute_deviation, functionals.cdf, functionals.log_density):
        np.testing.assert_allclose(
            function(values, DECILES, at), function(centered, DECILES, at - 1e9), rtol=1e-12
        )


def test_equal_quantiles_are_a_point_mass():
    values, levels = CASES["one point"]
    at = np.array([5.2, 5.3, 5.4])
    assert functionals.mean(values, levels) == 5.3
    assert functionals.variance(values, levels) == 0
    assert functionals.mean_difference(values, levels) == 0
    np.testing.assert_allclose(crps(values, levels, at), np.abs(at - 5.3), rtol=1e-12)
    np.testing.assert_array_equal(functionals.cdf(values, levels, at), [0, 1, 1])
    np.testing.assert_array_equal(functionals.point_mass(values, levels, at), [0, 1, 0])
    np.testing.assert_array_equal(
        functionals.log_density(values, levels, at), [-np.inf, np.inf, -np.inf]
    )
    assert functionals.density_norm(values, levels, 2) == np.inf


def test_the_ends_of_the_support():
    at = np.array([0.0, 1.0, -0.1, 1.1, np.nan])
    ends = functionals.evaluate(*CASES["deciles"], at)
    np.testing.assert_array_equal(ends, [-np.inf, np.inf, np.nan, np.nan, np.nan])
    ends = functionals.evaluate(*CASES["ties in the tails"], at)
    np.testing.assert_array_equal(ends, [0, 4, np.nan, np.nan, np.nan])


def test_nothing_is_known_of_missing_values(case):
    missing = np.array([np.nan])
    for function in (functionals.absolute_deviation, functionals.cdf, functionals.log_density):
        assert np.isnan(function(*case, missing))


@pytest.mark.parametrize(
    "function",
    [
        functionals.absolute_deviation,
        functionals.cdf,
        functionals.log_density,
        functionals.point_mass,
    ],
)
def test_values_broadcast_over_leading_axes(function):
    values = np.sort(np.random.default_rng(0).normal(size=(3, 4, 9)))
    shared, own = PLACES, np.random.default_rng(1).normal(size=(3, 4, 2))
    found_shared, found_own = function(values, DECILES, shared), function(values, DECILES, own)
    assert found_shared.shape == (3, 4, len(PLACES))
    for i, j in np.ndindex(3, 4):
        np.testing.assert_array_equal(found_shared[i, j], function(values[i, j], DECILES, shared))
        np.testing.assert_array_equal(found_own[i, j], function(values[i, j], DECILES, own[i, j]))
    assert function(values[0, 0], DECILES, own).shape == (3, 4, 2)


def test_tails_are_the_logarithms_of_both_probabilities(case):
    at = np.array([*PLACES, *np.asarray(case[0]).ravel()[:9]])
    lower, upper = functionals.log_tails(*case, at)
    reached, mass = functionals.cdf(*case, at), functionals.point_mass(*case, at)
    np.testing.assert_allclose(np.exp(lower), reached, atol=1e-12)
    np.testing.assert_allclose(np.exp(upper), 1 - reached + mass, atol=1e-12)


def test_tails_are_exact_where_probabilities_vanish():
    values, levels = CASES["deciles"]
    scale = functionals.tail_scales(np.asarray(values), np.asarray(levels))[0]
    lower, _ = functionals.log_tails(values, levels, values[:1] - 1e4 * scale)
    assert lower[0] == pytest.approx(np.log(levels[0]) - 1e4)


FLOORED = {
    "at the floor": (np.array([0.0, 0, 0, 1, 1, 2, 3, 4, 4]), DECILES),
    "from the floor on": (np.linspace(0, 4, 9), DECILES),
    "above the floor": (stats.expon.ppf(DECILES) + 0.4, DECILES),
    "far above the floor": (stats.norm.ppf(DECILES) + 4e3, DECILES),
    "one point": (np.full(9, 5.3), DECILES),
    "nothing but the floor": (np.zeros(9), DECILES),
    "two levels": (np.array([0.5, 7.0]), (0.25, 0.6)),
    "uneven levels": (np.array([0.1, 0.5, 0.75, 20.0]), (0.02, 0.5, 0.55, 0.99)),
}


@pytest.fixture(params=FLOORED.values(), ids=FLOORED)
def floored(request):
    return request.param


def over_levels_above_zero(function, values, levels):
    """Integrate a function of the larger of a quantile and zero over the levels."""
    kink = functionals.cdf(values, levels, np.array([-1e-12]))[0]

    def integrand(level):
        quantile = functionals.evaluate(values, levels, np.array([level]))[0]
        return function(level, max(quantile, 0.0))

    ends = np.unique([0.0, min(kink, levels[0]), *levels, 1.0])
    return sum(integrate.quad(integrand, low, high, limit=200)[0] for low, high in pairwise(ends))


def test_a_floor_cuts_the_quantile_function_and_the_distribution_function_off(floored):
    at = np.array([0.0, 1e-9, 0.003, 0.04, 0.1, 0.33, 0.5, 0.97, 1 - 1e-9])
    free = functionals.evaluate(*floored, at)
    np.testing.assert_array_equal(functionals.evaluate(*floored, at, 0.0), np.maximum(free, 0))
    places = np.array([-7.0, -1e-9, 0.0, 1e-9, 0.2, 1.0, 5.3, 4e3, np.nan])
    expected = np.where(places < 0, 0.0, functionals.cdf(*floored, places))
    np.testing.assert_array_equal(functionals.cdf(*floored, places, 0.0), expected)


def test_moments_with_a_floor_are_integrals_of_the_quantile_function(floored):
    mean = over_levels_above_zero(lambda _, q: q, *floored)
    variance = over_levels_above_zero(lambda _, q: (q - mean) ** 2, *floored)
    difference = 2 * over_levels_above_zero(lambda p, q: (2 * p - 1) * (q - mean), *floored)
    close = {"rtol": 1e-6, "atol": 1e-9}
    np.testing.assert_allclose(functionals.mean(*floored, 0.0), mean, **close)
    np.testing.assert_allclose(functionals.variance(*floored, 0.0), variance, **close)
    np.testing.assert_allclose(functionals.mean_difference(*floored, 0.0), difference, **close)
    places = np.array([-3.0, 0.0, 0.2, 0.41, 1.0, 5.3, 60.0])
    expected = [over_levels_above_zero(lambda _, q, y=y: abs(q - y), *floored) for y in places]
    found = functionals.absolute_deviation(*floored, places, 0.0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("name", ["at the floor", "from the floor on", "above the floor"])
def test_the_score_with_a_floor_is_the_integrated_squared_error(name):
    case, grid = FLOORED[name], np.linspace(-2, 60, 620_001)
    below = functionals.cdf(*case, grid, 0.0)
    for y in (0.0, 0.3, 2.5):
        at = np.array([y])
        deviation = functionals.absolute_deviation(*case, at, 0.0)[0]
        found = deviation - functionals.mean_difference(*case, 0.0) / 2
        expected = integrate.trapezoid((below - (grid >= y)) ** 2, grid)
        np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_density_and_masses_with_a_floor_have_a_total_of_one(floored):
    values, levels = floored
    at = np.unique([0.0, *values])
    mass = functionals.point_mass(values, levels, at, 0.0).sum()
    ends = [0.0, *at, at[-1] + 1e3]

    def density(y):
        found = functionals.log_density(values, levels, np.array([y]), 0.0)[0]
        return 0.0 if found == np.inf else np.exp(found)  # a point mass is counted above

    near = values[0] - 40 * functionals.tail_scales(values, np.asarray(levels))[0]
    ends = np.unique([*ends, max(near, 0.0)])
    total = sum(integrate.quad(density, low, high, limit=500)[0] for low, high in pairwise(ends))
    np.testing.assert_allclose(total + mass, 1, rtol=1e-6)
    below = np.array([-1e-9, -4.0])
    assert (functionals.log_density(values, levels, below, 0.0) == -np.inf).all()
    assert (functionals.point_mass(values, levels, below, 0.0) == 0).all()


def test_tails_with_a_floor_are_the_logarithms_of_both_probabilities(floored):
    at = np.array([-2.0, -1e-9, 0.0, 0.2, 1.0, 5.3, *floored[0]])
    lower, upper = functionals.log_tails(*floored, at, 0.0)
    reached = functionals.cdf(*floored, at, 0.0)
    mass = functionals.point_mass(*floored, at, 0.0)
    np.testing.assert_allclose(np.exp(lower), reached, atol=1e-12)
    np.testing.assert_allclose(np.exp(upper), 1 - reached + mass, atol=1e-12)


def test_a_power_of_the_density_is_infinite_where_the_floor_has_a_mass():
    near, far = FLOORED["above the floor"], FLOORED["far above the floor"]
    assert functionals.density_norm(*near, 2.0, 0.0) == np.inf
    expected = functionals.density_norm(*far, 2.0)
    assert functionals.density_norm(*far, 2.0, 0.0) == expected < np.inf


@given(arrays(np.int64, 9, elements=st.integers(0, 1000)).map(lambda v: np.sort(v).astype(float)))
def test_a_floor_keeps_the_scale_and_the_order_of_mean_and_variance(values):
    double, free = values * 2, functionals.variance(values, DECILES)
    mean, spread = (f(values, DECILES, 0.0) for f in (functionals.mean, functionals.variance))
    assert functionals.mean(double, DECILES, 0.0) == 2 * mean
    assert functionals.variance(double, DECILES, 0.0) == 4 * spread
    assert mean >= functionals.mean(values, DECILES) and mean >= 0
    assert 0 <= spread <= free * (1 + 1e-12)


def test_a_floor_of_some_series_leaves_the_others_as_they_are():
    values = np.sort(np.random.default_rng(0).normal(2, 1, size=(2, 3, 9)).clip(0))
    floor = functionals.floor_of([[True], [False]])
    at, places = np.array([1e-4, 0.2, 0.999]), np.array([-1.0, 0.0, 0.5])
    for function, more in [
        (functionals.evaluate, (at,)),
        (functionals.mean, ()),
        (functionals.variance, ()),
        (functionals.mean_difference, ()),
        (functionals.absolute_deviation, (places,)),
        (functionals.cdf, (places,)),
        (functionals.log_density, (places,)),
        (functionals.point_mass, (places,)),
        (functionals.density_norm, (2.0,)),
    ]:
        found = function(values, DECILES, *more, floor)
        np.testing.assert_array_equal(found[1], function(values[1], DECILES, *more))
        np.testing.assert_array_equal(found[0], function(values[0], DECILES, *more, 0.0))
