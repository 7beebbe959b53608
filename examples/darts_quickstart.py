"""Forecast with Timer-S1 as a Darts model, by the usual fit and predict."""

import tempfile
from pathlib import Path

from darts import TimeSeries
from darts.utils.likelihood_models import QuantileRegression
from matplotlib import pyplot
from matplotlib.dates import ConciseDateFormatter

from timer_forecaster.darts import TimerS1Model

csv = Path(__file__).parent / "french_load.csv"
series = TimeSeries.from_csv(csv, time_col="time", freq="h")

model = TimerS1Model(
    input_chunk_length=(1, 1344),
    output_chunk_length=168,
    likelihood=QuantileRegression([0.1, 0.5, 0.9]),
)
quantiles = model.fit(series).predict(168, predict_likelihood_parameters=True)
print(quantiles.to_dataframe())

figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
low, median, high = quantiles.values().T
axes.plot(series[-504:].to_series(), color="black", linewidth=1, label="history")
axes.plot(quantiles.time_index, median, label="median")
axes.fill_between(quantiles.time_index, low, high, alpha=0.3, label="80 % interval")
axes.set_title("French electricity demand in megawatts, by Darts' interface", loc="left")
axes.legend(loc="upper left", ncols=3, frameon=False)
axes.margins(x=0.01, y=0.15)
axes.spines[["top", "right"]].set_visible(False)
axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))
picture = Path(tempfile.mkdtemp(), "french_load_darts.png")
figure.savefig(picture, dpi=150)
print(f"picture: {picture}")
