import numpy as np
import pytest

from timer_forecaster.samay import mae, mape, mse, rmse

TRUES = np.array([[[1.0, 2.0], [4.0, np.nan]]])
PREDS = np.array([[[2.0, 2.0], [1.0, 7.0]]])


def test_metrics_are_means_over_observed_values():
    assert mse(TRUES, PREDS) == pytest.approx((1 + 0 + 9) / 3)
    assert mae(TRUES, PREDS) == pytest.approx(4 / 3)
    assert rmse(TRUES, PREDS) == pytest.approx(np.sqrt(10 / 3))
    assert mape(TRUES, PREDS) == pytest.approx(100 * (1 + 0 + 0.75) / 3)


@pytest.mark.parametrize("metric", [mse, mae, mape, rmse])
def test_what_has_no_error_is_refused(metric):
    with pytest.raises(ValueError, match=r"trues have shape \(1, 2, 2\), and preds \(2,\)"):
        metric(TRUES, [1.0, 2.0])
    with pytest.raises(ValueError, match="preds hold nan"):
        metric(PREDS, TRUES)
    with pytest.raises(ValueError, match="trues hold inf"):
        metric([np.inf], [1.0])
    with pytest.raises(ValueError, match="no observed value"):
        metric([np.nan], [1.0])
    with pytest.raises(TypeError, match="trues"):
        metric(["a"], [1.0])


def test_relative_errors_leave_out_zeros():
    assert mape([0.0, 10.0], [5.0, 11.0]) == pytest.approx(10)
    with pytest.raises(ValueError, match="use mae"):
        mape([0.0], [5.0])
