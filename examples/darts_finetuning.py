"""Finetune Timer-S1 in Darts' own training loop with early stopping, and compare the errors."""

import logging
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from darts import TimeSeries
from darts.metrics import mae, mql
from darts.utils.likelihood_models import QuantileRegression
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


def errors(model):
    """Return the errors of daily forecasts in the validation week and in the newest week."""
    found = {}
    for name, series in (("validation", load[:-week]), ("newest week", load)):
        forecasts = model.historical_forecasts(
            series,
            start=-week,
            start_format="position",
            forecast_horizon=day,
            stride=day,
            retrain=False,
            last_points_only=False,
            predict_likelihood_parameters=True,
        )
        found[f"{name}: MAE"] = np.mean([mae(load, one, q=0.5) for one in forecasts])
        found[f"{name}: quantile loss"] = np.mean([mql(load, one, q=levels) for one in forecasts])
    return found


table = pd.DataFrame({"zero-shot": errors(zero_shot), "tuned": errors(tuned)})
table["change in %"] = 100 * (table["tuned"] / table["zero-shot"] - 1)
adapter = tuned.adapter
print(
    f"stopped after {stopper.stopped_epoch + 1} epochs, the best val_loss: {stopper.best_score:.4f}"
)
print(f"tuned: {adapter.n_parameters:,} parameters, saved in {adapter.save(files / 'adapter')}")
print("Errors in megawatts, forecasts of a day:")
print(table.round(1).to_string())
