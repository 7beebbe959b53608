"""What a user may say about a file."""

import io

import pandas as pd
import pytest
from series_files import DAYS, VALUES, as_file

from timer_forecaster.frames.files.options import ReadingOptions
from timer_forecaster.frames.files.sources import Source
from timer_forecaster.frames.reading import read_series


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sep": ";;"}, "sep=';;' must be one sign"),
        ({"sep": "x"}, "sep='x' must be one sign"),
        ({"sep": ""}, "sep='' must be one sign"),
        ({"decimal": ";"}, r"decimal=';' must be '\.' or ','"),
        ({"thousands": "x"}, "thousands='x' must be one of"),
        ({"decimal": ",", "thousands": ","}, "decimal and thousands are both ','"),
        ({"encoding": "utf-9"}, "encoding='utf-9' is unknown: use for example utf-8"),
    ],
)
def test_options_that_cannot_be_meant(options, message):
    with pytest.raises(ValueError, match=message):
        ReadingOptions(**options)


FRAME = pd.DataFrame({"time": DAYS, "load": VALUES, "x": VALUES})


def file_of(kind, frame=FRAME):
    """The file of a kind, whose package may be absent."""
    buffer = io.BytesIO()
    if kind == "text":
        return as_file(frame.to_csv(index=False))
    if kind == "frame":
        return Source("a frame", None, frame=frame)
    pytest.importorskip({"parquet": "pyarrow", "excel": "openpyxl"}[kind])
    if kind == "parquet":
        frame.to_parquet(buffer)
    else:
        frame.to_excel(buffer, index=False)
    return as_file(buffer.getvalue())


SHEET, TEXT = {"sheet": "Sheet1"}, "is for a text file, and this is"
REFUSED = [
    (
        "text",
        SHEET,
        r"sheet \(--sheet\) is for an Excel file, and this is a text file: leave it out",
    ),
    ("parquet", SHEET, "sheet .* and this is a Parquet file"),
    ("parquet", {"sep": ";"}, rf"sep \(--sep\) {TEXT} a Parquet file"),
    ("parquet", {"encoding": "utf-8"}, rf"encoding \(--encoding\) {TEXT} a Parquet file"),
    ("parquet", {"no_header": True}, r"\(--no-header\) is for a text file or an Excel file, and"),
    ("excel", {"sep": ","}, rf"sep \(--sep\) {TEXT} an Excel file"),
    ("excel", {"encoding": "utf-8"}, rf"encoding .* {TEXT} an Excel file"),
]


@pytest.mark.parametrize(("kind", "options", "message"), REFUSED)
def test_options_that_a_file_does_not_have_are_refused(kind, options, message):
    with pytest.raises(ValueError, match=message):
        read_series(file_of(kind), options=ReadingOptions(**options))


@pytest.mark.parametrize("kind", ["text", "excel", "parquet", "frame"])
def test_options_that_a_file_has_and_those_left_out_are_taken(kind):
    options = {"no_header": False, "decimal": ".", "timezone": "UTC"}
    options |= {
        "text": {"sep": ",", "encoding": "utf-8"},
        "excel": SHEET,
        "frame": {"sep": ";"},
    }.get(kind, {})
    read = read_series(file_of(kind), options=ReadingOptions(**options))
    assert read.target_columns == ["load", "x"]


@pytest.mark.parametrize("options", [SHEET, {"sep": ","}])
def test_options_of_one_of_two_files_are_taken(options):
    past, later = FRAME.iloc[:6], FRAME.iloc[6:][["time", "x"]]
    for kinds in (("text", "excel"), ("excel", "text")):
        files = [file_of(*pair) for pair in zip(kinds, (past, later), strict=True)]
        given = ReadingOptions(**options)
        read = read_series(files[0], future=files[1], known_columns="x", options=given)
        assert read.future["x"].tolist() == VALUES[6:]
    files = [file_of("text", past), file_of("parquet", later)]
    with pytest.raises(ValueError, match="and these are a text file and a Parquet file: leave"):
        read_series(files[0], future=files[1], options=ReadingOptions(sheet="Sheet1"))
