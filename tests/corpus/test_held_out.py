"""Which data sets are kept out of training, and which half of them decides."""

import pytest

from timer_forecaster import cli
from timer_forecaster.corpus.held_out import HELD_OUT, HELD_OUT_SERIES, held_out_half
from timer_forecaster.corpus.manifest import Manifest

SUB_DAILY = ("T", "H")


def frequencies(names):
    return [name.rpartition("__")[2].lstrip("0123456789") for name in names]


def test_nothing_is_named_twice():
    assert len(set(HELD_OUT)) == len(HELD_OUT)
    assert len(set(HELD_OUT_SERIES)) == len(HELD_OUT_SERIES)


def test_the_halves_share_nothing_and_lack_nothing():
    a, b = held_out_half("A"), held_out_half("B")
    assert not set(a) & set(b)
    assert set(a) | set(b) == set(HELD_OUT)


@pytest.mark.parametrize("half", ["A", "B"])
def test_each_half_holds_slow_and_fast_series(half):
    found = frequencies(held_out_half(half))
    fast = sum(frequency in SUB_DAILY for frequency in found)
    assert fast >= 5
    assert len(found) - fast >= 5
    assert {"W", "M", "Q"} <= set(found)


def test_a_data_set_stays_in_its_half():
    assert "steel_energy__15T" in held_out_half("A")
    assert "vic_elec__30T" in held_out_half("B")


def test_an_unknown_half_is_refused():
    with pytest.raises(ValueError, match="half='C' is unknown; use 'A' or 'B'"):
        held_out_half("C")


def test_the_command_builds_a_half(tmp_path):
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = tmp_path / "source"
    source.mkdir()
    for name in (held_out_half("A")[0], held_out_half("B")[0], "other__H"):
        values = np.random.default_rng(0).normal(size=200)
        table = pa.table({"item_id": ["x"], "target": [values]})
        pq.write_table(table, source / f"{name}.parquet")
    arguments = ["corpus", "build", str(source), str(tmp_path / "out"), "--half", "A"]
    assert cli.main([*arguments, "--held-out"]) == 0
    kept = [entry.name for entry in Manifest.read(tmp_path / "out").datasets if entry.series]
    assert kept == [held_out_half("A")[0]]
    assert cli.main([*arguments]) != 0  # a half of what is trained on there is not
