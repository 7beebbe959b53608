"""Windows of the rolling check."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timer_forecaster.inference.covariate_options import CovariateOptions
from timer_forecaster.inference.covariates.windows import check_windows

PATCH = 16
EFFORTS = [CovariateOptions(effort=effort).effort_for(192) for effort in ("full", "fast")]


@given(st.integers(1, 3000), st.integers(1, 300), st.integers(2, 12), st.sampled_from(EFFORTS))
def test_windows_lie_in_the_newer_half_apart_and_on_tokens(steps, horizon, most, effort):
    windows = check_windows(steps, horizon, PATCH, 128, most, effort)
    origins = windows.origins
    assert len(origins) <= most and len(set(origins)) == len(origins)
    for row in windows.rows:
        assert row.span.stop == row.origins[0] and row.span.start < row.origins[-1]
        assert all((row.origins[0] - origin) % PATCH == 0 for origin in row.origins)
        left_out = windows.without[row.group - 1]
        for origin in row.origins:
            assert origin >= max(3 * horizon, steps // 2)
            assert origin + windows.length <= steps
            assert left_out.start <= origin and origin + windows.length <= left_out.stop


@pytest.mark.parametrize(("effort", "n_rows"), [(EFFORTS[0], 1), (EFFORTS[1], 1)])
def test_a_long_series_is_checked_in_one_row(effort, n_rows):
    windows = check_windows(2048, 24, PATCH, 128, 10, effort)
    assert len(windows.rows) == n_rows and len(windows.origins) == 10
    assert {(2048 - origin) % 24 for origin in windows.origins} == {0}
    assert windows.without[0].stop == 2048


def test_a_short_series_has_fits_for_each_group():
    windows = check_windows(100, 8, PATCH, 128, 10, EFFORTS[0])
    assert len(windows.without) == 3 and len(windows.origins) >= 5
    assert not check_windows(9, 4, PATCH, 128, 10, EFFORTS[0]).rows
