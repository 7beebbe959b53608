"""Adapters: saved, loaded, in the format of peft, and spoiled."""

from __future__ import annotations

import copy
import json
import pickle
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz.draw import Draw
from benchmarks.fuzz.laws import check_answer
from benchmarks.fuzz.oracle import (
    Outcome,
    ask,
    may_refuse,
    must_answer,
    must_refuse,
    require,
)
from benchmarks.fuzz.product import NAME, Product

FILES = ("adapter.json", "adapter.safetensors")
PEFT_FILES = ("adapter_config.json", "adapter_model.safetensors")


def case(draw: Draw, product: Product) -> Outcome:
    """Make an adapter, and store or spoil it."""
    weights = {"round trip": 35, "peft": 20, "files": 30, "peft files": 8, "bad weights": 15}
    kind = draw.weighted(weights)
    draw.note(kind=kind)
    return _KINDS[kind](draw, product)


@cache
def shapes() -> dict[str, Any]:
    """Return the shapes of the weights of the tiny checkpoint."""
    from timer_forecaster.inference import load_plain_network

    network = load_plain_network(NAME)
    return {name: tuple(value.shape) for name, value in network.named_parameters()}


@cache
def base() -> Any:
    """Return the base of adapters of the tiny checkpoint."""
    from timer_forecaster.adapters import Base

    return Base.of(Product().pipeline("float32").key)


def some_adapter(draw: Draw, target: str | None = None) -> Any:
    """Return an adapter of random weights."""
    import torch

    from timer_forecaster.adapters import Adapter

    target = target or draw.pick(["lora", "head", "norms", "full"])
    generator = torch.Generator().manual_seed(draw.integer(0, 10**6))
    weights = {}
    for name, shape in some_weights(draw, target).items():
        weights[name] = torch.randn(shape, generator=generator) / 10
    record = draw.pick([{}, {"note": "ü", "curve": [1.5, 2]}])
    draw.note(target=target, weights=len(weights))
    return Adapter(base(), target, weights, record)


def some_weights(draw: Draw, target: str) -> dict[str, Any]:
    """Return shapes of weights of a target."""
    if target == "lora":
        layers = [
            name.removesuffix(".weight") for name in shapes() if name.endswith("q_proj.weight")
        ]
        rank, found = draw.integer(1, 3), {}
        for layer in layers[: draw.integer(1, len(layers))]:
            rows, columns = shapes()[f"{layer}.weight"]
            found[f"{layer}.lora_A.weight"] = (rank, columns)
            found[f"{layer}.lora_B.weight"] = (rows, rank)
        return found
    if target == "head":
        return {
            name: s for name, s in shapes().items() if name.startswith("output_patch_embedding")
        }
    if target == "norms":
        return {name: s for name, s in shapes().items() if "norm" in name}
    return {} if draw.chance(0.2) else shapes()


def round_trip(draw: Draw, product: Product) -> Outcome:
    """Save and load, pickle or copy: the adapter is the same, and its forecasts are."""
    from timer_forecaster import ForecastPipeline
    from timer_forecaster.adapters import Adapter

    adapter, way = some_adapter(draw), draw.pick(["save", "save", "over", "pickle", "copy"])
    folder = product.folder / draw.pick(["adapter", "a b ü", "deep/er/adapter"])
    draw.note(way=way, folder=folder.name)

    def again() -> Any:
        if way == "pickle":
            return pickle.loads(pickle.dumps(adapter))  # noqa: S301
        if way == "copy":
            return copy.deepcopy(adapter)
        if way == "over":
            some_adapter(draw).save(folder)
        return Adapter.load(adapter.save(folder))

    outcome = ask(again)
    found = must_answer(outcome, way)
    require(found == adapter and hash(found) == hash(adapter), f"law: {way} keeps the adapter")
    require(dict(found.record) == dict(adapter.record), f"law: {way} keeps the record")
    if way in ("save", "over"):
        require(
            sorted(file.name for file in folder.iterdir()) == sorted(FILES), "files of an adapter"
        )
    if draw.chance(0.15):
        name = str(folder) if way in ("save", "over") else found
        pipe = ForecastPipeline.from_pretrained(NAME, device="cpu", adapter=name)
        check_answer(pipe.predict(np.sin(np.arange(30.0)), 5), 1, 5)
    return outcome


def peft(draw: Draw, product: Product) -> Outcome:
    """Write and read the format of peft."""
    from timer_forecaster.adapters import Adapter

    adapter = some_adapter(draw)
    pipe = product.pipeline("float32")
    folder = product.folder / "peft"
    outcome = ask(lambda: Adapter.from_peft(adapter.to_peft(folder), pipe))
    if adapter.target != "lora":
        must_refuse(outcome, f"peft of {adapter.target}", ["Adapter.save", "peft"])
    else:
        require(must_answer(outcome, "peft") == adapter, "law: peft keeps the adapter")
    return outcome


def _spoil_bytes(draw: Draw, path: Path) -> str:
    data = path.read_bytes()
    kinds: dict[str, Any] = {
        "cut": data[: draw.integer(1, len(data) - 1)],
        "empty": b"",
        "zeros": bytes(len(data)),
        "random": draw.rng.bytes(200),
        "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n",
        "page": b"<html>404</html>",
        "list": b"[]",
        "null": b"null",
        "number": b"3",
    }
    kind = draw.pick([*kinds, "missing", "folder"])
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(kinds[kind])
    return kind


def _spoil_json(draw: Draw, path: Path) -> str:
    """Change an entry of a description."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    name = draw.pick([key for key in stored if key not in ("n_parameters", "record")])
    if draw.chance(0.3):
        del stored[name]
        change = "missing"
    else:
        change = draw.pick([None, 3, "x", [], {}, {"a": 1}, -1, True])
        if stored[name] == change or (name == "format" and change is True):
            change = "y"
        stored[name] = change
    path.write_text(json.dumps(stored), encoding="utf-8")
    return f"{name} in {path.name}: {change}"


def files(draw: Draw, product: Product) -> Outcome:
    """Spoil a file of a saved adapter: the error names its folder or the file."""
    from timer_forecaster import ForecastPipeline
    from timer_forecaster.adapters import Adapter

    folder = some_adapter(draw).save(product.folder / "broken")
    path = folder / draw.pick(FILES)
    if path.suffix == ".json" and draw.chance(0.5):
        fault = _spoil_json(draw, path)
    elif draw.chance(0.1):
        some_adapter(draw, "head").save(product.folder / "other")
        path.write_bytes((product.folder / "other" / path.name).read_bytes())
        fault = "file of another adapter"
    else:
        fault = f"{path.name}: {_spoil_bytes(draw, path)}"
    draw.note(fault=fault)
    whole = draw.chance(0.3)
    outcome = ask(
        lambda: (
            ForecastPipeline.from_pretrained(NAME, device="cpu", adapter=folder)
            if whole
            else Adapter.load(folder)
        )
    )
    must_refuse(outcome, f"adapter: {fault.partition(' in ')[0]}", ["broken"])
    return outcome


def peft_files(draw: Draw, product: Product) -> Outcome:
    """Spoil a file of peft's format, or load it as an adapter: the error names its folder."""
    from timer_forecaster.adapters import Adapter

    pipe = product.pipeline("float32")
    folder = some_adapter(draw, "lora").to_peft(product.folder / "broken")
    path = folder / draw.pick(PEFT_FILES)
    if draw.chance(0.2):
        outcome = ask(lambda: Adapter.load(folder))
        must_refuse(outcome, "a folder of peft as adapter", ["broken"])
        return outcome
    fault = f"{path.name}: {_spoil_bytes(draw, path)}"
    draw.note(fault=fault)
    outcome = ask(lambda: Adapter.from_peft(folder, pipe))
    must_refuse(outcome, f"peft: {fault}", ["broken"])
    return outcome


def bad_weights(draw: Draw, product: Product) -> Outcome:
    """Make an adapter of wrong weights: it is refused when made, or when it is used."""
    import torch

    from timer_forecaster import ForecastPipeline
    from timer_forecaster.adapters import Adapter

    adapter = some_adapter(draw, "head")
    weights, name = dict(adapter.weights), draw.pick(list(adapter.weights))
    kind = draw.pick(["nan", "infinite", "shape", "name", "integers", "array", "none", "target"])
    target = "head"
    value = weights.pop(name).clone()
    if kind in ("nan", "infinite"):
        value.view(-1)[0] = np.nan if kind == "nan" else np.inf
    elif kind == "shape":
        value = torch.zeros(tuple(size + 1 for size in value.shape))
    elif kind == "name":
        name = "no.such.weight"
    elif kind == "target":
        target = draw.pick(["heads", None, 3, ""])
    else:
        value = {"integers": value.long(), "array": value.numpy(), "none": None}[kind]
    weights[name] = value
    draw.note(fault=kind, name=name)

    def use() -> Any:
        made = Adapter(base(), target, weights)
        pipe = ForecastPipeline.from_pretrained(NAME, device="cpu", adapter=made)
        return pipe.predict(np.sin(np.arange(30.0)), 5)

    outcome = ask(use)
    if kind in ("array", "integers"):
        may_refuse(outcome, f"weights: {kind}", [name, "weights"])
    else:
        must_refuse(outcome, f"weights: {kind}", [name, "weights", "target", "forecast", "adapter"])
    return outcome


_KINDS: dict[str, Any] = {
    "round trip": round_trip,
    "peft": peft,
    "files": files,
    "peft files": peft_files,
    "bad weights": bad_weights,
}
