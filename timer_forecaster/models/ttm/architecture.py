"""The sizes and settings of a TinyTimeMixer: the fields of its ``config.json``."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from timer_forecaster.broken import read_object
from timer_forecaster.models.columns import KnownColumn
from timer_forecaster.models.ttm.validation import as_plain, validate

MODEL_TYPE = "tinytimemixer"
PLAIN_CLASS = "TinyTimeMixerForPrediction"
DECOMPOSED_CLASS = "TinyTimeMixerForDecomposedPrediction"
DECILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
OF_TREND = (  # sizes that the trend's network has of its own, as trend_…
    "patch_length",
    "patch_stride",
    "d_model",
    "decoder_d_model",
    "num_layers",
    "decoder_num_layers",
    "register_tokens",
    "fft_length",
    "multi_scale",
    "adaptive_patching_levels",
)
_TUPLES = (
    "prediction_channel_indices",
    "exogenous_channel_indices",
    "categorical_vocab_size_list",
    "quantile_levels",
)
RARE_FIELDS = (  # written only where they are not the default, as in the released files
    "gate_mode",
    "gate_groups",
    "get_one_freq_emb",
    "fft_ignore_dc",
    "fft_d_freq_min",
    "fft_d_freq_max",
    "minimum_scale",
    "default_scale",
)
KNOWN_COLUMNS = "known_columns"
"""Entry with the name, location and scale of each exogenous channel, which no release has."""

COMPUTED_ENTRIES = ("num_patches", "init_processing", "model_type")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TTMArchitecture:
    """Sizes and settings of a TinyTimeMixer.

    Names and defaults are taken from the released implementation.

    Parameters
    ----------
    context_length, prediction_length : int
        Steps of the context and of the forecast.
    patch_length, patch_stride : int
        Steps of a patch; the stride must be the same.
    num_input_channels : int
        Number of channels. It matters where channels are mixed; other networks take any number.
    prediction_channel_indices : tuple of int, optional
        Channels to forecast. Default: all but the exogenous ones.
    exogenous_channel_indices : tuple of int, optional
        Channels whose future is known, for the mixing of forecasts.
    prediction_filter_length : int, optional
        Number of first steps of the forecast that are kept.
    d_model, num_layers, adaptive_patching_levels, mode : int, int, int, str
        Width of a token, mixer layers (of each level), levels and ``"common_channel"`` or
        ``"mix_channel"`` of the backbone.
    use_decoder : bool
        Whether there is a decoder.
    decoder_d_model, decoder_num_layers, decoder_adaptive_patching_levels, decoder_mode
        The same of the decoder.
    decoder_raw_residual : bool
        Whether the decoder sees the patches beside the backbone's output.
    expansion_factor : int
        Hidden width of an MLP, in widths of its input.
    dropout, head_dropout : float
        Dropout in training, of the backbone, and of decoder and head.
    gated_attn, gate_mode, gate_groups : bool, str, int
        Whether MLPs are followed by gates, their kind (``"softmax"``, ``"sigmoid"``, ``"glu"`` or
        ``"group_sigmoid"``), and the number of groups of the last kind.
    norm_mlp, norm_eps : str, float
        ``"LayerNorm"``, or a name with "batch" for batch norms; the epsilon of layer norms.
    self_attn, self_attn_heads : bool, int
        Whether tokens attend to each other too.
    use_positional_encoding, positional_encoding_type : bool, str
        A table added to the tokens: ``"sincos"`` or ``"random"``.
    resolution_prefix_tuning, frequency_token_vocab_size : bool, int
        Whether a token for the frequency of the series is put first, and how many there are.
    scaling : str or bool, optional
        ``"std"`` or True, ``"mean"``; anything else is no scaling.
    minimum_scale, default_scale : float, optional
        The least scale (for "std": what is added to the variance), and the scale of channels that
        were never observed.
    categorical_vocab_size_list : tuple of int, optional
        Numbers of values of static categories.
    enable_forecast_channel_mixing, fcm_context_length, fcm_use_mixer, fcm_mix_layers, \
fcm_gated_attn, fcm_prepend_past, fcm_prepend_past_offset
        The mixing of forecasts over channels; see `timer_forecaster.models.ttm.channels`.
    loss, quantile, huber_delta : str, float, float
        Loss in training: ``"mse"``, ``"mae"``, ``"huber"`` or ``"pinball"`` (at one level), or
        None.
    multi_scale, register_tokens, enable_base_norm_always : bool, int, bool
        Tokens of coarser scales; learnt tokens; a norm over all tokens without ``multi_scale``.
    fft_length, use_fft_embedding, fft_ignore_dc, get_one_freq_emb, fft_d_freq_min, fft_d_freq_max
        Tokens for the strongest frequencies of the context.
    multi_quantile_head, quantile_levels : bool, tuple of float
        Whether quantiles are forecast, and their levels: ascending and symmetric in number
        around 0.5.
    mq_hidden, mq_kernel_size, mq_eps, mq_use_decoder_pool, mq_q50_type, mq_cond_path, \
mq_cond_mode, mq_decoder_d_model
        Sizes and kind of the quantile head; see `timer_forecaster.models.ttm.quantile_head`.
    point_extra_weight, penalize_large_width_ratio, width_penalty_mode : float, float, str
        Terms of the loss of quantiles.
    decompose, residual_context_length, trend_... : bool, int, ...
        A network for the smooth trend and one for the rest: the context of the second, and sizes
        of the first. None is as in the other fields.
    trend_loss_weight, residual_loss_weight, joint_loss_weight, forecast_loss_type
        Weights of the loss of a decomposed network; the last field has no effect.
    combine_quantiles_via_variance : bool
        How quantiles of trend and rest are added: by squares, or level by level.
    light_mode : bool
        Whether the output behind transformers holds forecasts and loss alone.
    init_std, init_linear, init_embed, post_init, distribution_output, num_parallel_samples, \
mask_value
        Kept, and without effect.
    extras : mapping
        Further entries of a ``config.json``, which are kept.

    Examples
    --------
    >>> TTMArchitecture(context_length=512, patch_length=64, patch_stride=64).num_patches
    8
    """

    context_length: int = 64
    patch_length: int = 8
    patch_stride: int = 8
    num_input_channels: int = 1
    prediction_length: int = 16
    prediction_channel_indices: tuple[int, ...] | None = None
    exogenous_channel_indices: tuple[int, ...] | None = None
    d_model: int = 16
    expansion_factor: int = 2
    num_layers: int = 3
    dropout: float = 0.2
    mode: str = "common_channel"
    gated_attn: bool = True
    norm_mlp: str = "LayerNorm"
    self_attn: bool = False
    self_attn_heads: int = 1
    use_positional_encoding: bool = False
    positional_encoding_type: str = "sincos"
    scaling: str | bool | None = "std"
    loss: str | None = "mse"
    init_std: float = 0.02
    post_init: bool = False
    norm_eps: float = 1e-5
    adaptive_patching_levels: int = 0
    resolution_prefix_tuning: bool = False
    frequency_token_vocab_size: int = 5
    head_dropout: float = 0.2
    distribution_output: str | None = "student_t"
    num_parallel_samples: int | None = 100
    decoder_num_layers: int = 8
    decoder_d_model: int = 8
    decoder_adaptive_patching_levels: int = 0
    decoder_raw_residual: bool = False
    decoder_mode: str = "common_channel"
    use_decoder: bool = True
    enable_forecast_channel_mixing: bool = False
    fcm_gated_attn: bool = True
    fcm_context_length: int = 1
    fcm_use_mixer: bool = False
    fcm_mix_layers: int = 2
    fcm_prepend_past: bool = True
    fcm_prepend_past_offset: int | None = None
    categorical_vocab_size_list: tuple[int, ...] | None = None
    prediction_filter_length: int | None = None
    init_linear: str = "pytorch"
    init_embed: str = "pytorch"
    quantile: float = 0.5
    huber_delta: float = 1
    mask_value: float = 0
    multi_scale: bool = False
    register_tokens: int = 0
    fft_length: int = 0
    use_fft_embedding: bool = True
    multi_quantile_head: bool = False
    point_extra_weight: float = 0
    residual_context_length: int | None = None
    trend_patch_length: int | None = None
    trend_patch_stride: int | None = None
    trend_d_model: int | None = None
    trend_decoder_d_model: int | None = None
    trend_num_layers: int | None = None
    trend_decoder_num_layers: int | None = None
    trend_register_tokens: int | None = None
    trend_fft_length: int | None = None
    trend_multi_scale: bool | None = None
    trend_adaptive_patching_levels: int | None = None
    trend_head_d_model: int | None = None
    trend_loss_weight: float = 1
    residual_loss_weight: float = 1
    joint_loss_weight: float = 1
    forecast_loss_type: str = "joint"
    decompose: bool = False
    light_mode: bool = False
    mq_hidden: int = 8
    mq_kernel_size: int = 3
    mq_eps: float = 1e-6
    mq_use_decoder_pool: bool = False
    mq_q50_type: str = "median"
    mq_cond_path: str = "pool"
    mq_cond_mode: str = "add"
    mq_decoder_d_model: int = 8
    combine_quantiles_via_variance: bool = False
    quantile_levels: tuple[float, ...] = DECILES
    penalize_large_width_ratio: float = 0.0
    width_penalty_mode: str = "boundary"
    enable_base_norm_always: bool = False
    gate_mode: str = "softmax"
    gate_groups: int = 8
    get_one_freq_emb: bool = False
    fft_ignore_dc: bool = False
    fft_d_freq_min: int = 4
    fft_d_freq_max: int = 64
    minimum_scale: float | None = None
    default_scale: float | None = None
    extras: Mapping[str, Any] = dataclasses.field(default_factory=dict, hash=False)

    model_type: ClassVar[str] = MODEL_TYPE

    def __post_init__(self) -> None:
        """Check the fields; sequences become tuples."""
        for field in dataclasses.fields(self):
            value = as_plain(field.name, getattr(self, field.name), field.name in _TUPLES)
            object.__setattr__(self, field.name, value)
        validate(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TTMArchitecture:
        """Read the entries of a ``config.json``; unknown entries are kept in ``extras``.

        Parameters
        ----------
        values : mapping
            The entries.

        Returns
        -------
        TTMArchitecture

        Raises
        ------
        TypeError, ValueError
            If it is the configuration of another model, if an entry cannot be used, or if a stored
            ``num_patches`` is not what the other entries give. The error names the entry.

        Examples
        --------
        >>> from timer_forecaster.models.ttm import TTMArchitecture
        >>> entries = {"patch_length": 16, "patch_stride": 16, "note": "mine"}
        >>> architecture = TTMArchitecture.from_dict(entries)
        >>> architecture.num_patches, architecture.extras
        (4, {'note': 'mine'})
        """
        values = dict(values)
        model_type = values.get("model_type", MODEL_TYPE)
        if model_type != MODEL_TYPE:
            raise ValueError(f"model_type={model_type!r} must be {MODEL_TYPE!r}")
        names = {field.name for field in dataclasses.fields(cls)} - {"extras"}
        known = {name: value for name, value in values.items() if name in names}
        extras = {n: v for n, v in values.items() if n not in names and n not in COMPUTED_ENTRIES}
        architecture = cls(**known, extras=extras)
        stored = values.get("num_patches")
        if stored is not None and stored != architecture.num_patches:
            raise ValueError(
                f"num_patches={stored!r} does not fit context_length={architecture.context_length} "
                f"and patch_length={architecture.patch_length}, which give "
                f"{architecture.num_patches}: the weights of a network are made for one context; "
                "restore its entries, or leave out num_patches for a new network"
            )
        return architecture

    @classmethod
    def from_config_file(cls, path: str | Path) -> TTMArchitecture:
        """Read a ``config.json``.

        Parameters
        ----------
        path : str or Path
            The file.

        Returns
        -------
        TTMArchitecture

        Raises
        ------
        ValueError
            If the file cannot be read or used. The error names the file and the entry.

        Examples
        --------
        >>> from timer_forecaster.models.ttm import TinyTimeMixerConfig, TTMArchitecture
        >>> TinyTimeMixerConfig(patch_length=16, patch_stride=16).save_pretrained("tiny")
        >>> TTMArchitecture.from_config_file("tiny/config.json").num_patches
        4
        """
        values = read_object(Path(path))
        if values.get("model_type") != MODEL_TYPE:
            raise ValueError(
                f"{path} has model_type {values.get('model_type')!r}; expected {MODEL_TYPE!r}"
            )
        try:
            return cls.from_dict(values)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{path} cannot be used: {error}; take config.json from the place of the weights"
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """Return the entries of a ``config.json`` of the released layout.

        Returns
        -------
        dict

        Examples
        --------
        >>> from timer_forecaster.models.ttm import TTMArchitecture
        >>> architecture = TTMArchitecture(context_length=96, patch_length=12, patch_stride=12)
        >>> architecture.to_dict()["model_type"]
        'tinytimemixer'
        """
        fields = {field.name: field for field in dataclasses.fields(self)}
        values = dict(self.extras)
        for name, field in fields.items():
            value = getattr(self, name)
            if name != "extras" and not (name in RARE_FIELDS and value == field.default):
                values[name] = list(value) if isinstance(value, tuple) else value
        values |= {"model_type": MODEL_TYPE, "architectures": [self.class_name]}
        values["init_processing"] = not self.decompose
        if not self.decompose:
            values["num_patches"] = self.num_patches
        return dict(sorted(values.items()))

    @property
    def quantiles(self) -> tuple[float, ...]:
        """Levels that are forecast; a network without a quantile head has deciles of residuals."""
        return self.quantile_levels if self.multi_quantile_head else DECILES

    @property
    def forecasts_quantiles(self) -> bool:
        """Whether the network has a quantile head."""
        return self.multi_quantile_head

    @property
    def max_context_length(self) -> int:
        """Steps of a context."""
        return self.context_length

    @property
    def interior_masks(self) -> bool:
        """Whether rows may have missing values inside: straight lines take their place."""
        return True

    @property
    def hidden_size(self) -> int:
        """Width of a token."""
        return self.d_model

    @property
    def origin_step(self) -> int:
        """Each origin of a forecast is a row of its own."""
        return 1

    @property
    def fixed_context(self) -> bool:
        """Every context has the length of the network."""
        return True

    @property
    def n_frequencies(self) -> int:
        """Frequencies of series that the network tells apart; 0 if it reads none."""
        return self.frequency_token_vocab_size if self.resolution_prefix_tuning else 0

    @property
    def preferred_rollout(self) -> str:
        """The roll-out of a checkpoint."""
        preferred = str(self.extras.get("preferred_rollout", "quantile"))
        return "quantile" if self.exogenous_channels and preferred == "multiscale" else preferred

    @property
    def transforms_series(self) -> bool:
        """Whether series are transformed before the network reads them."""
        alone = not self.exogenous_channels and self.forecasts_quantiles
        return alone and bool(self.extras.get("transforms_series", False))

    @property
    def least_tensors(self) -> int:
        """A number of tensors that the weights have at least."""
        return self.num_layers * max(1, self.adaptive_patching_levels)

    @property
    def layers_in_words(self) -> str:
        """The layers that `least_tensors` counts, and their fields."""
        fields = "num_layers, adaptive_patching_levels"
        return f"{self.least_tensors} layers ({fields})"

    @property
    def class_name(self) -> str:
        """Name of the released class that has such weights."""
        return DECOMPOSED_CLASS if self.decompose else PLAIN_CLASS

    @property
    def scaler(self) -> str | None:
        """The scaling of contexts: "std", "mean" or None."""
        if self.scaling == "std" or self.scaling is True:
            return "std"
        return "mean" if self.scaling == "mean" else None

    @property
    def base_patches(self) -> int:
        """Number of patches of the context."""
        return self.context_length // self.patch_length

    @property
    def scales(self) -> int:
        """Number of scales that patches are cut from."""
        if not self.multi_scale:
            return 1
        return (self.context_length // self.patch_length).bit_length()

    @property
    def num_patches(self) -> int:
        """Number of tokens."""
        patches = sum(
            (self.context_length >> scale) // self.patch_length for scale in range(self.scales)
        )
        spectral = min(self.fft_length, 1) if self.get_one_freq_emb else self.fft_length
        return patches + spectral + self.register_tokens + int(self.resolution_prefix_tuning)

    @property
    def base_norm(self) -> bool:
        """Whether there is a norm over all tokens."""
        return self.multi_scale or self.enable_base_norm_always

    @property
    def output_width(self) -> int:
        """Width of the tokens that the head reads."""
        return self.decoder_d_model if self.use_decoder else self.d_model

    @property
    def pass_length(self) -> int:
        """Number of steps of a forecast."""
        return self.prediction_filter_length or self.prediction_length

    @property
    def exogenous_channels(self) -> tuple[int, ...]:
        """Channels whose future is known, ascending."""
        return tuple(sorted(self.exogenous_channel_indices or ()))

    @property
    def target_channels(self) -> tuple[int, ...] | None:
        """Channels that are forecast, ascending; None is all."""
        if self.prediction_channel_indices is not None:
            return tuple(sorted(self.prediction_channel_indices))
        exogenous = self.exogenous_channels
        if not exogenous:
            return None
        return tuple(c for c in range(self.num_input_channels) if c not in exogenous)

    @property
    def n_targets(self) -> int:
        """Number of channels that are forecast, in a network for ``num_input_channels``."""
        targets = self.target_channels
        return self.num_input_channels if targets is None else len(targets)

    @property
    def fixed_channels(self) -> bool:
        """Whether the network takes only series with ``num_input_channels`` channels."""
        mixed = self.mode == "mix_channel" or (
            self.use_decoder and self.decoder_mode == "mix_channel"
        )
        return mixed or self.enable_forecast_channel_mixing or self.target_channels is not None

    @property
    def n_channels(self) -> int | None:
        """Number of series that are read as one row; None if each is read by itself."""
        return self.n_targets if self.fixed_channels else None

    @property
    def known_columns(self) -> tuple[KnownColumn, ...]:
        """The exogenous channels, if it is known how their columns are scaled."""
        return tuple(KnownColumn(*column) for column in self.extras.get(KNOWN_COLUMNS, ()))

    @property
    def unusable_because(self) -> str | None:
        """Reason why no forecast can be made of series, and a remedy; None if one can."""
        given, exogenous = self.num_input_channels, self.exogenous_channels
        left_out = given - self.n_targets - len(exogenous)
        if left_out:
            return (
                f"it forecasts {self.n_targets} of its {given} channels alone "
                "(prediction_channel_indices); use a checkpoint that forecasts all its channels"
            )
        at_the_end = exogenous == tuple(range(self.n_targets, given))
        if exogenous and not (at_the_end and len(self.known_columns) == len(exogenous)):
            return (
                f"its channels {list(exogenous)} are exogenous (exogenous_channel_indices), and it "
                "does not say how their columns are scaled; finetune a checkpoint that reads each "
                "series alone with FinetuneConfig(target='channels') and known="
            )
        return None

    @property
    def levels(self) -> tuple[float, ...] | None:
        """Quantile levels of the head; None where there is none."""
        return self.quantile_levels if self.multi_quantile_head else None

    def trend(self) -> TTMArchitecture:
        """Return the architecture of the network for the trend.

        Returns
        -------
        TTMArchitecture

        Examples
        --------
        >>> from timer_forecaster.models.ttm import TTMArchitecture
        >>> TTMArchitecture(decompose=True, d_model=16, trend_d_model=8).trend().d_model
        8
        """
        own = {name: getattr(self, f"trend_{name}") for name in OF_TREND}
        return self._branch({name: value for name, value in own.items() if value is not None})

    def residual(self) -> TTMArchitecture:
        """Return the architecture of the network for the rest.

        Returns
        -------
        TTMArchitecture

        Examples
        --------
        >>> from timer_forecaster.models.ttm import TTMArchitecture
        >>> TTMArchitecture(decompose=True, d_model=16, trend_d_model=8).residual().d_model
        16
        """
        length = self.residual_context_length
        return self._branch({} if length is None else {"context_length": length})

    def _branch(self, changes: dict[str, Any]) -> TTMArchitecture:
        none: dict[str, Any] = {f"trend_{name}": None for name in OF_TREND}
        fixed: dict[str, Any] = {
            "scaling": None,
            "decompose": False,
            "residual_context_length": None,
            "extras": {},
        }
        return dataclasses.replace(self, **none, **(fixed | changes))


def as_architecture(config: Any) -> TTMArchitecture:
    """Return the architecture that a configuration in any form describes.

    Parameters
    ----------
    config : TTMArchitecture, TinyTimeMixerConfig or mapping
        A mapping has the entries of a ``config.json``.

    Returns
    -------
    TTMArchitecture

    Raises
    ------
    TypeError, ValueError
        If it is no configuration of a TinyTimeMixer, or if an entry cannot be used.

    Examples
    --------
    >>> from timer_forecaster.models.ttm import as_architecture
    >>> as_architecture({"context_length": 96, "patch_length": 12, "patch_stride": 12}).num_patches
    8
    """
    if isinstance(config, TTMArchitecture):
        return config
    if isinstance(config, Mapping):
        return TTMArchitecture.from_dict(config)
    if hasattr(config, "to_dict"):
        return TTMArchitecture.from_dict(config.to_dict())
    raise TypeError(
        f"config is of type {type(config).__name__}; use a dict, TinyTimeMixerConfig or "
        "TTMArchitecture"
    )
