"""Adapters: the few weights that tuning changes, kept apart from the checkpoint they belong to."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from timer_forecaster.models.checkpoints import find_checkpoint
from timer_forecaster.models.timer_s1 import TimerS1Network
from timer_forecaster.models.timer_s1.adaptation import adapted, replaced_by

from .cache import NetworkKey, full_network, get_network
from .weights import read_tensors, tensor_files

if TYPE_CHECKING:
    from timer_forecaster.finetuning.report import TuningReport

MAX_ADAPTED = 32
"""Adapted networks that are kept of each base; the least recently used goes first."""

WEIGHTS_FILE, RECORD_FILE = "adapter.safetensors", "adapter.json"
FORMAT = 1


class Base(NamedTuple):
    """The checkpoint that an adapter belongs to."""

    name: str
    revision: str | None
    signature: str  # of its weights, whatever they are called and wherever they lie

    @classmethod
    def of(cls, key: NetworkKey) -> Base:
        """Describe what a key loads."""
        return cls(key.name, key.revision, _signature(key))


@dataclasses.dataclass(frozen=True, eq=False)
class Adapter:
    """What tuning has changed in a checkpoint: its weights, and how they came about.

    Two adapters are equal if they belong to the same checkpoint and hold the same weights. Copies
    are the adapter itself, as it never changes.

    Parameters
    ----------
    base : Base
        What it belongs to.
    target : str
        What was tuned; see `timer_forecaster.finetuning.FinetuneConfig`.
    weights : mapping of str to Tensor
        In float32, by the name of the network's parameter, or those of low-rank matrices. None
        makes the identity, which leaves the checkpoint as it is.
    record : mapping
        What is kept beside them, of types that JSON has: settings, data, scores, curves.

    Examples
    --------
    >>> import numpy as np
    >>> from tempfile import mkdtemp
    >>> from timer_forecaster import ForecastPipeline
    >>> from timer_forecaster.finetuning import Adapter, FinetuneConfig, finetune
    >>> pipe = ForecastPipeline.from_pretrained("timer-s1-test")
    >>> adapter = finetune(pipe, np.sin(np.arange(300) / 5), FinetuneConfig(steps=3))
    >>> folder = adapter.save(mkdtemp())
    >>> Adapter.load(folder) == adapter
    True
    """

    base: Base
    target: str
    weights: Mapping[str, Tensor]
    record: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Keep the weights from being replaced."""
        object.__setattr__(self, "weights", MappingProxyType(dict(self.weights)))
        object.__setattr__(self, "_fingerprint", _fingerprint(self.base, self.weights))

    @property
    def is_identity(self) -> bool:
        """Whether it leaves the checkpoint as it is."""
        return not self.weights

    @property
    def n_parameters(self) -> int:
        """Numbers that it holds."""
        return sum(value.numel() for value in self.weights.values())

    @property
    def fingerprint(self) -> str:
        """Digest of the base and the weights."""
        return self._fingerprint  # type: ignore[attr-defined, no-any-return]

    @property
    def report(self) -> TuningReport | None:
        """How the tuning went; None if this package did not do it."""
        from timer_forecaster.finetuning.report import TuningReport

        report = self.record.get("report")
        return None if report is None else TuningReport(**report)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the adapter to a folder, which is made if need be.

        Parameters
        ----------
        folder : str or path
            Receives ``adapter.safetensors`` and ``adapter.json``.

        Returns
        -------
        Path
            The folder.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        record = {
            "format": FORMAT,
            "base": self.base._asdict(),
            "target": self.target,
            "n_parameters": self.n_parameters,
            **self.record,
        }
        text = json.dumps(record, indent=2, allow_nan=False) + "\n"
        save_file(dict(self.weights), folder / WEIGHTS_FILE, metadata={"format": "pt"})
        (folder / RECORD_FILE).write_text(text, encoding="utf-8")
        return folder

    @classmethod
    def load(cls, name: str | os.PathLike[str], *, revision: str | None = None) -> Adapter:
        """Read an adapter.

        Parameters
        ----------
        name : str or path
            Folder that `save` wrote, or hub id of one.
        revision : str, optional
            Branch, tag or commit of a hub id.

        Returns
        -------
        Adapter

        Raises
        ------
        ValueError, TypeError
            If there is no adapter of that name, or it cannot be read.
        """
        folder = _find(name, revision)
        try:
            record = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
            if record.pop("format") != FORMAT:
                raise ValueError("it is of a newer version of timer-forecaster")
            del record["n_parameters"]
            base, target = Base(**record.pop("base")), record.pop("target")
            weights = load_file(folder / WEIGHTS_FILE)
        except (OSError, KeyError, TypeError, ValueError, SafetensorError) as error:
            raise ValueError(f"the adapter in {str(folder)!r} cannot be read: {error}") from error
        return cls(base, target, weights, record)

    def check_base(self, key: NetworkKey) -> None:
        """Refuse another checkpoint than the one that was tuned.

        Raises
        ------
        ValueError
        """
        found = Base.of(key)
        if found.signature != self.base.signature:
            raise ValueError(
                f"the adapter was tuned on {_label(self.base)}, and this is {_label(found)}, whose "
                "weights are others: load the checkpoint that was tuned, or tune this one"
            )

    def __eq__(self, other: object) -> bool:
        """Compare base and weights."""
        if not isinstance(other, Adapter):
            return NotImplemented
        return self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        """Hash base and weights."""
        return hash(self.fingerprint)

    def __copy__(self) -> Adapter:
        """Return the adapter, which never changes."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Adapter:
        """Return the adapter, which never changes."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what it is made of."""
        return Adapter, (self.base, self.target, dict(self.weights), dict(self.record))

    def __repr__(self) -> str:
        """Say in one line what it is."""
        what = "identity" if self.is_identity else f"{self.n_parameters:,} parameters"
        return f"<Adapter {self.target!r} of {_label(self.base)}: {what}>"


def as_adapter(adapter: Any) -> Adapter | None:
    """Take an adapter, or the name of one, which is read once and again when its files change.

    Raises
    ------
    TypeError, ValueError
        If it is neither, or cannot be read.
    """
    if adapter is None or isinstance(adapter, Adapter):
        return adapter
    folder = _find(adapter, None)
    files = [folder / file for file in (WEIGHTS_FILE, RECORD_FILE)]
    version = tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files)
    with _lock:
        found = _read.get(version)
    if found is None:
        found = Adapter.load(folder)
        with _lock:
            _read[version] = found
            while len(_read) > MAX_ADAPTED:
                _read.popitem(last=False)
    return found


def adapted_network(key: NetworkKey, adapter: Adapter | None) -> TimerS1Network:
    """Return the network of a key with the weights of an adapter.

    It shares all other weights with the network of the key, which does not change, and like that
    must not be changed.

    Raises
    ------
    ValueError
        If the adapter belongs to another checkpoint.
    """
    base = get_network(key)
    if adapter is None:
        return base
    with _lock:
        known = _adapted.setdefault(base, OrderedDict())
        if adapter.fingerprint in known:
            known.move_to_end(adapter.fingerprint)
            return known[adapter.fingerprint] or base
    adapter.check_base(key)
    network = None if adapter.is_identity else _apply(adapter, key, base)
    with _lock:
        # Another thread may have made it meanwhile: one network, one memory of forecasts.
        network = known.setdefault(adapter.fingerprint, network)
        while len(known) > MAX_ADAPTED:
            known.popitem(last=False)
    return network or base


# None stands for the base itself, which would otherwise keep itself alive.
_adapted: WeakKeyDictionary[TimerS1Network, OrderedDict[str, TimerS1Network | None]]
_adapted = WeakKeyDictionary()
_read: OrderedDict[tuple[tuple[str, int, int], ...], Adapter] = OrderedDict()
_lock = threading.Lock()  # of the two dictionaries


@torch.inference_mode(False)
def _apply(adapter: Adapter, key: NetworkKey, base: TimerS1Network) -> TimerS1Network:
    if adapter.target == "full":
        return full_network(key, base.config, adapter.weights)
    wide = torch.promote_types(torch.float32, base.dtype)
    weights = {name: value.to(base.device, wide) for name, value in adapter.weights.items()}
    return adapted(base, weights)


def _find(name: Any, revision: str | None) -> Path:
    """Find the folder of an adapter."""
    if not isinstance(name, (str, os.PathLike)):
        raise TypeError(f"adapter={name!r} must be an Adapter, or the name of a folder with one")
    folder = Path(name).expanduser()
    if folder.is_dir():
        if revision is not None:
            raise ValueError(f"revision={revision!r} applies to hub ids; {str(name)!r} is local")
        missing = [file for file in (RECORD_FILE, WEIGHTS_FILE) if not (folder / file).is_file()]
        if missing:
            raise ValueError(f"the folder {str(name)!r} holds no adapter: {missing[0]} is missing")
        return folder.resolve()
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", str(name)):
        raise ValueError(f"adapter={str(name)!r} is neither a folder nor a hub id 'owner/name'")
    return find_checkpoint(str(name), revision)


def _label(base: Base) -> str:
    return repr(base.name if base.revision is None else f"{base.name}@{base.revision}")


def _fingerprint(base: Base, weights: Mapping[str, Tensor]) -> str:
    digest = hashlib.blake2b(base.signature.encode(), digest_size=16)
    for name in sorted(weights):
        digest.update(f"{name}{tuple(weights[name].shape)}".encode())
        _add(digest, weights[name])
    return digest.hexdigest()


def _signature(key: NetworkKey) -> str:
    """Digest of the weights that are read in a moment: router, head and norms.

    They are rounded to bfloat16, so that copies of a checkpoint in several types are one.
    """
    digest = hashlib.blake2b(digest_size=16)
    if key.config is not None:
        digest.update(json.dumps(key.config).encode())
        return digest.hexdigest()
    folder = find_checkpoint(key.name, key.revision)
    files = tensor_files(folder)
    names = sorted({*replaced_by("router+head", files), *replaced_by("norms", files)})
    tensors = read_tensors(folder, files, names)
    for name in names:
        digest.update(name.encode())
        _add(digest, tensors[name].to(torch.bfloat16).view(torch.int16))
    return digest.hexdigest()


def _add(digest: Any, value: Tensor) -> None:
    digest.update(value.detach().cpu().contiguous().numpy().data)
