"""Checkpoints that mix channels: so many consecutive series are one row."""

import numpy as np
import pandas as pd
import pytest
import torch
from far_forecasts import mean_of_parts
from ttm import SHARED
from ttm_channels import QUANTILES, mixing

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.inference import channels, memo, multiscale, residuals
from timer_forecaster.inference.engine.ttm import forecast_rows
from timer_forecaster.inference.memo import Question
from timer_forecaster.inference.scaling import in_units, scaled

KINDS = {
    "decoder": {},
    "backbone": {"mode": "mix_channel"},
    "forecasts": {
        "decoder_mode": "common_channel",
        "enable_forecast_channel_mixing": True,
        "fcm_use_mixer": True,
    },
}


@pytest.fixture(params=[*KINDS, "points"])
def pipe(request):
    if request.param == "points":
        return mixing()
    return mixing(**QUANTILES, **KINDS[request.param])


@pytest.fixture(scope="module")
def trained():
    return mixing(**QUANTILES)


def walks(n=3, steps=80, seed=0):
    return np.random.default_rng(seed).normal(size=(n, steps)).cumsum(axis=1)


def test_a_row_is_what_the_network_computes_from_its_standardized_channels(trained):
    series = walks(steps=64) * [[1e-4], [1.0], [1e6]] + 1e3
    mean, std = series.mean(1), series.std(1)
    rows = torch.tensor(((series - mean[:, None]) / std[:, None]).T[None], dtype=torch.float32)
    with torch.no_grad():
        output = trained.network(rows, past_observed_mask=torch.ones_like(rows))
    expected = output.quantile_outputs[0].permute(2, 1, 0).double().numpy()  # (3, 16, 9)
    found = trained.predict(series, 16).quantiles
    np.testing.assert_allclose(
        (found - mean[:, None, None]) / std[:, None, None], expected, atol=1e-5
    )


@pytest.mark.parametrize("horizon", [5, 16, 40])
@pytest.mark.parametrize("rollout", ["quantile", "median"])
def test_laws_of_forecasts_hold_for_each_channel(pipe, horizon, rollout):
    series = walks(6)
    found = pipe.predict(series, horizon, rollout=rollout).quantiles
    assert found.shape == (6, horizon, 9)
    assert (np.diff(found, axis=-1) >= 0).all()
    scale, level = np.array([1e-8, 3, 1e9, 1, 1, 1e-3])[:, None], 1e3
    moved = pipe.predict(scale * (series + level), horizon, rollout=rollout).quantiles
    np.testing.assert_allclose(moved / scale[..., None] - level, found, atol=2e-4)
    alone = pipe.predict(list(series[3:]), horizon, rollout=rollout).quantiles
    np.testing.assert_allclose(alone, found[3:], atol=1e-4)
    small = pipe.predict(series, horizon, rollout=rollout, batch_size=1).quantiles
    np.testing.assert_allclose(small, found, atol=1e-4)
    if not pipe.network.config.forecasts_quantiles:
        return  # errors at past origins have no mirror image
    mirror = pipe.predict(-series, horizon, rollout=rollout, flip=True).quantiles
    both = pipe.predict(series, horizon, rollout=rollout, flip=True).quantiles
    np.testing.assert_allclose(-mirror[..., ::-1], both, atol=1e-4)


def test_channels_of_a_row_change_each_other_and_other_rows_do_not(pipe):
    series = walks(6)
    found = pipe.predict(series, 8).quantiles
    series[2] = walks(1, seed=5)[0]
    changed = np.abs(pipe.predict(series, 8).quantiles - found).max((1, 2))
    assert (changed[:2] > 1e-5).all()
    assert (changed[3:] < 1e-6).all()


def test_constant_channels_forecast_themselves_and_others_are_forecast_beside_them(pipe):
    series = walks(6)
    series[1], series[3:] = 7.0, 2.0
    found = pipe.predict(series, 20).quantiles
    assert (found[1] == 7).all() and (found[3:] == 2).all()
    assert np.isfinite(found).all() and np.ptp(found[0]) > 0


def test_gaps_and_short_histories_in_a_channel(pipe):
    series = walks(3, 200) + 1000
    holes = series.copy()
    holes[1, 160::9] = np.nan
    holes[2, :170] = np.nan  # a channel that begins later
    found = pipe.predict(holes, 8).median
    assert np.abs(found - series[:, -1:]).max() < 10 * series.std(1).max()
    short = pipe.predict(series[:, -5:], 8).quantiles
    assert np.isfinite(short).all()
    padded = np.concatenate([np.full((3, 30), np.nan), series[:, -5:]], axis=1)
    np.testing.assert_allclose(pipe.predict(padded, 8).quantiles, short, atol=1e-4)


@pytest.mark.parametrize("n", [1, 2, 4, 7])
def test_another_number_of_series_is_refused_by_both_numbers(trained, n):
    for ask in (trained.predict, lambda series, horizon: memo.predict(trained, series, horizon)):
        with pytest.raises(ValueError, match=rf"series: there are {n}, .* reads 3 consecutive"):
            ask(list(np.repeat(walks(1), n, axis=0)), 4)
    with pytest.raises(ValueError, match=f"there are {n}"):
        trained.embed(walks(n))


def test_series_of_a_row_have_equal_lengths(trained):
    series = [*walks(6)]
    series[4] = series[4][:-2]
    with pytest.raises(ValueError, match=r"series\[4\] has 78 steps, and series\[3\] has 80"):
        trained.predict(series, 4)
    cut = [values[:78] for values in series[3:]]  # as advised
    assert np.isfinite(trained.predict(cut, 4).median).all()
    longer = [*walks(3, 50), *walks(3, 90)]  # rows may differ
    assert np.isfinite(trained.predict(longer, 4).median).all()


def test_rows_of_other_lengths_are_left_out(pipe):
    series = [*walks(2, 200), *walks(1, 155), *walks(3, 200)]
    with pytest.warns(UserWarning, match="3 of 6 series have no forecast"):
        found = pipe.predict(series, 4, on_error="nan")
    assert sorted(found.failures) == [0, 1, 2]
    assert np.isnan(found.median[:3]).all() and np.isfinite(found.median[3:]).all()


@pytest.mark.parametrize("spoil", [np.nan, np.inf])
def test_a_row_with_a_channel_that_cannot_be_forecast_has_no_forecast(trained, spoil):
    series = walks(6)
    series[1] = spoil
    with pytest.raises(ValueError, match=r"series\[1\]"):
        trained.predict(series, 4)
    with pytest.warns(UserWarning, match="3 of 6 series have no forecast"):
        found = trained.predict(series, 4, on_error="nan")
    assert np.isnan(found.median[:3]).all() and np.isfinite(found.median[3:]).all()
    assert sorted(found.failures) == [0, 1, 2]
    assert "read as one row with series[1]" in found.failures[0]
    np.testing.assert_allclose(found.quantiles[3:], trained.predict(series[3:], 4).quantiles)
    with pytest.warns(UserWarning, match=r"forecast, but NaN: series\[0\]: it is read as one row"):
        report = trained.detect_anomalies(series, min_history=70, on_error="nan")
    assert report.failures[0].startswith("it is read as one row with series[1], which has")


def test_embeddings_are_of_each_channel(trained):
    found = trained.embed(walks(6))
    assert found.shape == (6, 16)
    np.testing.assert_allclose(trained.embed(walks(6)[3:]), found[3:], atol=1e-6)


def test_strides_keep_the_channels_of_a_row_together(trained):
    series, horizon, options = walks(6, 2500), 40, {"rollout": "multiscale"}
    found = trained.predict(series, horizon, **options).quantiles
    strides = multiscale.strides(2500, horizon, 16)
    rolled_out = trained.predict(series, horizon, rollout="median").quantiles
    parts = []
    for stride in strides:
        steps = -(-horizon // stride)
        own = np.empty((6, stride, steps, 9))
        for phase in range(stride):
            cut = [multiscale.phases(values, stride)[phase] for values in series]
            own[:, phase] = trained.predict(cut, steps, rollout="quantile").quantiles
        parts.append(multiscale.interleave(own.reshape(-1, steps, 9), stride, horizon))
    np.testing.assert_allclose(found, mean_of_parts(rolled_out, parts), atol=1e-4)
    np.testing.assert_allclose(
        trained.predict(series[3:], horizon, **options).quantiles, found[3:], atol=1e-4
    )


def test_errors_at_past_origins_are_those_of_rows_cut_there():
    pipe = mixing()
    series = walks(3, 400)
    series[2] = 4.0
    forecast = pipe.predict(series, 8)
    assert forecast.calibration == ("own",) * 3
    assert pipe.predict(series[:, -60:], 8).calibration == ("table",) * 3
    assert (forecast.quantiles[2] == 4).all()
    origins = range(392, 392 - 8 * 12, -8)
    point = [point_of(pipe, series[:, :origin]) for origin in origins]
    for channel in (0, 1):
        errors = [
            (series[channel, origin : origin + 8] - forecast[channel])
            / residuals.unit_of(series[channel, :origin])
            for origin, forecast in zip(origins, point, strict=True)
        ]
        relative = residuals.pooled_quantiles(np.array(errors), np.arange(1, 10) / 10)
        expected = point_of(pipe, series)[channel][:, None]
        relative = residuals.around_median(relative, np.arange(1, 10) / 10)
        expected = expected + relative * residuals.unit_of(series[channel])
        np.testing.assert_allclose(forecast.quantiles[channel], expected, atol=1e-4)


def point_of(pipe, series):
    """Return the network's own forecasts (channels, 8) of a row."""
    rows = [scaled(one, 64, True) for one in series]
    values = [row.values for row in rows]
    found = forecast_rows(pipe.network, values, 8, "median", None, int)
    return in_units(rows, found)[..., 0]


# --- the memory of forecasts ----------------------------------------------------------------


def test_the_memory_computes_equal_rows_once_and_keeps_channels_together(trained, calls):
    one, other = walks(3), walks(3, seed=1)
    swapped = one[[1, 0, 2]]  # the same series, and another row
    asked = [*one, *other, *one, *swapped]
    found = memo.predict(trained, asked, 6)
    assert calls == [(9, 6)]
    expected = trained.predict([*one, *other, *swapped], 6).quantiles
    order = [*range(6), 0, 1, 2, 6, 7, 8]
    np.testing.assert_array_equal(found.quantiles, expected[order])
    assert np.abs(found.quantiles[0] - found.quantiles[10]).max() > 1e-5
    empty = np.full((3, 80), np.nan)
    empty[1:] = one[1:]
    found = memo.predict(trained, [*empty, *one], 6, unobserved="nan").quantiles
    assert np.isnan(found[:3]).all()
    np.testing.assert_allclose(found[3:], expected[:3], atol=1e-5)


def test_prefetched_rows_are_recalled(trained, calls, monkeypatch):
    release()
    monkeypatch.setattr(memo, "_MOST_VALUES", 400)  # less than two rows
    asked = [walks(3, seed=seed) for seed in range(5)]
    memo.prefetch(trained, [Question(series, 6) for series in asked])
    n_calls = len(calls)
    assert n_calls > 1
    for series in asked:
        found = memo.predict(trained, series, 6).quantiles
        np.testing.assert_allclose(found, trained.predict(series, 6).quantiles, atol=1e-5)
    assert len(calls) == n_calls + 5


# --- refusals, and the released layout ------------------------------------------------------


def test_covariates_beside_a_row_are_refused_with_advice_that_works(trained):
    known = [np.ones((84, 1))] * 3
    with pytest.raises(ValueError, match="reads 3 series as one row, and takes no covariates"):
        trained.predict(walks(), 4, known=known)
    found = trained.predict(walks(), 4, known=known, covariates="off").quantiles
    np.testing.assert_array_equal(found, trained.predict(walks(), 4).quantiles)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"enable_forecast_channel_mixing": True, "exogenous_channel_indices": [2]},
            r"channels \[2\] are exogenous .*target='channels'",
        ),
        ({"prediction_channel_indices": [0, 2]}, "forecasts 2 of its 3 channels alone"),
    ],
)
def test_checkpoints_of_exogenous_or_left_out_channels_are_refused(changes, message):
    pipe = mixing(**changes)
    for ask in (
        lambda: pipe.predict(walks(), 4),
        lambda: pipe.predict(walks(), 4, known=[np.ones((84, 1))] * 3),
        lambda: pipe.embed(walks()),
        lambda: memo.predict(pipe, walks(), 4),
    ):
        with pytest.raises(ValueError, match=message):
            ask()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the parity models are not there")
@pytest.mark.parametrize(
    ("name", "n_channels"), [("decoder_mix", 3), ("all_mix", 4), ("channel_reconcile", 3)]
)
def test_models_of_the_released_layout(name, n_channels):
    pipe = ForecastPipeline.from_pretrained(SHARED / name, device="cpu")
    assert pipe.network.config.n_channels == n_channels
    assert pipe.predict(walks(2 * n_channels), 30).quantiles.shape == (2 * n_channels, 30, 9)
    with pytest.raises(ValueError, match=f"there are 5, .* reads {n_channels} consecutive"):
        pipe.predict(walks(5), 3)
    for refused in ("exog", "channel_subset"):
        with pytest.raises(ValueError, match="cannot forecast series"):
            ForecastPipeline.from_pretrained(SHARED / refused, device="cpu").predict(walks(5), 3)


# --- frames ---------------------------------------------------------------------------------


def frame_of(n_targets=3, n_ids=2, steps=80):
    days = pd.date_range("2024-01-01", periods=steps, freq="D")
    parts = [
        pd.DataFrame(
            {"day": days, "id": f"shop {i}"}
            | {f"t{c}": values for c, values in enumerate(walks(n_targets, steps, seed=i))}
        )
        for i in range(n_ids)
    ]
    return pd.concat(parts, ignore_index=True)


def test_targets_of_an_id_are_one_row(trained):
    frame = frame_of()
    names = {"time_column": "day", "id_column": "id"}
    found = trained.predict_frame(frame.sample(frac=1, random_state=0), 5, **names)
    assert len(found) == 2 * 3 * 5
    series = [part[f"t{c}"].to_numpy() for _, part in frame.groupby("id") for c in range(3)]
    expected = trained.predict(series, 5)
    ordered = found.sort_values(["id", "target", "day"])
    np.testing.assert_allclose(ordered["q0.5"], expected.median.ravel(), atol=1e-6)
    chosen = trained.predict_frame(frame, 5, **names, target_columns=["t2", "t0", "t1"])
    expected = trained.predict([series[i] for i in (2, 0, 1, 5, 3, 4)], 5).median
    np.testing.assert_allclose(chosen["q0.5"], expected.ravel(), atol=1e-6)


def test_a_frame_with_another_number_of_targets_is_refused(trained):
    frame = frame_of(2, 3)  # six series, which are no two rows
    with pytest.raises(ValueError, match=r"frame has 2 targets, \['t0', 't1'\], .* reads 3 series"):
        trained.predict_frame(frame, 5, time_column="day", id_column="id")


def test_targets_that_end_at_different_steps_are_refused_by_name(trained):
    frame = frame_of()
    frame.loc[frame.index[78:80], "t1"] = np.nan
    names = {"time_column": "day", "id_column": "id"}
    with pytest.raises(ValueError, match="id 'shop 0': target 't1' has 78 steps"):
        trained.predict_frame(frame, 5, **names)
    filled = frame.assign(t1=frame["t1"].ffill())  # as advised
    assert trained.predict_frame(filled, 5, **names)["q0.5"].notna().all()
    with pytest.warns(UserWarning, match="3 of 6 series") as told:
        found = trained.predict_frame(frame, 5, **names, on_error="nan")
    assert found["q0.5"].isna().sum() == 15
    with pytest.warns(UserWarning, match="3 of 6 series") as also_told:
        trained.detect_anomalies_frame(frame, **names, on_error="nan")
    for warning in (told[0], also_told[0]):
        assert "id 'shop 0': target 't1' has 78 steps" in str(warning.message)
        assert "series[" not in str(warning.message)


def test_numbers_of_rows_and_series():
    numbers, varies = channels.read_series([0.0, 0.0, 1.0, 0.0, 2.0, 2.0], 2)
    assert numbers == [2, 3, 4, 5]
    assert varies.tolist() == [True, False, True, True]
    assert channels.grouped([1, 2, 3], 1) == [[1], [2], [3]]
