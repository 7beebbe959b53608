"""A forecaster with the habits of sktime's own Timer-S1 class (1.2.0).

That class needs transformers 4, so it cannot run beside ours. The imitation treats its data in the
same way, over our network, so that tests can tell its habits from ours.
"""

import operator
from typing import ClassVar

import numpy as np
import pandas as pd
import torch
import transformers
from sktime.forecasting.base import BaseForecaster

from timer_forecaster.models.timer_s1 import TimerS1Config, TimerS1ForPrediction

# As in sktime, networks stay here for the life of the process.
_networks = {}


class Imitation(BaseForecaster):
    _tags: ClassVar = {
        "y_inner_mtype": "pd.Series",
        "capability:exogenous": False,
        "capability:insample": False,
        "capability:pred_int": True,
        "requires-fh-in-fit": False,
    }

    def __init__(
        self,
        model_path=None,
        config=None,
        device_map="cpu",
        dtype=None,
        quantization_config=None,
        forward_kwargs=None,
        deterministic=False,
    ):
        self.model_path = model_path
        self.config = config
        self.device_map = device_map
        self.dtype = dtype
        self.quantization_config = quantization_config
        self.forward_kwargs = forward_kwargs
        self.deterministic = deterministic
        super().__init__()

    def _fit(self, y, X, fh):
        self.model_ = self._network()
        self.context_ = y
        return self

    def _network(self):
        key = str(self.get_params())
        if key not in _networks:
            _networks[key] = self._load() if self.model_path else self._draw()
        return _networks[key]

    def _load(self):
        dtype = torch.float32 if self.dtype is None else self.dtype  # transformers 4's default
        return TimerS1ForPrediction.from_pretrained(self.model_path, dtype=dtype)

    def _draw(self):
        return TimerS1ForPrediction(TimerS1Config(**self.config))  # left in training mode

    def _quantiles(self, fh):
        """Return the quantiles (steps, levels) of a horizon, and its times."""
        if self.deterministic:
            transformers.set_seed(42)
        steps = fh.to_relative(self.cutoff)._values.values - 1
        context = torch.from_numpy(np.expand_dims(self.context_, axis=0)).to(self.model_.dtype)
        times = fh.to_absolute(self._cutoff)._values
        if not torch.isfinite(context).all():  # as its network answers
            return np.full((len(steps), len(self.model_.config.quantiles)), np.nan), times
        quantiles = self.model_.generate(context, max_new_tokens=operator.index(np.max(steps)) + 1)
        return quantiles[0].T.float().numpy()[steps], times

    def _predict(self, fh, X):
        quantiles, times = self._quantiles(fh)
        levels = np.array(self.model_.config.quantiles)
        weights = np.diff([0.0, *(levels[:-1] + levels[1:]) / 2, 1.0])
        return pd.Series(quantiles @ weights, times, name=self.context_.name)

    def _predict_quantiles(self, fh, X, alpha):
        levels = [round(level, 3) for level in self.model_.config.quantiles]
        alpha = [round(level, 3) for level in alpha]
        if not set(alpha) <= set(levels):
            raise ValueError(f"requested={alpha}, available={levels}")
        quantiles, times = self._quantiles(fh)
        columns = pd.MultiIndex.from_product([[self._name()], alpha])
        chosen = quantiles[:, [levels.index(level) for level in alpha]]
        return pd.DataFrame(chosen, times, columns)

    def _predict_proba(self, fh, X, marginal=True):
        from skpro.distributions import HistogramQPD

        quantiles, times = self._quantiles(fh)
        rows = pd.MultiIndex.from_product([self.model_.config.quantiles, times])
        columns = pd.Index([self._name()])
        values = pd.DataFrame(quantiles.T.reshape(-1, 1), rows, columns)
        return HistogramQPD(values, tails="mass", index=times, columns=columns)

    def _name(self):
        return 0 if self.context_.name is None else self.context_.name
