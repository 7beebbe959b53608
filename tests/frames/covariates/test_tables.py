"""Covariates of frames: the pipeline's forecast, whatever the order of rows and columns."""

import warnings

import numpy as np
import pandas as pd
import pytest
from covariate_frames import HORIZON, OPTIONS, frames, predicted, series, tables

from timer_forecaster import ForecastPipeline
from timer_forecaster.failures import SeriesWarning
from timer_forecaster.frames.calendar.periods import periods_of
from timer_forecaster.inference.covariates import CovariateWarning


@pytest.fixture(scope="module")
def pipe():
    return ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")


def forecast(pipe, frame, future, **options):
    options = {**OPTIONS, "past_columns": "z", **options}
    return pipe.predict_frame(frame, HORIZON, future_frame=future, **options)


def median(pipe, frame, future, **options):
    return forecast(pipe, frame, future, **options)["q0.5"].to_numpy()


# --------------------------------------------------------------------- laws


@pytest.mark.parametrize("freq", ["D", "h", "MS", "B", "15min"])
def test_equals_the_pipeline_with_the_same_tables(pipe, freq):
    past, future = frames(freq=freq)
    found = forecast(pipe, past, future)
    assert found.columns.tolist() == ["id", "target", "day", "q0.1", "q0.5", "q0.9"]
    assert found["day"].tolist() == future["day"].tolist()
    expected = predicted(pipe, past, future, freq)
    np.testing.assert_allclose(found["q0.5"], expected, atol=1e-6)
    plain = forecast(pipe, past, None, known_columns=None, target_columns="y", past_columns=None)
    assert np.abs(plain["q0.5"] - expected).max() > 0.1


def test_order_and_further_rows_do_not_matter(pipe):
    past, future = frames()
    expected = forecast(pipe, past, future)
    early = past[["id", "day", "x", "w"]].assign(x=99.0, w="dry")
    late = future.assign(day=future["day"] + pd.Timedelta(days=HORIZON), x=-99.0, w="odd")
    other = future.assign(id="c")
    more = pd.concat([late, future, other, early]).sample(frac=1, random_state=1)
    mixed = past.sample(frac=1, random_state=2)[["z", "w", "y", "day", "x", "id"]]
    found = forecast(pipe, mixed, more[["w", "day", "id", "x"]])
    both = expected.merge(found, on=["id", "day"])
    np.testing.assert_allclose(both["q0.5_x"], both["q0.5_y"], atol=1e-9)


def test_the_future_of_one_id_does_not_change_another(pipe):
    past, future = frames()
    expected = median(pipe, past, future)
    other = future.assign(x=future["x"].where(future["id"] == "a", 0.0))
    found = median(pipe, past, other)
    np.testing.assert_allclose(found[:HORIZON], expected[:HORIZON], atol=1e-9)
    assert np.abs(found[HORIZON:] - expected[HORIZON:]).max() > 0.1


def test_the_future_does_not_decide_whether_a_column_is_static(pipe):
    past, future = (g.assign(s=g["id"].map({"a": 1.0, "b": 2.0})) for g in frames())
    later = future.assign(day=future["day"] + pd.Timedelta(days=HORIZON), s=5.0)
    for rows in (future, pd.concat([future, later]), future.assign(s=5.0)):
        with pytest.raises(ValueError, match="'s' is static: it differs between ids"):
            forecast(pipe, past, rows)


def test_off_and_no_covariates_are_the_plain_forecast(pipe):
    past, future = frames()
    plain = pipe.predict_frame(past[["id", "day", "y"]], HORIZON, **OPTIONS)
    off = forecast(pipe, past, future, covariates="off")
    pd.testing.assert_frame_equal(off, plain)
    assert plain["q0.5"].tolist() == pipe.predict(series(past), HORIZON).median.ravel().tolist()


def test_a_static_column_may_be_left_out(pipe):
    """The advice of the errors about static columns works."""
    past, future = frames()
    expected = median(pipe, past, future)
    wide = [g.assign(s=g["id"].map({"a": 1.0, "b": 2.0})) for g in (past, future)]
    with pytest.raises(ValueError, match=r"past column 's' is static: .* out of past_columns"):
        forecast(pipe, wide[0], future, past_columns=["z", "s"])
    found = median(pipe, *wide, known_columns=["x", "w"])
    np.testing.assert_array_equal(found, expected)


def test_columns_of_numbers_may_be_categories(pipe):
    past, future = (g.assign(w=(g["w"] == "wet") * 3 + 2) for g in frames())
    expected = predicted(pipe, past, future, categories=["w"])
    found = median(pipe, past, future, categories="w")
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found - median(pipe, past, future)).max() > 0.01
    floats = median(pipe, past.assign(w=past["w"].astype(float)), future, categories=["w"])
    np.testing.assert_allclose(floats, expected, atol=1e-6)


def test_options_reach_the_pipeline(pipe):
    past, future = frames()
    found = median(pipe, past, future, covariates="always")
    expected = predicted(pipe, past, future, covariates="always")
    np.testing.assert_allclose(found, expected, atol=1e-6)


# ---------------------------------------------------------------- which rows


def test_rows_with_an_empty_target_hold_the_future(pipe):
    past, future = frames()
    whole = pd.concat([past, future]).sample(frac=1, random_state=3)
    found = pipe.predict_frame(
        whole.sort_values("id"), HORIZON, known_columns=["x", "w"], past_columns=["z"], **OPTIONS
    )
    np.testing.assert_allclose(found["q0.5"], median(pipe, past, future), atol=1e-9)


def test_a_horizon_begins_after_the_last_value_of_its_own_target(pipe):
    past, future = frames(ids=("a",))
    wide = past.rename(columns={"y": "north"}).assign(south=past["y"] + 1)
    wide.loc[wide.index[-4:], "south"] = np.nan
    found = pipe.predict_frame(
        wide, HORIZON, time_column="day", target_columns=["north", "south"],
        future_frame=future.drop(columns="id"),
    )  # fmt: skip
    known = tables(past, future)[0].iloc[:-4]
    shorter = pipe.predict(
        past["y"].to_numpy()[:-4] + 1, HORIZON, known=known, cycles=periods_of("D")
    )
    np.testing.assert_allclose(found["q0.5"][HORIZON:], shorter.median[0], atol=1e-6)
    assert found["day"][HORIZON] == past["day"].iloc[-4]


def test_in_the_horizon_the_future_frame_goes_before_the_frame(pipe):
    past, future = frames()
    whole = pd.concat([past, future.assign(x=0.0)])
    np.testing.assert_allclose(
        median(pipe, whole, future), median(pipe, past, future), atol=1e-9
    )  # rows of the frame fill what it does not have
    part = future[future["day"] < future["day"].max()]
    assert len(median(pipe, pd.concat([past, future]), part)) == 2 * HORIZON


def test_steps_without_a_row_are_missing(pipe):
    past, future = frames()
    holes = past.drop(index=[5, 40, 150])
    gone = past.set_index(["id", "day"]).assign(hole=False).reset_index()
    gone.loc[[5, 40, 150], ["y", "x", "z"]] = np.nan
    gone.loc[[5, 40, 150], "w"] = None
    expected = predicted(pipe, gone, future)
    np.testing.assert_allclose(median(pipe, holes, future), expected, atol=1e-6)


def test_covariates_are_no_targets(pipe):
    past, future = frames()
    found = pipe.predict_frame(
        past, HORIZON, time_column="day", id_column="id", future_frame=future, past_columns="z"
    )
    assert found["target"].unique().tolist() == ["y"]
    found = pipe.predict_frame(past, HORIZON, time_column="day", id_column="id", past_columns="z")
    assert found["target"].unique().tolist() == ["y", "x"]


def test_an_empty_column_of_a_named_target_may_be_there(pipe):
    past, future = frames()
    expected = median(pipe, past, future)
    np.testing.assert_array_equal(median(pipe, past, future.assign(y=np.nan)), expected)


def test_the_times_and_ids_may_be_an_index(pipe):
    past, future = frames()
    found = median(pipe, past.set_index(["id", "day"]), future.set_index(["day", "id"]))
    np.testing.assert_allclose(found, median(pipe, past, future), atol=1e-9)


def test_categories_and_booleans(pipe):
    past, future = frames()
    wet = [frame.assign(w=frame["w"].astype("category")) for frame in (past, future)]
    expected = median(pipe, past, future)
    np.testing.assert_allclose(median(pipe, *wet), expected, atol=1e-9)
    flag = [frame.assign(w=frame["w"] == "wet") for frame in (past, future)]
    number = [frame.assign(w=(frame["w"] == "wet") * 1.0) for frame in (past, future)]
    np.testing.assert_allclose(median(pipe, *flag), median(pipe, *number), atol=1e-9)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (lambda t: t.dt.strftime("%d/%m/%Y"), lambda t: t.dt.strftime("%d/%m/%Y")),
        (lambda t: t.dt.strftime("%Y%m%d").astype(int), lambda t: t.dt.strftime("%Y%m%d")),
        (lambda t: t, lambda t: t.astype(str)),
        (lambda t: t.dt.to_period("D"), lambda t: t.dt.to_period("D")),
        (lambda t: t.dt.as_unit("s"), lambda t: t.dt.as_unit("ns")),
        (lambda t: t.dt.tz_localize("Europe/Berlin"), lambda t: t.dt.tz_localize("Europe/Berlin")),
        (
            lambda t: t.dt.tz_localize("Europe/Berlin"),
            lambda t: t.dt.tz_localize("Europe/Berlin").dt.tz_convert("UTC"),
        ),
        (
            lambda t: t.dt.tz_localize("Europe/Berlin").dt.tz_convert("UTC").dt.tz_localize(None),
            lambda t: t.dt.tz_localize("Europe/Berlin").dt.tz_convert("UTC").dt.tz_localize(None),
        ),
        (
            lambda t: (t - pd.Timestamp("2024-01-01")).dt.days,
            lambda t: (t - pd.Timestamp("2024-01-01")).dt.days,
        ),
    ],
    ids=["dayfirst", "codes", "text", "periods", "units", "zone", "zones", "stored", "integers"],
)
def test_times_of_every_kind(pipe, here, there):
    past, future = frames()
    found = median(
        pipe, past.assign(day=here(past["day"])), future.assign(day=there(future["day"]))
    )
    integers = pd.api.types.is_integer_dtype(here(past["day"])) and here(past["day"]).max() < 1000
    expected = predicted(pipe, past, future, None if integers else "D")
    np.testing.assert_allclose(found, expected, atol=1e-6)


# ------------------------------------------------------------------- honesty


def drop(future, row):
    return future.drop(index=row)


NAMED = [
    ("row", lambda p, f: (p, drop(f, HORIZON + 2)), {}, "id 'b': .* no row for 2024-05-02"),
    ("rows", lambda p, f: (p, None), {"known_columns": "x"}, "id 'a': .* no row for 2024-04-30"),
    ("absent", lambda p, f: (p, f.drop(columns="x")), {"known_columns": ["x", "w"]}, "column 'x'"),
    ("unseen", lambda p, f: (p, f.assign(q=1.0)), {}, "'q', and the history has none of this name"),
    ("double", lambda p, f: (p, pd.concat([f, f.tail(1)])), {}, "id 'b': .* 2024-05-11 more than"),
    ("empty", lambda p, f: (p, f.assign(x=f["x"].where(f["id"] == "a"))), {}, "id 'b'.*'x' has no"),
    ("blank", lambda p, f: (p, f.assign(x=np.nan)), {}, "no value in column 'x'"),
    ("target", lambda p, f: (p, f.assign(y=1.0)), {}, "values of the target 'y'"),
    ("zone", lambda p, f: (p, f.assign(day=f["day"].dt.tz_localize("UTC"))), {}, "time zone"),
    ("kind", lambda p, f: (p, f.assign(day=range(len(f)))), {}, "integers"),
    ("id", lambda p, f: (p, f.drop(columns="id")), {}, "future_frame: id_column: .* 'id'"),
    ("ids", lambda p, f: (p, f.assign(id="c")), {}, "no id of it, such as 'c'"),
    ("time", lambda p, f: (p, f.assign(day=f["day"].where(f.index != 3))), {}, "data row 4 has no"),
    ("none", lambda p, f: (p, f.iloc[:0]), {}, "future_frame: there are no rows"),
    ("both", lambda p, f: (p, f), {"known_columns": "x", "past_columns": "x"}, "'x' is in known"),
    ("roles", lambda p, f: (p, f), {"past_columns": "y"}, "'y' is in target_columns and in past"),
    (
        "past",
        lambda p, f: (p, f.assign(z=1.0)),
        {},
        "has values of the past column 'z'",
    ),
    ("codes", lambda p, f: (p, f), {"categories": "y"}, "'y' in categories is no covariate"),
    ("alone", lambda p, f: (p, f.tail(HORIZON)), {}, "id 'a': .* it has no rows of this series"),
    ("late", lambda p, f: (p, later(f)), {}, "04-30, .* of this series are from 2024-05-01 to"),
    ("typo", lambda p, f: (p, f), {"past_columns": "nope"}, "past_columns: .* 'nope'"),
    ("finer", lambda p, f: (p, hourly(f)), {}, "between the steps of the series"),
    (
        "infinite",
        lambda p, f: (p, f.assign(x=np.inf)),
        {},
        "future_.* 'x': data row 1, inf",
    ),
    (
        "mixed",
        lambda p, f: (p, f.assign(x="warm")),
        {},
        "'x' holds numbers, .* texts in fut",
    ),
    (
        "static",
        lambda p, f: tuple(g.assign(s=g["id"].map({"a": 1.0, "b": 2.0})) for g in (p, f)),
        {},
        "'s' is static: .* drop it, or name the other columns in known_columns",
    ),
]


def later(future):
    return future.assign(day=future["day"] + pd.Timedelta(days=1))


def hourly(future):
    rows = [part.set_index("day").resample("6h").ffill() for _, part in future.groupby("id")]
    return pd.concat(rows).reset_index()


@pytest.mark.parametrize(("change", "options", "message"), [case[1:] for case in NAMED],
                         ids=[case[0] for case in NAMED])  # fmt: skip
def test_errors_name_the_column_the_id_and_the_time(pipe, change, options, message):
    past, future = change(*frames())
    with pytest.raises((TypeError, ValueError), match=message):
        forecast(pipe, past, future, **options)


def test_one_bad_series_does_not_stop_the_others(pipe):
    past, future = frames(ids=("a", "b", "c", "d"))
    bad = future.drop(index=HORIZON + 1)  # of b
    bad = pd.concat([bad, bad[bad["id"] == "c"].tail(1)])
    bad["x"] = bad["x"].where(bad["id"] != "d")
    with pytest.warns(SeriesWarning) as caught:
        found = forecast(pipe, past, bad, on_error="nan")
    reasons = caught[0].message.reasons
    assert list(reasons) == [f"id {key!r}: target 'y'" for key in "bcd"]
    assert "no row for 2024-05-01" in reasons["id 'b': target 'y'"]
    assert "more than once" in reasons["id 'c': target 'y'"]
    assert "'x' has no value in the horizon" in reasons["id 'd': target 'y'"]
    assert found["q0.5"].isna().tolist() == [False] * HORIZON + [True] * 3 * HORIZON
    expected = median(pipe, past, future)[:HORIZON]
    np.testing.assert_allclose(found["q0.5"][:HORIZON], expected, atol=1e-6)


def test_warnings_name_ids_and_targets(pipe):
    past, future = frames()
    gap = future.assign(x=future["x"].where(future.index != HORIZON + 3))
    with pytest.warns(CovariateWarning, match="'x' has missing values .* id 'b': target 'y'$"):
        forecast(pipe, past, gap)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forecast(pipe, past, future)


def test_closed_days_of_the_series_may_be_in_the_future(pipe):
    past, future = frames(freq="B")
    whole = future.groupby("id").apply(daily, include_groups=False).reset_index("id")
    assert len(whole) > len(future)
    np.testing.assert_allclose(median(pipe, past, whole), median(pipe, past, future), atol=1e-9)


def daily(rows):
    return rows.set_index("day").resample("D").ffill().reset_index()
