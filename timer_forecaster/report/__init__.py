"""Reports that a person can send: one HTML file with interactive pictures and tables.

`docs/report.md` shows how to make one. `write_report` lays out parts: pictures of series
(`Gallery`), tables (`ScoreTable`), curves by step (`Curves`) and texts (`Words`). A room that has a
result makes parts of it: `forecast_part` here, `BacktestResult.report_parts` in the backtests.
"""

from timer_forecaster.report.curves import Curve, Curves
from timer_forecaster.report.frames import forecast_part
from timer_forecaster.report.gallery import Gallery
from timer_forecaster.report.page import check_report, write_report
from timer_forecaster.report.series import Chart, Fan
from timer_forecaster.report.tables import ScoreTable
from timer_forecaster.report.words import Words

__all__ = [
    "Chart",
    "Curve",
    "Curves",
    "Fan",
    "Gallery",
    "ScoreTable",
    "Words",
    "check_report",
    "forecast_part",
    "write_report",
]
