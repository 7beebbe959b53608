"""The settings of a model, by the keys of Samay's ``config``."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from typing import Any

from timer_forecaster.callers import stacklevel_of_caller
from timer_forecaster.checks import check_choice, check_integer, check_number
from timer_forecaster.models.ttm import TTMArchitecture
from timer_forecaster.models.ttm.presets import PRESETS, preset

CONTEXT_LEN, HORIZON_LEN, MODEL_SIZE, DROPOUT = 512, 96, "tiny", 0.1

_LONGEST_PATCH = 64
_LEAST_PATCHES = 8  # where the context allows

_warned_of_heads = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """The settings of a model; None where the config says nothing.

    Parameters
    ----------
    context_len, horizon_len : int, optional
        Steps that the network reads, and that it forecasts.
    model_size : {"tiny", "small", "base"}, optional
        Preset of the sizes.
    d_model, n_layers : int, optional
        Width of a token, and mixer layers at each level, in place of the preset's.
    n_heads : int, optional
        No effect, and a warning: a mixer has no attention heads.
    dropout : float, optional
        Share of features that are zero in training.

    Raises
    ------
    TypeError, ValueError
        If a setting cannot be used. The error names it.
    """

    context_len: int | None = None
    horizon_len: int | None = None
    model_size: str | None = None
    d_model: int | None = None
    n_layers: int | None = None
    n_heads: int | None = None
    dropout: float | None = None

    def __post_init__(self) -> None:
        """Check the settings that are given."""
        least = {"context_len": 2, "horizon_len": 1, "d_model": 1, "n_layers": 1, "n_heads": 1}
        for name, smallest in least.items():
            if getattr(self, name) is not None:
                number = check_integer(name, getattr(self, name), smallest)
                object.__setattr__(self, name, number)
        if self.model_size is not None:
            check_choice("model_size", self.model_size, tuple(PRESETS))
        if self.dropout is not None:
            object.__setattr__(self, "dropout", check_number("dropout", self.dropout, 0, 1))

    @classmethod
    def of(cls, config: Mapping[str, Any] | None) -> ModelSettings:
        """Read a config.

        Raises
        ------
        TypeError, ValueError
            If it is no mapping, if a key is unknown, or if a setting cannot be used.

        Examples
        --------
        >>> ModelSettings.of({"model_size": "small", "d_model": 128}).d_model
        128
        """
        config = {} if config is None else config
        if not isinstance(config, Mapping):
            raise TypeError(f"config is of type {type(config).__name__}; use a dict")
        names = [field.name for field in dataclasses.fields(cls)]
        unknown = [key for key in config if key not in names]
        if unknown:
            raise ValueError(f"config: {unknown[0]!r} is unknown; use {', '.join(names)}")
        settings = cls(**config)
        if settings.n_heads is not None:
            _warn_of_heads()
        return settings

    @property
    def architecture(self) -> TTMArchitecture:
        """The sizes of a new network."""
        size = self.model_size or MODEL_SIZE
        context = self.context_len or CONTEXT_LEN
        patch = max(1, min(_LONGEST_PATCH, context // _LEAST_PATCHES))
        dropout = DROPOUT if self.dropout is None else self.dropout
        changes: dict[str, Any] = {
            "context_length": -(-context // patch) * patch,
            "prediction_length": max(2, self.horizon_len or HORIZON_LEN),  # the head's least
            "patch_length": patch,
            "dropout": dropout,
            "head_dropout": dropout,
        }
        if self.d_model is not None:
            changes["d_model"] = self.d_model
            changes["decoder_d_model"] = min(PRESETS[size]["decoder_d_model"], self.d_model)
        if self.n_layers is not None:
            changes["num_layers"] = self.n_layers
        return preset(size, **changes)


def _warn_of_heads() -> None:
    """Warn once in a process."""
    global _warned_of_heads
    if not _warned_of_heads:
        _warned_of_heads = True
        warnings.warn(
            "config: n_heads has no effect: a TinyTimeMixer mixes tokens by layers, and has no "
            "attention heads",
            UserWarning,
            stacklevel=stacklevel_of_caller(),
        )
