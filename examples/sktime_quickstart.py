"""Forecast with Timer-S1 as an sktime forecaster, by the usual fit and predict."""

from pathlib import Path

import pandas as pd
from matplotlib import pyplot

from timer_forecaster.sktime import TimerS1Forecaster

csv = Path(__file__).parent / "french_load.csv"
y = pd.read_csv(csv, index_col="time", parse_dates=["time"])["load_mw"].asfreq("h")

forecaster = TimerS1Forecaster().fit(y, fh=range(1, 169))
median = forecaster.predict()
interval = forecaster.predict_interval(coverage=0.8)
print(interval)

pyplot.figure(figsize=(9, 4))
y[-504:].plot(color="black", label="history")
median.plot(label="median")
pyplot.fill_between(interval.index, *interval.to_numpy().T, alpha=0.3, label="80 % interval")
pyplot.legend()
pyplot.savefig("french_load_sktime.png")
