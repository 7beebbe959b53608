"""Report on forecasters of this package and of others, series by series."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring import in_turns
from benchmarks.pages import markdown
from benchmarks.speed.asking import start
from benchmarks.speed.darts_models import LEFT_OUT
from benchmarks.speed.peers import PEERS, Peer


def report_peers(
    pythons: Mapping[str, str | None],
    folders: Mapping[str, Path],
    *,
    rounds: int,
    most: int | None = None,
    steps: int = 512,
    horizon: int = 96,
    peers: Sequence[Peer] = PEERS,
) -> None:
    """Print the CPU time of a series, and its ratio to the first forecaster's.

    Parameters
    ----------
    pythons : mapping
        By side, an interpreter, or None if its forecasters are left out.
    folders : mapping
        Checkpoints of random weights, by the names that the forecasters call them.
    rounds : int
        Medians are taken over them. A forecast of one series before them is not counted.
    most : int, optional
        Upper bound of the number of series. Default: none.
    steps, horizon : int
        Length of each series, and steps to forecast.
    peers : sequence of Peer
        The forecasters.
    """
    with contextlib.ExitStack() as stack:
        processes = {
            side: stack.enter_context(contextlib.closing(start(python, side)))
            for side, python in pythons.items()
            if python
        }

        def ask(peer: Peer, n: int, seed: int) -> dict[str, Any]:
            answer = processes[peer.side].ask(
                "peer",
                peer.name,
                checkpoint=folders.get(peer.checkpoint, peer.checkpoint),
                n=n,
                steps=steps,
                horizon=horizon,
                seed=seed,
            )
            return dict(answer)

        first = {peer: ask(peer, 1, seed=0) for peer in peers if peer.side in processes}
        present = [peer for peer in first if "missing" not in first[peer]]
        seeds = itertools.count(1)

        def turn(peer: Peer) -> dict[str, float]:
            n = min(peer.series, most or peer.series)
            return {"seconds": ask(peer, n, next(seeds))["seconds"]}

        turns = {peer: lambda peer=peer: turn(peer) for peer in present}
        found = in_turns(turns, rounds)
    seconds = {peer: found[peer]["seconds"] for peer in present}
    print(f"Walks of {steps} points, {horizon} steps, medians of {rounds} rounds:\n")
    print(markdown(_row(peer, seconds, first[peer]["parameters"]) for peer in present) + "\n")
    _print_left_out(peers, first)


def _print_left_out(peers: Sequence[Peer], first: Mapping[Peer, Mapping[str, Any]]) -> None:
    """Print the forecasters that did not answer the first question, with the reason."""
    reasons = {
        peer.name: first[peer].get("missing")
        if peer in first
        else f"--{peer.side}-python not given"
        for peer in peers
    }
    for name, reason in (reasons | LEFT_OUT).items():
        if reason:
            print(f"Left out: {name}: {reason}.\n")


def _row(peer: Peer, seconds: Mapping[Peer, float], parameters: int | None) -> dict[str, Any]:
    base = next(iter(seconds.values()))
    return {
        "forecaster": peer.model,
        "through": peer.way,
        "10⁶ parameters": parameters / 1e6 if parameters else None,
        "CPU ms a series": 1000 * seconds[peer],
        "ratio": seconds[peer] / base,
    }
