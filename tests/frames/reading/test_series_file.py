"""The series of a file."""

import io

import pandas as pd
import pytest

from timer_forecaster.frames.reading import read_series

TEXT = (
    "shop,item,day,sold\n1,a,2024-01-01,3\n1,a,2024-01-02,5\n2,a,2024-01-01,4\n2,a,2024-01-02,6\n"
)


def read(text=TEXT, **options):
    options = {"time_column": "day", "id_column": ["shop", "item"], **options}
    return read_series(io.BytesIO(text.encode()), **options)


def test_a_forecast_has_the_columns_of_ids_that_the_file_has():
    file = read()
    forecast = pd.DataFrame({file.id_column: ["2 / a", "1 / a"], "q0.5": [1.0, 2.0]})
    found = file.with_ids(forecast)
    assert found.columns.tolist() == ["shop", "item", "q0.5"]
    assert found["shop"].tolist() == ["2", "1"]
    with pytest.raises(ValueError, match="the forecast has a column 'item'"):
        file.with_ids(forecast.assign(item=0))
    assert read(id_column=None, text="day,sold\n2024-01-01,3\n").with_ids(forecast) is forecast


def test_the_summary_names_the_file_in_errors():
    assert "2 series, step" in str(read().summarized())
    with pytest.raises(ValueError, match=r"^standard input: .*more than once"):
        read(id_column=None).summarized()
