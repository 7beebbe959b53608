"""Typed settings from plain values, with errors that name the place."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any


def as_mapping(value: Any, where: str) -> dict[str, Any]:
    """Return keys and values; anything else is refused, with the path to it."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} is {value!r}; expected keys and values")
    return {str(key): part for key, part in value.items()}


def build(cls: type[Any], values: Any, where: str) -> Any:
    """Make a dataclass of plain values, such as those of YAML.

    Parameters
    ----------
    cls : type
        A dataclass. Its fields may be dataclasses, tuples and dictionaries.
    values : mapping
        A value for each field; a field with a default may be left out.
    where : str
        The path to the values, for errors; empty for a whole file.

    Raises
    ------
    TypeError, ValueError
        If a key is unknown or missing, or a value cannot be used. The error names it.
    """
    if isinstance(values, cls):
        return values
    values = as_mapping(values, where)
    kinds = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    inside = f" in {where}" if where else ""
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise ValueError(f"unknown keys {unknown}{inside}; known are {sorted(fields)}")
    missing = dataclasses.MISSING
    needed = [f.name for f in fields.values() if f.default is f.default_factory is missing]
    absent = [name for name in needed if name not in values]
    if absent:
        raise ValueError(f"keys {absent} are missing{inside}")
    prefix = f"{where}." if where else ""
    converted = {k: _convert(kinds[k], value, prefix + k) for k, value in values.items()}
    try:
        return cls(**converted)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where}: {error}" if where else str(error)) from error


def _convert(kind: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _convert(_choose(arguments, value), value, where)
    if dataclasses.is_dataclass(kind):
        return build(typing.cast("type[Any]", kind), value, where)
    if origin is tuple:
        values = value if isinstance(value, list | tuple) else [value]
        return tuple(_convert(arguments[0], v, f"{where}[{i}]") for i, v in enumerate(values))
    if origin is dict:
        parts = as_mapping(value, where).items()
        return {k: _convert(arguments[1], v, f"{where}.{k}") for k, v in parts}
    return _scalar(kind, value, where)


def _choose(kinds: tuple[Any, ...], value: Any) -> Any:
    """Return the type of a union for keys and values, or for other values."""
    kinds = tuple(kind for kind in kinds if kind is not types.NoneType)
    nested = [k for k in kinds if dataclasses.is_dataclass(k) or typing.get_origin(k) is dict]
    plain = [kind for kind in kinds if kind not in nested]
    return (nested or plain)[0] if isinstance(value, Mapping) else (plain or nested)[0]


def _scalar(kind: type, value: Any, where: str) -> Any:
    if kind is float and isinstance(value, int | str) and not isinstance(value, bool):
        try:
            value = float(value)  # YAML reads 2e-3 as a text
        except ValueError:
            pass
    if type(value) is not kind:
        raise ValueError(f"{where} is {value!r}; expected {kind.__name__}")
    return value
