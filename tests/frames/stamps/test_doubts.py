"""Errors of times that cannot be read."""

import numpy as np
import pandas as pd
import pytest

from timer_forecaster.frames.stamps.doubts import row_error, why_unread


@pytest.mark.parametrize(
    "text, why",
    [
        ("23:59:59", "no date"),
        ("7:30 pm", "no date"),
        ("Friday", "weekday"),
        ("Sept.", "has no year"),
        ("5. May", "has no year"),
        ("31/12", "has no year"),
        ("2024-01-01 10:00 EST", "'EST' is no offset"),
        ("4 Mai 2024", "'Mai' is no English"),
        ("?", "cannot be read as a time; write"),
        ("", "cannot be read as a time; write"),
        ("abc", "cannot be read as a time; write"),
    ],
)
def test_the_reason_is_given(text, why):
    assert why in why_unread(text)


def test_the_first_bad_row_is_named():
    error = row_error(pd.Series(["a", "b", "c"]), np.array([False, True, True]), "t", "is bad")
    assert str(error) == "time column 't': data row 2, 'b', is bad"
