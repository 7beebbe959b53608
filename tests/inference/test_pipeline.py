"""What a forecast means, whichever door it comes through (random weights, real nine levels)."""

import pickle
import threading
import warnings

import numpy as np
import odd_series
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from places import ROOT
from ttm_channels import QUANTILES, SIZES, mixing

import timer_forecaster
from timer_forecaster import ForecastPipeline
from timer_forecaster.inference import pipeline as pipeline_module

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
PASS = 32  # steps of one pass of the test network
POINTS = {"decoder_mode": "common_channel", "num_input_channels": 1}  # of a small TinyTimeMixer


def walk(steps, seed=0):
    return np.random.default_rng(seed).normal(size=steps).cumsum()


def spread(series):
    return np.nanmax(series) - np.nanmin(series)


@pytest.mark.parametrize("factor", [1e-9, 1e-4, 7.0, 1e9, 1e250, 1e-250])
@pytest.mark.parametrize("horizon", [10, PASS + 5])
def test_scale_equivariance(pipe, factor, horizon):
    series = walk(150)
    expected = pipe.predict(series, horizon).quantiles
    scaled = pipe.predict(series * factor, horizon).quantiles
    np.testing.assert_allclose(scaled / factor, expected, atol=1e-5 * spread(series))


@settings(max_examples=25)
@given(
    name=st.sampled_from(["timer-s1-test", "ttm-test"]),
    exponent=st.floats(-9, 9),
    shift=st.floats(-1e6, 1e6),
    steps=st.integers(2, 90),
    seed=st.integers(0, 1000),
)
def test_affine_equivariance_is_a_law(name, exponent, shift, steps, seed):
    pipe = ForecastPipeline.from_pretrained(name, device="cpu")
    series = walk(steps, seed)
    factor = 10.0**exponent
    expected = pipe.predict(series, 20).quantiles
    moved = pipe.predict((series + shift) * factor, 20).quantiles / factor - shift
    np.testing.assert_allclose(moved, expected, atol=1e-4 * spread(series))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("level", [1e6, -1e6, 1e9])
@pytest.mark.parametrize("name", ["timer-s1-test", "ttm-test"])
def test_level_far_above_amplitude(name, dtype, level):
    pipe = ForecastPipeline.from_pretrained(name, dtype=dtype, device="cpu")
    series = np.sin(np.arange(200) / 5)
    expected = pipe.predict(series, 24).quantiles
    high = pipe.predict(series + level, 24).quantiles - level
    np.testing.assert_allclose(high, expected, atol=1e-2 if dtype == "bfloat16" else 1e-5)


def test_rows_do_not_depend_on_batch_or_order(pipe):
    rows = [walk(steps, seed) for seed, steps in enumerate([5, 17, 100, 3, 300, 512, 700, 33, 16])]
    together = pipe.predict(rows, 70).quantiles
    alone = np.concatenate([pipe.predict(row, 70).quantiles for row in rows])
    backwards = pipe.predict(rows[::-1], 70).quantiles[::-1]
    halves = pipe.predict(rows, 70, batch_size=2).quantiles
    for other in (alone, backwards, halves):
        for row, expected, actual in zip(rows, together, other, strict=True):
            np.testing.assert_allclose(actual, expected, atol=1e-5 * spread(row))


@pytest.mark.parametrize("value", [0.0, 5.0, -1e-300, 1e12])
@pytest.mark.parametrize("steps", [1, 2, 40])
def test_constant_and_single_point_series_forecast_themselves(pipe, value, steps):
    forecast = pipe.predict(np.full(steps, value), 40)
    assert (forecast.quantiles == value).all()
    assert (forecast.quantile(0.01) == value).all()
    np.testing.assert_allclose(forecast.mean, value, rtol=1e-12)


def test_leading_missing_values_are_trimmed(pipe):
    series = walk(90)
    padded = np.concatenate([np.full(37, np.nan), series])
    expected = pipe.predict(series, 20).quantiles
    np.testing.assert_allclose(pipe.predict(padded, 20).quantiles, expected, atol=1e-12)


def test_context_is_cut_to_the_newest_steps(pipe):
    series = walk(2000)
    limit = pipe.network.config.max_context_length
    expected = pipe.predict(series[-limit:], 20).quantiles
    np.testing.assert_array_equal(pipe.predict(series, 20).quantiles, expected)
    np.testing.assert_array_equal(
        pipe.predict(series, 20, context_length=64).quantiles,
        pipe.predict(series[-64:], 20).quantiles,
    )


@pytest.mark.parametrize("rollout", ["quantile", "median"])
@pytest.mark.parametrize("horizon", [1, 15, 16, 17, PASS, PASS + 1, 100, 1000])
def test_every_horizon_works_and_never_crosses(pipe, horizon, rollout):
    forecast = pipe.predict([walk(100), walk(500, 1)], horizon, rollout=rollout)
    assert forecast.quantiles.shape == (2, horizon, 9)
    assert np.isfinite(forecast.quantiles).all()
    levels = [0.01, 0.05, 0.1, 0.25, 0.5, 0.55, 0.9, 0.95, 0.99]
    values = np.stack([forecast.quantile(level) for level in levels])
    assert (np.diff(values, axis=0) >= 0).all()


def test_a_longer_horizon_does_not_change_the_first_steps(pipe):
    series = walk(100)
    long = pipe.predict(series, 150).quantiles
    for horizon in (1, 16, 20, PASS, 70):
        np.testing.assert_allclose(
            pipe.predict(series, horizon).quantiles, long[:, :horizon], atol=1e-5 * spread(series)
        )


def test_only_the_serial_blocks_that_are_needed_run(timer_s1, monkeypatch):
    calls = []
    block = timer_s1.network.mtp_modules[0]
    handle = block.register_forward_hook(lambda *_: calls.append(1))
    try:
        timer_s1.predict(walk(100), 16)
        assert not calls
        timer_s1.predict(walk(100), 17)
        assert len(calls) == 1
    finally:
        handle.remove()


def test_median_rollout_is_the_released_one(timer_s1):
    series = walk(160)
    row = torch.from_numpy(((series - series.mean()) / series.std())[None]).float()
    released = timer_s1.network.generate(row, 100, revin=False).sort(dim=1).values
    ours = (
        timer_s1.predict(series, 100, rollout="median").quantiles - series.mean()
    ) / series.std()
    np.testing.assert_allclose(ours[0].T, released[0], atol=1e-4)


@pytest.mark.parametrize(
    ("series", "error", "message"),
    [
        ([], ValueError, "holds no series"),
        ([walk(5), np.full(4, np.nan)], ValueError, r"series\[1\] holds 4 missing values only"),
        ([np.array([]), walk(5)], ValueError, r"series\[0\] is empty"),
        (np.array([1.0, np.inf, 2.0]), ValueError, r"series\[0\] is infinite at step 1"),
        (np.zeros((2, 3, 4)), ValueError, "shape"),
        ([walk(5), np.zeros((2, 2))], ValueError, r"series\[1\] has shape"),
        ("price", ValueError, "holds no series"),
        (np.array(["a", "b"]), TypeError, "must hold real numbers"),
        (np.array([1 + 2j]), TypeError, "must hold real numbers"),
        (["1", "2"], TypeError, "must hold real numbers"),
        (np.array(["2024-01-01"], dtype="datetime64[D]"), TypeError, "must hold real numbers"),
        (pd.DataFrame({"y": [1.0, 2.0]}), TypeError, "predict_frame"),
        ([None, object()], TypeError, "must hold real numbers"),
    ],
)
def test_series_that_cannot_be_used_are_named(pipe, series, error, message):
    with pytest.raises(error, match=message):
        pipe.predict(series, 5)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"horizon": 0}, ValueError, "horizon=0"),
        ({"horizon": 2.5}, TypeError, "horizon=2.5"),
        ({"horizon": True}, TypeError, "horizon=True"),
        ({"context_length": -1}, ValueError, "context_length=-1"),
        ({"batch_size": 0}, ValueError, "batch_size=0"),
        ({"rollout": "mean"}, ValueError, "rollout='mean'"),
    ],
)
def test_arguments_that_cannot_be_used_are_named(pipe, options, error, message):
    with pytest.raises(error, match=message):
        pipe.predict(walk(20), **{"horizon": 5, **options})


def test_a_context_without_any_observed_value_is_refused(pipe):
    series = np.concatenate([walk(10), np.full(600, np.nan)])
    longest = pipe.network.config.max_context_length
    with pytest.raises(ValueError, match=rf"no observed value in its newest {longest}"):
        pipe.predict(series, 5)


def test_a_context_without_a_value_is_named_with_advice_that_works(pipe):
    y = np.append(walk(300), [np.nan] * 60)
    with pytest.raises(ValueError, match=r"newest 50 steps \(context_length\); raise context"):
        pipe.predict(y, 5, context_length=50)
    for followed, length in ((y, 70), (y[:300], 50)):
        assert np.isfinite(pipe.predict(followed, 5, context_length=length).median).all()
    with pytest.raises(ValueError, match="holds 360 missing values only"):
        pipe.predict(np.full(360, np.nan), 5, context_length=50)


def test_accepted_kinds_of_input_agree(pipe):
    series = walk(40).round(2)
    expected = pipe.predict(series, 6).quantiles
    for same in (
        list(series),
        [series],
        series[None],
        pd.Series(series),
        [pd.Series(series, dtype="Float64")],
        torch.from_numpy(series),
        torch.from_numpy(series).requires_grad_(),
        tuple(series),
    ):
        np.testing.assert_array_equal(pipe.predict(same, 6).quantiles, expected)
    whole = np.arange(30)
    np.testing.assert_array_equal(
        pipe.predict(whole, 6).quantiles, pipe.predict(whole.astype(float), 6).quantiles
    )
    masked = np.ma.masked_values([1.0, 2.0, -999.0, 4.0, 7.0], -999.0)
    np.testing.assert_array_equal(
        pipe.predict(masked, 3).quantiles, pipe.predict([1.0, 2.0, np.nan, 4.0, 7.0], 3).quantiles
    )
    nullable = pd.Series([1, 2, None, 4, 5, 9], dtype="Int64")
    assert np.isfinite(pipe.predict(nullable, 3).quantiles).all()


def test_input_is_left_alone(pipe):
    series = walk(50)
    series[7] = np.nan
    before = series.copy()
    series.flags.writeable = False
    pipe.predict(series, 5)
    np.testing.assert_array_equal(series, before)


def test_deterministic_in_any_thread_without_global_random_state(pipe):
    series = [walk(100, seed) for seed in range(8)]
    expected = pipe.predict(series, 50).quantiles
    numpy_state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()
    results = [None] * 4

    def forecast(slot):
        results[slot] = pipe.predict(series, 50).quantiles

    threads = [threading.Thread(target=forecast, args=(slot,)) for slot in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_ambient_autocast_and_default_dtype_change_nothing(pipe):
    series = walk(100)
    expected = pipe.predict(series, 70).quantiles
    with torch.autocast("cpu", torch.bfloat16):
        np.testing.assert_array_equal(pipe.predict(series, 70).quantiles, expected)
        ambient = pipe.embed(series)
    np.testing.assert_array_equal(pipe.embed(series), ambient)
    torch.set_default_dtype(torch.float64)
    try:
        np.testing.assert_array_equal(pipe.predict(series, 70).quantiles, expected)
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_network_first_used_in_inference_mode_can_still_be_differentiated():
    timer_forecaster.release()
    with torch.inference_mode():
        pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    assert not any(parameter.is_inference() for parameter in pipe.network.parameters())


def test_pipelines_share_weights_and_pickle_in_bytes(pipe):
    network = pipe.network
    assert ForecastPipeline.from_pretrained(pipe.key.name, device="cpu").network is network
    copy = pickle.loads(pickle.dumps(pipe))  # noqa: S301
    assert len(pickle.dumps(pipe)) < 1000
    assert copy.network is network


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "timer-s1-mni"}, "neither a registry name"),
        ({"name": "timer-s1-test", "revision": "main"}, "revision='main'"),
        ({"name": "timer-s1-test", "device": "tpu9"}, "device='tpu9'"),
        ({"name": "timer-s1-test", "device": None}, "device=None"),
        ({"name": "timer-s1-test", "device": "cuda:77"}, "device='cuda:77'"),
        ({"name": "timer-s1-test", "dtype": "int8"}, "dtype='int8'"),
    ],
)
def test_loading_errors_say_what_would_work(arguments, message):
    with pytest.raises(ValueError, match=message):
        ForecastPipeline.from_pretrained(**arguments)


def test_folders_that_are_no_checkpoint_are_refused(tmp_path, pipe):
    with pytest.raises(ValueError, match=r"no config\.json"):
        ForecastPipeline.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(ValueError, match="'llama'"):
        ForecastPipeline.from_pretrained(tmp_path)


def test_sharded_folder_loads_without_transformers(tmp_path):

    from timer_forecaster.models.timer_s1 import TimerS1ForPrediction

    tiny = ROOT / "tests" / "data" / "parity" / "tiny"
    TimerS1ForPrediction.from_pretrained(tiny).save_pretrained(tmp_path, max_shard_size="300KB")
    assert (tmp_path / "model.safetensors.index.json").exists()
    sharded = ForecastPipeline.from_pretrained(tmp_path).predict(walk(99), 30)
    single = ForecastPipeline.from_pretrained(tiny).predict(walk(99), 30)
    np.testing.assert_allclose(sharded.quantiles, single.quantiles, atol=1e-5 * spread(walk(99)))


def test_a_relative_folder_means_the_folder_it_meant(tmp_path, monkeypatch):
    from shutil import copytree

    from timer_forecaster.checkpoints.registry import find_checkpoint

    copytree(find_checkpoint("timer-s1-test"), tmp_path / "net")
    monkeypatch.chdir(tmp_path)
    pipe = ForecastPipeline.from_pretrained("net", device="cpu")
    monkeypatch.chdir("/")
    timer_forecaster.release()
    assert np.isfinite(pipe.predict(walk(30), 4).quantiles).all()


def test_embeddings(pipe):
    rows = [walk(steps) for steps in (20, 100, 50)]
    embedded = pipe.embed(rows)
    assert embedded.shape == (3, pipe.network.config.hidden_size)
    np.testing.assert_allclose(embedded[1], pipe.embed(rows[1] * 3 + 2)[0], atol=1e-4)


@pytest.mark.parametrize(
    "kind", [np.uint8, np.uint16, np.uint32, np.uint64, np.int16, np.array, torch.tensor]
)
def test_integers_of_any_type_mean_what_they_say(pipe, kind):
    series = walk(400)
    expected = pipe.predict(series, 100, context_length=200, batch_size=1, flip=True)
    options = {"context_length": kind(200), "batch_size": kind(1), "flip": np.True_}
    found = pipe.predict(series, kind(100), **options)
    np.testing.assert_array_equal(found.quantiles, expected.quantiles)
    np.testing.assert_array_equal(
        pipe.embed(series, context_length=kind(200)), pipe.embed(series, context_length=200)
    )


def test_a_number_of_steps_of_any_type_means_the_same_for_the_routing(timer_s1):
    series = walk(400)
    np.testing.assert_array_equal(
        timer_s1.routing(series, context_length=np.uint8(200)).shares,
        timer_s1.routing(series, context_length=200).shares,
    )


def test_a_network_without_experts_has_no_routing():
    pipe = ForecastPipeline.from_pretrained("ttm-test", device="cpu")
    with pytest.raises(ValueError, match="has no experts"):
        pipe.routing(walk(50))


@pytest.mark.parametrize("name", odd_series.NO_NUMBERS)
def test_values_that_are_no_numbers_are_refused_in_every_verb(pipe, name):
    make, words = odd_series.NO_NUMBERS[name]
    for verb in (lambda series: pipe.predict(series, 2), pipe.embed, pipe.routing):
        with pytest.raises(TypeError, match=words):
            verb(make())


def test_levels_of_float32_are_the_levels_that_they_print_as(pipe):
    forecast = pipe.predict(walk(50), 3)
    levels = np.array([0.1, 0.25, 0.9], dtype=np.float32)
    assert forecast.to_frame(levels).columns.tolist() == [
        "series",
        "step",
        "mean",
        "q0.1",
        "q0.25",
        "q0.9",
    ]
    np.testing.assert_array_equal(forecast.quantile(levels[0]), forecast.quantile(0.1))
    np.testing.assert_array_equal(forecast.interval(levels[2]), forecast.interval(0.9))
    frame = pd.DataFrame({"t": range(50), "y": walk(50)})
    columns = pipe.predict_frame(frame, np.int8(2), time_column="t", levels=levels).columns
    assert columns.tolist() == ["target", "t", "q0.1", "q0.25", "q0.9"]
    with pytest.raises(ValueError, match=r"levels=0\.5 must be a sequence"):
        pipe.predict_frame(frame, 2, time_column="t", levels=0.5)


@pytest.mark.parametrize("horizon", [10**14, 2**62, 10**20])
@pytest.mark.parametrize("context_length", [None, 8])
def test_a_horizon_beyond_all_memory_is_named_for_constants_too(horizon, context_length):
    pipeline = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    with pytest.raises(ValueError, match=f"horizon={horizon}: .* ask for fewer steps"):
        pipeline.predict([np.full(20, 5.0)], horizon, context_length=context_length)


@pytest.mark.parametrize("horizon", [10**14, 2**62, 10**20])
@pytest.mark.parametrize("context_length", [None, 8])
def test_a_horizon_beyond_all_memory_is_named(horizon, context_length):
    pipeline = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu")
    with pytest.raises(ValueError, match=f"horizon={horizon}: .* ask for fewer steps"):
        pipeline.predict([np.arange(20.0)], horizon, context_length=context_length)
    frame = pd.DataFrame({"t": pd.date_range("2024-01-01", periods=20), "y": np.arange(20.0)})
    with pytest.raises(ValueError, match=f"horizon={horizon}: .* ask for fewer steps"):
        pipeline.predict_frame(frame, horizon, time_column="t")


# --- joint sample paths -----------------------------------------------------------------------


def paths_close(found, expected):
    """Levels are drawn alike; quantiles differ by the rounding of a batch."""
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("horizon", [1, 10, PASS + 5])
@pytest.mark.parametrize("options", [{}, {"flip": True, "rollout": "median"}, {"batch_size": 1}])
def test_paths_have_the_quantiles_of_the_forecast(pipe, horizon, options):
    series = [walk(150), walk(90, 1)]
    forecast = pipe.predict(series, horizon, freq="h", **options)
    paths = pipe.sample_paths(series, horizon, 200, random_state=0, freq="h", **options)
    assert paths.shape == (2, 200, horizon)
    np.testing.assert_array_equal(paths, forecast.sample_paths(200, random_state=0))
    for level in LEVELS:
        shares = (paths <= forecast.quantile(level)[:, None]).mean(axis=1)
        assert np.abs(shares - level).max() <= 1 / 200 + 1e-12


def test_paths_are_the_same_alone_and_in_a_panel(pipe):
    rows = [walk(150), walk(90, 1), np.arange(40.0) % 7]
    together = pipe.sample_paths(rows, 12, 50, random_state=3, past_windows=2)
    turned = pipe.sample_paths(rows[::-1], 12, 50, random_state=3, past_windows=2)
    paths_close(turned[::-1], together)
    for row, found in zip(rows, together, strict=True):
        paths_close(pipe.sample_paths(row, 12, 50, random_state=3, past_windows=2)[0], found)
    late = np.append([np.nan] * 4, rows[0])
    paths_close(pipe.sample_paths(late, 12, 50, random_state=3, past_windows=2)[0], together[0])
    other = pipe.sample_paths(rows, 12, 50, random_state=4)
    assert not np.allclose(other[0], together[0])


def test_equal_series_are_independent(pipe):
    paths = pipe.sample_paths([walk(100)] * 2, 20, 2000, random_state=0)
    assert abs(np.corrcoef(paths.sum(axis=-1))[0, 1]) < 0.07
    paths_close(pipe.sample_paths(walk(100), 20, 2000, random_state=0)[0], paths[0])


def test_a_constant_series_has_constant_paths(pipe):
    for series in (np.full(200, 3.5), np.array([3.5])):
        paths = pipe.sample_paths(series, 6, 20, random_state=0, past_windows=3)
        np.testing.assert_array_equal(paths, np.full((1, 20, 6), 3.5))


def test_failed_series_have_no_paths(pipe):
    series = [walk(100), np.full(50, np.nan), "text", np.append(walk(99), np.inf)]
    with pytest.warns(UserWarning, match="3 of 4 series have no forecast"):
        paths = pipe.sample_paths(series, 8, 30, random_state=0, past_windows=2, on_error="nan")
    np.testing.assert_array_equal(np.isnan(paths).all(axis=(1, 2)), [False, True, True, True])
    paths_close(pipe.sample_paths(series[0], 8, 30, random_state=0, past_windows=2)[0], paths[0])
    with pytest.raises(ValueError, match=r"series\[1\]"):
        pipe.sample_paths(series[:2], 8, 30)


def test_past_windows_change_the_dependence_alone(pipe):
    series = [walk(200), np.sin(np.arange(200.0)), np.array([1.0, 2.0, 4.0])]
    before = pipe.predict(series, 10, freq="D")
    after = pipe.predict(series, 10, freq="D", past_windows=4)
    np.testing.assert_array_equal(after.quantiles, before.quantiles)
    changed = (after.dependence.weights != before.dependence.weights).any(axis=1)
    np.testing.assert_array_equal(changed, [True, True, False])  # the last one is too short
    np.testing.assert_allclose(after.dependence.weights.sum(axis=1), 1)


def test_past_windows_are_one_batch_of_one_pass(pipe, monkeypatch):
    asked, predict = [], pipeline_module.predict_quantiles

    def counted(network, values, horizon, *others, **more):
        asked.append(([len(one) for one in values], horizon))
        return predict(network, values, horizon, *others, **more)

    monkeypatch.setattr(pipeline_module, "predict_quantiles", counted)
    pipe.predict([walk(300), walk(120, 1)], PASS + 8, past_windows=2)
    assert asked == [([300, 120], PASS + 8), ([268, 236, 88], PASS)]


def test_gaps_in_past_windows_and_windows_without_values_are_left_out(pipe):
    series = walk(300)
    series[290:] = np.nan  # all of the newest window
    series[270:275] = np.nan  # half of the next but one
    found = pipe.predict(series, 10, past_windows=1).dependence.weights
    np.testing.assert_array_equal(found, pipe.predict(series, 10).dependence.weights)
    assert (pipe.predict(series, 10, past_windows=3).dependence.weights != found).any()


def test_the_kind_of_frequency_decides_the_weights():
    pipe = ForecastPipeline.from_pretrained("timer-s1-mini", device="cpu")
    series = [walk(60)] * 4
    found = pipe.predict(series, 5, freq=["h", "D", None, "15min"]).dependence.weights
    assert len(np.unique(found, axis=0)) == 3
    np.testing.assert_array_equal(found[0], found[3])


def test_paths_take_the_kind_of_frequency_from_the_dates_of_a_series():
    pipe = ForecastPipeline.from_pretrained("timer-s1-mini", device="cpu")
    hours, days = (pd.date_range("2024-01-01", periods=60, freq=freq) for freq in ("h", "D"))
    series = [pd.Series(walk(60), hours), pd.Series(walk(60), days.to_period()), walk(60)]
    how = {"random_state": 0}
    expected = pipe.sample_paths(series, 5, 30, freq=["h", "D", None], **how)
    np.testing.assert_array_equal(pipe.sample_paths(series, 5, 30, **how), expected)
    given = pipe.sample_paths(series, 5, 30, freq=["D", None, "h"], **how)
    assert (given[0] != expected[0]).any() and (given[2] != expected[2]).any()


@pytest.mark.parametrize("past_windows", [-1, 1.5, "four"])
def test_numbers_of_past_windows_are_checked(pipe, past_windows):
    with pytest.raises((ValueError, TypeError), match="past_windows="):
        pipe.sample_paths(walk(50), 5, 10, past_windows=past_windows)


def test_paths_with_covariates(pipe):
    random = np.random.default_rng(0)
    price = random.normal(size=(2, 160 + 12))
    series = [30 + 5 * own[:160] + random.normal(size=160) for own in price]
    known, past = [{"price": own} for own in price], [{"clicks": walk(160)}] * 2
    how = {"known": known, "past": past, "cycles": [7], "past_windows": 2, "freq": "D"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # also about short histories of past windows
        forecast = pipe.predict(series, 12, **how)
    paths = pipe.sample_paths(series, 12, 100, random_state=0, **how)
    paths_close(forecast.sample_paths(100, random_state=0), paths)
    alone = pipe.sample_paths(
        series[1], 12, 100, random_state=0, **how | {"known": known[1], "past": past[1]}
    )
    paths_close(alone[0], paths[1])


def test_paths_of_channels_that_are_read_as_one_row():
    pipe = mixing(**QUANTILES)
    series = np.random.default_rng(0).normal(size=(6, 120)).cumsum(axis=1)
    paths = pipe.sample_paths(series, 8, 100, random_state=0, past_windows=3)
    assert paths.shape == (6, 100, 8) and np.isfinite(paths).all()
    row = pipe.sample_paths(series[3:], 8, 100, random_state=0, past_windows=3)
    paths_close(row, paths[3:])


def test_paths_of_a_network_that_forecasts_points():
    pipe = ForecastPipeline.from_pretrained(None, config=SIZES | POINTS, device="cpu")
    series = [walk(200), walk(20, 1)]
    forecast = pipe.predict(series, 20, past_windows=2)
    assert forecast.calibration == ("own", "table")
    paths = forecast.sample_paths(100, random_state=0)
    shares = (paths <= forecast.quantile(0.3)[:, None]).mean(axis=1)
    assert np.abs(shares - 0.3).max() <= 0.01 + 1e-12


@pytest.mark.usefixtures("int8_kernel")
def test_paths_in_8_bits():
    pipe = ForecastPipeline.from_pretrained("timer-s1-test", device="cpu", quantization="int8")
    paths = pipe.sample_paths(walk(100), 40, 50, random_state=0, past_windows=1)
    assert paths.shape == (1, 50, 40) and np.isfinite(paths).all()


def test_paths_of_a_frame(pipe):
    days = pd.date_range("2024-01-01", periods=90, freq="D")
    frame = pd.DataFrame({"shop": np.repeat(["b", "a"], 90), "day": [*days, *days]})
    frame["sold"], frame["price"] = walk(180), walk(180, 1)
    names = {"time_column": "day", "id_column": "shop", "target_columns": ["sold", "price"]}
    how = {"random_state": 0, "past_windows": 2}
    paths = pipe.sample_paths_frame(frame, 4, 30, **names, **how)
    assert paths.columns.tolist() == ["shop", "target", "path", "day", "value"]
    assert len(paths) == 2 * 2 * 30 * 4
    assert paths["shop"].unique().tolist() == ["b", "a"]
    assert paths["path"].iloc[:9].tolist() == [0] * 4 + [1] * 4 + [2]
    assert paths["day"].iloc[:4].tolist() == pd.date_range("2024-03-31", periods=4).tolist()
    series = [frame.loc[frame["shop"] == key, name] for key in "ba" for name in ("sold", "price")]
    expected = pipe.sample_paths([one.to_numpy() for one in series], 4, 30, freq="D", **how)
    np.testing.assert_array_equal(paths["value"], expected.ravel())
    with pytest.raises(ValueError, match="time_column='path'"):
        pipe.sample_paths_frame(frame.rename(columns={"day": "path"}), 4, 30, time_column="path")
