"""Run a function as soon as a module is there, without importing it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def after_import(module: str, action: Callable[[], None]) -> None:
    """Run a function now if a module is imported, else once as soon as somebody has imported it.

    Parameters
    ----------
    module : str
        Full name of the module.
    action : callable
        It must not fail: its error would become an error of the import.

    Examples
    --------
    >>> import sys
    >>> from timer_forecaster.models.after_import import after_import
    >>> _ = sys.modules.pop("this", None)
    >>> after_import("this", lambda: print("it was imported"))
    >>> import this  # doctest: +ELLIPSIS
    The Zen of Python...
    it was imported
    """
    if module in sys.modules:
        importlib.import_module(module)  # waits while another thread imports it
        action()
    else:
        sys.meta_path.insert(0, _Watcher(module, action))


class _Watcher(MetaPathFinder):
    """Finds one module by the finders after it, and adds a function to its execution.

    Each watcher is asked in turn, so that several may watch the same module.
    """

    def __init__(self, module: str, action: Callable[[], None]) -> None:
        self._module, self._action = module, action

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of the module that is watched; None of any other module."""
        if fullname != self._module or self not in sys.meta_path:
            return None
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            find = getattr(finder, "find_spec", None)
            spec = None if find is None else find(fullname, path, target)
            if spec is not None:
                self._follow(spec.loader)
                return spec
        return None

    def _follow(self, loader: Any) -> None:
        """Let a loader run the function after the module; a failed import is tried again."""
        execute = getattr(loader, "exec_module", None)
        if execute is None:
            return

        def execute_and_act(module: ModuleType) -> None:
            execute(module)
            if module.__name__ == self._module and self in sys.meta_path:
                sys.meta_path.remove(self)
                self._action()

        loader.exec_module = execute_and_act
