"""The costs of Darts' interface at tiny sizes."""

import logging
import re

import pytest

pytest.importorskip("darts")

from benchmarks import darts_backtest


@pytest.fixture(autouse=True)
def loud():
    """Restore logging, which the program silences for the whole process."""
    yield
    logging.disable(logging.NOTSET)
    logging.captureWarnings(False)


def test_one_load_and_few_passes(capsys):
    darts_backtest.main(
        ["--checkpoint", "timer-s1-test", "--context", "48", "--horizon", "4", "--windows", "3",
         "--series", "3", "--repeats", "1"]
    )  # fmt: skip
    printed = capsys.readouterr().out
    assert "grid search over 6 candidates: 1 load of weights, 0 after the first" in printed
    assert "predict(num_samples=500): passes of the network: 1\n" in printed
    windows, loop, default = map(
        int, re.search(r"backtest of (\d+) windows, (\d+) and (\d+) passes", printed).groups()
    )
    assert default == 1 < loop == windows
    assert float(re.search(r"largest difference of the errors: (\S+)", printed)[1]) < 1e-4
    assert "predict of 3 series:" in printed
    assert len(re.findall(r"ratio \d+\.\d\d", printed)) == 2
