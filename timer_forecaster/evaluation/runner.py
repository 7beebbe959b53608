"""Run forecasters on one configuration or on a folder of them; a stopped run resumes."""

from __future__ import annotations

import hashlib
import inspect
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from tqdm.auto import tqdm

from timer_forecaster import __version__
from timer_forecaster.arrays import FloatArray
from timer_forecaster.checkpoints.key import quantization_of
from timer_forecaster.checkpoints.quantization import INT8
from timer_forecaster.checkpoints.registry import find_checkpoint
from timer_forecaster.checks import plain
from timer_forecaster.evaluation.baselines import naive_forecaster, seasonal_naive_forecaster
from timer_forecaster.evaluation.data import StoredConfiguration, find_configurations
from timer_forecaster.evaluation.gift_eval import TERMS, Configuration
from timer_forecaster.evaluation.leaderboard import BASELINE, PREFIX
from timer_forecaster.evaluation.metrics import LEVELS
from timer_forecaster.evaluation.results import Results
from timer_forecaster.evaluation.scores import Scores

if TYPE_CHECKING:
    from timer_forecaster import ForecastPipeline
    from timer_forecaster.adapters.adapter import Adapter
    from timer_forecaster.checkpoints.key import NetworkKey

Forecaster = Callable[..., npt.NDArray[np.floating[Any]]]
"""A function of ``(contexts, horizon)`` that returns quantiles (n, horizon, 9) at :data:`LEVELS`.

The n contexts are 1-D float64 arrays of any lengths. NaN means missing; each has an observed value.
A forecaster with a parameter named ``configuration`` also gets the :class:`Configuration`, for its
seasonality and frequency. An attribute ``settings``, any text, identifies the forecaster: a run
resumes results on disk only if the settings are the same.
"""

BASELINES: dict[str, Forecaster] = {BASELINE: seasonal_naive_forecaster, "naive": naive_forecaster}

MAX_CHUNK_VALUES = 2**22
"""Largest number of values in one call, contexts and quantiles together (32 MiB)."""

_EMPTY_AT_ONCE = 1024  # windows without an observed value before them


@dataclass(frozen=True)
class PipelineForecaster:
    """A pipeline as a forecaster.

    Parameters
    ----------
    pipeline : ForecastPipeline
    options : mapping
        Arguments of :meth:`ForecastPipeline.predict`, such as ``context_length``.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.evaluation import PipelineForecaster
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-small")
    >>> forecaster = PipelineForecaster(pipe, {"context_length": 512})
    >>> forecaster([np.arange(600.0)], 24).shape
    (1, 24, 9)
    """

    pipeline: ForecastPipeline
    options: Mapping[str, Any] = field(default_factory=dict)

    def __call__(
        self,
        contexts: list[FloatArray],
        horizon: int,
        configuration: Configuration | None = None,
    ) -> FloatArray:
        """Forecast the nine levels."""
        self.pipeline.check_row(["target"], "each window", "series")
        options = dict(self.options)
        if configuration is not None and self.pipeline.network.config.n_frequencies:
            options = {"freq": configuration.frequency} | options
        forecast = self.pipeline.predict(contexts, horizon, **options)
        return np.stack([forecast.quantile(level) for level in LEVELS], axis=-1)

    @property
    def name(self) -> str:
        """The checkpoint's name without folder or owner; ``-tuned`` marks an adapter."""
        name = Path(self.pipeline.key.name).name
        return name if self._adapter is None else f"{name}-tuned"

    @property
    def _adapter(self) -> Adapter | None:
        """The adapter, or None if it changes nothing."""
        adapter = self.pipeline.adapter
        return None if adapter is None or adapter.is_identity else adapter

    @cached_property
    def settings(self) -> str:
        """The SHA-256 of the weights, the adapter, the type and quantization, and the options.

        The type is the type of the network, because ``"auto"`` depends on the machine.
        """
        key = self.pipeline.key
        dtype = str(self.pipeline.network.dtype).removeprefix("torch.")
        described = {"checkpoint": _fingerprint(key), "dtype": dtype, **self.options}
        if self._adapter is not None:
            described["adapter"] = self._adapter.fingerprint
        text = quantization_of(key)
        if text is not None:
            described["quantization"] = text if text == INT8 else json.loads(text)
        return json.dumps(described, sort_keys=True, default=_as_json)


def _as_json(option: Any) -> Any:
    """Return an option that JSON lacks: a scalar of numpy as one of Python, others as text."""
    scalar = plain(option)
    return repr(option) if scalar is option else scalar


def _fingerprint(key: NetworkKey) -> str:
    if key.config is not None:
        return json.dumps(dict(key.config), sort_keys=True)
    digest = hashlib.sha256()
    folder = find_checkpoint(key.name, key.revision)
    for file in sorted([folder / "config.json", *folder.glob("*.safetensors")]):
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


def forecast_windows(
    forecaster: Forecaster, configuration: Configuration, progress: bool = False
) -> FloatArray:
    """Forecast the quantiles of every window, (len(configuration), horizon, 9).

    The forecaster is called as rarely as :data:`MAX_CHUNK_VALUES` allows. It gets no context
    without an observed value. The forecast of such a context is zero, like the forecast of Seasonal
    Naive after the imputation of the benchmark.

    Raises
    ------
    ValueError
        If the forecaster returns another shape, or values that are not finite.
    """
    quantiles = np.zeros((len(configuration), configuration.horizon, len(LEVELS)))
    for rows, part in _forecast_parts(forecaster, configuration, progress):
        quantiles[rows] = part
    return quantiles


def _forecast_parts(
    forecaster: Forecaster, configuration: Configuration, progress: bool
) -> Iterator[tuple[list[int], npt.NDArray[np.floating[Any]]]]:
    """Yield the numbers of some windows, and their forecasts; all windows in turn."""
    forecast = forecaster
    if _takes_configuration(forecaster):
        forecast = partial(forecaster, configuration=configuration)
    contexts = configuration.contexts()
    shape = (len(contexts), configuration.horizon, len(LEVELS))
    left = set(range(len(contexts)))
    with tqdm(
        total=len(contexts),
        desc=configuration.name,
        unit="window",
        leave=False,
        disable=not progress,
    ) as bar:
        for rows in _chunks(contexts, configuration.horizon):
            part = np.asarray(forecast([contexts[row] for row in rows], configuration.horizon))
            _check_quantiles(part, (len(rows), *shape[1:]), configuration.name)
            yield rows, part
            left.difference_update(rows)
            bar.update(len(rows))
    empty = sorted(left)
    for start in range(0, len(empty), _EMPTY_AT_ONCE):
        rows = empty[start : start + _EMPTY_AT_ONCE]
        yield rows, np.zeros((len(rows), *shape[1:]))


def _takes_configuration(forecaster: Forecaster) -> bool:
    try:
        return "configuration" in inspect.signature(forecaster).parameters
    except ValueError:  # some callables written in C have no signature
        return False


def _check_quantiles(quantiles: npt.NDArray[Any], shape: tuple[int, ...], name: str) -> None:
    if quantiles.shape != shape:
        raise ValueError(
            f"{name}: the forecaster must return (n, horizon, n_levels) = {shape}, "
            f"but the shape is {quantiles.shape}"
        )
    if not np.isfinite(quantiles).all():
        raise ValueError(f"{name}: the forecaster returned values that are not finite")


def _chunks(contexts: Sequence[FloatArray], horizon: int) -> Iterator[list[int]]:
    """Yield the indices of contexts with an observed value, in calls of bounded size."""
    rows: list[int] = []
    size = 0
    for row, context in enumerate(contexts):
        if np.isnan(context[-1]) and np.isnan(context).all():
            continue
        cost = len(context) + horizon * len(LEVELS)
        if rows and size + cost > MAX_CHUNK_VALUES:
            yield rows
            rows, size = [], 0
        rows.append(row)
        size += cost
    if rows:
        yield rows


def evaluate(
    forecaster: Forecaster, configuration: Configuration, progress: bool = False
) -> dict[str, float]:
    """Score a forecaster on one configuration.

    Parameters
    ----------
    forecaster : Forecaster
    configuration : Configuration
    progress : bool
        Show a progress bar over the windows.

    Returns
    -------
    dict
        The scores of :func:`~timer_forecaster.evaluation.scores.score`, and ``seconds``, the time
        in the forecaster.

    Raises
    ------
    ValueError
        If the forecaster returns another shape, or values that are not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from timer_forecaster.evaluation import Configuration, evaluate, naive_forecaster
    >>> series = [np.arange(40.0), 3 * np.arange(50.0)]
    >>> configuration = Configuration("shop/D/short", "D", 5, 2, 1, series)
    >>> evaluate(naive_forecaster, configuration)["MASE[0.5]"]  # off by 1, 2, 3, 4 and 5 steps
    3.0
    """
    scores, seconds = Scores(), 0.0
    targets, scales = configuration.targets(), configuration.scales
    start = time.perf_counter()
    for rows, quantiles in _forecast_parts(forecaster, configuration, progress):
        seconds += time.perf_counter() - start
        scores.add(targets[rows], quantiles, scales[rows])
        start = time.perf_counter()
    return scores.result() | {"seconds": seconds}


def evaluate_gift_eval(
    forecasters: Forecaster | Mapping[str, Forecaster],
    data: str | Path,
    *,
    output: str | Path | None = None,
    terms: Sequence[str] = tuple(TERMS),
    configurations: Iterable[str] | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Score forecasters and Seasonal Naive on every configuration of a folder.

    Parameters
    ----------
    forecasters : callable, or mapping of names to callables
        See :data:`Forecaster`. A single forecaster has the name of its attribute ``name`` or of its
        function. ``seasonal_naive`` is added if it is missing.
    data : path
        A folder of Parquet files or the benchmark's download; see
        :mod:`timer_forecaster.evaluation.data`.
    output : path, optional
        A CSV file in the format of the leaderboard, replaced after each result. Beside it,
        ``<output>.details.csv`` keeps the other columns and the settings of each result. A stopped
        run resumes from it. Only one run at a time may use an output.
    terms : sequence of str
        Some of ``"short"``, ``"medium"``, ``"long"``.
    configurations : iterable of str, optional
        Such as ``"ett1/H/short"``, ``"ett1/H"`` or ``"ett1"``; default all of the folder.
    progress : bool
        Show progress bars over the results and the windows.

    Returns
    -------
    DataFrame
        One row per configuration and forecaster: the columns of the leaderboard, then the coverage
        of the 80 % interval, the horizon, windows and series of the configuration, and the seconds
        in the forecaster.

    Raises
    ------
    ValueError
        If the data or a forecast cannot be used, or the output holds results of the same name with
        another forecaster, other settings, other data or another version.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import pandas as pd
    >>> from timer_forecaster.evaluation import aggregate, evaluate_gift_eval, naive_forecaster
    >>> Path("benchmark").mkdir()
    >>> sales = [np.arange(200.0) % 7 + shop for shop in range(3)]
    >>> table = pd.DataFrame({"item_id": ["a", "b", "c"], "freq": "D", "target": sales})
    >>> table.to_parquet("benchmark/sales__D.parquet")
    >>> results = evaluate_gift_eval(naive_forecaster, "benchmark")
    >>> results[["dataset", "model"]]
             dataset             model
    0  sales/D/short  naive_forecaster
    1  sales/D/short    seasonal_naive
    """
    named = _named(forecasters)
    stored = find_configurations(data, configurations, terms)
    results = Results(None if output is None else Path(output))
    settings = {
        (one.name, name): _settings(forecaster, one)
        for one in stored
        for name, forecaster in named.items()
    }
    missing = {pair for pair in settings if not results.holds(*pair, settings[pair])}
    with tqdm(total=len(settings), unit="result", disable=not progress) as bar:
        bar.update(len(settings) - len(missing))
        for one in stored:
            due = [name for name in named if (one.name, name) in missing]
            if not due:
                continue
            configuration = one.load()
            for name in due:
                bar.set_postfix_str(f"{name} on {one.name}")
                scores = evaluate(named[name], configuration, progress)
                results.add(_row(configuration, name, scores), settings[one.name, name])
                bar.update()
    return results.frame(settings)


def _named(forecasters: Forecaster | Mapping[str, Forecaster]) -> dict[str, Forecaster]:
    """Return the forecasters by name, with Seasonal Naive among them."""
    if not isinstance(forecasters, Mapping):
        name = getattr(forecasters, "name", None) or getattr(forecasters, "__name__", None)
        forecasters = {name or type(forecasters).__name__: forecasters}
    for name, forecaster in forecasters.items():
        if not callable(forecaster):
            raise TypeError(
                f"the forecaster {name!r} is a {type(forecaster).__name__} and cannot be called; "
                "for a ForecastPipeline use PipelineForecaster(pipeline)"
            )
    if forecasters.get(BASELINE, seasonal_naive_forecaster) is not seasonal_naive_forecaster:
        raise ValueError(f"the name {BASELINE!r} is for the benchmark's baseline; use another")
    return {**forecasters, BASELINE: seasonal_naive_forecaster}


def _settings(forecaster: Forecaster, stored: StoredConfiguration) -> dict[str, Any]:
    """Return the settings of a result; a forecaster without ``settings`` has None."""
    known = "baseline" if forecaster in BASELINES.values() else None
    return {
        "forecaster": getattr(forecaster, "settings", known),
        "bytes of data": stored.size,
        "version": __version__,
    }


def _row(configuration: Configuration, model: str, scores: dict[str, float]) -> dict[str, Any]:
    own = {name: scores[name] for name in ("coverage", "seconds")}
    return {
        "dataset": configuration.name,
        "model": model,
        **{f"{PREFIX}{name}": value for name, value in scores.items() if name not in own},
        "domain": configuration.domain,
        "num_variates": configuration.num_variates,
        **own,
        "horizon": configuration.horizon,
        "windows": configuration.windows,
        "series": len(configuration.series),
    }
