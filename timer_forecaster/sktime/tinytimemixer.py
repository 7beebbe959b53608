"""The parameters of the TinyTimeMixer forecaster, and their documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from timer_forecaster.checkpoints.registry import TTM_MINI
from timer_forecaster.checks import check_flag
from timer_forecaster.finetuning.config import FinetuneConfig
from timer_forecaster.models.families import TTM
from timer_forecaster.sktime.backtesting import BacktestingForecaster
from timer_forecaster.sktime.probabilistic import N_PATHS
from timer_forecaster.sktime.translations import VALIDATION_SPLIT, Training, check_meaningless

_NO_PARAMETERS = ("self", "__class__")  # other names that a constructor has


class TinyTimeMixerForecaster(BacktestingForecaster):
    """Probabilistic forecasts from a TinyTimeMixer checkpoint, zero-shot or finetuned.

    All that `timer_forecaster.sktime.TimerS1Forecaster` says of `fit`, `update`, `pretrain`,
    panels, missing values and weights holds here too. The parameters of sktime's own
    ``TinyTimeMixerForecaster`` come first, under their names and in their order.

    Parameters
    ----------
    model_path : str or None, default="ttm-mini"
        A name of `timer_forecaster.list_checkpoints`, a folder in the released layout, or a hub
        id such as ``"ibm-research/ttm-r3"``. None: random weights, see ``config``.
    revision : str, optional
        Branch, tag or commit of a hub id. Default: its main branch.
    validation_split : float, default=0.2
        With ``fit_strategy="minimal"`` or ``"full"``: share of each series, its newest steps, that
        is not trained on. It decides when training stops, and whether its result is kept.
    config : dict, TinyTimeMixerConfig or TTMArchitecture, optional
        With ``model_path=None``: sizes of a network of random weights, which are the same each
        time and **not trained**.
    training_args : dict, optional
        Settings of finetuning by their names in transformers: ``max_steps``, ``learning_rate``,
        ``per_device_train_batch_size``, ``weight_decay`` and ``seed``. Entries about files and
        logs, such as ``output_dir`` and ``report_to``, are accepted, and nothing is written.
        ``tuning`` has all settings.
    compute_metrics, callbacks : optional
        None or an empty list: finetuning has no ``Trainer``. Its scores are in
        ``adapter_.report``.
    broadcasting, use_source_package : bool, default=False
        False: instances of a panel are forecast by themselves, in one batch, and the network is a
        part of this package.
    fit_strategy : {"zero-shot", "minimal", "full"}, default="zero-shot"
        What `fit` trains: nothing, the decoder and the head, or all weights.
    device : str, int, torch.device or dict, default="auto"
        A single device, such as ``"cpu"`` or ``"cuda:1"``; see ``device`` of
        `timer_forecaster.ForecastPipeline.from_pretrained`.
    freq : optional
        None: the frequency is the index's. Checkpoints that read it take it from there.
    verbose : bool, default=False
        Whether finetuning shows a progress bar.
    padding_mask : {"unobserved"}, default="unobserved"
        Steps before a short series are missing.
    context_length : int, optional
        Newest steps of each series to forecast from; see
        `timer_forecaster.ForecastPipeline.predict`.
    point : {"median", "mean"}, default="median"
        The point forecast.
    rollout : {"auto", "quantile", "median", "multiscale"}, default="auto"
        How to continue beyond one pass; see `timer_forecaster.ForecastPipeline.predict`.
    flip : bool, default=False
        Whether to average with the mirror image of the forecast of the negative, at twice the
        cost.
    batch_size : int, optional
        Most series that enter the network at once.
    dtype : str, torch.dtype or None, default="auto"
        Type to compute in; see `timer_forecaster.ForecastPipeline.from_pretrained`.
    quantization_config, quantization : optional
        See `timer_forecaster.ForecastPipeline.from_pretrained`.
    adapter : timer_forecaster.finetuning.Adapter, str or Path, optional
        An adapter that was finetuned on this checkpoint, or its folder or hub id. Forecasts are
        made with it, and finetuning starts from it.
    tuning : timer_forecaster.finetuning.FinetuneConfig, optional
        How to finetune, in place of ``fit_strategy``, ``validation_split`` and ``training_args``.
    on_error : {"raise", "nan"}, default="raise"
        Reaction to a series that cannot be forecast.
    covariates : {"auto", "always", "fast", "off"} or CovariateOptions, default="auto"
        How the columns of ``X`` take part in forecasts; see
        `timer_forecaster.ForecastPipeline.predict`.
    padding : {"mean", "released"}, default="mean"
        Values before a series that is shorter than the context of the checkpoint. ``"released"``,
        which is zeros in the units of the series, reproduces the numbers of sktime's own class; see
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
        The adapter that `pretrain` or `fit` has finetuned; absent if neither has.

    References
    ----------
    .. [1] Tiny Time Mixers (TTMs): Fast Pre-trained Models for Enhanced Zero/Few-Shot Forecasting
       of Multivariate Time Series, arXiv:2401.03955.

    Examples
    --------
    >>> from sktime.datasets import load_airline
    >>> from timer_forecaster.sktime import TinyTimeMixerForecaster
    >>> y = load_airline()
    >>> forecaster = TinyTimeMixerForecaster("ttm-test").fit(y, fh=range(1, 13))
    >>> forecaster.predict().index[0]
    Period('1961-01', 'M')
    >>> forecaster.predict_interval(coverage=0.8).shape
    (12, 2)
    """

    _device_parameter: ClassVar[str] = "device"
    _model_type: ClassVar[str] = TTM

    def __init__(
        self,
        model_path: str | None = TTM_MINI,
        revision: str | None = None,
        validation_split: float = VALIDATION_SPLIT,
        config: Any = None,
        training_args: Mapping[str, Any] | None = None,
        compute_metrics: Any = None,
        callbacks: Any = None,
        broadcasting: bool = False,
        use_source_package: bool = False,
        fit_strategy: str = "zero-shot",
        device: Any = "auto",
        freq: Any = None,
        verbose: bool = False,
        padding_mask: str = "unobserved",
        context_length: int | None = None,
        point: str = "median",
        rollout: str = "auto",
        flip: bool = False,
        batch_size: int | None = None,
        dtype: Any = "auto",
        quantization_config: Any = None,
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
        parameters = {name: value for name, value in locals().items() if name not in _NO_PARAMETERS}
        self.__dict__.update(parameters)  # sktime reads each under its own name
        super().__init__()

    def _settings_of_tuning(self) -> FinetuneConfig | None:
        training = Training(self.fit_strategy, self.validation_split, self.training_args)
        settings = training.settings()
        if self.tuning is None:
            return None if settings is None else FinetuneConfig(**settings)
        if not training.is_default:
            raise ValueError(
                "tuning is given beside fit_strategy, validation_split or training_args: leave "
                "these out, and give all settings as tuning=FinetuneConfig(...)"
            )
        return self.tuning

    def _check_parameters(self) -> None:
        check_flag("verbose", self.verbose)
        check_meaningless(
            self.compute_metrics,
            self.callbacks,
            self.broadcasting,
            self.use_source_package,
            self.freq,
            self.padding_mask,
        )
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
            "context_length": 16,  # so that the suite's short panels can be finetuned to
            "prediction_length": 4,
            "patch_length": 4,
            "patch_stride": 4,
            "d_model": 8,
            "num_layers": 1,
            "decoder_num_layers": 1,
            "decoder_d_model": 4,
            "multi_quantile_head": True,
        }
        others = {
            "context_length": 20,
            "point": "mean",
            "rollout": "median",
            "batch_size": 3,
            "device": "cpu",
            "dtype": "float64",
            "fit_strategy": "full",
            "training_args": {"max_steps": 1, "per_device_train_batch_size": 2},
        }
        # Two sets: the suite runs hundreds of forecasts with each.
        return [{"model_path": "ttm-test"}, {"model_path": None, "config": sizes, **others}]
