import numpy as np
import pytest

from timer_forecaster.samay.splits import check_boundaries, ends_of, rows_of


def test_zero_is_the_default():
    assert ends_of((0, 0, 0), 17420) == (8710, 12194, 17420)
    assert ends_of((0, 10000, 15000), 17420) == (8710, 10000, 15000)
    assert ends_of((600, 800, 0), 1000) == (600, 800, 1000)


def test_parts_lie_one_after_the_other():
    ends = ends_of((0, 0, 0), 1000)
    parts = [rows_of(mode, ends) for mode in ("train", "val", "test")]
    assert [row for part in parts for row in part] == [*range(1000)]
    assert rows_of(None, ends) == range(1000)


def test_ends_beyond_the_rows_or_in_another_order_are_refused():
    with pytest.raises(ValueError, match="15000 is beyond the 3000 rows"):
        ends_of((0, 10000, 15000), 3000)
    with pytest.raises(ValueError, match="800, 700 and 1000 of 1000, which must ascend"):
        ends_of((800, 0, 0), 1000)
    assert ends_of((800, 900, 0), 1000) == (800, 900, 1000)


@pytest.mark.parametrize(
    "boundaries, error", [("000", TypeError), (5, TypeError), ([0, 0], ValueError)]
)
def test_what_is_no_list_of_three_numbers_is_refused(boundaries, error):
    with pytest.raises(error, match="boundaries="):
        check_boundaries(boundaries)


@pytest.mark.parametrize("bad, error", [(0.5, TypeError), (-1, ValueError), (True, TypeError)])
def test_ends_are_integers(bad, error):
    with pytest.raises(error, match="boundaries="):
        check_boundaries([bad, 0, 0])


def test_arrays_are_accepted():
    assert check_boundaries(np.array([0, 5, 9])) == (0, 5, 9)
