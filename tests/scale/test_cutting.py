"""Partitions of whole series."""

import numpy as np
import pyarrow as pa
import pytest

from timer_forecaster.scale.batches import Batch
from timer_forecaster.scale.cutting import ReturningIdError, cut


def batches(lengths, size, first=0):
    """Yield series of some lengths in batches of a size."""
    ids = np.repeat(np.arange(first, first + len(lengths)), lengths)
    table = pa.table({"id": [f"s{i}" for i in ids], "y": np.arange(len(ids), dtype=float)})
    for start in range(0, len(table), size):
        yield Batch(table.slice(start, size), min(start + size, len(table)))


def ids_of(cuts):
    return [list(dict.fromkeys(one.table["id"].to_pylist())) for one in cuts]


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_cuts_do_not_depend_on_batches(size):
    lengths = [3, 2, 9, 1, 1, 4]
    cuts = list(cut(batches(lengths, size), ["id"], most_rows=8, answer_rows=1))
    assert ids_of(cuts) == [["s0", "s1"], ["s2"], ["s3", "s4"], ["s5"]]
    rows = np.concatenate([one.table["y"].to_numpy() for one in cuts])
    np.testing.assert_array_equal(rows, np.arange(20.0))
    assert cuts[-1].done == 20


def test_a_long_series_is_a_partition_of_its_own():
    cuts = list(cut(batches([50, 60], 7), ["id"], most_rows=8, answer_rows=0))
    assert [len(one.table) for one in cuts] == [50, 60]


def test_answers_count_as_rows():
    cuts = list(cut(batches([1] * 6, 4), ["id"], most_rows=30, answer_rows=14))
    assert [len(one.table) for one in cuts] == [2, 2, 2]


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_an_id_that_comes_back_is_refused(size):
    rows = pa.table({"id": ["a", "b", "b", "c", "b", "d"], "shop": [1] * 6})
    given = [Batch(rows.slice(start, size), 0) for start in range(0, 6, size)]
    with pytest.raises(ReturningIdError, match=r"row 5: the id 'b', 1 comes back") as error:
        list(cut(given, ["id", "shop"], 3, 0))
    assert error.value.key == ("b", 1)


def test_an_id_is_found_among_many(monkeypatch):
    monkeypatch.setattr("timer_forecaster.scale.cutting._RECENT", 10)
    many = [*batches([1] * 500, 64), Batch(pa.table({"id": ["s7"], "y": [1.0]}), 501)]
    with pytest.raises(ReturningIdError, match="data row 501: the id 's7'"):
        list(cut(many, ["id"], 10, 0))


def test_several_columns_and_categories_tell_series_apart():
    ids = pa.array(["a", "a", "a", "b"]).dictionary_encode()
    table = pa.table({"shop": ids, "item": [1, 2, 2, 2]})
    cuts = list(cut([Batch(table, 4)], ["shop", "item"], 1, 0))
    assert [len(one.table) for one in cuts] == [1, 2, 1]


def test_rows_without_an_id_are_refused():
    table = pa.table({"id": ["a", None], "y": [1, 2]})
    with pytest.raises(ValueError, match="id column 'id': data row 2 has no id"):
        list(cut([Batch(table, 2)], ["id"], 9, 0))
    with pytest.raises(ValueError, match="no rows"):
        list(cut([Batch(table[:0], 0)], ["id"], 9, 0))
