"""Forecast a hierarchy so that the forecasts add up: Timer-S1 in sktime's reconciliation."""

import logging
import tempfile
from pathlib import Path

import pandas as pd
from matplotlib import pyplot
from sktime.forecasting.reconcile import ReconcilerForecaster
from sktime.split import ExpandingWindowSplitter
from sktime.transformations.hierarchical.aggregate import Aggregator

from timer_forecaster.sktime import TimerS1Forecaster

logging.captureWarnings(True)  # sktime warns about a future default for each model

# A hierarchy: monthly turnover on rows (state, industry, month), and its totals.
csv = Path(__file__).parent / "australian_retail.csv"
table = pd.read_csv(csv, header=[0, 1], index_col=0)
table.index = pd.PeriodIndex(table.index, freq="M", name="month")
y = Aggregator().fit_transform(table.unstack().rename("turnover").to_frame())

timer = TimerS1Forecaster()
forecasters = {
    "each by itself": timer,
    "bottom-up": ReconcilerForecaster(timer, "bu"),
    "top-down": ReconcilerForecaster(timer, "td_fcst"),
    "OLS": ReconcilerForecaster(timer, "ols"),
    "WLS": ReconcilerForecaster(timer, "wls_str"),
}

# Each of the last two years is forecast from the years before it.
years = ExpandingWindowSplitter(fh=range(1, 13), initial_window=len(table) - 24, step_length=12)
forecasts = pd.DataFrame(
    {
        name: pd.concat(
            forecaster.clone().fit(known, fh=range(1, 13)).predict()["turnover"]
            for known, _ in years.split_series(y)
        )
        for name, forecaster in forecasters.items()
    }
)

nodes = ["state", "industry"]
is_sum = (forecasts.index.to_frame()[nodes] == "__total").any(axis=1)
parts = forecasts[~is_sum].groupby("month").sum()
gap = (forecasts.loc["__total", "__total"] - parts).abs().max()

# Errors relative to the error of last year's value, so that levels can be compared.
yearly_change = y["turnover"].groupby(nodes).diff(12).abs().groupby(nodes).mean()
errors = forecasts.sub(y["turnover"].loc[forecasts.index], axis=0).abs().groupby(nodes).mean()
errors = errors.div(yearly_change, axis=0)
depth = (errors.index.to_frame() != "__total").sum(axis=1)
levels = {0: "total", 1: "states", 2: "industries of states"}
results = errors.groupby(depth).mean().rename(index=levels).T
print(results.assign(**{"gap, million AUD": gap}).round(3).to_string())

figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4), layout="constrained")
results.T.plot.bar(ax=left, rot=0, width=0.7)
left.set_title("Error: 1 is last year's value", loc="left")
left.set_ylim(0, 1.7)
left.legend(loc="upper left", ncols=2, frameon=False)
for name in ("each by itself", "top-down"):
    (forecasts[name].loc["__total", "__total"] - parts[name]).plot(ax=right, label=name)
right.set(xlabel="", ylabel="million AUD")
right.set_title("Forecast of the total less those of its parts", loc="left")
right.legend(loc="upper left", frameon=False)
for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)
picture = Path(tempfile.mkdtemp(), "retail_reconciliation.png")
figure.savefig(picture, dpi=150)
print(f"picture: {picture}")
