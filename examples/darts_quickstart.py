"""Forecast with Timer-S1 as a Darts model, by the usual fit and predict."""

from pathlib import Path

from darts import TimeSeries
from darts.utils.likelihood_models import QuantileRegression
from matplotlib import pyplot

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

series[-504:].plot()
quantiles.plot()
pyplot.savefig("french_load_darts.png")
