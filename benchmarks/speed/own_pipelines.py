"""Other foundation models of released sizes, through the packages of their authors.

The weights are random, so that nothing is downloaded. Speed does not depend on training.
"""

from __future__ import annotations

from typing import Any

from benchmarks.speed.built import Built, Walks, count_parameters
from benchmarks.speed.darts_models import AT_ONCE, CHRONOS_2
from benchmarks.walks import panel_of


def chronos_2(checkpoint: str, steps: int, horizon: int) -> Built:
    """Build the pipeline of chronos-forecasting: nine quantiles from arrays."""
    from chronos.chronos2 import Chronos2Pipeline
    from chronos.chronos2.config import Chronos2CoreConfig
    from chronos.chronos2.model import Chronos2Model

    pipe = Chronos2Pipeline(Chronos2Model(Chronos2CoreConfig(**CHRONOS_2)).eval())

    def prepare(walks: Walks) -> Any:
        rows = list(walks.astype("float32"))
        return lambda: pipe.predict_quantiles(rows, horizon, batch_size=AT_ONCE)

    return Built(prepare, count_parameters(pipe.model))


def timesfm_2p5(checkpoint: str, steps: int, horizon: int) -> Built:
    """Build the model of timesfm: nine quantiles and the mean from arrays.

    Its options are those of its README, without the second pass for mirrored values. It is not
    compiled, like all networks here.
    """
    import timesfm

    model = timesfm.TimesFM_2p5_200M_torch(torch_compile=False)
    model.model.eval()
    model.compile(
        timesfm.ForecastConfig(
            max_context=steps,
            max_horizon=horizon,
            normalize_inputs=True,
            per_core_batch_size=AT_ONCE,
            use_continuous_quantile_head=True,
            force_flip_invariance=False,
            infer_is_positive=True,
            fix_quantile_crossing=True,
        )
    )

    def prepare(walks: Walks) -> Any:
        model.global_batch_size = min(AT_ONCE, len(walks))  # it fills a batch with empty series
        return lambda: model.forecast(horizon, list(walks))

    return Built(prepare, count_parameters(model.model))


def granite_ttm(checkpoint: str, steps: int, horizon: int) -> Built:
    """Build the pipeline of granite-tsfm: points from a frame, in a frame."""
    from tsfm_public import TimeSeriesForecastingPipeline
    from tsfm_public.models.tinytimemixer import TinyTimeMixerForPrediction

    model = TinyTimeMixerForPrediction.from_pretrained(checkpoint).eval()
    pipe = TimeSeriesForecastingPipeline(
        model,
        timestamp_column="time",
        id_columns=["series"],
        target_columns=["y"],
        freq="h",
        batch_size=AT_ONCE,
        device="cpu",
        add_known_ground_truth=False,
    )

    def prepare(walks: Walks) -> Any:
        frame = panel_of(walks).reset_index()
        return lambda: pipe(frame)

    return Built(prepare, count_parameters(model))
