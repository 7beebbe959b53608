"""Frames that a result makes once."""

import pandas as pd

from timer_forecaster.frames.kept import kept_frame


def test_a_frame_is_made_once_and_stays_as_it_is():
    made = []

    class Result:
        @property
        @kept_frame
        def table(self):
            """A table."""
            made.append(self)
            return pd.DataFrame({"y": [1.0, 2.0]})

    result = Result()
    table = result.table
    table["y"], table["more"] = -1.0, 3.0
    assert result.table.to_dict("list") == {"y": [1.0, 2.0]}
    assert len(made) == 1
    assert Result.table.__doc__ == "A table."
