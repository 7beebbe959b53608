"""Forecast bike rentals a day ahead by calendar and weather, beside LightGBM and a linear model.

The weather was measured. Who forecasts a real tomorrow has a forecast of its weather, which helps
less: measured weather in place of it overstates the gain.
"""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from lightgbm import LGBMRegressor
from matplotlib import pyplot
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from timer_forecaster import ForecastPipeline

DAY, WEEK, HISTORY, DAYS = 24, 168, 2048, 28  # hours, and the number of days to forecast
LEVELS = [0.1, 0.5, 0.9]

bikes = pd.read_csv(Path(__file__).parent / "bike_sharing.csv", parse_dates=["time"])
rentals = bikes["rentals"].to_numpy(dtype=float)
columns = ["holiday", "workingday", "weather", "temp", "humidity", "windspeed"]
starts = range(len(bikes) - DAYS * DAY, len(bikes), DAY)  # the first hours of the newest days
actual = np.stack([rentals[start : start + DAY] for start in starts])

# Timer-S1 reads the hours before each day, and nothing is trained. The table beside them goes on
# to the end of the day.
pipe = ForecastPipeline.from_pretrained("timer-s1-small")
histories = [rentals[start - HISTORY : start] for start in starts]
tables = [bikes[columns][start - HISTORY : start + DAY] for start in starts]
alone = pipe.predict(histories, DAY)
beside = pipe.predict(histories, DAY, known=tables, cycles=(DAY, WEEK))

# The other models read the same columns, the rentals of one, two and seven days before, the hour
# and the weekday. They are fitted for each week, to all hours before it.
features = bikes[columns].astype({"weather": "category"})
features = features.assign(hour=bikes["time"].dt.hour, weekday=bikes["time"].dt.dayofweek)
features = features.assign(**{f"lag_{lag}": bikes["rentals"].shift(lag) for lag in (24, 48, 168)})
hours = features["hour"].astype(str) + " of workingday " + features["workingday"].astype(str)
numbers = pd.get_dummies(features.assign(hour=hours), columns=["weather", "weekday", "hour"])


def lightgbm(before, week):
    """Return quantiles of a week, each from trees for its level."""
    found = []
    for level in LEVELS:
        trees = LGBMRegressor(objective="quantile", alpha=level, verbose=-1, n_jobs=1)
        found.append(trees.fit(features[before], rentals[before]).predict(features[week]))
    return np.sort(np.stack(found, axis=-1))


def ridge(before, week):
    """Return the forecast of a week by a linear model, with quantiles of its past errors."""
    linear = make_pipeline(StandardScaler(), Ridge()).fit(numbers[before], rentals[before])
    errors = rentals[before] - linear.predict(numbers[before])
    return linear.predict(numbers[week])[:, None] + np.quantile(errors, LEVELS)


def each_day(model):
    """Return the forecasts of a model for all days."""
    weeks = [(slice(WEEK, start), slice(start, start + WEEK)) for start in starts[::7]]
    return np.concatenate([model(*slices) for slices in weeks]).reshape(DAYS, DAY, -1)


forecasts = {
    "Timer-S1, rentals alone": np.stack([alone.quantile(level) for level in LEVELS], axis=-1),
    "Timer-S1, with covariates": np.stack([beside.quantile(level) for level in LEVELS], axis=-1),
    "LightGBM": each_day(lightgbm),
    "ridge regression": each_day(ridge),
}
table = pd.DataFrame()
for name, quantiles in forecasts.items():
    errors = actual[..., None] - quantiles
    losses = np.maximum(errors * LEVELS, errors * np.subtract(LEVELS, 1))
    inside = (errors[..., 0] >= 0) & (errors[..., -1] <= 0)
    table.loc[name, "MAE"] = abs(errors[..., 1]).mean()
    table.loc[name, "quantile loss"] = 2 * losses.mean()  # as CRPS, by three levels
    table.loc[name, "inside 80 %"] = inside.mean()
print(table.round(2).to_string())
report = beside.covariates
print(f"saved in the check: {report.gain.mean():.0%} of the quantile loss, mean of {DAYS} days")

# Draw the day that covariates change most.
number = int(abs(beside.median - alone.median).sum(axis=1).argmax())
figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4), layout="constrained")
steps = np.arange(1, DAY + 1)
left.plot(steps, actual[number], "k:", label="what happened")
left.plot(steps, alone.median[number], label="rentals alone")
left.plot(steps, beside.median[number], label="with covariates")
low, _, high = forecasts["Timer-S1, with covariates"][number].T
left.fill_between(steps, low, high, color="C1", alpha=0.2, label="its 80 % interval")
left.set_title(f"{bikes['time'][starts[number]]:%A %Y-%m-%d}", loc="left")
left.set(xlabel="step", xticks=range(3, DAY + 1, 3), ylabel="rentals in an hour")
left.spines[["top", "right"]].set_visible(False)
left.legend(frameon=False)
report.plot(number, right)
right.set_title("effect of each column", loc="left")
picture = Path(tempfile.mkdtemp(), "bike_sharing_covariates.png")
figure.savefig(picture, dpi=150)
print(f"picture: {picture}")
