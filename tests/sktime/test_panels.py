"""Panels are seen to be sorted, and end, where sktime says so."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sktime")

from sktime.datatypes import check_is_mtype, get_cutoff
from sktime_cases import forecaster, hourly, unequal_panel

from timer_forecaster.sktime.panels import is_sorted_panel, latest_time


def panel(keys="ba", times=range(4), **parts):
    parts = parts or {key: pd.DataFrame({"y": np.arange(len(times))}, times) for key in keys}
    return pd.concat(parts, names=["id", "t"])


PANELS = {
    "sorted": panel("ab"),
    "instances in another order": panel("ba"),
    "of other lengths": unequal_panel(),
    "with freq": pd.DataFrame(
        {"y": range(6)},
        pd.MultiIndex.from_product([["b", "a"], pd.date_range("2024-01-01", periods=3)]),
    ),
    "periods": panel(times=pd.period_range("2024-01", periods=4, freq="M")),
    "a zone": panel(times=pd.date_range("2024-03-30", periods=4, tz="Europe/Paris")),
    "mixed rows": panel().iloc[[0, 4, 1, 5, 2, 6, 3, 7]],
    "three levels": pd.concat({"x": panel(), "w": panel()}, names=["shop"]),
    "a part of a panel": unequal_panel().loc[["c", "b"]],
}


@pytest.mark.parametrize("name", PANELS)
def test_sorted_panels_are_seen_and_end_as_in_sktime(name):
    y = PANELS[name]
    assert is_sorted_panel(y)
    pd.testing.assert_index_equal(latest_time(y), get_cutoff(y, return_index=True), exact=True)
    assert getattr(latest_time(y), "freq", None) == getattr(
        get_cutoff(y, return_index=True), "freq", None
    )


def test_a_panel_that_is_not_sorted_is_left_to_sktime():
    y = panel().iloc[[1, 0, 2, 3, 4, 5, 6, 7]]
    assert not is_sorted_panel(y)
    assert not check_is_mtype(y, "pd-multiindex")
    with pytest.raises(TypeError, match="sorted monotonically"):
        forecaster().fit(y)


@pytest.mark.parametrize(
    "y",
    [
        hourly(),
        hourly().to_frame(),
        np.arange(5.0),
        [hourly().to_frame()],
        None,
        panel().iloc[:0],
        pd.DataFrame({"y": [1.0, 2]}, pd.MultiIndex.from_tuples([("a", 0), (None, 1)])),
    ],
    ids=["series", "frame", "array", "list", "None", "empty", "no instance"],
)
def test_other_data_are_left_to_sktime(y):
    assert not is_sorted_panel(y)


def test_what_sktime_refuses_of_a_panel_is_still_refused():
    y = panel().astype(float)
    with pytest.raises(TypeError, match="unique column"):
        forecaster().fit(pd.concat([y, y], axis=1))
    with pytest.raises(TypeError, match="categorical"):
        forecaster().fit(y.astype("category"))


@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2024-01-01", periods=5),
        pd.date_range("2024-01-01", periods=5, tz="Europe/Berlin"),
        pd.period_range("2024-01", periods=5, freq="M"),
    ],
    ids=["dates", "a zone", "periods"],
)
@pytest.mark.parametrize("of", ["panel", "series"])
def test_rows_without_a_time_are_refused_by_fit_and_update(times, of):
    y, lacking = panel(times=times), panel(times=times.insert(3, pd.NaT))
    if of == "series":
        y, lacking = y.loc["a", "y"], lacking.loc["a", "y"]
    message = f"{len(lacking) // 6} of {len(lacking)} times are missing.*in row 3; leave out"
    with pytest.raises(ValueError, match=message):
        forecaster().fit(lacking)
    fitted = forecaster().fit(y)
    with pytest.raises(ValueError, match=message):
        fitted.update(lacking)
    advised = lacking[lacking.index.get_level_values(-1).notna()]
    assert len(forecaster().fit(advised).predict([1])) == len(fitted.predict([1]))
