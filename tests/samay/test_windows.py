import numpy as np
import pytest

from timer_forecaster.samay.windows import Windows

ROWS = np.arange(200.0).reshape(2, 100)


@pytest.mark.parametrize("stride", [1, 3, 5, 10])
@pytest.mark.parametrize("rows", [range(0, 50), range(50, 73), range(70, 100), range(0, 100)])
def test_no_row_is_lost(rows, stride):
    windows = Windows.cut(ROWS, rows, 20, 10, stride)
    forecast = np.unique(windows.futures()[:, 0])
    first = rows.start or 20
    np.testing.assert_array_equal(forecast, ROWS[0, first : rows.stop])
    assert np.diff(windows.origins).max(initial=0) <= stride


def test_a_history_ends_where_its_future_begins():
    windows = Windows.cut(ROWS, range(50, 70), 20, 10, 5)
    histories, futures = windows.histories(), windows.futures()
    assert histories.shape == (3, 2, 20)
    assert futures.shape == (3, 2, 10)
    assert histories[0, 0].tolist() == [*range(30, 50)]
    assert futures[0, 1].tolist() == [*range(150, 160)]
    chosen = np.array([2, 0])
    np.testing.assert_array_equal(windows.histories(chosen), histories[chosen])


def test_histories_before_the_file_are_missing():
    windows = Windows.cut(ROWS, range(10, 30), 20, 10, 5)
    assert windows.origins[0] == 10
    history = windows.histories()[0, 0]
    assert np.isnan(history[:10]).all()
    assert history[10:].tolist() == [*range(10)]


def test_short_parts_are_refused_with_both_numbers():
    with pytest.raises(ValueError, match=r"horizon_len=31 is longer than .* 30 rows \(70 to 99\)"):
        Windows.cut(ROWS, range(70, 100), 20, 31, 1)
    with pytest.raises(ValueError, match=r"context_len=45 and horizon_len=10 need 55 rows.* 50 ro"):
        Windows.cut(ROWS, range(50), 45, 10, 1)
    assert len(Windows.cut(ROWS, range(50), 40, 10, 1).origins) == 1


def test_a_history_without_a_value_is_refused():
    values = ROWS.copy()
    values[1, 30:55] = np.nan
    windows = Windows.cut(values, range(50, 70), 20, 10, 5)
    with pytest.raises(ValueError, match="data: column 'b' has no value in the rows 30 to 49"):
        windows.refuse_empty(windows.histories(), ["a", "b"], "data")
