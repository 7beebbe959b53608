"""The sizes and settings of a Timer-S1 network: the fields of its ``config.json``."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from timer_forecaster.broken import read_object
from timer_forecaster.checks import (
    check_choice,
    check_flag,
    check_integer,
    check_number,
    is_level,
)
from timer_forecaster.models.columns import KnownColumn

DECILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
LOSSES = ("wql", "pinball")
SERIAL_WEIGHTINGS = ("equal", "inverse_sqrt")
ROLLOUTS = ("quantile", "median", "multiscale")

QUALITIES = ("fast", "best", "plain")
DTYPES = ("float32", "bfloat16", "float16", "float64")
MODEL_TYPE = "Timer-S1"
_LEAST = {  # least values of integers
    "input_token_len": 1,
    "hidden_size": 1,
    "intermediate_size": 1,
    "num_hidden_layers": 1,
    "num_mtp_tokens": 0,
    "num_attention_heads": 1,
    "num_experts": 1,
    "num_experts_per_token": 1,
    "max_position_embeddings": 0,
    "max_context_length": 1,
}
_MOST = (
    2**24
)  # of these integers, but lengths: the product of two sizes must be an integer of torch
_LENGTHS = ("max_position_embeddings", "max_context_length")
_NEEDED = (  # fields of the released config.json without which weights could be read as others
    "input_token_len",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_mtp_tokens",
    "num_attention_heads",
    "num_experts",
    "num_experts_per_token",
    "rope_theta",
    "quantiles",
)
_BOOKKEEPING = {  # other entries of the released config.json, which change no network
    "architectures",
    "auto_map",
    "dtype",
    "model_type",
    "output_token_lens",
    "torch_dtype",
    "transformers_version",
    "use_cache",
}


@dataclasses.dataclass(kw_only=True)
class TimerS1Architecture:
    """Sizes and settings of a Timer-S1 network.

    Names and defaults are taken from the ``config.json`` of the released checkpoint.

    Parameters
    ----------
    input_token_len : int
        Steps in one patch, of the input and of the output.
    hidden_size : int
        Width of a token.
    intermediate_size : int
        Hidden width of the patch embedding. The hidden width of an expert is
        ``intermediate_size // num_experts_per_token``.
    num_hidden_layers, num_mtp_tokens : int
        Number of main blocks and of serial blocks.
    num_attention_heads : int
        Number of attention heads; must divide ``hidden_size`` into heads of even size.
    num_experts, num_experts_per_token : int
        Number of experts in a block, and of the experts that one token is sent to.
    hidden_act : {"silu"}
        Activation of the patch embedding, the head and the experts.
    rope_theta : float
        Base of the rotary position embedding.
    max_position_embeddings : int
        Not used, but part of the released layout; rotary positions have no limit.
    dropout_rate : float
        Dropout in training, of attention weights, patch embedding and head.
    initializer_range : float
        Standard deviation of the initial weights.
    quantiles : tuple of float
        Quantile levels that the head predicts, ascending.
    max_context_length : int
        Longest context in steps; a longer context is cut to its newest steps.
    interior_masks : bool
        Whether the network was trained with missing values inside the context.
    router_aux_loss_coef : float
        Weight of the load-balancing loss in the training objective.
    training_loss : {"wql", "pinball"}
        Quantile loss of the training objective; see
        `timer_forecaster.models.timer_s1.objective.patch_loss`.
    serial_weighting : {"equal", "inverse_sqrt"}
        Weights of the serial blocks in the training objective.
    preferred_rollout : {"quantile", "median", "multiscale"}
        The roll-out of ``rollout="auto"`` in `timer_forecaster.ForecastPipeline.predict`.
    transforms_series : bool
        Whether series are transformed before the network reads them, unless
        ``quality="plain"`` is given to `timer_forecaster.ForecastPipeline.predict`.

    Examples
    --------
    >>> TimerS1Architecture(hidden_size=64, num_attention_heads=4).hidden_size
    64
    """

    input_token_len: int = 16
    hidden_size: int = 1024
    intermediate_size: int = 4096
    num_hidden_layers: int = 24
    num_mtp_tokens: int = 16
    num_attention_heads: int = 16
    num_experts: int = 32
    num_experts_per_token: int = 2
    hidden_act: str = "silu"
    rope_theta: float = 10000.0
    max_position_embeddings: int = 12800
    dropout_rate: float = 0.1
    initializer_range: float = 0.02
    quantiles: tuple[float, ...] = DECILES
    max_context_length: int = 11520
    interior_masks: bool = False
    router_aux_loss_coef: float = 0.02
    training_loss: str = "wql"
    serial_weighting: str = "equal"
    preferred_rollout: str = "quantile"
    transforms_series: bool = False

    model_type: ClassVar[str] = MODEL_TYPE
    forecasts_quantiles: ClassVar[bool] = True
    fixed_context: ClassVar[bool] = False
    n_frequencies: ClassVar[int] = 0

    def __post_init__(self) -> None:
        """Check the fields."""
        if isinstance(self.quantiles, str) or not isinstance(self.quantiles, Iterable):
            raise TypeError(f"quantiles={self.quantiles!r} must be a list of numbers")
        self.quantiles = tuple(self.quantiles)
        validate_architecture(self)

    @property
    def n_channels(self) -> None:
        """Each series is read by itself."""
        return None

    @property
    def known_columns(self) -> tuple[KnownColumn, ...]:
        """No columns are read beside a series."""
        return ()

    @property
    def unusable_because(self) -> None:
        """Every checkpoint forecasts series."""
        return None

    @property
    def least_tensors(self) -> int:
        """A number of tensors that the weights have at least."""
        return (self.num_hidden_layers + self.num_mtp_tokens) * self.num_experts

    @property
    def layers_in_words(self) -> str:
        """The layers that `least_tensors` counts, and their fields."""
        blocks = self.num_hidden_layers + self.num_mtp_tokens
        fields = "num_hidden_layers, num_mtp_tokens, num_experts"
        return f"{blocks} blocks of {self.num_experts} experts ({fields})"

    @property
    def pass_length(self) -> int:
        """Steps that one pass can forecast: ``(serial blocks + 1) * patch length``."""
        return (self.num_mtp_tokens + 1) * self.input_token_len

    @property
    def origin_step(self) -> int:
        """Distance in steps between tokens, each of which a row can be forecast from."""
        return self.input_token_len

    @classmethod
    def from_config_file(
        cls, path: str | Path, model_type: str = MODEL_TYPE
    ) -> TimerS1Architecture:
        """Read the fields of the network from a ``config.json`` with this ``model_type``.

        Parameters
        ----------
        path : str or Path
            The file.
        model_type : str
            Entry that the file must have.

        Returns
        -------
        TimerS1Architecture

        Raises
        ------
        ValueError
            If the file cannot be read, lacks a field that the weights depend on, or has a value
            that cannot be meant. The error names the file and the field.

        Examples
        --------
        >>> from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Config
        >>> TimerS1Config(hidden_size=64, num_attention_heads=4).save_pretrained("small")
        >>> TimerS1Architecture.from_config_file("small/config.json").hidden_size
        64
        """
        values = read_object(Path(path))
        if values.get("model_type") != model_type:
            raise ValueError(
                f"{path} has model_type {values.get('model_type')!r}; expected {model_type!r}"
            )
        again = "take config.json from the place of the weights"
        lacking = [name for name in _NEEDED if name not in values]
        if lacking:
            raise ValueError(f"{path} lacks {', '.join(lacking)}; {again}")
        names = {field.name for field in dataclasses.fields(cls)}
        try:
            return cls(**{name: value for name, value in values.items() if name in names})
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path} cannot be used: {error}; {again}") from error


def as_architecture(config: Any) -> TimerS1Architecture:
    """Return the architecture that a configuration in any form describes.

    Parameters
    ----------
    config : TimerS1Architecture, TimerS1Config or mapping
        A mapping has field names as keys. Fields without an entry get their defaults, and other
        entries of the released ``config.json`` have no effect.

    Returns
    -------
    TimerS1Architecture

    Raises
    ------
    TypeError, ValueError
        If it is no configuration of a Timer-S1, or if a field cannot be used.

    Examples
    --------
    >>> from timer_forecaster.models.timer_s1 import as_architecture
    >>> as_architecture({"hidden_size": 64, "num_attention_heads": 4}).num_hidden_layers
    24
    """
    names = [field.name for field in dataclasses.fields(TimerS1Architecture)]
    if isinstance(config, Mapping):
        values = dict(config)
        unknown = [name for name in values if name not in _BOOKKEEPING.union(names)]
        if unknown:
            raise ValueError(f"config has unknown fields {unknown}; there are {names}")
    elif getattr(config, "model_type", None) == MODEL_TYPE or isinstance(
        config, TimerS1Architecture
    ):
        values = vars(config)
    else:
        raise TypeError(
            f"config is of type {type(config).__name__}; use a dict, TimerS1Config or "
            "TimerS1Architecture"
        )
    architecture = TimerS1Architecture(**{name: values[name] for name in names if name in values})
    patch = [architecture.input_token_len]
    for name, only in (("model_type", MODEL_TYPE), ("output_token_lens", patch)):
        if values.get(name, only) != only:
            raise ValueError(f"config has {name}={values[name]!r}; it must be {only!r}")
    return architecture


def validate_architecture(config: TimerS1Architecture) -> None:
    """Check that the fields of a configuration fit together.

    Raises
    ------
    TypeError, ValueError
        If a field does not fit; the error names the first.
    """
    _check_integers(config)
    _check_numbers(config)
    _check_heads(config)
    _check_experts(config)
    _check_context(config)
    _check_choices(config)
    _check_levels(config)


def _check_integers(config: TimerS1Architecture) -> None:
    """Check the type of every integer, which is stored as JSON, and its bounds."""
    for field in dataclasses.fields(TimerS1Architecture):
        value = getattr(config, field.name)
        if field.type == "int" and not isinstance(value, int):
            raise TypeError(f"{field.name}={value!r} must be an integer")
    for name, least in _LEAST.items():
        value = check_integer(name, getattr(config, name), least)
        if value > _MOST and name not in _LENGTHS:
            raise ValueError(f"{name}={value} must be at most {_MOST}")


def _check_numbers(config: TimerS1Architecture) -> None:
    """Check the numbers that are not integers, and the flag."""
    check_number("rope_theta", config.rope_theta, 0, above=True)
    check_number("initializer_range", config.initializer_range, 0)
    check_number("router_aux_loss_coef", config.router_aux_loss_coef, 0)
    if check_number("dropout_rate", config.dropout_rate, 0, 1) == 1:
        raise ValueError(f"dropout_rate={config.dropout_rate} must be below 1")
    check_flag("interior_masks", config.interior_masks)


def _check_heads(config: TimerS1Architecture) -> None:
    if config.hidden_size % (2 * config.num_attention_heads):
        raise ValueError(
            f"hidden_size={config.hidden_size} must be a multiple of twice "
            f"num_attention_heads={config.num_attention_heads}: rotary heads have even size"
        )


def _check_experts(config: TimerS1Architecture) -> None:
    if not 1 <= config.num_experts_per_token <= config.num_experts:
        raise ValueError(
            f"num_experts_per_token={config.num_experts_per_token} must lie between 1 and "
            f"num_experts={config.num_experts}"
        )


def _check_context(config: TimerS1Architecture) -> None:
    if config.max_context_length < config.input_token_len:
        raise ValueError(
            f"max_context_length={config.max_context_length} must be at least one patch, "
            f"input_token_len={config.input_token_len}"
        )


def _check_choices(config: TimerS1Architecture) -> None:
    if config.hidden_act != "silu":
        raise ValueError(f"hidden_act={config.hidden_act!r} is not supported; use 'silu'")
    check_choice("training_loss", config.training_loss, LOSSES)
    check_choice("serial_weighting", config.serial_weighting, SERIAL_WEIGHTINGS)
    check_choice("preferred_rollout", config.preferred_rollout, ROLLOUTS)


def _check_levels(config: TimerS1Architecture) -> None:
    levels = list(config.quantiles)
    inside = all(is_level(level) for level in levels)
    if len(levels) < 2 or not inside or levels != sorted(set(levels)):
        raise ValueError(
            f"quantiles={levels} must be two or more, ascending, distinct and inside (0, 1)"
        )
