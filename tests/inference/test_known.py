"""Columns that a network itself reads, after finetuning with target="channels"."""

import json

import numpy as np
import pandas as pd
import pytest
from known_cases import HORIZON, season_and_price, tables, tuned, weighted_loss
from ttm import save
from ttm_channels import mixing_folder

from timer_forecaster import ForecastPipeline
from timer_forecaster.inference import memo
from timer_forecaster.inference.covariates.tables import Tables


@pytest.fixture(scope="module")
def pipe():
    return tuned()


@pytest.fixture
def given():
    series, price = season_and_price()
    return series[:, :-HORIZON], tables(price), series[:, -HORIZON:]


def test_known_columns_halve_the_loss(pipe, given):
    history, known, actual = given
    without = ForecastPipeline(pipe.key).predict(history, HORIZON)
    forecast = pipe.predict(history, HORIZON, known=known)
    assert forecast.calibration == ("trained",) * 4
    assert forecast.covariates is None  # the linear models of the core take no part
    assert weighted_loss(forecast, actual) < 0.5 * weighted_loss(without, actual)
    assert (
        0.4
        < np.mean((actual > forecast.quantiles[..., 0]) & (actual < forecast.quantiles[..., -1]))
        < 1
    )


@pytest.mark.parametrize("horizon", [7, HORIZON, 70])
@pytest.mark.parametrize("rollout", ["quantile", "median"])
def test_laws_of_forecasts_hold(pipe, given, horizon, rollout):
    history, _, _ = given
    price = np.random.default_rng(1).normal(5, 2, size=(4, history.shape[1] + horizon))
    known, how = tables(price), {"rollout": rollout}
    found = pipe.predict(history, horizon, known=known, **how).quantiles
    assert found.shape == (4, horizon, 9) and np.isfinite(found).all()
    assert (np.diff(found, axis=-1) >= 0).all()
    scale = np.array([1e-8, 1e9, 3, 1])[:, None]
    moved = pipe.predict(scale * (history + 1e3), horizon, known=known, **how).quantiles
    np.testing.assert_allclose(moved / scale[..., None] - 1e3, found, atol=5e-3)
    alone = pipe.predict(history[2], horizon, known=known[2], **how).quantiles
    np.testing.assert_allclose(alone[0], found[2], atol=1e-3)
    one = pipe.predict(history, horizon, known=known, batch_size=1, **how).quantiles
    np.testing.assert_allclose(one, found, atol=1e-3)
    higher = price.copy()
    higher[:, -1] += 3  # the last step of the horizon
    moved = pipe.predict(history, horizon, known=tables(higher), **how).quantiles
    assert (moved[:, -1] > found[:, -1] + 2).all()
    # The norm of the quantile head is taken over all steps of a pass.
    np.testing.assert_allclose(moved[:, :-2, 4], found[:, :-2, 4], atol=0.2)


def test_gaps_short_histories_and_constants(pipe, given):
    history, known, _ = given
    holes = [
        {"price": np.where(np.arange(len(own["price"])) % 9 == 4, np.nan, own["price"])}
        for own in known
    ]
    found = pipe.predict(history, HORIZON, known=holes)
    assert np.isfinite(found.quantiles).all()
    short = [{"price": own["price"][-HORIZON - 10 :]} for own in known]
    assert np.isfinite(pipe.predict(history, HORIZON, known=short).median).all()
    assert np.isfinite(pipe.predict(history[:, -5:], HORIZON, known=short).median).all()
    flat = [{"price": np.full(len(own["price"]), 4.0)} for own in known]
    assert np.abs(pipe.predict(history, 5, known=flat).median).max() < 100
    constant = history.copy()
    constant[1] = 3.0
    found = pipe.predict(constant, HORIZON, known=known).quantiles
    assert (found[1] == 3).all()
    np.testing.assert_allclose(
        found[2], pipe.predict(history, HORIZON, known=known).quantiles[2], atol=1e-4
    )


def test_a_context_length_holds_for_the_columns_too(pipe, given):
    history, known, _ = given
    found = pipe.predict(history, HORIZON, known=known, context_length=100).quantiles
    expected = pipe.predict(history[:, -100:], HORIZON, known=known).quantiles
    np.testing.assert_array_equal(found, expected)


def test_a_flip_mirrors_the_columns_too(pipe, given):
    history, known, actual = given
    both = pipe.predict(history, HORIZON, known=known, flip=True)
    assert np.isfinite(both.quantiles).all()
    assert weighted_loss(both, actual) < 0.5


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({}, r"known\[0\] is missing: .* reads \['price'\]"),
        ({"known": [{"cost": np.ones(500)}] * 4}, r"has the columns \['cost'\]: .* \['price'\]"),
        ({"known": [{"price": np.ones(500), "cost": np.ones(500)}] * 4}, r"\['price', 'cost'\]"),
        ({"covariates": "off"}, "covariates='off': .* itself"),
        ({"rollout": "multiscale"}, "rollout='multiscale' does not go with"),
        ({"past": [np.ones((468, 1))] * 4}, r"past\[0\] has column 0"),
        ({"known": [{"price": ["a"] * 500}] * 4}, "holds categories"),
    ],
)
def test_other_columns_and_options_are_refused(pipe, given, how, message):
    history, known, _ = given
    how = {"known": known} | how if {"covariates", "rollout", "past"} & how.keys() else how
    with pytest.raises(ValueError, match=message):
        pipe.predict(history, HORIZON, **how)


def test_a_series_without_its_columns_is_left_out_if_asked(pipe, given):
    history, known, _ = given
    known = [known[0], {"cost": known[1]["price"]}, *known[2:]]
    with pytest.warns(UserWarning, match="1 of 4 series"):
        found = pipe.predict(history, 5, known=known, on_error="nan").median
    assert np.isnan(found).any(axis=1).tolist() == [False, True, False, False]


def test_the_memory_tells_columns_apart(pipe, given):
    history, known, _ = given
    series = [history[0], history[0]]
    found = memo.predict(pipe, series, 5, tables=Tables(known=[known[0], known[1]])).quantiles
    assert np.abs(found[0] - found[1]).max() > 0.1
    again = memo.predict(pipe, series, 5, tables=Tables(known=[known[0], known[1]])).quantiles
    np.testing.assert_array_equal(found, again)


def test_embeddings_need_no_columns(pipe, given):
    history, _, _ = given
    expected = ForecastPipeline(pipe.key).embed(history)
    np.testing.assert_allclose(pipe.embed(history), expected, atol=1e-5)


def test_frames_give_their_known_columns(pipe, given):
    history, known, _ = given
    days = pd.date_range("2024-01-01", periods=500, freq="h")
    frame = pd.concat(
        pd.DataFrame(
            {
                "id": i,
                "time": days,
                "price": known[i]["price"],
                "y": np.r_[history[i], np.full(HORIZON, np.nan)],
            }
        )
        for i in range(4)
    )
    names = {"time_column": "time", "id_column": "id", "target_columns": "y"}
    found = pipe.predict_frame(frame, HORIZON, **names, known_columns="price")
    expected = pipe.predict(history, HORIZON, known=known).median
    np.testing.assert_allclose(found["q0.5"], expected.ravel(), atol=1e-5)
    with pytest.raises(ValueError, match="id 0: target 'y': known is missing"):
        pipe.predict_frame(frame.dropna().drop(columns="price"), HORIZON, **names)


def test_a_folder_of_the_released_layout_keeps_names_and_scales(pipe, given, tmp_path):
    history, known, _ = given
    save(pipe.network, tmp_path / "merged")
    merged = ForecastPipeline.from_pretrained(tmp_path / "merged", device="cpu")
    found = merged.predict(history, HORIZON, known=known).quantiles
    expected = pipe.predict(history, HORIZON, known=known).quantiles
    np.testing.assert_allclose(found, expected, atol=1e-5)
    with pytest.raises(ValueError, match=r"reads \['price'\]"):
        merged.predict(history, HORIZON)


def test_rows_of_several_series_share_their_columns(tmp_path):
    """No finetuning makes such a network, but a folder may hold one."""
    folder = mixing_folder(
        tmp_path / "mixing",
        exogenous_channel_indices=[2],
        enable_forecast_channel_mixing=True,
    )
    config = tmp_path / "mixing" / "config.json"
    entries = json.loads(config.read_text()) | {"known_columns": [["price", 1.0, 2.0]]}
    config.write_text(json.dumps(entries))
    pipe = ForecastPipeline.from_pretrained(folder, device="cpu")
    assert pipe.network.config.n_channels == 2
    series = np.random.default_rng(0).normal(size=(4, 80)).cumsum(axis=1)
    price = np.random.default_rng(1).normal(size=(2, 100))
    found = pipe.predict(series, 20, known=tables(price.repeat(2, axis=0))).quantiles
    assert found.shape == (4, 20, 9)
    alone = pipe.predict(series[2:], 20, known=tables(price[[1, 1]])).quantiles
    np.testing.assert_allclose(alone, found[2:], atol=1e-4)
    with pytest.raises(ValueError, match=r"known\[1\] is not known\[0\]"):
        pipe.predict(series, 20, known=tables(price[[0, 1, 0, 1]]))
