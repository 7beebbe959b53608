"""One grid search over Timer-S1, ridge regression and randomized trees, on the same windows."""

import tempfile
from pathlib import Path

import pandas as pd
from matplotlib import pyplot
from matplotlib.dates import ConciseDateFormatter
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from timer_forecaster.sklearn import TimerS1Regressor, make_windows

WINDOW, DAY, WEEK = 504, 24, 168  # hours; the window is three weeks

folder = Path(__file__).parent
names = ["french_load.csv", "french_load_next_week.csv"]
history, next_week = (pd.read_csv(folder / name, parse_dates=["time"]) for name in names)
X, y = make_windows(history["load_mw"], WINDOW, DAY)

grid = [
    {"model": [TimerS1Regressor()], "model__context_length": [168, 336, 504]},
    {"model": [make_pipeline(StandardScaler(), Ridge())], "model__ridge__alpha": [1, 10, 100]},
    {"model": [ExtraTreesRegressor(50, random_state=0)], "model__max_features": [0.05, 0.2]},
]
# Each fold tests a week. Rows overlap: the gap keeps the test hours out of the training targets.
weeks = TimeSeriesSplit(n_splits=3, test_size=WEEK, gap=DAY - 1)
pipeline = Pipeline([("model", TimerS1Regressor())])
search = GridSearchCV(pipeline, grid, scoring="neg_mean_absolute_error", cv=weeks, refit=False)
search.fit(X, y)


def name_of(model):
    """Return the class name of a candidate, or of its last step if it is a pipeline."""
    return type(model[-1] if isinstance(model, Pipeline) else model).__name__


def tuned(parameters):
    """Return the parameters that the grid varies, as text."""
    rest = {name: value for name, value in parameters.items() if name != "model"}
    return ", ".join(f"{name.rpartition('__')[2]}={value}" for name, value in rest.items())


results = pd.DataFrame(search.cv_results_)
table = pd.DataFrame(
    {
        "model": results["param_model"].map(name_of),
        "parameters": results["params"].map(tuned),
        "MAE in MW": -results["mean_test_score"].round(),
        "worst week": -results.filter(regex=r"split\d_test_score").min(axis=1).round(),
    }
).sort_values("MAE in MW")
print(table.to_string(index=False))

# Forecast each day of the next week from the three weeks before it, with the best candidate of
# each model.
newest = pd.concat([history, next_week])["load_mw"][-(WINDOW + WEEK) :]
X_next, y_next = make_windows(newest, WINDOW, DAY, step=DAY)
hours = next_week["time"]
figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
for name, rows in table.groupby("model", sort=False):
    best = clone(pipeline).set_params(**results["params"][rows.index[0]]).fit(X, y)
    forecast = best.predict(X_next)
    error = abs(forecast - y_next).mean()
    print(f"{name}: mean absolute error {error:,.0f} MW in the week of {hours[0]:%Y-%m-%d}")
    axes.plot(hours, forecast.ravel(), label=f"{name}: {error:,.0f} MW")
    if name == "TimerS1Regressor":
        low, high = best["model"].predict_quantiles(X_next, [0.1, 0.9]).reshape(-1, 2).T
        axes.fill_between(hours, low, high, alpha=0.3, label="its 80 % interval")
axes.plot(hours, next_week["load_mw"], "k:", label="what happened")
axes.set_ylabel("demand in MW")
axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
axes.margins(x=0.01)
axes.spines[["top", "right"]].set_visible(False)
axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))
picture = Path(tempfile.mkdtemp(), "french_load_sklearn.png")
figure.savefig(picture, dpi=150)
print(f"picture: {picture}")
