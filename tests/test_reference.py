"""Every name of the reference is documented: its parameters, its result, and an example.

Functions, classes and the methods that a class defines itself count; protocols are annotations. A
method that a framework defines too has the documentation of the framework. The reference does not
show inherited methods, and none with ``:meta private:`` in the docstring, which other rooms call
and users do not.
"""

import contextlib
import importlib
import inspect
import re
from collections.abc import Iterator

import pytest
from reference import documented

PACKAGE = "timer_forecaster"
MODULES = sorted({module for module, _ in documented()})


def is_ours(value):
    return value.__module__.partition(".")[0] == PACKAGE


def own_methods(kind):
    """Yield the public methods that a class defines, and no framework before it."""
    foreign = [base for base in kind.__mro__ if not is_ours(base)]
    for name, value in vars(kind).items():
        function = getattr(value, "__func__", value)  # of a class method
        if name.startswith("_") or not inspect.isfunction(function):
            continue
        if any(name in vars(base) for base in foreign):
            continue
        if ":meta private:" not in (function.__doc__ or ""):
            yield function


def has(doc, *sections):
    return any(re.search(rf"^ *{name}\n *-{{{len(name)}}}$", doc, re.M) for name in sections)


def takes_arguments(value):
    try:
        names = set(inspect.signature(value).parameters)
    except ValueError:  # a warning that adds nothing to its base
        return False
    return bool(names - {"self", "cls"})


def lacks(value):
    """Return what the docstring of a function or class lacks."""
    doc = value.__doc__ or ""
    lacking = []
    kinds = ["Parameters", "Attributes"] if inspect.isclass(value) else ["Parameters"]
    if takes_arguments(value) and not has(doc, *kinds):
        lacking.append("Parameters")
    result = getattr(value, "__annotations__", {}).get("return")
    if inspect.isfunction(value) and result not in (None, "None", "NoReturn"):
        if not has(doc, "Returns", "Yields"):
            lacking.append("Returns")
    if not has(doc, "Examples") or ">>> " not in doc:
        lacking.append("Examples")
    examples = doc.rpartition("Examples\n")[2].partition("\n")[2].lstrip()
    if "+SKIP" in examples and examples.startswith(">>>"):
        lacking.append("why the example is not run")
    return lacking


def faults(value):
    """Yield the names of a value and its methods with what they lack."""
    for one in (value, *(own_methods(value) if inspect.isclass(value) else ())):
        if lacking := lacks(one):
            yield one.__qualname__, lacking


@pytest.mark.parametrize("module", MODULES)
def test_every_name_is_documented_with_an_example(module):
    try:
        holder = importlib.import_module(f"{PACKAGE}.{module}".rstrip("."))
        values = [getattr(holder, name) for own, name in documented() if own == module]
    except ImportError as error:
        pytest.skip(str(error))  # of a framework that is not installed
    found = [
        fault
        for value in values
        if (inspect.isclass(value) or inspect.isfunction(value))
        and is_ours(value)
        and not getattr(value, "_is_protocol", False)
        for fault in faults(value)
    ]
    assert found == []


class Bare:
    """Do something."""

    def method(self, steps: int) -> int:
        """Return it."""

    @contextlib.contextmanager
    def context(self) -> Iterator[None]:
        """Yield nothing.

        Yields
        ------
        None

        Examples
        --------
        >>> with Bare().context():  # doctest: +SKIP
        ...     pass
        """

    def for_rooms(self, steps: int) -> int:
        """Return it.

        :meta private:
        """


class OfFramework(dict):
    """Hold something.

    Examples
    --------
    >>> OfFramework()
    {}
    """

    __module__ = PACKAGE

    def update(self, other: dict) -> None:
        """Update it."""

    def added(self, other: dict) -> None:
        """Add it."""


def test_what_a_docstring_lacks_is_found(monkeypatch):
    monkeypatch.setattr(Bare, "__module__", PACKAGE)
    assert dict(faults(Bare)) == {
        "Bare": ["Examples"],
        "Bare.method": ["Parameters", "Returns", "Examples"],
        "Bare.context": ["why the example is not run"],
    }
    assert dict(faults(OfFramework)) == {"OfFramework.added": ["Parameters", "Examples"]}
