"""Choose a model for a panel: Timer-S1 and classical models in one grid search of sktime."""

import logging
import tempfile
from pathlib import Path

import pandas as pd
from matplotlib import pyplot
from sktime.forecasting.compose import EnsembleForecaster, MultiplexForecaster
from sktime.forecasting.exp_smoothing import ExponentialSmoothing
from sktime.forecasting.model_selection import ForecastingGridSearchCV
from sktime.forecasting.naive import NaiveForecaster
from sktime.forecasting.theta import ThetaForecaster
from sktime.performance_metrics.forecasting import MeanAbsoluteScaledError
from sktime.split import ExpandingWindowSplitter

from timer_forecaster.sktime import TimerS1Forecaster

logging.captureWarnings(True)  # sktime warns about a future default for each model

# A panel: monthly turnover of the industries of one state since 2000, on rows (industry, month).
csv = Path(__file__).parent / "australian_retail.csv"
table = pd.read_csv(csv, header=[0, 1], index_col=0)["Victoria"]["2000":]
table.index = pd.PeriodIndex(table.index, freq="M", name="month")
y = table.unstack().rename("turnover").to_frame()
months = y.index.get_level_values("month")
known, last_year = y[months < "2018-01"], y[months >= "2018-01"]

ets = ExponentialSmoothing(
    "add", damped_trend=True, seasonal="mul", sp=12, initialization_method="heuristic"
)
timer = TimerS1Forecaster()
models = MultiplexForecaster(
    [
        ("naive", NaiveForecaster("last")),
        ("seasonal naive", NaiveForecaster("last", sp=12)),
        ("ETS", ets),
        ("theta", ThetaForecaster(sp=12)),
        ("timer", timer),
        ("mean of ETS and timer", EnsembleForecaster([("ets", ets), ("timer", timer)])),
    ]
)
others = [name for name, _ in models.forecasters if name != "timer"]
year = range(1, 13)
search = ForecastingGridSearchCV(
    models,
    cv=ExpandingWindowSplitter(fh=year, initial_window=len(table) - 48, step_length=12),
    param_grid=[
        {"selected_forecaster": others},
        {"selected_forecaster": ["timer"], "timer__context_length": [120, None]},
    ],
    scoring=MeanAbsoluteScaledError(sp=12),  # 1 is the in-sample error of last year's value
    backend=None,  # in this process: each worker of "loky" would load its own copy of the weights
    return_n_best_forecasters=-1,  # all, fitted, for the year that the search did not see
    error_score="raise",
)
search.fit(known, fh=year)

# The scores of the search are too good for the model that they chose. The last year had no part in
# the choice.
rows, forecasts = [], {}
for (_, fitted), score in zip(search.n_best_forecasters_, search.n_best_scores_, strict=True):
    chosen = fitted.get_params()
    name = chosen["selected_forecaster"]
    if name == "timer":
        name = f"timer, context {chosen['timer__context_length'] or 'all'}"
    forecasts[name] = fitted.predict()
    error = search.scoring(last_year, forecasts[name], y_train=known)
    rows.append({"model": name, "MASE 2015-2017": score, "MASE 2018": error})
results = pd.DataFrame(rows).set_index("model")
print(results.round(3).to_string())

figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 4), layout="constrained")
left.semilogx(results[::-1], results.index[::-1], "o", label=results.columns)
left.axvline(1, color="gray", linewidth=0.8)
left.minorticks_off()
left.set_xticks([0.7, 1, 2, 4, 8], ["0.7", "1", "2", "4", "8"])
left.set_title("Errors: 1 is last year's value in the known years", loc="left")
left.legend(frameon=False)
stores = "Department stores"
y.loc[stores, "turnover"]["2017":].plot(ax=right, color="black", linestyle=":", label="turnover")
for name in (results.index[0], "timer, context all"):
    forecasts[name].loc[stores, "turnover"].plot(ax=right, label=name)
right.set(xlabel="", ylabel="million AUD")
right.set_title(f"{stores}, Victoria", loc="left")
right.legend(loc="upper left", frameon=False)
for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)
picture = Path(tempfile.mkdtemp(), "retail_model_selection.png")
figure.savefig(picture, dpi=150)
print(f"picture: {picture}")
