import numpy as np
import pandas as pd
import pytest

from timer_forecaster.ray.partitions import (
    NUMBER,
    ROWS,
    filled,
    frames_of,
    numbered,
    partitions_for,
)
from timer_forecaster.scale.folder import name_of

pa = pytest.importorskip("pyarrow")


def table_of(ids, **types):
    days = pd.date_range("2024-01-01", periods=len(ids))
    return pa.Table.from_pandas(pd.DataFrame({"shop": ids, "day": days}), preserve_index=False)


def test_rows_decide_the_number_of_partitions():
    assert [partitions_for(rows, 0) for rows in (0, ROWS, ROWS + 1)] == [1, 1, 2]
    assert partitions_for(ROWS, answer_rows=700) == 8


def test_names_are_in_the_order_of_numbers():
    names = [name_of(number) for number in (0, 9, 10, 99_999)]
    assert names == sorted(names)


@pytest.mark.parametrize("ids", [np.arange(500), [f"shop {i}" for i in range(500)]])
def test_the_number_of_a_row_follows_from_its_id_alone(ids):
    table = numbered(table_of(ids), "shop", 8)
    again = numbered(table_of(ids[::-1]), "shop", 8)
    numbers = dict(zip(table["shop"].to_pylist(), table[NUMBER].to_pylist(), strict=True))
    assert numbers == dict(zip(again["shop"].to_pylist(), again[NUMBER].to_pylist(), strict=True))
    assert set(numbers.values()) == set(range(8))


def test_ids_as_categories_have_the_numbers_of_texts():
    texts = table_of(["a", "b", "c", "a"])
    codes = texts.set_column(0, "shop", texts["shop"].dictionary_encode())
    assert numbered(texts, "shop", 99)[NUMBER] == numbered(codes, "shop", 99)[NUMBER]
    assert numbered(codes, "shop", 99).schema.field("shop").type == texts.schema.field("shop").type


def test_narrow_integers_have_the_numbers_of_wide_ones():
    wide = table_of(np.arange(50))
    narrow = wide.set_column(0, "shop", wide["shop"].cast("int32"))
    assert numbered(wide, "shop", 99)[NUMBER] == numbered(narrow, "shop", 99)[NUMBER]


def test_columns_of_a_type_that_is_not_known_are_kept():
    table = table_of(["a", "b"])
    found = filled(table, pa.schema([("day", pa.null()), ("shop", pa.null()), ("x", pa.null())]))
    assert found.drop_columns("x").equals(table.select(["day", "shop"]))
    assert found["x"].null_count == 2


def test_rows_of_finished_partitions_are_left_out():
    table = table_of(np.arange(100))
    left = numbered(table, "shop", 4, finished={0, 2})
    assert set(left[NUMBER].to_pylist()) == {1, 3}
    assert left.num_rows + numbered(table, "shop", 4, finished={1, 3}).num_rows == 100


def test_rows_without_an_id_are_kept_together():
    table = numbered(table_of(["a", None, "b", None]), "shop", 99)
    assert table.num_rows == 4
    assert table[NUMBER][1] == table[NUMBER][3]


def test_frames_do_not_depend_on_the_order_of_rows():
    table = numbered(table_of(list("abcabcabc")), "shop", 2)
    shuffled = table.take(np.random.default_rng(0).permutation(table.num_rows))
    frames, others = (dict(frames_of(one, "shop", "day")) for one in (table, shuffled))
    assert frames.keys() == others.keys()
    for number, frame in frames.items():
        pd.testing.assert_frame_equal(frame, others[number])
        assert NUMBER not in frame
    assert sum(map(len, frames.values())) == 9


def test_a_block_without_rows_has_no_frames():
    assert list(frames_of(pa.table({}), "shop", "day")) == []


def test_rows_of_the_future_have_empty_targets():
    schema = pa.schema([("shop", pa.string()), ("sold", pa.float64()), ("price", pa.float64())])
    table = filled(pa.table({"price": [1, 2], "shop": ["a", "b"]}), schema)
    assert table.schema == schema
    assert table["sold"].null_count == 2
    assert table["price"].to_pylist() == [1.0, 2.0]
