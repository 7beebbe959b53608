"""Files of series for tests of reading."""

import io

import numpy as np
import pandas as pd

VALUES = [12.5, 13.0, 11.75, 14.25, 12.0, 15.5, 13.25, 16.0]
DAYS = pd.date_range("2024-01-10", periods=len(VALUES))


def text_of(separator=",", decimal=".", dates="%Y-%m-%d", names=("time", "load"), end="\n"):
    """A file of eight days."""
    rows = [
        separator.join([f"{day:{dates}}", str(value).replace(".", decimal)])
        for day, value in zip(DAYS, VALUES, strict=True)
    ]
    return end.join([separator.join(names), *rows, ""])


def as_file(data):
    """An open file of a text or of bytes."""
    return io.BytesIO(data.encode() if isinstance(data, str) else data)


def assert_read(read, time="time", load="load"):
    """Whether the eight days were read, by whatever names."""
    assert read.time_column == time
    assert read.target_columns == [load]
    assert read.frame[time].tolist() == DAYS.tolist()
    np.testing.assert_array_equal(read.frame[load], VALUES)


def workbook_of(**sheets):
    """A workbook of sheets of rows."""
    buffer = io.BytesIO()
    with pd.ExcelWriter(buffer, engine="openpyxl") as writer:
        for name, rows in sheets.items():
            pd.DataFrame(rows).to_excel(writer, sheet_name=name, header=False, index=False)
    return buffer.getvalue()
