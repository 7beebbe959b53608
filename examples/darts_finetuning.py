"""Finetune Timer-S1 in Darts' own training loop with early stopping, and compare the errors."""

import logging
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from darts import TimeSeries, concatenate
from darts.metrics import mae, mql
from darts.utils.likelihood_models import QuantileRegression
from matplotlib import pyplot
from matplotlib.dates import ConciseDateFormatter
from pytorch_lightning.callbacks import EarlyStopping

from timer_forecaster.darts import TimerS1Model

logging.disable(logging.WARNING)  # Lightning logs lines in each fit
warnings.filterwarnings("ignore", module=r"pytorch_lightning|torch\.utils\.data")

day, week = 24, 168
folder = Path(__file__).parent
load = pd.concat(
    pd.read_csv(folder / name, index_col="time", parse_dates=True)
    for name in ("french_load.csv", "french_load_next_week.csv")
)
load = TimeSeries.from_dataframe(load)
train = load[: -2 * week]
validation = load[-4 * week : -week]  # two weeks of context, and the week that is forecast
# The newest week is used neither for training nor for validation.

levels = [0.1, 0.5, 0.9]
options = {
    "input_chunk_length": 2 * week,
    "output_chunk_length": day,
    "likelihood": QuantileRegression(levels),
}
quiet = {"accelerator": "cpu", "enable_progress_bar": False, "enable_model_summary": False}
stopper = EarlyStopping("val_loss", patience=3)
files = Path(tempfile.mkdtemp())  # for Lightning's checkpoints and the adapter

zero_shot = TimerS1Model(**options, pl_trainer_kwargs=quiet).fit(train)
tuned = TimerS1Model(
    **options,
    enable_finetuning="router+head",
    n_epochs=20,
    random_state=0,
    save_checkpoints=True,  # keep the weights of the best epoch
    model_name="french_load",
    work_dir=str(files / "lightning"),
    pl_trainer_kwargs={**quiet, "callbacks": [stopper]},
)
tuned.fit(train, val_series=validation, load_best=True)


def daily_forecasts(model, series):
    """Return the forecasts of each day of the newest week of a series."""
    return model.historical_forecasts(
        series,
        start=-week,
        start_format="position",
        forecast_horizon=day,
        stride=day,
        retrain=False,
        last_points_only=False,
        predict_likelihood_parameters=True,
    )


weeks = {"validation": load[:-week], "newest week": load}
models = {"zero-shot": zero_shot, "tuned": tuned}
table, newest = pd.DataFrame(), {}
for name, model in models.items():
    for title, series in weeks.items():
        days = daily_forecasts(model, series)
        table.loc[f"{title}: MAE", name] = np.mean([mae(load, one, q=0.5) for one in days])
        table.loc[f"{title}: quantile loss", name] = np.mean(
            [mql(load, one, q=levels) for one in days]
        )
    newest[name] = concatenate(days)
table["change in %"] = 100 * (table["tuned"] / table["zero-shot"] - 1)
adapter = tuned.adapter
print(
    f"stopped after {stopper.stopped_epoch + 1} epochs, the best val_loss: {stopper.best_score:.4f}"
)
print(f"tuned: {adapter.n_parameters:,} parameters, saved in {adapter.save(files / 'adapter')}")
print("Errors in megawatts, forecasts of a day:")
print(table.round(1).to_string())

figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
for name, forecast in newest.items():
    low, median, high = forecast.values().T / 1000
    error = table.loc["newest week: MAE", name]
    axes.plot(forecast.time_index, median, label=f"{name}: mean error {error:,.0f} MW")
    axes.fill_between(forecast.time_index, low, high, alpha=0.2)
axes.plot(load[-week:].to_series() / 1000, "k:", label="what happened")
axes.set_title("A week that finetuning did not see, with 80 % intervals, in gigawatts", loc="left")
axes.legend(loc="lower left", ncols=3, frameon=False)
axes.margins(x=0.01, y=0.12)
axes.spines[["top", "right"]].set_visible(False)
axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))
picture = files / "french_load_finetuning.png"
figure.savefig(picture, dpi=120)
print(f"picture: {picture}")
