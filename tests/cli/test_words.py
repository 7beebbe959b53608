"""Errors of the command name its options, and what they advise works."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest

MODEL = ["--horizon", 2, "--checkpoint", "timer-s1-test", "--output", "out.csv"]


def clock_of(zone, hours=6):
    times = pd.date_range("2024-03-01", "2024-04-20", freq="h", tz=zone)
    return times[times.hour % hours == 0]


def table(times, **columns):
    values = np.arange(len(times)) % 7 + 0.5
    return pd.DataFrame({"t": times, **columns, "y": values})


TIMES = {
    "offsets": (clock_of("Europe/Berlin"), []),
    "a zone": (clock_of("Europe/Berlin").tz_localize(None), ["--timezone", "Europe/Berlin"]),
}


@pytest.mark.parametrize("freq", [[], ["--freq", "6h"]])
@pytest.mark.parametrize("times", TIMES)
def test_steps_of_the_clock_are_read_as_advised(run, times, freq):
    times, words = TIMES[times]
    table(times).to_csv("clock.csv", index=False)
    code, _, err = run("forecast", "clock.csv", *MODEL, *words, *freq)
    assert code == 2
    assert "their step is '6h'; use its times, without offsets from UTC and without --tim" in err
    assert "pass --freq" not in err
    table(times.tz_localize(None)).to_csv("clock.csv", index=False)
    code, _, err = run("forecast", "clock.csv", *MODEL, *freq)
    assert (code, "step 6h" in err, "no gaps" in err) == (0, True, True)


def test_a_repeated_hour_is_told_apart_by_the_zone(run):
    hours = pd.date_range("2024-10-26", "2024-10-29", freq="h", tz="Europe/Berlin")
    table(hours.tz_localize(None)).to_csv("hours.csv", index=False)
    code, _, err = run("forecast", "hours.csv", *MODEL)
    assert code == 2
    assert "or their zone, for example --timezone Europe/Berlin" in err
    assert run("forecast", "hours.csv", *MODEL, "--timezone", "Europe/Berlin")[0] == 0


def test_dates_that_can_be_two_are_decided_by_an_option(run):
    days = pd.date_range("2024-01-01", periods=10)
    table(days.strftime("%d/%m/%Y")).to_csv("days.csv", index=False)
    code, _, err = run("forecast", "days.csv", *MODEL)
    assert code == 2
    assert "as --freq D or --freq MS, or give --dayfirst or --date-format" in err
    for words in (["--freq", "D"], ["--dayfirst"], ["--date-format", "%d/%m/%Y"]):
        assert run("forecast", "days.csv", *MODEL, *words)[0] == 0


def test_a_wrong_frequency_is_left_out(run):
    table(pd.date_range("2024-01-01", periods=50, freq="h")).to_csv("hours.csv", index=False)
    code, _, err = run("forecast", "hours.csv", *MODEL, "--freq", "D")
    assert code == 2
    assert "the grid of --freq D; leave --freq out to have it inferred: h" in err
    assert run("forecast", "hours.csv", *MODEL)[0] == 0
    assert (
        "--freq what is not a pandas freq"
        in run("forecast", "hours.csv", *MODEL, "--freq", "what")[2]
    )


def test_hours_beside_dates_are_joined_as_advised(run):
    hours = pd.date_range("2024-01-01", periods=72, freq="h")
    frame = table(hours.strftime("%d.%m.%Y"), hour=hours.hour + 1)
    frame.to_csv("hours.csv", index=False, sep=";")
    words = ["--dayfirst"]
    code, _, err = run("forecast", "hours.csv", *MODEL, *words)
    assert code == 2
    advice = re.search(r"tells such rows apart: give (--time-column .*)", err)[1]
    assert run("forecast", "hours.csv", *MODEL, *words, *shlex.split(advice))[0] == 0
