"""Functions, parts and groups of the quantiles of several steps."""

import re

import numpy as np
import pytest

from timer_forecaster.inference.sampling.aggregation import (
    function_of,
    groups_of,
    parts_of,
    summarized,
)


def test_functions_by_name():
    paths = np.array([[1.0, 2.0, 6.0], [0.0, -1.0, 4.0]])
    expected = {"sum": [9, 3], "mean": [3, 1], "max": [6, 4], "min": [1, -1]}
    for name, values in expected.items():
        np.testing.assert_array_equal(function_of(name)(paths), values)
    assert function_of(np.ptp) is np.ptp


@pytest.mark.parametrize("function", ["median", None, 3])
def test_other_functions_are_refused(function):
    with pytest.raises(ValueError, match=r"function=.*'sum'.*lambda"):
        function_of(function)


@pytest.mark.parametrize(
    ("parts", "expected", "alone"),
    [
        (None, [(0, 12)], True),
        (slice(2, 5), [(2, 5)], True),
        (slice(-3, None), [(9, 12)], True),
        ([slice(0, 7), slice(7, None)], [(0, 7), (7, 12)], False),
        (4, [(0, 4), (4, 8), (8, 12)], False),
        (np.int64(12), [(0, 12)], False),
    ],
)
def test_parts_of_a_horizon(parts, expected, alone):
    found, one = parts_of(parts, 12)
    assert [tuple(range(12)[part]) for part in found] == [tuple(range(*ends)) for ends in expected]
    assert one is alone


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (7, "parts=7 does not divide the horizon of 12"),
        (13, "parts=13 does not divide"),
        (0, "parts=0"),
        ([], "parts is empty"),
        (slice(12, 20), "beyond the horizon of 12"),
        (slice(5, 5), "no steps"),
        ([slice(0, 13)], "beyond the horizon"),
    ],
)
def test_parts_that_cannot_be_are_refused(parts, text):
    with pytest.raises(ValueError, match=text):
        parts_of(parts, 12)


@pytest.mark.parametrize("parts", ["week", 1.5, [1, 2], True])
def test_parts_of_another_type_are_refused(parts):
    with pytest.raises(TypeError, match="parts"):
        parts_of(parts, 12)


def test_the_advice_about_parts_works():
    with pytest.raises(ValueError) as error:
        parts_of(7, 12)
    whole, more = map(int, re.search(r"forecast (\d+) or (\d+) steps", str(error.value)).groups())
    assert len(parts_of(7, whole)[0]) == 1
    assert len(parts_of(7, more)[0]) == 2


def test_groups_stand_in_the_order_of_their_first_series():
    assert groups_of(["b", "a", "b"], 3) == [[0, 2], [1]]
    assert groups_of(np.array([2, 2, 1]), 3) == [[0, 1], [2]]
    assert groups_of(None, 2) == [[0], [1]]


@pytest.mark.parametrize("group", [["a"], "abc", []])
def test_groups_need_a_label_for_each_series(group):
    with pytest.raises(ValueError, match=r"label for each of the 3 series"):
        groups_of(group, 3)


def test_labels_that_are_none_are_refused():
    with pytest.raises(TypeError, match=r"is a mapping; .* such as list\(group.values\(\)\)"):
        groups_of({"a": "north", "b": "north"}, 2)
    with pytest.raises(TypeError, match=r"group: \['a'\] is no label"):
        groups_of([["a"], "b"], 2)


def test_quantiles_of_each_part():
    paths = np.arange(40.0).reshape(10, 4)
    found = summarized(paths, function_of("sum"), [slice(0, 2), slice(2, 4)], [0.0001, 0.5])
    assert found.shape == (2, 2)
    np.testing.assert_allclose(found[:, 1], np.median(paths.reshape(10, 2, 2).sum(-1), axis=0))


def test_a_function_makes_one_value_of_each_path():
    with pytest.raises(ValueError, match=r"shape \(4,\) of 10 paths.*axis=-1"):
        summarized(np.zeros((10, 4)), lambda paths: paths.sum(axis=0), [slice(0, 4)], [0.5])


def test_a_function_may_sort_its_paths():
    def least(paths):
        paths.sort(axis=0)
        return paths[:, 0]

    paths = np.random.default_rng(0).normal(size=(10, 3))
    given = paths.copy()
    summarized(paths, least, [slice(0, 3)], [0.5])
    np.testing.assert_array_equal(paths, given)
