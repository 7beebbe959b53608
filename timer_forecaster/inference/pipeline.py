"""The forecasting pipeline: arrays in, quantiles out, the same through every door."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm.auto import tqdm

from timer_forecaster.adapters.adapted import adapted_network
from timer_forecaster.adapters.adapter import Adapter, as_adapter
from timer_forecaster.arrays import FloatArray
from timer_forecaster.checkpoints.key import Device, NetworkKey
from timer_forecaster.checks import check_integer
from timer_forecaster.inference import multiscale
from timer_forecaster.inference.engine.timer_s1 import embed_rows, forecast_rows, route_rows
from timer_forecaster.inference.forecast import Forecast
from timer_forecaster.inference.options import ForecastOptions, check_symmetric
from timer_forecaster.inference.routing import Routing
from timer_forecaster.inference.scaling import Row, as_series, standardise
from timer_forecaster.models.timer_s1 import TimerS1Network

if TYPE_CHECKING:
    import pandas as pd
    from pandas.tseries.offsets import BaseOffset


@dataclasses.dataclass(frozen=True)
class ForecastPipeline:
    """Forecasts from a Timer-S1 checkpoint, as it is or with an adapter.

    A pipeline is a key into the process-wide cache of networks: it pickles in a few bytes, and
    those of its adapter, and all pipelines of one checkpoint share its weights. Make one with
    `from_pretrained`.

    Parameters
    ----------
    key : NetworkKey
        What to load.
    adapter : Adapter, optional
        What to change in it.
    """

    key: NetworkKey
    adapter: Adapter | None = None

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path | None = "timer-s1-mini",
        *,
        revision: str | None = None,
        device: Device = "auto",
        dtype: str | torch.dtype | None = "auto",
        config: Any = None,
        quantization: str | None = None,
        quantization_config: Any = None,
        adapter: Adapter | str | Path | None = None,
    ) -> ForecastPipeline:
        """Make a pipeline and load its network into the process-wide cache.

        Where weights are packed or rounded for a CPU (hidden size 256 and more, ``"int8"``) and
        the checkpoint has 1 GB or more, each expert is read when the first token comes to it, some
        perhaps never. The folder has to stay as it is as long as there are forecasts; one that
        finds files changed or gone raises a RuntimeError.

        Parameters
        ----------
        name : str or Path, or None
            A name of `timer_forecaster.list_checkpoints`, a folder in the released layout, or a
            hub id; its weights may be quantised already. None: random weights, see ``config``.
        revision : str, optional
            Branch, tag or commit of a hub id.
        device : str, int, torch.device or mapping
            ``"auto"`` takes a GPU if there is one, and the CPU for ``quantization="int8"``; an
            integer is the number of a GPU. Of the mappings that transformers calls device maps,
            those to a single device.
        dtype : str or torch.dtype
            Type to compute in. ``"auto"`` or None: the stored type from 10⁹ parameters on;
            bfloat16 for other wide networks (hidden size 256 and more) that are stored in it,
            where the device is fast at it; else float32. Scaling is done in float64 whatever it is.
        config : TimerS1Architecture, TimerS1Config or mapping, optional
            With ``name=None``: a network of these sizes, the released ones by default, with
            random weights. They are the same each time and **not trained**: forecasts mean nothing
            and serve tests of software.
        quantization : {"int8"}, optional
            ``"int8"`` computes the experts, nearly all of a network, in 8-bit integers on a CPU:
            half the memory of bfloat16 and, in wide networks, less time. Narrow ones, such as
            ``"timer-s1-mini"``, gain none. A folder that
            `timer_forecaster.inference.convert_checkpoint` wrote is loaded so without asking.
        quantization_config : optional
            A quantisation of a transformers library for the weights, such as ``TorchAoConfig``,
            ``QuantoConfig`` or ``BitsAndBytesConfig``, or its dict. The library and accelerate
            must be installed.
        adapter : Adapter, str or Path, optional
            What `timer_forecaster.finetuning.finetune` made of this checkpoint, or the folder or
            hub id of one. It is applied to forecasts alone: the weights of the checkpoint are
            shared as before.

        Returns
        -------
        ForecastPipeline

        Raises
        ------
        ValueError, TypeError
            If there is no such checkpoint, device or dtype, or naming the argument that cannot be
            used.
        ImportError
            If the library that quantises is not installed, or this build of torch cannot compute
            in 8 bits.

        Examples
        --------
        >>> import numpy as np
        >>> from timer_forecaster import ForecastPipeline
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-mini")
        >>> pipe.predict([np.arange(50.0), np.arange(30.0)], horizon=6).median.shape
        (2, 6)
        """
        key = NetworkKey.resolve(
            name, revision, device, dtype, config, quantization_config, quantization
        )
        pipeline = cls(key, as_adapter(adapter))
        _ = pipeline.network  # loads it
        return pipeline

    @property
    def network(self) -> TimerS1Network:
        """The shared network; it must not be changed.

        From hidden size 256 on it serves forecasts alone: its weights are laid out for the device,
        most of them in no state dict, and gradients are refused on a CPU. To train, change or store
        a network take `timer_forecaster.inference.load_plain_network`.
        """
        return adapted_network(self.key, self.adapter)

    def predict(
        self,
        series: Any,
        horizon: int,
        *,
        context_length: int | None = None,
        rollout: str = "auto",
        flip: bool = False,
        batch_size: int | None = None,
        progress: bool = False,
    ) -> Forecast:
        """Forecast any number of series.

        A series' forecast does not depend on the others, on its scale or on its level. A
        constant series, one of a single point included, forecasts itself.

        Parameters
        ----------
        series : array of shape (steps,), array of shape (n_series, steps), or list of 1-D arrays
            Old to new, of any lengths; NaN means missing.
        horizon : int
            Steps to forecast, at least 1. Only the serial blocks it needs are run; beyond one
            pass the forecast is rolled out.
        context_length : int, optional
            Newest steps to use. Default: as many as the checkpoint's context holds, and beyond one
            pass with ``"multiscale"`` up to 65,536.
        rollout : {"auto", "quantile", "median", "multiscale"}
            How to go on beyond one pass. ``"quantile"`` carries nine equally probable paths, so
            that intervals keep widening; ``"median"`` the median alone, as the released
            implementation does, which costs about half and is too certain. ``"multiscale"``
            averages the median roll-out and forecasts at coarser paces, which take one pass and
            look further back (`timer_forecaster.inference.multiscale`). ``"auto"`` takes what the
            checkpoint was found to do best with.
        flip : bool
            Average the forecast of each series with the mirror image of that of its negative: at
            twice the cost, what the network has learnt about one sign serves the other.
        batch_size : int, optional
            Most series that enter the network at once. Default: by a budget of tokens.
        progress : bool
            Show a progress bar.

        Returns
        -------
        Forecast

        Raises
        ------
        ValueError, TypeError
            Naming the argument, or the series, that cannot be used and why.
        """
        config = self.network.config
        check_integer("horizon", horizon)
        options = ForecastOptions(context_length, rollout, flip, batch_size)
        rollout = options.rollout_of(config)
        if flip:
            check_symmetric(config.quantiles)
        values = self._cut(as_series(series), context_length)
        with tqdm(total=0, disable=not progress, unit="row", desc="forecast") as bar:
            roll_out = functools.partial(self._roll_out, flip=flip, batch_size=batch_size, bar=bar)
            if rollout == "multiscale":
                self._rows(values)  # names the series that cannot be used
                quantiles = multiscale.forecast(
                    roll_out, values, horizon, self.network.pass_length, config.max_context_length
                )
            else:
                quantiles = roll_out(values, horizon, rollout)
        return Forecast(quantiles, config.quantiles)

    def _roll_out(
        self,
        series: Sequence[FloatArray],
        horizon: int,
        rollout: str,
        *,
        flip: bool,
        batch_size: int | None,
        bar: tqdm[Any],
    ) -> FloatArray:
        """Quantiles (n_series, horizon, Q) by one kind of roll-out, in the units of the series."""
        rows = self._rows(series)
        varying = [i for i, row in enumerate(rows) if row.scale > 0]
        inputs = [rows[i].values for i in varying]
        if flip:
            inputs += [-values for values in inputs]
        bar.total += len(inputs)
        forecast = forecast_rows(self.network, inputs, horizon, rollout, batch_size, bar.update)
        if flip:
            forecast = (forecast[: len(varying)] - forecast[len(varying) :, :, ::-1]) / 2
        result = forecast
        if len(varying) < len(rows):
            result = np.zeros((len(rows), *forecast.shape[1:]))
            result[varying] = forecast
        result *= np.array([row.scale for row in rows])[:, None, None]
        result += np.array([row.location for row in rows])[:, None, None]
        return result

    def predict_frame(
        self,
        frame: pd.DataFrame,
        horizon: int,
        *,
        time_column: Hashable,
        id_column: Hashable | None = None,
        target_columns: Sequence[Hashable] | str | None = None,
        levels: Sequence[float] = (0.1, 0.5, 0.9),
        freq: str | int | BaseOffset | None = None,
        context_length: int | None = None,
        rollout: str = "auto",
        flip: bool = False,
        batch_size: int | None = None,
        progress: bool = False,
    ) -> pd.DataFrame:
        """Forecast the series of a frame into a long frame with future time stamps.

        Parameters, result and errors are those of
        `timer_forecaster.frames.long.forecast_frame`.

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> from timer_forecaster import ForecastPipeline
        >>> days = pd.date_range("2024-01-01", periods=60, freq="D")
        >>> sales = pd.DataFrame({"day": days, "units": np.arange(60) % 7})
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-mini")
        >>> pipe.predict_frame(sales, 2, time_column="day")["day"].astype(str).tolist()
        ['2024-03-01', '2024-03-02']
        """
        from timer_forecaster.frames.long import forecast_frame

        return forecast_frame(
            self,
            frame,
            horizon,
            time_column=time_column,
            id_column=id_column,
            target_columns=target_columns,
            levels=levels,
            freq=freq,
            context_length=context_length,
            rollout=rollout,
            flip=flip,
            batch_size=batch_size,
            progress=progress,
        )

    def embed(self, series: Any, *, context_length: int | None = None) -> FloatArray:
        """Represent each series by the main blocks' output at its newest patch.

        Parameters
        ----------
        series : array of shape (steps,), array of shape (n_series, steps), or list of 1-D arrays
            As for `predict`.
        context_length : int, optional
            Newest steps to use.

        Returns
        -------
        ndarray, shape (n_series, hidden size)
        """
        rows = self._rows(self._cut(as_series(series), context_length))
        return embed_rows(self.network, [row.values for row in rows])

    def routing(self, series: Any, *, context_length: int | None = None) -> Routing:
        """Show which experts the network sends the patches of each series to.

        Parameters
        ----------
        series : array of shape (steps,), array of shape (n_series, steps), or list of 1-D arrays
            As for `predict`.
        context_length : int, optional
            Newest steps to use.

        Returns
        -------
        Routing
        """
        rows = self._rows(self._cut(as_series(series), context_length))
        return Routing(route_rows(self.network, [row.values for row in rows]))

    def _cut(
        self, series: Sequence[FloatArray], context_length: int | None
    ) -> Sequence[FloatArray]:
        if context_length is None:
            return series
        check_integer("context_length", context_length)
        return [values[-context_length:] for values in series]

    def _rows(self, series: Sequence[FloatArray]) -> list[Row]:
        config = self.network.config
        return [
            standardise(values, f"series[{i}]", config.max_context_length, config.interior_masks)
            for i, values in enumerate(series)
        ]
