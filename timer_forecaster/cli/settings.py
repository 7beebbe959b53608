"""Options that are made from the fields of a dataclass of settings."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, get_args, get_type_hints

_SAME_NAMES: Mapping[str, str] = MappingProxyType({})


def add_settings(
    parser: argparse.ArgumentParser | argparse._ArgumentGroup,
    settings: type,
    *,
    names: Mapping[str, str] = _SAME_NAMES,
    condition: str = "",
) -> None:
    """Add an option for each field of a dataclass.

    An option that is left out is None, also if its field has another default.

    Parameters
    ----------
    parser : ArgumentParser or a group of its arguments
    settings : type
        A dataclass whose fields are made by `timer_forecaster.settings.setting`.
    names : mapping of str to str
        Names of options by field, where they differ.
    condition : str
        Text before each help text.
    """
    types = get_type_hints(settings)
    for field in dataclasses.fields(settings):
        flag = f"--{names.get(field.name, field.name).replace('_', '-')}"
        text = f"{condition}{field.metadata['help']}"
        if _without_none(types[field.name]) is bool:
            parser.add_argument(flag, action="store_true", default=None, help=text)
            continue
        if field.default is not None:
            text += f"; default: {field.default}"
        parser.add_argument(
            flag,
            type=_without_none(types[field.name]),
            choices=field.metadata["choices"],
            metavar=field.metadata["metavar"],
            help=text,
        )


def given_settings(
    arguments: argparse.Namespace, settings: type, *, names: Mapping[str, str] = _SAME_NAMES
) -> dict[str, Any]:
    """Return the values of the options that were given, by the names of their fields."""
    fields = [field.name for field in dataclasses.fields(settings)]
    values = {field: getattr(arguments, names.get(field, field)) for field in fields}
    return {field: value for field, value in values.items() if value is not None}


def _without_none(hint: Any) -> Any:
    """Return ``float`` for ``float | None``."""
    return next((part for part in get_args(hint) if part is not type(None)), hint)
