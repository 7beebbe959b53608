"""The architecture as a configuration of transformers."""

from __future__ import annotations

import dataclasses
from typing import Any

from transformers import PreTrainedConfig

from timer_forecaster.models.ttm.architecture import (
    COMPUTED_ENTRIES,
    MODEL_TYPE,
    RARE_FIELDS,
    TTMArchitecture,
)
from timer_forecaster.models.ttm.validation import ONLY_VALUES

_FIELDS = {field.name: field for field in dataclasses.fields(TTMArchitecture)}
del _FIELDS["extras"]


class TinyTimeMixerConfig(PreTrainedConfig):
    """`TTMArchitecture` as a transformers configuration; reads the released ``config.json``.

    Parameters
    ----------
    **values
        Fields of `TTMArchitecture` and parameters of ``PreTrainedConfig``.

    Raises
    ------
    TypeError, ValueError
        If a field cannot be used; the error names it.

    Examples
    --------
    >>> from timer_forecaster.models.ttm import TinyTimeMixerConfig
    >>> TinyTimeMixerConfig(context_length=512, patch_length=64, patch_stride=64).num_patches
    8
    """

    model_type = MODEL_TYPE

    def __init__(self, **values: Any) -> None:
        values.pop("auto_map", None)  # the name of remote code, which is never run
        architecture = TTMArchitecture.from_dict(values)
        own = {*_FIELDS, *COMPUTED_ENTRIES}
        super().__init__(**{name: value for name, value in values.items() if name not in own})
        for name in _FIELDS:
            value = getattr(architecture, name)
            setattr(self, name, list(value) if isinstance(value, tuple) else value)

    @property
    def architecture(self) -> TTMArchitecture:
        """The architecture that the fields describe now; they are checked again."""
        extras = {name: getattr(self, name) for name in ONLY_VALUES if hasattr(self, name)}
        return TTMArchitecture(**{name: getattr(self, name) for name in _FIELDS}, extras=extras)

    @property
    def num_patches(self) -> int:
        """Number of tokens, from the fields as they are now."""
        return self.architecture.num_patches

    def to_dict(self) -> dict[str, Any]:
        """Return the entries of a ``config.json`` of the released layout."""
        values = super().to_dict()
        for name in RARE_FIELDS:
            if values.get(name) == _FIELDS[name].default:
                values.pop(name, None)
        values["init_processing"] = not self.decompose
        if not self.decompose:
            values["num_patches"] = self.num_patches
        return values
