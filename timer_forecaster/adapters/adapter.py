"""Adapters: the few weights that tuning changes, kept apart from the checkpoint they belong to."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from timer_forecaster.adapters.base import Base
from timer_forecaster.adapters.folder import write_adapter_files
from timer_forecaster.checkpoints.cache import at_release
from timer_forecaster.checkpoints.files import file_version
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.registry import find_files, locate_files
from timer_forecaster.checks import check_choice
from timer_forecaster.models.timer_s1.adaptation import parameter_shapes
from timer_forecaster.models.timer_s1.targets import TARGETS

if TYPE_CHECKING:
    from timer_forecaster.adapters.report import TuningReport
    from timer_forecaster.inference.pipeline import ForecastPipeline

MAX_READ = 32
"""Adapters that are kept once they were read; the least recently used goes first."""

WEIGHTS_FILE, RECORD_FILE = "adapter.safetensors", "adapter.json"
FILES = (WEIGHTS_FILE, RECORD_FILE)
FORMAT = 1


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
        By the name of the network's parameter that is replaced, or by that of a layer and
        ``.lora_A.weight`` and ``.lora_B.weight``, matrices whose product is added to it. None
        makes the identity, which leaves the checkpoint as it is. They are copied to the CPU, in
        float32 or wider; the tensors must not be changed.
    record : mapping
        What is kept beside them, of types that JSON has: settings, data, scores, curves.

    Raises
    ------
    ValueError, TypeError
        Naming what cannot be used.

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
        """Check what is given, and keep it from being changed."""
        check_choice("target", self.target, TARGETS)
        own = {name: _own_copy(name, value) for name, value in self.weights.items()}
        try:
            record = json.loads(json.dumps(dict(self.record)))
        except (TypeError, ValueError) as error:
            raise TypeError(f"record cannot be written as JSON: {error}") from None
        object.__setattr__(self, "weights", MappingProxyType(own))
        object.__setattr__(self, "record", MappingProxyType(record))
        object.__setattr__(self, "_fingerprint", _fingerprint(self.base, own))

    @property
    def is_identity(self) -> bool:
        """Whether it leaves the checkpoint as it is."""
        return not self.weights

    @property
    def n_parameters(self) -> int:
        """Numbers that it holds."""
        return sum(value.numel() for value in self.weights.values())

    @property
    def nbytes(self) -> int:
        """Bytes of its weights."""
        return sum(value.nbytes for value in self.weights.values())

    @property
    def fingerprint(self) -> str:
        """Digest of the base and the weights."""
        return self._fingerprint  # type: ignore[attr-defined]

    @property
    def report(self) -> TuningReport | None:
        """How the tuning went; None if this package did not do it."""
        from timer_forecaster.adapters.report import TuningReport

        report = self.record.get("report")
        return None if report is None else TuningReport(**report)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the adapter to a folder, which is made if need be.

        Files that are there are replaced by whole ones, so that it may be read meanwhile.

        Parameters
        ----------
        folder : str or path
            Receives ``adapter.safetensors`` and ``adapter.json``.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        ValueError
            If its tensors have been changed.
        """
        if _fingerprint(self.base, self.weights) != self.fingerprint:
            raise ValueError(
                "the tensors of the adapter's weights have been changed, which nothing else takes "
                "note of: make an Adapter of changed copies"
            )
        folder = Path(folder).expanduser()
        description = {
            "format": FORMAT,
            "base": self.base._asdict(),
            "target": self.target,
            "n_parameters": self.n_parameters,
            "fingerprint": self.fingerprint,
            "record": dict(self.record),
        }
        write_adapter_files(
            folder,
            self.weights,
            description,
            weights_file=WEIGHTS_FILE,
            description_file=RECORD_FILE,
            metadata={"format": "pt"},
        )
        return folder

    @classmethod
    def load(cls, name: str | os.PathLike[str], *, revision: str | None = None) -> Adapter:
        """Read an adapter.

        Parameters
        ----------
        name : str or path
            Folder that `save` wrote, or hub id ``owner/name`` of one that `push_to_hub` wrote.
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
        folder = find_files(name, revision, FILES)
        try:
            adapter, described = cls._read(folder)
            if adapter.fingerprint != described:  # one of two files may just have been replaced
                adapter, described = cls._read(folder)
            if adapter.fingerprint != described:
                raise ValueError(f"{WEIGHTS_FILE} is not the file that {RECORD_FILE} describes")
        except KeyError as error:
            raise ValueError(
                f"the adapter in {str(folder)!r} cannot be read: {RECORD_FILE} lacks {error}"
            ) from None
        except (OSError, TypeError, ValueError, SafetensorError) as error:
            raise ValueError(f"the adapter in {str(folder)!r} cannot be read: {error}") from error
        return adapter

    @classmethod
    def _read(cls, folder: Path) -> tuple[Adapter, str]:
        """Read both files, and the fingerprint that one tells of the other."""
        stored = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
        if stored["format"] != FORMAT:
            raise ValueError("it was written by a newer version of timer-forecaster")
        weights = load_file(folder / WEIGHTS_FILE)
        adapter = cls(Base(**stored["base"]), stored["target"], weights, stored["record"])
        return adapter, stored["fingerprint"]

    def push_to_hub(
        self,
        repo_id: str,
        *,
        private: bool | None = None,
        revision: str | None = None,
        commit_message: str | None = None,
    ) -> str:
        """Upload the adapter, with a model card, to a repository of the Hugging Face hub.

        Parameters
        ----------
        repo_id : str
            ``owner/name``; the repository is made if need be.
        private : bool, optional
            Whether a new repository is private. Default: as the owner has set.
        revision : str, optional
            Branch to upload to, which is made if need be. Default: ``"main"``.
        commit_message : str, optional
            Default: one that names the target and the base.

        Returns
        -------
        str
            Commit, for ``Adapter.load(repo_id, revision=commit)`` to give this adapter whatever
            is uploaded later.

        Examples
        --------
        >>> adapter.push_to_hub("owner/name", private=True)  # doctest: +SKIP
        """
        from timer_forecaster.adapters import hub

        name = hub.public_name(self.base)
        message = commit_message or f"Adapter of {name}: {self.target}"
        card = hub.model_card(self.base, self.target, self.n_parameters, self.report, repo_id)
        with TemporaryDirectory() as folder:
            dataclasses.replace(self, base=self.base._replace(name=name)).save(folder)
            Path(folder, "README.md").write_text(card, encoding="utf-8")
            return hub.upload(folder, repo_id, private, revision, message)

    def to_peft(self, folder: str | os.PathLike[str]) -> Path:
        """Write low-rank matrices in the format of the peft library, which need not be installed.

        `peft.PeftModel.from_pretrained` puts them into a
        `timer_forecaster.models.timer_s1.TimerS1ForPrediction` of the base. Weights that are
        replaced come along as ``modules_to_save`` where whole modules are.

        Parameters
        ----------
        folder : str or path
            Receives ``adapter_config.json`` and ``adapter_model.safetensors``.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        ValueError
            If there are no low-rank matrices, or weights that peft would not read.

        Examples
        --------
        >>> from tempfile import mkdtemp
        >>> import torch
        >>> from timer_forecaster import ForecastPipeline
        >>> from timer_forecaster.adapters.adapter import Adapter, Base
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-test")
        >>> layer, size = "model.layers.0.self_attn.q_proj", pipe.network.config.hidden_size
        >>> weights = {f"{layer}.lora_A.weight": torch.ones(1, size),
        ...            f"{layer}.lora_B.weight": torch.ones(size, 1)}
        >>> adapter = Adapter(Base.of(pipe.key), "lora", weights)
        >>> Adapter.from_peft(adapter.to_peft(mkdtemp()), pipe) == adapter
        True
        """
        from timer_forecaster.adapters.peft import write

        return write(self.weights, self.base, Path(folder).expanduser())

    @classmethod
    def from_peft(
        cls, name: str | os.PathLike[str], pipe: ForecastPipeline, *, revision: str | None = None
    ) -> Adapter:
        """Read what the peft library trained on a `TimerS1ForPrediction`, or `to_peft` wrote.

        Low-rank matrices (LoRA) of any linear layers are taken, the factor before them as part of
        the second, and ``modules_to_save`` with routers, heads or norms. peft need not be
        installed.

        Parameters
        ----------
        name : str or path
            Folder with ``adapter_config.json`` and ``adapter_model.safetensors``, or hub id.
        pipe : ForecastPipeline
            Of the checkpoint that was trained. peft keeps no more of it than its name, so that a
            checkpoint of the same sizes is taken for it, unless `to_peft` wrote the folder.
        revision : str, optional
            Branch, tag or commit of a hub id.

        Returns
        -------
        Adapter

        Raises
        ------
        ValueError, TypeError
            If there is nothing of that name, it cannot be read, it is of another network, or of a
            kind of adapter that this package does not have.
        """
        from timer_forecaster.adapters.peft import read

        found = read(name, parameter_shapes(pipe.network.config), revision)
        if found.base is not None:
            cls(found.base, "lora", {}).check_base(pipe.key)
        return cls(Base.of(pipe.key), "lora", found.weights, {"peft": found.settings})

    def check_base(self, key: NetworkKey) -> None:
        """Refuse another checkpoint than the one that was tuned.

        Copies of it in float32 or bfloat16 are the same, wherever they lie. What is compared are
        the architecture and some of the weights, read without loading a network; those of a hub id
        are downloaded if need be.

        Raises
        ------
        ValueError
        """
        found = Base.of(key)
        if found.signature != self.base.signature:
            raise ValueError(
                f"the adapter was tuned on {str(self.base)!r}, and this is {str(found)!r}, whose "
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
        return f"<Adapter {self.target!r} of {str(self.base)!r}: {what}>"


def as_adapter(adapter: Any) -> Adapter | None:
    """Take an adapter, or the name of one, which is read once and again when its files change.

    What lies on the hub is read once in a process.

    Raises
    ------
    TypeError, ValueError
        If it is neither, or cannot be read.
    """
    if adapter is None or isinstance(adapter, Adapter):
        return adapter
    place = locate_files(adapter, None, FILES)
    version: Hashable = place
    if isinstance(place, Path):
        version = place, *(file_version((place / file).stat()) for file in FILES)
    with _lock:
        found = _read.get(version)
    if found is None:
        found = Adapter.load(place)
        with _lock:
            _read[version] = found
            while len(_read) > MAX_READ:
                _read.popitem(last=False)
    return found


_read: OrderedDict[Hashable, Adapter] = OrderedDict()
_lock = threading.Lock()  # of the dictionary


@at_release
def _forget() -> None:
    with _lock:
        _read.clear()


@torch.inference_mode(False)
def _own_copy(name: str, value: Any) -> Tensor:
    """Copy a weight, off the map of a file that may change and out of anyone's reach."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        raise TypeError(f"weights[{name!r}] must be a tensor of floating-point numbers")
    wide = torch.promote_types(torch.float32, value.dtype)
    own = value.detach().to("cpu", wide, copy=True, memory_format=torch.contiguous_format)
    if not own.isfinite().all():
        raise ValueError(f"weights[{name!r}] holds NaN or infinite values")
    return own


def _fingerprint(base: Base, weights: Mapping[str, Tensor]) -> str:
    digest = hashlib.blake2b(base.signature.encode(), digest_size=16)
    for name in sorted(weights):
        digest.update(f"{name}{tuple(weights[name].shape)}".encode())
        digest.update(weights[name].numpy().data)
    return digest.hexdigest()
