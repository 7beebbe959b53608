"""Forecast with Timer-S1 as an sktime forecaster, by the usual fit and predict."""

import tempfile
from pathlib import Path

import pandas as pd
from matplotlib import pyplot
from matplotlib.dates import ConciseDateFormatter

from timer_forecaster.sktime import TimerS1Forecaster

csv = Path(__file__).parent / "french_load.csv"
y = pd.read_csv(csv, index_col="time", parse_dates=["time"])["load_mw"].asfreq("h")

forecaster = TimerS1Forecaster().fit(y, fh=range(1, 169))
median = forecaster.predict()
interval = forecaster.predict_interval(coverage=0.8)
print(interval)

figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
axes.plot(y[-504:], color="black", linewidth=1, label="history")
axes.plot(median, label="median")
axes.fill_between(interval.index, *interval.to_numpy().T, alpha=0.3, label="80 % interval")
axes.set_title("French electricity demand in megawatts, by sktime's interface", loc="left")
axes.legend(loc="upper left", ncols=3, frameon=False)
axes.margins(x=0.01, y=0.15)
axes.spines[["top", "right"]].set_visible(False)
axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))
picture = Path(tempfile.mkdtemp(), "french_load_sktime.png")
figure.savefig(picture, dpi=150)
print(f"picture: {picture}")
