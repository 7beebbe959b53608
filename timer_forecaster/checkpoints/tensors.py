"""The tensors in the files of a checkpoint: names, shapes, types and values.

Every loader reads through this module. A file that is broken, and tensors that do not fit the
network, are one ValueError that names the folder, the file and a remedy.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from timer_forecaster.broken import read_object, remedy
from timer_forecaster.models.network import Architecture

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"

_OTHER_FORMATS = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_FLOATS = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")
_INTEGERS = {torch.int8: ("I8",), torch.int64: ("I64",)}
_TAKE_BOTH = "take config.json and the weights from one place"
_WHOLE = 2**20  # values of a tensor that are all checked
_SAMPLE = 2**12  # least number of values of a larger tensor that are checked


def tensor_files(folder: Path) -> dict[str, str]:
    """Return the name of the file of each tensor in a folder.

    Raises
    ------
    ValueError
        If there are no files of safetensors, if one cannot be read, or if an index names files that
        are not there.
    """
    if os.path.lexists(folder / INDEX_FILE):
        return _indexed(folder)
    if not os.path.isfile(folder / WEIGHTS_FILE):
        raise ValueError(_without_weights(folder))
    with opened(folder / WEIGHTS_FILE) as stored:
        return dict.fromkeys(stored.keys(), WEIGHTS_FILE)


def _indexed(folder: Path) -> dict[str, str]:
    """Return the files of tensors from an index, which may name files of the folder only."""
    index = folder / INDEX_FILE
    files = read_object(index).get("weight_map")
    if not isinstance(files, dict) or not all(isinstance(file, str) for file in files.values()):
        raise ValueError(
            f"{index} cannot be read: it lacks 'weight_map' with the file of each tensor; download "
            "or copy it again"
        )
    for file in sorted(set(files.values())):
        if not _is_inside(file):
            raise ValueError(
                f"{index} names the file {file!r}, which is no file of safetensors inside the "
                "folder: take the checkpoint from a place that you trust"
            )
        if not os.path.isfile(folder / file):
            raise ValueError(f"{index} names a file that cannot be read: {remedy(folder / file)}")
    return dict(files)


def _is_inside(file: str) -> bool:
    """Whether a name in an index is one below its folder. Links of the hub's cache are fine."""
    path = PurePosixPath(file)
    plain = not (path.is_absolute() or ".." in path.parts or set(file) & set("\\:\0"))
    return plain and path.suffix == ".safetensors"


def _without_weights(folder: Path) -> str:
    """Return the error of a folder without files that can be read."""
    text = f"the folder {str(folder)!r} holds no {WEIGHTS_FILE}"
    if os.path.lexists(folder / WEIGHTS_FILE):
        return f"{folder / WEIGHTS_FILE} cannot be read: {remedy(folder / WEIGHTS_FILE)}"
    others = sorted(file.name for pattern in _OTHER_FORMATS for file in folder.glob(pattern))
    if others:
        return (
            f"{text}, but {others[0]}, a format that can run code when it is read. If you trust "
            f"it, convert it once in this folder: import glob, torch; from safetensors.torch "
            f"import save_file; save_file({{name: value.clone() for file in "
            f"glob.glob('*{Path(others[0]).suffix}') for name, value in torch.load(file, "
            f"weights_only=True).items()}}, '{WEIGHTS_FILE}')"
        )
    parts = sorted(file.name for file in folder.glob("*.safetensors"))
    if parts:
        return (
            f"{text} and no {INDEX_FILE}, but {parts[:3]}: download the index of a checkpoint in "
            f"several files, or rename a single file to {WEIGHTS_FILE}"
        )
    return f"{text}: download or copy it"


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file of safetensors.

    Raises
    ------
    ValueError
        If the file, or a tensor that the caller asks for, cannot be read.
    """
    try:
        with safe_open(path, framework="pt") as stored:
            yield stored
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{path} cannot be read: {reason}; {remedy(path)}") from error


def stored_dtype(folder: Path) -> torch.dtype:
    """Return the type of the tensors of a folder that are not quantized."""
    files = tensor_files(folder)
    name = "model.norm.weight" if "model.norm.weight" in files else min(files, default=None)
    if name is None:
        return torch.float32  # no weights, which `check_stored` refuses
    return read_tensors(folder, files, [name])[name].dtype


def read_tensors(folder: Path, files: Mapping[str, str], names: Iterable[str]) -> dict[str, Tensor]:
    """Map tensors into memory; a file stays mapped as long as a tensor of this call exists."""
    tensors: dict[str, Tensor] = {}
    for file, own in _by_file(files, names).items():
        with opened(folder / file) as stored:
            tensors |= {name: stored.get_tensor(name) for name in own}
    return tensors


def _by_file(files: Mapping[str, str], names: Iterable[str]) -> dict[str, list[str]]:
    of_file = defaultdict(list)
    for name in names:
        of_file[files[name]].append(name)
    return of_file


def check_fit(folder: Path, missing: Collection[str], unexpected: Collection[str]) -> None:
    """Refuse the weights of a folder if tensors are missing or unexpected."""
    if missing or unexpected:
        raise ValueError(
            f"the weights in {folder} do not fit its config.json: missing "
            f"{sorted(missing)[:3]}, unexpected {sorted(unexpected)[:3]}; {_TAKE_BOTH}"
        )


def check_stored(folder: Path, files: Mapping[str, str], wanted: Mapping[str, Tensor]) -> None:
    """Refuse the weights of a folder if their names, shapes or types are not those of a network.

    No values are read.

    Parameters
    ----------
    folder : Path
        Folder of the checkpoint.
    files : mapping of str to str
        File of each tensor, as `tensor_files` returns them.
    wanted : mapping of str to Tensor
        The tensors of the network, whose values do not matter.

    Raises
    ------
    ValueError
        If a tensor is missing, unexpected, or of another shape, or is no floating-point number
        where it should be; the error names the first ones.
    """
    check_fit(folder, wanted.keys() - files.keys(), files.keys() - wanted.keys())
    shapes, types = [], []
    for file, names in _by_file(files, sorted(wanted)).items():
        with opened(folder / file) as stored:
            for name in names:
                part, whole = stored.get_slice(name), wanted[name]
                shape, kind = part.get_shape(), part.get_dtype()
                if shape != list(whole.shape):
                    shapes.append(f"{name} in {file} has {shape}, not {list(whole.shape)}")
                if kind not in (_FLOATS if whole.is_floating_point() else _INTEGERS[whole.dtype]):
                    types.append(f"{name} in {file} is of type {kind}")
    if shapes:
        raise ValueError(
            f"the weights in {folder} do not fit its config.json in the shapes of {len(shapes)} "
            f"tensors: {'; '.join(shapes[:2])}; {_TAKE_BOTH}"
        )
    if types:
        raise ValueError(
            f"the weights in {folder} cannot be used: {'; '.join(types[:2])}; store weights as "
            "floating-point numbers, such as float32 or bfloat16"
        )


def check_size(folder: Path, files: Mapping[str, str], config: Architecture) -> None:
    """Refuse a configuration of more layers than there are tensors, before a network is made."""
    if config.least_tensors > len(files):
        raise ValueError(
            f"the weights in {folder} do not fit its config.json: they are {len(files)} tensors, "
            f"and {config.layers_in_words} have more; {_TAKE_BOTH}"
        )


def check_finite(folder: Path, files: Mapping[str, str], tensors: Mapping[str, Tensor]) -> None:
    """Refuse weights that are NaN or infinite; of large tensors some values are looked at.

    Raises
    ------
    ValueError
        If there is one; the error names its tensor and file.
    """
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            continue
        values = tensor.flatten()
        if values.numel() > _WHOLE:
            values = values[:: values.numel() // _SAMPLE | 1]  # odd: from more than one column
        if not values.float().isfinite().all():
            raise ValueError(
                f"{folder / files[name]} holds weights that are NaN or infinite in {name!r}: the "
                "file is damaged or its training has failed; take another copy or an earlier "
                "checkpoint"
            )
