"""`Adapter`: the few weights that finetuning changed, and the checkpoint that they belong to."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from timer_forecaster.adapters.base import Base
from timer_forecaster.adapters.folder import (
    descriptions,
    find_files,
    locate_files,
    write_pair,
)
from timer_forecaster.broken import read_object
from timer_forecaster.checkpoints.cache import at_release
from timer_forecaster.checkpoints.files import file_version
from timer_forecaster.checkpoints.key import NetworkKey
from timer_forecaster.checkpoints.tensors import opened
from timer_forecaster.checks import check_choice
from timer_forecaster.locks import RenewedLock
from timer_forecaster.models.tuning import TARGETS, parameter_shapes

if TYPE_CHECKING:
    from timer_forecaster.adapters.report import TuningReport
    from timer_forecaster.inference.pipeline import ForecastPipeline

MAX_READ = 32
"""Number of adapters that are kept after reading; the least recently used goes first."""

WEIGHTS_FILE, RECORD_FILE = "adapter.safetensors", "adapter.json"
FILES = (WEIGHTS_FILE, RECORD_FILE)
FORMAT = 1
_DESCRIBED = ("format", "base", "target", "fingerprint", "record")
_TRIES = 4  # to read both files while a writer replaces them


@dataclasses.dataclass(frozen=True, eq=False)
class Adapter:
    """The weights that finetuning changed in a checkpoint, and how they came about.

    Two adapters are equal if they belong to the same checkpoint and hold the same weights. A copy
    of an adapter is the adapter itself, because it never changes.

    Parameters
    ----------
    base : Base
        The checkpoint that it belongs to.
    target : str
        The kind of weights that were tuned; see `timer_forecaster.finetuning.FinetuneConfig`.
    weights : mapping of str to Tensor
        The new weights. The key is the name of the parameter that the weight replaces, or the
        name of a layer and ``.lora_A.weight`` or ``.lora_B.weight``: the product of the two
        matrices is added to the weight of the layer. An empty mapping makes the identity, which
        leaves the checkpoint as it is. Weights are copied to the CPU, in float32 or a wider type.
        The copies must not be changed.
    record : mapping
        Settings, data, scores and curves of the finetuning, of types that JSON has.
    architecture : mapping
        Fields of the checkpoint's architecture that become others, where the weights make new
        parts, such as a quantile head; of types that JSON has.

    Raises
    ------
    ValueError, TypeError
        If a parameter cannot be used; the error names it.

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
    architecture: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the parameters, copy them, and make the copies read-only."""
        check_choice("target", self.target, TARGETS)
        own = {name: _own_copy(name, value) for name, value in self.weights.items()}
        for name in ("record", "architecture"):
            object.__setattr__(self, name, _own_json(name, getattr(self, name)))
        object.__setattr__(self, "weights", MappingProxyType(own))
        object.__setattr__(self, "_fingerprint", self._digest())

    def _digest(self) -> str:
        """Return a digest of the base, the weights and the changes of the architecture."""
        digest = hashlib.blake2b(self.base.signature.encode(), digest_size=16)
        if self.architecture:
            digest.update(json.dumps(dict(self.architecture), sort_keys=True).encode())
        for name in sorted(self.weights):
            digest.update(f"{name}{tuple(self.weights[name].shape)}".encode())
            digest.update(self.weights[name].numpy().data)
        return digest.hexdigest()

    @property
    def is_identity(self) -> bool:
        """Whether the adapter leaves the checkpoint as it is."""
        return not self.weights

    @property
    def n_parameters(self) -> int:
        """Number of values in the weights."""
        return sum(value.numel() for value in self.weights.values())

    @property
    def nbytes(self) -> int:
        """Number of bytes of the weights."""
        return sum(value.nbytes for value in self.weights.values())

    @property
    def fingerprint(self) -> str:
        """Digest of the base, the weights and the changes of the architecture."""
        return self._fingerprint  # type: ignore[attr-defined]

    @property
    def report(self) -> TuningReport | None:
        """Report of the finetuning; None if this package did not do it."""
        from timer_forecaster.adapters.report import TuningReport

        report = self.record.get("report")
        return None if report is None else TuningReport(**report)

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write the adapter to a folder, which is made if need be.

        Old files are replaced by complete new ones, so that others may read the folder meanwhile,
        and so that a process that is killed leaves the earlier adapter or the new one.

        Parameters
        ----------
        folder : str or path
            Folder for ``adapter.safetensors`` and ``adapter.json``.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        ValueError
            If the tensors of the adapter have been changed, or if the folder cannot be written,
            for instance because the disk is full. The adapter in memory is still there then.

        Examples
        --------
        >>> import torch
        >>> from timer_forecaster.adapters import Adapter, Base
        >>> adapter = Adapter(Base("timer-s1-mini", None, "0f3a"), "head", {"norm": torch.ones(4)})
        >>> sorted(file.name for file in adapter.save("my-adapter").iterdir())
        ['adapter.json', 'adapter.safetensors']
        """
        if self._digest() != self.fingerprint:
            raise ValueError(
                "the tensors of the adapter's weights have been changed, which its fingerprint "
                "does not show: make an Adapter of changed copies"
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
        if self.architecture:
            description["architecture"] = dict(self.architecture)
        write_pair(
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
        """Read an adapter from a folder or from the hub.

        Parameters
        ----------
        name : str or path
            Folder that `save` wrote, or hub id ``owner/name`` that `push_to_hub` wrote to.
        revision : str, optional
            Branch, tag or commit of a hub id.

        Returns
        -------
        Adapter

        Raises
        ------
        ValueError, TypeError
            If there is no adapter of that name, or it cannot be read.

        Examples
        --------
        >>> import torch
        >>> from timer_forecaster.adapters import Adapter, Base
        >>> adapter = Adapter(Base("timer-s1-mini", None, "0f3a"), "head", {"norm": torch.ones(4)})
        >>> Adapter.load(adapter.save("stored-adapter")) == adapter
        True
        """
        folder = find_files(name, revision, FILES)
        for _ in range(_TRIES):
            adapter = cls._read(folder)
            if adapter is not None:
                return adapter
        raise ValueError(
            f"the adapter in {str(folder)!r} cannot be read: {WEIGHTS_FILE} is not the file that "
            f"{RECORD_FILE} describes; copy both files again, or save the adapter again"
        )

    @classmethod
    def _read(cls, folder: Path) -> Adapter | None:
        """Return the adapter in both files; None if one may have just been replaced."""
        with opened(folder / WEIGHTS_FILE):
            weights = load_file(folder / WEIGHTS_FILE)
        for file in descriptions(folder / RECORD_FILE):
            try:
                stored = read_object(file)
                adapter = cls._described(stored, weights)
            except (TypeError, ValueError) as error:
                if file.name != RECORD_FILE:
                    continue  # left behind by a writer that was killed
                raise ValueError(
                    f"the adapter in {str(folder)!r} cannot be read: {error}"
                ) from error
            if adapter.fingerprint == stored["fingerprint"]:
                return adapter
        return None

    @classmethod
    def _described(cls, stored: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Adapter:
        """Return the adapter of weights and their description."""
        lacking = [name for name in _DESCRIBED if name not in stored]
        if lacking:
            raise ValueError(f"{RECORD_FILE} lacks {', '.join(map(repr, lacking))}")
        if stored["format"] != FORMAT:
            raise ValueError("it was written by a newer version of timer-forecaster")
        base = Base(**stored["base"])
        texts = base.name, base.signature, base.revision or "", stored["fingerprint"]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError(f"{RECORD_FILE} has values of base or fingerprint that are no texts")
        changes = stored.get("architecture", {})  # which few adapters have
        return cls(base, stored["target"], weights, stored["record"], changes)

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
            Whether a new repository is private. Default: the setting of the owner.
        revision : str, optional
            Branch to upload to, which is made if need be. Default: ``"main"``.
        commit_message : str, optional
            Message of the commit. Default: a message with the target and the base.

        Returns
        -------
        str
            The commit. ``Adapter.load(repo_id, revision=commit)`` returns this adapter also after
            later uploads.

        Examples
        --------
        It needs the network and a token that may write, so no test runs this example:

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

        `peft.PeftModel.from_pretrained` adds them to a
        `timer_forecaster.models.timer_s1.TimerS1ForPrediction` of the base. Weights that replace
        whole modules are written as ``modules_to_save``.

        Parameters
        ----------
        folder : str or path
            Folder for ``adapter_config.json`` and ``adapter_model.safetensors``.

        Returns
        -------
        Path
            The folder.

        Raises
        ------
        ValueError
            If there are no low-rank matrices, or weights that peft cannot read.

        Examples
        --------
        >>> from tempfile import mkdtemp
        >>> import torch
        >>> from timer_forecaster import ForecastPipeline
        >>> from timer_forecaster.adapters import Adapter, Base
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
        """Read an adapter that peft trained on a `TimerS1ForPrediction`, or that `to_peft` wrote.

        It may hold low-rank matrices (LoRA) of any linear layers, whose factor becomes part of
        the second matrix, and ``modules_to_save`` with routers, heads or norms. peft need not be
        installed.

        Parameters
        ----------
        name : str or path
            Folder with ``adapter_config.json`` and ``adapter_model.safetensors``, or hub id.
        pipe : ForecastPipeline
            A pipeline of the checkpoint that was trained. peft stores only the name of the
            checkpoint, so that any checkpoint of the same sizes is accepted. If `to_peft` wrote
            the folder, other checkpoints are refused.
        revision : str, optional
            Branch, tag or commit of a hub id.

        Returns
        -------
        Adapter

        Raises
        ------
        ValueError, TypeError
            If there is no adapter of that name, if it cannot be read, if it belongs to another
            network, or if this package does not have its kind of adapter.

        Examples
        --------
        >>> import torch
        >>> from timer_forecaster import ForecastPipeline
        >>> from timer_forecaster.adapters import Adapter, Base
        >>> pipe = ForecastPipeline.from_pretrained("timer-s1-test")
        >>> layer, size = "model.layers.0.self_attn.q_proj", pipe.network.config.hidden_size
        >>> weights = {f"{layer}.lora_A.weight": torch.ones(1, size),
        ...            f"{layer}.lora_B.weight": torch.ones(size, 1)}
        >>> folder = Adapter(Base.of(pipe.key), "lora", weights).to_peft("peft")
        >>> Adapter.from_peft(folder, pipe).n_parameters == 2 * size
        True
        """
        from timer_forecaster.adapters.peft import read

        found = read(name, parameter_shapes(pipe.network.config), revision)
        if found.base is not None:
            cls(found.base, "lora", {}).check_base(pipe.key)
        return cls(Base.of(pipe.key), "lora", found.weights, {"peft": found.settings})

    def check_base(self, key: NetworkKey) -> None:
        """Refuse another checkpoint than the one that was tuned.

        The check compares the architecture and some of the weights. Copies of the checkpoint in
        float32 or bfloat16, in any place, are accepted. No network is loaded, but the files of a
        hub id are downloaded if need be.

        :meta private:

        Raises
        ------
        ValueError
            If the key names another checkpoint.
        """
        found = Base.of(key)
        if found.signature != self.base.signature:
            raise ValueError(
                f"the adapter was tuned on {str(self.base)!r}, and this is {str(found)!r}, whose "
                "weights are others: load the checkpoint that was tuned, or finetune this one"
            )

    def __eq__(self, other: object) -> bool:
        """Whether base and weights are equal."""
        if not isinstance(other, Adapter):
            return NotImplemented
        return self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        """Return a hash of base and weights."""
        return hash(self.fingerprint)

    def __copy__(self) -> Adapter:
        """Return the adapter, which never changes."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Adapter:
        """Return the adapter, which never changes."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the parameters."""
        fields = self.base, self.target, dict(self.weights), dict(self.record)
        return Adapter, (*fields, dict(self.architecture)) if self.architecture else fields

    def __repr__(self) -> str:
        """Return a line with target, base and size."""
        size = "identity" if self.is_identity else f"{self.n_parameters:,} parameters"
        return f"<Adapter {self.target!r} of {str(self.base)!r}: {size}>"


def as_adapter(adapter: Any) -> Adapter | None:
    """Return an adapter, or read the adapter of a name.

    A folder is read once, and again when its files change. A hub id is read once in a process.

    Parameters
    ----------
    adapter : Adapter, str or path, optional
        An adapter, or a name for `Adapter.load`. None is returned as it is.

    Raises
    ------
    TypeError, ValueError
        If it is neither an adapter nor a name, or if the adapter cannot be read.
    """
    if adapter is None or isinstance(adapter, Adapter):
        return adapter
    place = locate_files(adapter, None, FILES)
    version: Hashable = place
    if isinstance(place, Path):
        version = place, *(_version(place / file) for file in FILES)
    with _lock:
        found = _read.get(version)
    if found is None:
        found = Adapter.load(place)
        with _lock:
            _read[version] = found
            while len(_read) > MAX_READ:
                _read.popitem(last=False)
    return found


def _version(file: Path) -> Hashable:
    return file_version(file.stat()) if file.exists() else None


_read: OrderedDict[Hashable, Adapter] = OrderedDict()
_lock = RenewedLock()  # guards the dictionary


@at_release
def _forget() -> None:
    with _lock:
        _read.clear()


@torch.inference_mode(False)
def _own_copy(name: str, value: Any) -> Tensor:
    """Return a private copy of a weight, not in the map of a file, which may change."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        raise TypeError(f"weights[{name!r}] must be a tensor of floating-point numbers")
    wide = torch.promote_types(torch.float32, value.dtype)
    own = value.detach().to("cpu", wide, copy=True, memory_format=torch.contiguous_format)
    if not own.isfinite().all():
        raise ValueError(f"weights[{name!r}] holds NaN or infinite values")
    return own


def _own_json(name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a read-only copy of values that JSON has."""
    try:
        return MappingProxyType(json.loads(json.dumps(dict(values))))
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} cannot be written as JSON: {error}") from None
