"""Forecast a week of demand from a CSV file, and compare it with the actual demand."""

import tempfile
from pathlib import Path

import pandas as pd

from timer_forecaster import ForecastPipeline
from timer_forecaster.plotting import plot_forecast

folder = Path(__file__).parent
load = pd.read_csv(folder / "french_load.csv", parse_dates=["time"])
actual = pd.read_csv(folder / "french_load_next_week.csv", parse_dates=["time"])

pipe = ForecastPipeline.from_pretrained("timer-s1-small")
forecast = pipe.predict_frame(load, 168, time_column="time", levels=[0.1, 0.5, 0.9])
print(forecast)

error = (forecast["q0.5"] - actual["load_mw"]).abs().mean() / actual["load_mw"].mean()
inside = actual["load_mw"].between(forecast["q0.1"], forecast["q0.9"]).mean()
print(f"mean error of the median {error:.1%}; hours inside the 80 % interval {inside:.0%}")

figure = plot_forecast(load, forecast, time_column="time")
figure.axes[0].plot(actual["time"], actual["load_mw"], "k:", label="what happened")
figure.axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4, frameon=False)
picture = Path(tempfile.mkdtemp(), "french_load_forecast.png")
figure.savefig(picture, dpi=150)
print(f"picture: {picture}")
