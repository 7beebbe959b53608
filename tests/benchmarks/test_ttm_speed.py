"""The program compares both networks on the same windows."""

import re

import pytest

from benchmarks import ttm_speed


def test_a_ratio_for_each_batch_and_equal_forecasts(capsys):
    pytest.importorskip("sktime.libs.granite_ttm", exc_type=ImportError)
    ttm_speed.main(["--windows", "6", "--batches", "2", "3", "--rounds", "1"])
    printed = capsys.readouterr().out
    assert "r2-512-96: 6 windows" in printed
    rows = re.findall(r"^ +(\d+) +\d+ +\d+ +\d+\.\d\d +(\S+)$", printed, re.M)
    assert [int(size) for size, _ in rows] == [2, 3]
    assert all(float(difference) < 1e-5 for _, difference in rows)


@pytest.mark.parametrize(("release", "patches"), [("r2-512-96", 8), ("r2-1024-96", 8)])
def test_sizes_of_releases(release, patches):
    assert ttm_speed.architecture(release).num_patches == patches
