import doctest
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("sklearn")

from timer_forecaster.sklearn import columns
from timer_forecaster.sklearn.columns import has_target, layout_of, name_of, names_of_steps

LABELS = [
    *names_of_steps("target", -3, -1),
    *names_of_steps("price", -3, 2),
    *names_of_steps("rain", -3, -1),
]


@given(st.permutations(range(len(LABELS))))
def test_places_follow_the_steps_in_any_order(order):
    labels = [LABELS[place] for place in order]
    target, known, past = layout_of(labels, ["price"], ["rain"], 2)
    assert [labels[place] for place in target] == LABELS[:3]
    assert [labels[place] for place in known["price"]] == LABELS[3:8]
    assert [labels[place] for place in past["rain"]] == LABELS[8:]


@given(st.text(), st.integers(1, 10**6), st.booleans())
def test_names_can_be_any_text(name, step, later):
    label = name_of(name, step if later else -step)
    assert columns._parsed(label) == (name, step if later else -step)


def test_steps_beyond_the_horizon_are_not_used():
    assert layout_of(LABELS, ["price"], ["rain"], 1).known == {"price": [3, 4, 5, 6]}


def test_a_target_is_found_by_its_name():
    assert has_target([3, "target[-12]"])
    assert not has_target(["target", "target[0]", "target[-03]", "lag_1", ("target[-1]",), 3])


@pytest.mark.parametrize(
    "change, message",
    [
        ({}, "columns 'rain[-3]', 'rain[-2]', 'rain[-1]' of X belong to neither the target nor"),
        ({"past": ["rain", "snow"]}, "X has no column 'snow[-1]'"),
        ({"past": ["rain"], "known": ["price", "wind"]}, "X has no column 'wind[-1]'"),
        ({"past": ["rain"], "horizon": 3}, "no column 'price[+3]'; known columns need the 3 steps"),
        ({"known": [], "past": ["rain", "price"]}, "column 'price[+2]' of X lies after the window"),
        ({"past": ["rain"], "labels": [*LABELS, "age"]}, "column 'age' of X belong"),
        ({"past": ["rain"], "labels": [*LABELS, 7]}, "column 7 of X belong"),
        ({"past": ["rain"], "labels": [*LABELS, "rain[0]"]}, "column 'rain[0]' of X belong"),
        ({"past": ["rain"], "labels": [*LABELS, "rain[-2]"]}, "X has two columns 'rain[-2]'"),
        ({"past": ["rain"], "labels": [*LABELS, "rain[-5]"]}, "X has no column 'rain[-4]'"),
        ({"past": ["rain"], "labels": LABELS[3:]}, "X has no column 'target[-1]'"),
        ({"past": ["rain"], "labels": [*LABELS[:2], *LABELS[3:]]}, "no column 'target[-1]'"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    given_values = {"labels": LABELS, "known": ["price"], "past": [], "horizon": 2} | change
    with pytest.raises(ValueError, match=re.escape(message)):
        layout_of(**given_values)


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(columns).failed == 0
