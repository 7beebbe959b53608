"""The parameters of the Timer-S1 forecaster, and their documentation."""

from __future__ import annotations

from typing import Any

from timer_forecaster.checkpoints.registry import TIMER_S1_SMALL
from timer_forecaster.checks import check_flag
from timer_forecaster.finetuning.config import FinetuneConfig
from timer_forecaster.sktime.backtesting import BacktestingForecaster
from timer_forecaster.sktime.probabilistic import N_PATHS


class TimerS1Forecaster(BacktestingForecaster):
    """Probabilistic forecasts from a Timer-S1 checkpoint, zero-shot or finetuned.

    `fit` only remembers the newest steps of each series. It trains nothing unless ``tuning`` asks
    for it. `pretrain` finetunes to a panel beforehand. `update` extends the memory, whatever
    ``update_params`` is. All instances of a panel or hierarchy, and all variables, are forecast in
    one batch, each from its own values and its own end. Missing values need no imputation, and
    times that are absent from a regular index are missing values too.

    Weights are loaded at the first forecast, once in a process, and
    `timer_forecaster.release` frees them. Copies and pickles hold the remembered steps and the
    finetuned weights, and no others.

    Parameters
    ----------
    model_path : str or None, default="timer-s1-small"
        A name of `timer_forecaster.list_checkpoints`, a folder in the released layout, or a hub
        id such as ``"bytedance-research/Timer-S1"``. None: random weights, see ``config``.
    revision : str, optional
        Branch, tag or commit of a hub id.
    context_length : int, optional
        Newest steps of each series to forecast from; see
        `timer_forecaster.ForecastPipeline.predict`. `fit` remembers 65,536 steps, or this many if
        it is more.
    point : {"median", "mean"}, default="median"
        The point forecast: the median, which minimizes the absolute error, or the mean of the
        predicted distribution, tails included, which minimizes the squared error.
    rollout : {"auto", "quantile", "median", "multiscale"}, default="auto"
        How to continue beyond one pass; see `timer_forecaster.ForecastPipeline.predict`.
    flip : bool, default=False
        Whether to average with the mirror image of the forecast of the negative, at twice the
        cost; see `timer_forecaster.ForecastPipeline.predict`.
    batch_size : int, optional
        Most series that enter the network at once. Default: by a budget of tokens.
    device_map : str, int, torch.device or dict, default="auto"
        A single device, such as ``"cpu"``, ``"cuda:1"``, 1 or ``{"": "cuda:1"}``; see ``device``
        of `timer_forecaster.ForecastPipeline.from_pretrained`.
    dtype : str, torch.dtype or None, default="auto"
        Type to compute in; see `timer_forecaster.ForecastPipeline.from_pretrained`.
    exogenous : {"raise", "warn"}, optional
        Reaction of earlier versions to ``X``: an error, or a warning that it is ignored. It goes
        with the next release; ``covariates="off"`` ignores X.
    config : dict, TimerS1Config or TimerS1Architecture, optional
        With ``model_path=None``: sizes of a network of random weights, which are the same each
        time and **not trained**. Its forecasts mean nothing; it serves tests of software.
    quantization_config : optional
        A quantization of a transformers library for the weights of ``model_path``; see
        `timer_forecaster.ForecastPipeline.from_pretrained`.
    deterministic : bool, default=False
        Without effect: forecasts depend on the input alone, and joint paths on ``random_state``.
        It is a parameter of sktime's own class.
    quantization : {"int8"}, optional
        ``"int8"`` computes the experts in 8-bit integers on a CPU, in half the memory of
        bfloat16; see `timer_forecaster.ForecastPipeline.from_pretrained`.
    adapter : timer_forecaster.finetuning.Adapter, str or Path, optional
        An adapter that was finetuned on this checkpoint, or its folder or hub id. Forecasts are
        made with it, and finetuning starts from it.
    tuning : timer_forecaster.finetuning.FinetuneConfig, optional
        How to finetune. `fit` then finetunes to y, all series and variables together, unless
        `pretrain` has done so before. `pretrain` uses the default settings if it is None. The
        default of its ``context_length`` is the parameter of that name above.
    on_error : {"raise", "nan"}, default="raise"
        Reaction to a series that cannot be forecast, such as one of a panel without any value.
        ``"nan"`` forecasts the other series, has NaN in place of the bad ones, and warns of them
        with `timer_forecaster.failures.SeriesWarning`.
    covariates : {"auto", "always", "fast", "off"} or CovariateOptions, default="auto"
        How the columns of ``X`` take part in forecasts: ``"auto"`` uses them as far as a rolling
        check in the history of each series shows that they help, ``"always"`` in any case,
        ``"off"`` never; ``"fast"`` is ``"auto"`` at a third of the cost. See
        `timer_forecaster.ForecastPipeline.predict`.
    padding : {"mean", "released"}, default="mean"
        Values before a history that is shorter than the only context of a TinyTimeMixer; see
        `timer_forecaster.ForecastPipeline.predict`.
    n_paths : int, default=500
        Joint paths in the distribution of ``predict_proba(marginal=False)``.
    random_state : int, numpy Generator or None, default=None
        Seed of these paths. With None, they differ each time.
    quality : {"fast", "best", "plain"}, default="fast"
        How much work goes into a forecast; see `timer_forecaster.ForecastPipeline.predict`.
    nonnegative : {"auto", True, False}, default="auto"
        Whether forecasts are never negative; see `timer_forecaster.ForecastPipeline.predict`.

    Attributes
    ----------
    adapter_ : timer_forecaster.finetuning.Adapter
        The adapter that `pretrain` or `fit` has finetuned; absent if neither has. Forecasts are
        made with it, in place of ``adapter``.

    Notes
    -----
    `timer_forecaster.sktime.forecaster.PipelineForecaster` describes the memory, the cache of
    weights and forecasts, in-sample steps and finetuning. Any quantile level in (0, 1) can be
    asked for; see `timer_forecaster.Forecast`.

    The constructor takes the names of sktime's own class, except ``forward_kwargs``. The only
    value that it could hold, ``{"revin": True}``, is always in effect.

    References
    ----------
    .. [1] Timer-S1: A Billion-Scale Time Series Foundation Model with Serial Scaling,
       arXiv:2603.04791.

    Examples
    --------
    >>> from sktime.datasets import load_airline
    >>> from timer_forecaster.sktime import TimerS1Forecaster
    >>> y = load_airline()
    >>> forecaster = TimerS1Forecaster().fit(y, fh=range(1, 13))
    >>> forecaster.predict().index[0]
    Period('1961-01', 'M')
    >>> forecaster.predict_interval(coverage=0.8).shape
    (12, 2)
    """

    def __init__(
        self,
        model_path: str | None = TIMER_S1_SMALL,
        revision: str | None = None,
        context_length: int | None = None,
        point: str = "median",
        rollout: str = "auto",
        flip: bool = False,
        batch_size: int | None = None,
        device_map: Any = "auto",
        dtype: Any = "auto",
        exogenous: str | None = None,
        config: Any = None,
        quantization_config: Any = None,
        deterministic: bool = False,
        quantization: str | None = None,
        adapter: Any = None,
        tuning: FinetuneConfig | None = None,
        on_error: str = "raise",
        covariates: Any = "auto",
        padding: str = "mean",
        n_paths: int = N_PATHS,
        random_state: Any = None,
        quality: str = "fast",
        nonnegative: bool | str = "auto",
    ) -> None:
        self.model_path, self.revision = model_path, revision
        self.context_length, self.point = context_length, point
        self.rollout, self.flip = rollout, flip
        self.batch_size = batch_size
        self.device_map = device_map
        self.dtype = dtype
        self.exogenous = exogenous
        self.config, self.quantization_config = config, quantization_config
        self.deterministic, self.quantization = deterministic, quantization
        self.adapter, self.tuning = adapter, tuning
        self.on_error, self.covariates, self.padding = on_error, covariates, padding
        self.n_paths, self.random_state = n_paths, random_state
        self.quality, self.nonnegative = quality, nonnegative
        super().__init__()

    def _check_parameters(self) -> None:
        check_flag("deterministic", self.deterministic)
        super()._check_parameters()

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return parameters for sktime's test suite: networks of random weights.

        Parameters
        ----------
        parameter_set : str
            There is one set for all purposes.

        Returns
        -------
        list of dict
        """
        sizes = {
            "input_token_len": 4,  # so that the suite's short panels can be finetuned to
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_attention_heads": 4,
            "num_experts": 4,
            "num_hidden_layers": 1,
            "num_mtp_tokens": 1,
        }
        others = {
            "context_length": 20,
            "point": "mean",
            "rollout": "median",
            "batch_size": 3,
            "device_map": "cpu",
            "dtype": "float64",
            "deterministic": True,
            "tuning": FinetuneConfig(steps=1, batch_size=2, context_length=32),
        }
        # Two sets: the suite runs hundreds of forecasts with each.
        return [{"model_path": "timer-s1-test"}, {"model_path": None, "config": sizes, **others}]
