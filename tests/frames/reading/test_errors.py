"""Errors name the file that they concern, once."""

import io
import zlib

import pytest

from timer_forecaster.frames.files.sources import Source
from timer_forecaster.frames.reading.errors import MissingColumnError, NamedError, naming

SOURCE = Source.of(io.BytesIO(b"x"))


def test_a_file_is_named_once():
    with pytest.raises(NamedError, match=r"^standard input: no rows$"), naming(SOURCE):
        raise ValueError("no rows")
    with pytest.raises(NamedError, match=r"^future\.csv: no rows$"), naming(SOURCE):
        raise NamedError("future.csv: no rows")
    with pytest.raises(MissingColumnError, match=r"^a\.csv: known_columns: "), naming(SOURCE):
        raise MissingColumnError("a.csv", "known_columns", "x", ["y"])


def test_damaged_files_and_other_errors():
    with pytest.raises(NamedError, match="it is damaged or cut off: bad"), naming(SOURCE):
        raise zlib.error("bad")
    with pytest.raises(TypeError, match=r"^bad$"), naming(SOURCE):
        raise TypeError("bad")
