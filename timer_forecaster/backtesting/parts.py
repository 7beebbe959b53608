"""Finished parts of a backtest on disk, so that a stopped one can go on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from timer_forecaster.backtesting.models import Answer
from timer_forecaster.broken import remedy
from timer_forecaster.files import make_folder, whole_file

_SETTINGS = "backtest.json"


class Parts:
    """Forecasts of finished windows, each part a whole file of a folder.

    Parameters
    ----------
    folder : str or Path, or None
        It is made if it is absent. None keeps nothing.
    shared : mapping of str to str
        Settings of all models, with the fingerprint of the data.
    models : mapping of str to str
        Settings of each model.

    Raises
    ------
    ValueError
        If the folder holds parts of other settings, or cannot be used. The error names it.
    """

    def __init__(
        self, folder: str | Path | None, shared: Mapping[str, str], models: Mapping[str, str]
    ) -> None:
        self._folder = None if folder is None else make_folder(folder)
        # A part is found by all of its settings: the file with them may be removed first.
        self._marks = {name: json.dumps([name, own, dict(shared)]) for name, own in models.items()}
        if self._folder is None:
            return
        file = self._folder / _SETTINGS
        known: dict[str, dict[str, str]] = {"shared": dict(shared), "models": {}}
        if file.exists():
            known = _read(file)
            _refuse_others(known, shared, models, self._folder)
        known["models"] |= models
        with whole_file(file) as unfinished:
            unfinished.write_text(json.dumps(known, indent=1, sort_keys=True), encoding="utf-8")

    @property
    def keeps(self) -> bool:
        """Whether there is a folder."""
        return self._folder is not None

    def load(self, model: str, start: int, stop: int) -> Answer | None:
        """Return a finished part, or None."""
        file = self._file(model, start, stop)
        if file is None or not file.exists():
            return None
        try:
            with np.load(file, allow_pickle=False) as stored:
                reasons = json.loads(str(stored["reasons"]))
                return Answer(stored["quantiles"], {int(key): why for key, why in reasons.items()})
        except (ValueError, KeyError, OSError, EOFError) as error:
            raise ValueError(f"{file} cannot be read: {error}; {remedy(file)}") from error

    def save(self, model: str, start: int, stop: int, answer: Answer) -> None:
        """Keep a finished part."""
        file = self._file(model, start, stop)
        if file is not None:
            with whole_file(file) as unfinished:
                reasons = np.array(json.dumps(dict(answer.reasons)))
                np.savez(unfinished, quantiles=answer.quantiles, reasons=reasons)

    def _file(self, model: str, start: int, stop: int) -> Path | None:
        if self._folder is None:
            return None
        digest = hashlib.blake2b(self._marks[model].encode(), digest_size=16).hexdigest()
        return self._folder / f"{digest}-{start}-{stop}.npz"


def _read(file: Path) -> dict[str, dict[str, str]]:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        return {name: dict(known[name]) for name in ("shared", "models")}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file} cannot be read: {error}; {remedy(file)}") from error


def _refuse_others(
    known: Mapping[str, Mapping[str, str]],
    shared: Mapping[str, str],
    models: Mapping[str, str],
    folder: Path,
) -> None:
    """Refuse a folder that holds parts of another backtest."""
    differing = [f"other {name}" for name in shared if known["shared"].get(name) != shared[name]]
    differing += [
        f"another {name}" for name, own in models.items() if known["models"].get(name, own) != own
    ]
    if differing:
        raise ValueError(
            f"{folder} holds parts of another backtest, with {', '.join(differing)}; remove the "
            "folder, or use another output"
        )
