"""The overhead of the sktime door at tiny sizes."""

import pytest

pytest.importorskip("sktime")

from benchmarks import sktime_overhead

SIZES = ["--series", "3", "--steps", "40", "--horizon", "5", "--repeats", "1"]


def test_both_ways_run_the_network_once(capsys):
    sktime_overhead.main(["--checkpoint", "timer-s1-test", *SIZES])
    first, _, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("timer-s1-test: 3 series of 40 steps, 5 ahead, 1 repeats")
    assert [line.split()[0] for line in lines] == ["point", "quantiles"]
    for line in lines:
        _, pipeline, door, ratio, passes, _, passes_of_door, calls, _, calls_of_door = line.split()
        assert float(door) / float(pipeline) == pytest.approx(float(ratio), rel=0.2)
        assert passes == passes_of_door == calls == calls_of_door == "1"


def test_both_ways_forecast_the_same():
    arguments = sktime_overhead.parse_arguments(["--checkpoint", "timer-s1-test", *SIZES])
    (_, median, predict), (_, quantiles, predict_quantiles) = sktime_overhead.questions(arguments)
    assert predict()["y"].to_numpy() == pytest.approx(median().ravel(), abs=1e-4)
    levels = predict_quantiles().to_numpy()
    # The forecaster's panel is one level higher each time it is fitted.
    for column, expected in zip(levels.T, quantiles(), strict=True):
        assert column - 1 == pytest.approx(expected.ravel(), abs=1e-4)
