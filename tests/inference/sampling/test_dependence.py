"""What a forecast knows of the dependence between its steps."""

import numpy as np

from timer_forecaster.inference.frequency import as_frequencies
from timer_forecaster.inference.sampling.dependence import Dependence
from timer_forecaster.inference.sampling.table import weights_of


def test_weights_of_each_series_and_some_of_them():
    every = as_frequencies(["h", "D", None], 3)
    found = Dependence.of("timer-s1-mini", [1, 2, 3], every)
    np.testing.assert_array_equal(found.weights, weights_of("timer-s1-mini", every))
    some = found.take([2, 0])
    assert some.keys == (3, 1)
    np.testing.assert_array_equal(some.weights, found.weights[[2, 0]])


def test_quantiles_alone_are_of_an_unknown_network():
    quantiles = np.random.default_rng(0).normal(size=(3, 4, 9))
    quantiles[2] = quantiles[0]
    found = Dependence.of_quantiles(quantiles)
    expected = weights_of("timer-s1-mini", as_frequencies(None, 3))
    np.testing.assert_array_equal(found.weights, expected)
    assert found.keys[0] == found.keys[2] != found.keys[1]
    assert Dependence.of_quantiles(quantiles[1:]).keys == found.keys[1:]
