"""Read series from a file: text, Excel or Parquet, written as people write them."""

from timer_forecaster.frames.reading.errors import MissingColumnError
from timer_forecaster.frames.reading.series import read_series, read_series_file
from timer_forecaster.frames.reading.series_file import SeriesFile

__all__ = ["MissingColumnError", "SeriesFile", "read_series", "read_series_file"]
