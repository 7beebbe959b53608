"""The families of networks, by the ``model_type`` of a ``config.json``.

A checkpoint says which family it belongs to. The rooms above ask here for classes, so that one name
of a checkpoint switches families. Classes are imported at their first use.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from timer_forecaster.broken import read_object

if TYPE_CHECKING:
    from timer_forecaster.models.network import Architecture, Network

TIMER_S1 = "Timer-S1"
TTM = "tinytimemixer"


class Family(NamedTuple):
    """A family of networks.

    Parameters
    ----------
    model_type : str
        As in ``config.json``.
    title : str
        As people call it.
    package : str
        Package with the classes. A room above that treats families differently has a module of the
        same name, ``timer_s1`` or ``ttm``.
    """

    model_type: str
    title: str
    package: str

    def part(self, module: str) -> Any:
        """Return a module of the package of the family."""
        return import_module(f"{self.package}.{module}")

    def in_room(self, room: str) -> Any:
        """Return the module of the family in another package."""
        return import_module(f"{room}.{self.package.rpartition('.')[2]}")

    def as_architecture(self, config: Any) -> Architecture:
        """Return the architecture that a configuration in any form describes."""
        return cast("Architecture", import_module(self.package).as_architecture(config))

    def read_architecture(self, path: Path) -> Architecture:
        """Return the architecture of a ``config.json``."""
        return cast("Architecture", import_module(self.package).read_architecture(path))

    def network(self, architecture: Architecture) -> Network:
        """Return a network of an architecture, with weights as torch draws them."""
        return cast("Network", import_module(self.package).make_network(architecture))


FAMILIES = {
    family.model_type: family
    for family in (
        Family(TIMER_S1, "Timer-S1", "timer_forecaster.models.timer_s1"),
        Family(TTM, "TinyTimeMixer", "timer_forecaster.models.ttm"),
    )
}


_EXPECTED = " or ".join(f"{name!r} ({family.title})" for name, family in FAMILIES.items())


def family_of(architecture: Architecture) -> Family:
    """Return the family of an architecture."""
    return FAMILIES[architecture.model_type]


def read_architecture(path: Path) -> Architecture:
    """Return the architecture of a ``config.json`` of any family.

    Raises
    ------
    ValueError
        If the file cannot be read, or if its ``model_type`` is of no family. The error names both.
    """
    model_type = read_object(path).get("model_type")
    if model_type not in FAMILIES:
        raise ValueError(f"{path} has model_type {model_type!r}; expected {_EXPECTED}")
    return FAMILIES[model_type].read_architecture(path)


def as_architecture(config: Any) -> Architecture:
    """Return the architecture that a configuration of any family and form describes.

    Parameters
    ----------
    config : architecture, configuration of transformers or mapping
        A mapping without ``model_type`` is one of Timer-S1.

    Raises
    ------
    ValueError, TypeError
        If it is of no family, or cannot be used.
    """
    is_mapping = isinstance(config, Mapping)
    named = config.get("model_type") if is_mapping else getattr(config, "model_type", None)
    named = named or TIMER_S1
    if named not in tuple(FAMILIES):
        raise ValueError(f"config has model_type={named!r}; expected {_EXPECTED}")
    return FAMILIES[named].as_architecture(config)


def to_items(architecture: Architecture) -> tuple[tuple[str, Any], ...]:
    """Return the fields of an architecture as a key, from which `from_items` makes it again."""
    fields = dataclasses.fields(cast("Any", architecture))
    items = tuple((field.name, getattr(architecture, field.name)) for field in fields)
    items = tuple((name, value) for name, value in items if not isinstance(value, Mapping))
    return (("model_type", architecture.model_type), *items)


def from_items(items: Iterable[tuple[str, Any]]) -> Architecture:
    """Return the architecture of a key."""
    return as_architecture(dict(items))


def make_network(architecture: Architecture) -> Network:
    """Return a network of an architecture, with weights as torch draws them."""
    return family_of(architecture).network(architecture)
