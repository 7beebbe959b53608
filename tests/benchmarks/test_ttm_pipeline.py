"""The program times the network, the pipeline and Timer-S1."""

import re

import pytest

from benchmarks import ttm_pipeline


def test_it_prints_ratios(capsys):
    arguments = ["--ttm", "ttm-test", "--checkpoint", "timer-s1-test", "--windows", "3"]
    ttm_pipeline.main([*arguments, "--rounds", "1"])
    printed = capsys.readouterr().out
    assert "ttm-test: 3 windows 128 -> 96" in printed
    assert re.search(r"^network +\d+ +1\.00 of the network$", printed, re.M)
    assert re.search(r"ttm-test takes \d+\.\d\d of the time of timer-s1-test", printed)


@pytest.mark.parametrize("name", ["tiny", "ttm-test"])
def test_a_preset_has_random_weights_of_its_size(name):
    network = ttm_pipeline.pipeline(name).network
    n_parameters = sum(parameter.numel() for parameter in network.parameters())
    assert (n_parameters == 807_007) == (name == "tiny")
