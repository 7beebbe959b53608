"""Finished parts on disk."""

import numpy as np
import pytest

from timer_forecaster.backtesting.models import Answer
from timer_forecaster.backtesting.parts import Parts

SHARED = {"data": "1", "settings": "2"}


def test_parts_come_back(tmp_path):
    folder = tmp_path / "new" / "parts"
    parts = Parts(folder, SHARED, {"a": "x"})
    assert parts.load("a", 0, 2) is None
    parts.save("a", 0, 2, Answer(np.ones((2, 3, 9)), {1: "bad"}))
    again = Parts(folder, SHARED, {"a": "x", "b": "y"}).load("a", 0, 2)
    np.testing.assert_array_equal(again.quantiles, np.ones((2, 3, 9)))
    assert again.reasons == {1: "bad"}
    assert not Parts(None, SHARED, {"a": "x"}).keeps


def test_other_settings_are_refused(tmp_path):
    Parts(tmp_path, SHARED, {"a": "x"})
    with pytest.raises(ValueError, match="with other data; remove the folder"):
        Parts(tmp_path, SHARED | {"data": "3"}, {"a": "x"})
    with pytest.raises(ValueError, match="with another a"):
        Parts(tmp_path, SHARED, {"a": "z"})
    with pytest.raises(ValueError, match="another a"):
        Parts(tmp_path, SHARED, {"a": "z", "b": "y"})


def test_parts_are_not_mixed_where_the_settings_are_gone(tmp_path):
    Parts(tmp_path, SHARED, {"a": "x"}).save("a", 0, 2, Answer(np.ones((2, 3, 9)), {}))
    (tmp_path / "backtest.json").unlink()  # by a kill while the folder was removed
    assert Parts(tmp_path, SHARED | {"data": "3"}, {"a": "x"}).load("a", 0, 2) is None


def test_broken_files_are_named(tmp_path):
    parts = Parts(tmp_path, SHARED, {"a": "x"})
    parts.save("a", 0, 2, Answer(np.ones((2, 3, 9)), {}))
    (file,) = tmp_path.glob("*.npz")
    file.write_bytes(b"PK")
    with pytest.raises(ValueError, match=f"{file.name} cannot be read"):
        parts.load("a", 0, 2)
    (tmp_path / "backtest.json").write_text("{")
    with pytest.raises(ValueError, match=r"backtest\.json cannot be read"):
        Parts(tmp_path, SHARED, {"a": "x"})
