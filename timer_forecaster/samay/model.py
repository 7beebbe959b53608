"""A TinyTimeMixer that is finetuned and evaluated on the windows of a file."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor, nn

from timer_forecaster.arrays import FloatArray
from timer_forecaster.callers import stacklevel_of_caller
from timer_forecaster.checks import check_integer, check_number
from timer_forecaster.finetuning import TuningWarning
from timer_forecaster.samay.dataset import TinyTimeMixerDataset
from timer_forecaster.samay.files import read_model, write_folder, write_model
from timer_forecaster.samay.forecasting import forecast_histories
from timer_forecaster.samay.settings import ModelSettings
from timer_forecaster.samay.training import Curves, Plan, train
from timer_forecaster.samay.weights import Start, starting_network


class Evaluation(NamedTuple):
    """The result of `TinyTimeMixerModel.evaluate`.

    Parameters
    ----------
    avg_loss : float
        Mean squared error, in squares of the standard deviation that each channel has in the part
        of its file that trains. Missing values do not count.
    trues, preds, histories : ndarray, shapes (windows, channels, steps)
        True values, forecasts and histories in the units of the file, NaN where values are missing.
    """

    avg_loss: float
    trues: FloatArray
    preds: FloatArray
    histories: FloatArray


class TinyTimeMixerModel(nn.Module):
    """A TinyTimeMixer by the keys of Samay's ``config``. It forecasts each channel by itself.

    Parameters
    ----------
    config : mapping, optional
        Settings, each of which may be absent: ``context_len`` (512), ``horizon_len`` (96),
        ``model_size`` ("tiny", "small" or "base"), ``d_model`` and ``n_layers`` (by the size),
        ``dropout`` (0.1) and ``n_heads``, which has no effect.
    repo : str or Path, optional
        Checkpoint to begin with: a name of `timer_forecaster.list_checkpoints`, a folder, or a hub
        id. Its sizes and its dropout are the defaults then. Default: the embedded checkpoint of the
        size, if it fits the config; else random weights, of which `evaluate` warns.
    revision : str, optional
        Branch, tag or commit of a hub id.

    Attributes
    ----------
    network : Network
        The network in plain torch, which no other model shares.
    context_len, horizon_len : int
        Newest steps of a history that the network reads, and steps of its forecasts.
    checkpoint : str or None
        The checkpoint that the model began with.
    trained : bool
        Whether the weights are of a checkpoint or finetuned.
    curves : Curves or None
        Losses of the last training.

    Raises
    ------
    TypeError, ValueError
        If a setting or the checkpoint cannot be used. The error names it.

    Examples
    --------
    >>> model = TinyTimeMixerModel(repo="ttm-test")
    >>> model.context_len, model.horizon_len, model.trained
    (128, 32, True)
    """

    def __init__(
        self,
        config: Mapping[str, Any] | None = None,
        repo: str | Path | None = None,
        *,
        revision: str | None = None,
    ) -> None:
        super().__init__()
        settings = ModelSettings.of(config)
        start = starting_network(settings, repo, revision)
        self._begin(start, settings.context_len, settings.horizon_len)

    def _begin(self, start: Start, context_len: int | None, horizon_len: int | None) -> None:
        self.network, self.checkpoint = start.network, start.checkpoint
        self.context_len = context_len or start.network.config.max_context_length
        self.horizon_len = horizon_len or start.network.pass_length
        self.trained = start.checkpoint is not None
        self.curves: Curves | None = None

    def forward(self, past_values: Tensor, past_observed_mask: Tensor | None = None) -> Any:
        """Run the network on scaled contexts (rows, steps, 1)."""
        return self.network(past_values, past_observed_mask=past_observed_mask)

    def finetune(
        self,
        train_dataset: TinyTimeMixerDataset,
        val_dataset: TinyTimeMixerDataset | None = None,
        epochs: int = 10,
        learning_rate: float = 1e-3,
        *,
        patience: int | None = None,
        seed: int = 0,
    ) -> TinyTimeMixerModel:
        """Train all weights on the windows of a data set, in place.

        Each window is scaled by the mean and the deviation of its history; the loss is the pinball
        loss of all quantile levels there.

        Parameters
        ----------
        train_dataset : TinyTimeMixerDataset
            Windows to train on, ``batch_size`` of them in a step.
        val_dataset : TinyTimeMixerDataset, optional
            Windows that decide which epoch's weights are kept. Default: the last epoch's.
        epochs : int
            Passes over the windows.
        learning_rate : float
            Its peak.
        patience : int, optional
            Epochs without a lower validated loss after which the training stops.
        seed : int
            Seed of the order of the windows, and of dropout.

        Returns
        -------
        TinyTimeMixerModel
            The model itself.

        Raises
        ------
        TypeError, ValueError
            If an argument cannot be used, or if there is nothing to train on.
        RuntimeError
            If the training diverges. The model is then as it was before.

        Examples
        --------
        >>> import numpy as np
        >>> import pandas as pd
        >>> from timer_forecaster.samay import TinyTimeMixerDataset, TinyTimeMixerModel
        >>> days = pd.date_range("2024-01-01", periods=400)
        >>> frame = pd.DataFrame({"day": days, "sold": np.arange(400) % 7})
        >>> frame.to_csv("train.csv", index=False)
        >>> train = TinyTimeMixerDataset(
        ...     datetime_col="day", path="train.csv", mode="train", context_len=128, horizon_len=32
        ... )
        >>> model = TinyTimeMixerModel(repo="ttm-test").finetune(train, epochs=2)
        >>> model.trained
        True
        """
        self._refuse_quantized("finetune")
        for name, dataset in (("train_dataset", train_dataset), ("val_dataset", val_dataset)):
            if dataset is not None or name == "train_dataset":
                self._check_trainable(name, dataset)
        if patience is not None and val_dataset is None:
            raise ValueError(f"patience={patience} needs a val_dataset")
        plan = Plan(
            self.context_len,
            check_integer("epochs", epochs),
            check_number("learning_rate", learning_rate, 0, above=True),
            None if patience is None else check_integer("patience", patience),
            check_integer("seed", seed, 0),
        )
        self.curves = train(self.network, train_dataset, val_dataset, plan)
        self.trained = self.trained or self.curves.best > 0
        if self.curves.best == 0:
            reason = "no epoch has a lower loss on val_dataset; the weights are as before"
            warnings.warn(reason, TuningWarning, stacklevel=stacklevel_of_caller())
        return self.eval()

    def evaluate(self, dataset: TinyTimeMixerDataset) -> Evaluation:
        """Forecast all windows of a data set.

        Parameters
        ----------
        dataset : TinyTimeMixerDataset
            A horizon beyond one pass of the network is rolled out.

        Returns
        -------
        Evaluation
            A named tuple of ``avg_loss, trues, preds, histories``.

        Raises
        ------
        TypeError, ValueError
            If it is no data set, or if there is no value in a history or in all futures.

        Examples
        --------
        >>> import numpy as np
        >>> import pandas as pd
        >>> from timer_forecaster.samay import TinyTimeMixerDataset, TinyTimeMixerModel
        >>> days = pd.date_range("2024-01-01", periods=300)
        >>> frame = pd.DataFrame({"day": days, "sold": np.arange(300) % 7})
        >>> frame.to_csv("test.csv", index=False)
        >>> test = TinyTimeMixerDataset(
        ...     datetime_col="day", path="test.csv", mode="test", context_len=128, horizon_len=32
        ... )
        >>> TinyTimeMixerModel(repo="ttm-test").evaluate(test).preds.shape
        (7, 1, 32)
        """
        _check_dataset("dataset", dataset)
        if not self.trained:
            warnings.warn(
                "the weights of this model are random: finetune it first, or name a checkpoint "
                "as repo=...",
                UserWarning,
                stacklevel=stacklevel_of_caller(),
            )
        self.eval()
        histories, trues = dataset.windows.histories(), dataset.windows.futures()
        if np.isnan(trues).all():
            raise ValueError(f"{dataset.label}: no value is observed in the part to forecast")
        read = histories[..., -min(self.context_len, self.network.config.max_context_length) :]
        dataset.windows.refuse_empty(read, dataset.columns, dataset.label)
        rows = read.reshape(-1, read.shape[-1])
        preds = forecast_histories(self.network, rows, dataset.horizon_len, dataset.batch_size)
        preds = preds.reshape(trues.shape)
        errors = (trues - preds) / dataset.scales[:, None]
        return Evaluation(float(np.nanmean(errors**2)), trues, preds, histories)

    def save(self, path: str | Path) -> None:
        """Write the model to one file, which `load` reads.

        Parameters
        ----------
        path : str or Path
            The file.

        Raises
        ------
        ValueError
            If the file cannot be written, or if the model is quantized.

        Examples
        --------
        >>> from timer_forecaster.samay import TinyTimeMixerModel
        >>> TinyTimeMixerModel(repo="ttm-test").save("model.pt")
        """
        self._refuse_quantized("save")
        names = ("context_len", "horizon_len", "checkpoint", "trained")
        facts = {name: getattr(self, name) for name in names}
        write_model(Path(path).expanduser(), self.network, facts)

    @classmethod
    def load(cls, path: str | Path) -> TinyTimeMixerModel:
        """Return the model of a file that `save` wrote, on the CPU.

        Parameters
        ----------
        path : str or Path
            The file.

        Returns
        -------
        TinyTimeMixerModel

        Raises
        ------
        ValueError
            If there is no such file, or if it is of another kind. The error names it.

        Examples
        --------
        >>> from timer_forecaster.samay import TinyTimeMixerModel
        >>> TinyTimeMixerModel(repo="ttm-test").save("stored.pt")
        >>> TinyTimeMixerModel.load("stored.pt").horizon_len
        32
        """
        network, facts = read_model(Path(path).expanduser())
        model = cls.__new__(cls)
        nn.Module.__init__(model)
        model._begin(
            Start(network, facts["checkpoint"]), facts["context_len"], facts["horizon_len"]
        )
        model.trained = facts["trained"]
        return model

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the network as a checkpoint, which `ForecastPipeline` and the other doors load.

        Parameters
        ----------
        folder : str or Path
            It is made if need be.

        Raises
        ------
        ValueError
            If the folder cannot be made, or if the model is quantized.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> from timer_forecaster.samay import TinyTimeMixerModel
        >>> TinyTimeMixerModel(repo="ttm-test").save_pretrained("checkpoint")
        >>> ForecastPipeline.from_pretrained("checkpoint").predict(np.arange(90.0) % 7, 12).horizon
        12
        """
        self._refuse_quantized("save")
        write_folder(Path(folder).expanduser(), self.network)

    def _check_trainable(self, name: str, dataset: Any) -> None:
        _check_dataset(name, dataset)
        if dataset.horizon_len > self.network.pass_length:
            raise ValueError(
                f"{name}: horizon_len={dataset.horizon_len} is longer than the "
                f"{self.network.pass_length} steps that the network forecasts at once; give this "
                "horizon_len to a new model (config), or a shorter one to the data set"
            )

    def _refuse_quantized(self, verb: str) -> None:
        if any("quantized" in type(module).__module__ for module in self.modules()):
            raise ValueError(f"cannot {verb} a quantized model; {verb} it before it is quantized")


def _check_dataset(name: str, dataset: Any) -> None:
    if not isinstance(dataset, TinyTimeMixerDataset):
        raise TypeError(f"{name} is of type {type(dataset).__name__}; use a TinyTimeMixerDataset")
