import gc
import threading
import tracemalloc

import numpy as np
import pytest
from ttm import OWN

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.inference import memo
from timer_forecaster.inference.memo import Question
from timer_forecaster.inference.options import ForecastOptions
from timer_forecaster.inference.series import key_of

MODEL = "timer-s1-test"


@pytest.fixture(params=[MODEL, "ttm-test"])
def pipeline(request):
    release()
    return ForecastPipeline.from_pretrained(request.param)


def walks(n=3, steps=40):
    return list(np.random.default_rng(0).normal(size=(n, steps)).cumsum(axis=1))


def test_the_same_question_is_computed_once(pipeline, calls):
    first = memo.predict(pipeline, walks(), 5)
    again = memo.predict(ForecastPipeline.from_pretrained(pipeline.key.name), walks(), 5)
    assert calls == [(3, 5)]
    np.testing.assert_array_equal(first.quantiles, pipeline.predict(walks(), 5).quantiles)
    np.testing.assert_array_equal(first.quantiles, again.quantiles)


@pytest.mark.parametrize(
    "other",
    [
        lambda series: (series, 6, {}),
        lambda series: (series[:2], 5, {}),
        lambda series: (series[::-1], 5, {}),
        lambda series: ([*series[:2], series[2] + 1e-9], 5, {}),
        # the same values, cut into series at other places
        lambda series: ([series[0][:39], np.append(series[0][39], series[1]), series[2]], 5, {}),
        lambda series: (series, 5, {"flip": True}),
        lambda series: (series, 5, {"context_length": 10}),
        lambda series: (series, 5, {"covariates": "off"}),
    ],
)
def test_another_question_is_another_forecast(pipeline, calls, other):
    memo.predict(pipeline, walks(), 5)
    series, horizon, options = other(walks())
    found = memo.predict(pipeline, series, horizon, ForecastOptions(**options))
    assert len(calls) == 2
    expected = pipeline.predict(series, horizon, **options)
    np.testing.assert_array_equal(found.quantiles, expected.quantiles)


# --- equal series, and series without a value -----------------------------------------------


def test_equal_series_are_computed_once_whatever_their_padding(pipeline, calls):
    one, other, third = walks()
    padded = np.append([np.nan, np.nan], one)
    found = memo.predict(pipeline, [one, other, one, padded, third], 5)
    assert calls == [(3, 5)]
    expected = pipeline.predict([one, other, third], 5).quantiles
    np.testing.assert_array_equal(found.quantiles, expected[[0, 1, 0, 0, 2]])
    memo.predict(pipeline, [padded, other, third, third], 5)
    assert len(calls) == 2  # by the test alone
    with pytest.raises(ValueError, match="read-only"):
        found.quantiles[0] = 0.0


@pytest.mark.parametrize("empty", [np.full(5, np.nan), np.array([])])
def test_series_without_a_value_are_forecast_as_missing_if_asked(pipeline, calls, empty):
    one, other, third = walks()
    found = memo.predict(pipeline, [one, empty, other, third], 5, unobserved="nan")
    assert calls == [(3, 5)]
    assert np.isnan(found.quantiles[1]).all()
    np.testing.assert_array_equal(
        found.quantiles[[0, 2, 3]], memo.predict(pipeline, walks(), 5).quantiles
    )
    nothing = memo.predict(pipeline, [empty, empty], 5, unobserved="nan")
    assert nothing.quantiles.shape == (2, 5, len(found.levels))
    assert np.isnan(nothing.median).all()
    assert len(calls) == 1
    with pytest.raises(ValueError, match=r"series\[1\] .*at least one observed value"):
        memo.predict(pipeline, [one, empty], 5)


def test_errors_number_the_series_as_the_caller_does(pipeline):
    one, other, _ = walks()
    other[7] = np.inf
    with pytest.raises(ValueError, match=r"series\[2\] is infinite at step 7"):
        memo.predict(pipeline, [one, one, other], 5)
    unseen = np.append(one, np.full(512, np.nan))
    longest = pipeline.network.config.max_context_length
    message = rf"series\[2\] has no observed value in its newest {longest}"
    with pytest.raises(ValueError, match=message):
        memo.predict(pipeline, [one, one, unseen], 5)


def test_an_unknown_way_to_treat_missing_series_is_refused(pipeline):
    with pytest.raises(ValueError, match="unobserved='drop' is unknown"):
        memo.predict(pipeline, walks(), 5, unobserved="drop")


def test_prefetched_answers_are_recalled_for_equal_series(pipeline, calls):
    one, other, _ = walks()
    memo.prefetch(pipeline, [Question([one, other, one], 5)])
    assert calls == [(2, 5)]
    memo.predict(pipeline, [one, other, one, np.full(3, np.nan)], 5, unobserved="nan")
    assert len(calls) == 1


# --- the memory -----------------------------------------------------------------------------


def test_other_weights_are_not_asked_from_memory(pipeline, calls):
    wide = ForecastPipeline.from_pretrained(MODEL, dtype="bfloat16")
    one, other = (memo.predict(pipe, walks(), 5).quantiles for pipe in (pipeline, wide))
    assert len(calls) == 2
    assert not np.array_equal(one, other)


def test_release_forgets(pipeline, calls):
    memo.predict(pipeline, walks(), 5)
    release()
    memo.predict(pipeline, walks(), 5)
    assert len(calls) == 2


def test_what_is_remembered_cannot_be_changed(pipeline):
    found = memo.predict(pipeline, walks(), 5)
    with pytest.raises(ValueError, match="read-only"):
        found.quantiles[0] = 0.0


def test_memory_is_bounded_and_the_least_recently_used_goes_first(pipeline, calls, monkeypatch):
    monkeypatch.setattr(memo, "ENTRY_BYTES", 0)
    monkeypatch.setattr(memo, "MAX_BYTES", 2 * memo.cost(1, 5, 9))
    series = walks(3)
    for i in (0, 1, 0, 2, 0, 2, 1):  # 1 goes when 2 comes, 0 when 1 comes again
        memo.predict(pipeline, [series[i]], 5)
    assert len(calls) == 4
    memo.predict(pipeline, series, 5)
    memo.predict(pipeline, series, 5)  # larger than the memory
    assert len(calls) == 6


def test_small_forecasts_are_counted_at_what_they_cost(pipeline, monkeypatch):
    """Their quantiles are a small part of the memory that they take."""
    monkeypatch.setattr(memo, "MAX_BYTES", 60_000)
    memo.predict(pipeline, walks(1), 1)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for i in range(150):
            memo.predict(pipeline, [np.arange(24.0) ** 2 + i], 1, ForecastOptions())
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 2 * memo.MAX_BYTES
    finally:
        tracemalloc.stop()


def test_keys_of_draws_are_computed_once(pipeline, monkeypatch):
    series = [*walks(2), walks(1)[0], np.full(7, np.nan)]
    first = memo.predict(pipeline, series, 5, unobserved="nan").dependence.keys
    assert first[:3] == tuple(map(key_of, series[:3])) and first[0] == first[2]
    monkeypatch.setattr("timer_forecaster.inference.pipeline.keys_of", None)
    again = memo.predict(pipeline, series, 5, unobserved="nan").dependence.keys
    assert again == first


def test_all_networks_share_one_bound(pipeline, calls, monkeypatch):
    other = ForecastPipeline.from_pretrained(MODEL, dtype="bfloat16")
    monkeypatch.setattr(memo, "MAX_BYTES", 2 * memo.cost(1, 5, 9) + memo.ENTRY_BYTES // 2)
    memo.predict(other, walks(1), 5)
    memo.predict(pipeline, walks(1), 5)
    memo.predict(other, walks(1), 6)  # pushes out the answer of the other, used longest ago
    calls.clear()
    memo.predict(pipeline, walks(1), 5)
    assert calls == []
    memo.predict(other, walks(1), 5)
    assert calls == [(1, 5)]


def test_a_forecast_larger_than_the_memory_pushes_nothing_out(pipeline, calls, monkeypatch):
    monkeypatch.setattr(memo, "MAX_BYTES", memo.cost(1, 5, 9))
    memo.predict(pipeline, walks(1), 5)
    memo.predict(pipeline, walks(3), 50)
    calls.clear()
    memo.predict(pipeline, walks(1), 5)
    assert calls == []


def test_prefetch_answers_many_questions_in_one_batch_for_each_horizon(pipeline, calls):
    series = walks(4)
    asked = [(series[:1], 5), (series[1:3], 5), (series[:1], 5), (series[3:], 40)]
    questions = [Question(*one) for one in asked]
    memo.prefetch(pipeline, questions, ForecastOptions(flip=True))
    assert sorted(calls) == [(1, 40), (3, 5)]
    found = [
        memo.predict(pipeline, *question[:2], ForecastOptions(flip=True)).quantiles
        for question in questions
    ]
    memo.prefetch(pipeline, questions, ForecastOptions(flip=True))
    assert len(calls) == 2
    for (asked, horizon, *_), quantiles in zip(questions, found, strict=True):
        expected = pipeline.predict(asked, horizon, flip=True).quantiles
        np.testing.assert_allclose(quantiles, expected, rtol=1e-5, atol=1e-5)


def test_prefetch_leaves_out_what_would_push_out_the_rest(pipeline, calls, monkeypatch):
    series = walks(4)
    monkeypatch.setattr(memo, "MAX_BYTES", 2 * memo.cost(1, 5, 9))
    calls.clear()
    memo.prefetch(pipeline, [Question([values], 5) for values in series])
    for values in series:
        memo.predict(pipeline, [values], 5)
    assert calls == [(2, 5), (1, 5), (1, 5)]


def test_prefetch_holds_a_bounded_number_of_values(pipeline, calls, monkeypatch):
    monkeypatch.setattr(memo, "_MOST_VALUES", 100)
    series, held = walks(9), []

    def questions():
        for values in series:
            held.append(len(calls))
            yield Question([values], 5)

    memo.prefetch(pipeline, questions())
    assert held == sorted(held)
    assert held[-1] >= 2
    for values in series:
        memo.predict(pipeline, [values], 5)
    assert sum(n for n, _ in calls) == 9


def test_much_data_enters_the_pipeline_piece_by_piece(pipeline, calls, monkeypatch):
    series = [values[: 40 - i] for i, values in enumerate(walks(7))]
    whole = pipeline.predict(series, 5).quantiles
    monkeypatch.setattr(memo, "_MOST_VALUES", 100)
    calls.clear()
    pieces = memo.predict(pipeline, series, 5).quantiles
    np.testing.assert_allclose(pieces, whole, rtol=1e-5, atol=1e-5)
    assert len(calls) > 1
    assert sum(n for n, _ in calls) == 7


def test_threads_may_ask_at_once(pipeline):
    expected = [memo.predict(pipeline, [values], 5).quantiles for values in walks(4)]
    release()
    results = {}

    def ask(i):
        for row in np.random.default_rng(i).permutation(4):
            results[i, row] = memo.predict(pipeline, [walks(4)[row]], 5).quantiles

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 24
    for (_, row), quantiles in results.items():
        np.testing.assert_array_equal(quantiles, expected[row])


# --- where quantiles come from ----------------------------------------------------------------


def test_the_calibration_of_each_series_is_remembered(calls):
    """Of a checkpoint of point forecasts: long series have errors of their own, short ones not."""
    point = ForecastPipeline.from_pretrained(OWN / "r2_ft", device="cpu")
    random = np.random.default_rng(1)
    long, short = random.normal(size=300).cumsum(), random.normal(size=40).cumsum()
    asked, freq = [short, long, np.full(3, np.nan), short, long], ["h"] * 5
    expected = point.predict([short, long], 5, freq="h")
    assert expected.calibration == ("table", "own")
    for _ in range(2):  # computed, then recalled
        found = memo.predict(point, asked, 5, unobserved="nan", freq=freq)
        assert found.calibration == ("table", "own", "table", "table", "own")
        plain = memo.predict(point, [short, long], 5, freq="h")
        assert plain.calibration == expected.calibration
    assert len(calls) == 2
    questions = [Question([short], 4, frequencies=["h"]), Question([long], 4, frequencies=["h"])]
    memo.prefetch(point, questions)
    assert memo.predict(point, [long], 4, freq="h").calibration == ("own",)
    assert memo.predict(point, [short], 4, freq="h").calibration == ("table",)
    assert len(calls) == 3


def test_trained_quantiles_are_called_so(pipeline):
    asked = [*walks(), np.full(4, np.nan)]
    found = memo.predict(pipeline, asked, 5, unobserved="nan")
    assert found.calibration == ("trained",) * 4


# --- joint paths ----------------------------------------------------------------------------------


def test_paths_of_a_recalled_forecast_are_those_of_the_pipeline(pipeline, calls):
    one, other, third = walks()
    series, freq = [one, other, one, third], ["h", "D", "h", None]
    first = memo.predict(pipeline, series, 5, freq=freq).sample_paths(40, random_state=2)
    again = memo.predict(pipeline, series, 5, freq=freq).sample_paths(40, random_state=2)
    assert len(calls) == 1
    np.testing.assert_array_equal(first, again)
    expected = pipeline.sample_paths(series, 5, 40, random_state=2, freq=freq)
    np.testing.assert_allclose(first, expected, atol=1e-4)
    assert not np.allclose(first[0], first[2])  # equal series draw on their own


def test_the_frequency_counts_where_the_network_does_not_read_it():
    mini = ForecastPipeline.from_pretrained("timer-s1-mini")
    for freq in ("h", "D", None):
        found = memo.predict(mini, walks(), 5, freq=freq).dependence.weights
        np.testing.assert_array_equal(found, mini.predict(walks(), 5, freq=freq).dependence.weights)


def test_answers_that_were_fetched_before_have_paths(pipeline, calls):
    memo.prefetch(pipeline, [Question(walks(), 5, None, ["h"] * 3)])
    found = memo.predict(pipeline, walks(), 5, freq="h", unobserved="nan")
    assert len(calls) == 1
    expected = pipeline.sample_paths(walks(), 5, 20, random_state=1, freq="h")
    np.testing.assert_allclose(found.sample_paths(20, random_state=1), expected, atol=1e-4)


def test_series_without_a_value_have_no_paths(pipeline):
    found = memo.predict(pipeline, [walks()[0], np.full(5, np.nan)], 5, unobserved="nan")
    paths = found.sample_paths(10, random_state=0)
    np.testing.assert_array_equal(np.isnan(paths).all(axis=(1, 2)), [False, True])
