"""What sources need."""

import sys

import pytest

from timer_forecaster.scale.batches import require_pyarrow


def test_pyarrow_is_asked_for(monkeypatch):
    require_pyarrow()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'"timer-forecaster\[parquet\]"'):
        require_pyarrow()
