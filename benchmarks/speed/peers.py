"""The forecasters whose cost stands in one table, and the question for it."""

from __future__ import annotations

from typing import Any, NamedTuple

from benchmarks.measuring import measure_cpu
from benchmarks.places import MINI
from benchmarks.speed import own_pipelines
from benchmarks.speed.built import Builder, Built
from benchmarks.speed.classical import SEASON, sktime_classical, statsforecast_classical
from benchmarks.speed.darts_models import CHRONOS_2, CHRONOS_2_SMALL, PATCHTST_FM, darts_model
from benchmarks.speed.our_doors import (
    darts_door,
    pipeline,
    released_class,
    released_network,
    sktime_door,
)
from benchmarks.walks import walk_rows

ABOVE_ZERO = 1000.0
"""Added to the walks: multiplicative components need values above zero."""
SIMILAR, TTM_R2 = "similar", "ttm-r2"
"""Names of checkpoints of random weights: a Timer-S1 of Chronos-2's size, and TTM R2 512-96."""


class Peer(NamedTuple):
    """A forecaster in one environment.

    Attributes
    ----------
    model, way : str
        What forecasts, and through which interface.
    side : {"ours", "reference", "peers"}
        Environment.
    series : int
        Number of walks that it forecasts at once: fewer if it is slow.
    build : callable
    checkpoint : str
        Weights that it loads. Default: none.
    """

    model: str
    way: str
    side: str
    series: int
    build: Builder
    checkpoint: str = ""

    @property
    def name(self) -> str:
        """Model and way."""
        return f"{self.model}, {self.way}"


_SIMILAR = "Timer-S1, 4 + 5 blocks of width 512"
_R2 = "TTM R2 512-96"
PEERS = [
    Peer("timer-s1-mini", "pipeline", "ours", 256, pipeline, "timer-s1-mini"),
    Peer("timer-s1-mini", "sktime", "ours", 256, sktime_door, "timer-s1-mini"),
    Peer("timer-s1-mini", "Darts", "ours", 128, darts_door, "timer-s1-mini"),
    Peer("timer-s1-mini", "released code, sktime", "reference", 24, released_class, str(MINI)),
    Peer("timer-s1-mini", "released code, array", "reference", 64, released_network, str(MINI)),
    Peer("ttm-mini", "pipeline", "ours", 256, pipeline, "ttm-mini"),
    Peer("ttm-mini", "sktime", "ours", 256, sktime_door, "ttm-mini"),
    Peer("ttm-mini", "Darts", "ours", 128, darts_door, "ttm-mini"),
    Peer(_R2, "pipeline", "ours", 256, pipeline, TTM_R2),
    Peer(_R2, "Darts, our model", "ours", 128, darts_door, TTM_R2),
    Peer(_R2, "granite-tsfm", "peers", 128, own_pipelines.granite_ttm, TTM_R2),
    Peer(_SIMILAR, "pipeline", "ours", 16, pipeline, SIMILAR),
    Peer("Chronos-2", "Darts", "ours", 16, darts_model("Chronos2Model", CHRONOS_2)),
    Peer("Chronos-2", "chronos-forecasting", "peers", 16, own_pipelines.chronos_2),
    Peer("Chronos-2 small", "Darts", "ours", 16, darts_model("Chronos2Model", CHRONOS_2_SMALL)),
    Peer("TimesFM 2.5", "Darts", "ours", 16, darts_model("TimesFM2p5Model")),
    Peer("TimesFM 2.5", "timesfm", "peers", 16, own_pipelines.timesfm_2p5),
    Peer("PatchTST-FM", "Darts", "ours", 8, darts_model("PatchTSTFMModel", PATCHTST_FM)),
    Peer("AutoETS", "sktime", "ours", 10, sktime_classical("AutoETS", auto=True)),
    Peer(
        f"AutoETS, season {SEASON}",
        "sktime",
        "ours",
        1,
        sktime_classical("AutoETS", auto=True, sp=SEASON),
    ),
    Peer(f"Theta, season {SEASON}", "sktime", "ours", 10, sktime_classical("Theta", sp=SEASON)),
    Peer("AutoETS", "statsforecast", "peers", 10, statsforecast_classical("AutoETS", 1)),
    Peer(
        f"AutoETS, season {SEASON}",
        "statsforecast",
        "peers",
        1,
        statsforecast_classical("AutoETS", SEASON),
    ),
    Peer(
        f"AutoTheta, season {SEASON}",
        "statsforecast",
        "peers",
        10,
        statsforecast_classical("AutoTheta", SEASON),
    ),
]
"""The rows of the table; the others are compared with the first one."""

_built: dict[str, Built] = {}


def peer(name: str, checkpoint: str, n: int, steps: int, horizon: int, seed: int) -> dict[str, Any]:
    """Forecast walks; a forecaster is built at the first question and kept.

    Returns
    -------
    dict
        CPU ``"seconds"`` for a walk and number of ``"parameters"``, or why it is ``"missing"``.
    """
    if name not in _built:
        (build,) = (one.build for one in PEERS if one.name == name)
        try:
            _built[name] = build(checkpoint, steps, horizon)
        except ImportError as error:
            return {"missing": str(error)}
    built = _built[name]
    forecast = built.prepare(ABOVE_ZERO + walk_rows(seed, n, steps))
    return {"seconds": measure_cpu(forecast) / n, "parameters": built.parameters}
