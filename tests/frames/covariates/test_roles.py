"""Roles of columns beside the targets."""

import pandas as pd
import pytest

from timer_forecaster.frames.covariates.roles import (
    AbsentColumnError,
    FutureColumnsError,
    Roles,
    categories_of,
    refuse_other_values,
    roles_of,
)

COLUMNS = ["id", "day", "y", "x", ("a", "b"), 3]


@pytest.mark.parametrize(
    ("future", "options", "known", "past"),
    [
        (["day", "id", "x"], {}, ["x"], []),
        (["day", "id", "x", "y"], {"targets": "y"}, ["x"], []),
        (["day", "id", "x", 3], {"past": 3}, ["x"], [3]),
        (["day", "id", "x", "other"], {"known": ["x"]}, ["x"], []),
        (None, {"known": ("a", "b")}, [("a", "b")], []),
        (None, {"known": 3, "past": ["x"]}, [3], ["x"]),
    ],
)
def test_roles(future, options, known, past):
    roles = roles_of(COLUMNS, future, reserved=["id", "day"], **options)
    assert (roles.known, roles.past, roles.all) == (known, past, known + past)


@pytest.mark.parametrize(
    ("future", "options", "message"),
    [
        (["day", "id"], {}, "beside the times and ids"),
        (["day", "id", "x"], {"known": []}, "beside the times and ids"),
        (None, {"known": ["x", "x"]}, "name each column once"),
        (None, {"known": "day"}, "'day' is the time or the id"),
        (["day", "id", "x"], {"known": [3]}, "no column 3, which known_columns names"),
    ],
)
def test_refused(future, options, message):
    with pytest.raises(ValueError, match=message):
        roles_of(COLUMNS, future, reserved=["id", "day"], **options)


def test_names_that_are_none():
    with pytest.raises(TypeError, match="no name"):
        roles_of(COLUMNS, known=[["x"]])
    with pytest.raises(AbsentColumnError) as caught:
        roles_of(COLUMNS, past="q")
    assert (caught.value.argument, caught.value.column) == ("past_columns", "q")


def test_values_that_a_forecast_must_not_know():
    future = pd.DataFrame({"day": [1], "x": [2.0], "y": [3.0]})
    with pytest.raises(FutureColumnsError, match="future_frame has values of the target 'y'"):
        refuse_other_values(future, Roles(["x"], []), ["day"])
    with pytest.raises(FutureColumnsError, match=r"later\.csv has values of the past column 'y'"):
        refuse_other_values(future, Roles(["x"], ["y"]), ["day"], "later.csv")
    with pytest.raises(FutureColumnsError, match="no value in column 'x'"):
        refuse_other_values(future.assign(x="", y=None), Roles(["x"], []), ["day"])
    refuse_other_values(future.assign(y=None), Roles(["x"], ["y"]), ["day"])


def test_categories_are_covariates():
    roles = Roles(["x", ("a", "b")], [3])
    assert categories_of(None, roles) == []
    assert categories_of([3, ("a", "b")], roles) == [3, ("a", "b")]
    assert categories_of(("a", "b"), roles) == [("a", "b")]
    with pytest.raises(ValueError, match="'q' in categories is no covariate; there are"):
        categories_of(["x", "q"], roles)
