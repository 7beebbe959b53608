"""The parts of the speed benchmark at tiny sizes. No test asserts a time."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from places import ROOT

from benchmarks.pages import write_page
from benchmarks.random_checkpoints import parameter_shapes, write_checkpoint, write_ttm
from benchmarks.speed import __main__ as program
from benchmarks.speed import balanced_routing, darts_models, machine_rates, panels, parts, questions
from benchmarks.speed import peers as forecasters
from benchmarks.speed.built import Built
from benchmarks.speed.reports import busy_machine, growth, panel_growth, peers, released, startup
from benchmarks.speed.useful_work import useful_work
from timer_forecaster import release

torch = pytest.importorskip("torch")

from timer_forecaster.checkpoints import files as weights  # noqa: E402
from timer_forecaster.models.timer_s1 import TimerS1Architecture, TimerS1Network  # noqa: E402
from timer_forecaster.models.timer_s1.layouts.int8 import Int8Linear  # noqa: E402
from timer_forecaster.models.timer_s1.patches import patchify  # noqa: E402

TEST_MODEL = "timer-s1-test"
TINY = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_mtp_tokens": 2,
    "num_attention_heads": 2,
    "num_experts": 4,
}
PAGE = ROOT / "docs" / "performance.md"
linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("work"), TINY, "float32", 50_000)


def parameters(sizes):
    return sum(int(np.prod(shape)) for shape in parameter_shapes(sizes).values())


def test_the_sizes_are_the_documented_ones():
    assert parameters({}) == 8_303_654_176
    assert parameters(parts.SMALL) == pytest.approx(35.7e6, rel=0.01)
    assert parameters(parts.SIMILAR_SIZES) == pytest.approx(120e6, rel=0.1)


def test_balanced_routing_uses_every_expert_alike():
    network = TimerS1Network(TimerS1Architecture(**TINY)).eval()
    balanced_routing.balance(network)
    patches = patchify(torch.zeros(8, 3200), None, 16)
    with torch.no_grad():
        stages = list(network.stages(patches))
    for stage in stages:
        for logits in stage.router_logits:
            counts = torch.bincount(logits.topk(2).indices.flatten(), minlength=4)
            torch.testing.assert_close(
                counts / counts.sum(), torch.full((4,), 0.25), atol=0.03, rtol=0
            )


def test_a_balanced_gate_reads_row_numbers_alone():
    gate, again = (balanced_routing.balanced_gate(4) for _ in range(2))
    long, short = gate(torch.randn(balanced_routing.GATE_ROWS + 2, 32)), again(torch.zeros(2, 32))
    torch.testing.assert_close(long[:2], short)
    torch.testing.assert_close(long[-2:], short)
    assert gate(torch.zeros(1, 32, dtype=torch.bfloat16)).dtype == torch.bfloat16


@pytest.mark.parametrize("horizon", [16, 48])
def test_useful_work_is_the_work_of_the_network(horizon):
    from torch.utils.flop_counter import FlopCounterMode

    config = TimerS1Architecture(**TINY)
    network = TimerS1Network(config).eval()
    network.set_attention_kernel("eager")  # the counter does not know the fused kernel
    patches = patchify(torch.randn(3, 160), None, 16)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.forecast_pass(patches, horizon // 16)
    useful = useful_work(config, 3, 160, horizon).flops
    assert (
        useful < counter.get_total_flops() < 1.05 * useful
    )  # the eager kernel computes masked products too


def test_useful_work_of_the_released_sizes():
    config = TimerS1Architecture()
    work = useful_work(config, 1, 2880, 272)
    assert work.flops == pytest.approx(0.274e12, rel=0.03)
    assert work.weights == pytest.approx(8.1e9, rel=0.02)  # two experts of the last block
    rolled = useful_work(config, 1, 2880, 720)
    assert 1 < rolled.flops / work.flops < 1.5  # keys and values of the context are kept
    assert useful_work(config, 4, 2880, 272).flops == pytest.approx(4 * work.flops)


def test_our_side_answers(checkpoint):
    assert min(questions.load("ours", str(checkpoint), "float32").values()) > 0
    quantiles = np.array(questions.forecast("ours", 64, 20))
    assert quantiles.shape == (1, 9, 20)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    questions.balance("ours")
    for batch, horizon in ((1, 20), (3, 80)):
        found = questions.seconds("ours", 64, horizon, batch, repeats=2)
        assert len(found) == 2 and min(found) > 0
    assert len(questions.ragged_seconds("ours", 3, 20, repeats=1)) == 1
    assert "aten::" in questions.profile("ours", 64, 20, 1)


def test_ours_is_the_reference_if_the_released_implementation_is_missing():
    ways, left_out = released.ways_of(None, sys.executable, "bfloat16", int8=True)
    assert ways[0].name == "ours, bfloat16"
    assert "--reference-python" in left_out[0]
    assert [way.kind for way in ways] == ["bfloat16", "int8"]
    assert len(left_out) == 1


def test_packing_at_first_use_counts_as_part_of_the_start(checkpoint, int8_kernel, monkeypatch):
    monkeypatch.setattr(
        weights, "DEFERRED_FROM_BYTES", 0
    )  # small checkpoints are packed as they load

    def n_packed():
        return sum(
            isinstance(part, Int8Linear) for part in questions._held["ours"].network.modules()
        )

    release()
    questions.load("ours", str(checkpoint), "float32", quantization="int8")
    assert n_packed() == 0
    found = questions.first_forecast("ours", 64, 20, 1)
    assert n_packed() > 0
    assert set(found) == {"wall s", "CPU s"} and min(found.values()) > 0


class Answering:
    """A process whose answers are known."""

    def __init__(self, answers):
        self.answers = answers

    def ask(self, question, *arguments, **details):
        return self.answers.get(question)

    def close(self):
        pass


def test_a_start_is_loading_and_a_first_forecast(monkeypatch, capsys):
    answers = {
        "load": {"wall s": 1.0, "CPU s": 2.0},
        "first_forecast": {"wall s": 10.0, "CPU s": 20.0},
        "seconds": [0.5],
        "memory": {"anonymous": 3.0, "peak": 4.0},
        "machine_rates": {"float32": 1.0, "bfloat16": 1.0, "int8": 1.0, "read": 1.0},
    }

    monkeypatch.setattr(released, "start", lambda *arguments: Answering(answers))
    ways, _ = released.ways_of("python", "python", "bfloat16", int8=True)
    setting = released.Setting(Path(), ways, rounds=1)
    released.report_cases(setting, TimerS1Architecture(**TINY), parts.QUICK_CASES)
    printed = capsys.readouterr().out
    assert "| load and first forecast, wall s | load and first forecast, CPU s |" in printed
    for name in ("released, bfloat16", "ours, bfloat16", "ours, int8"):
        assert f"| {name} | 11 | 22 | 3 |" in printed


def test_rates_of_the_machine():
    rates = machine_rates.machine_rates(**machine_rates.QUICK)
    assert set(rates) == {"float32", "bfloat16", "int8", "read"}
    assert min(rates.values()) > 0


def test_mixed_lengths():
    lengths = np.array([len(row) for row in panels.mixed_lengths(2000, seed=0)])
    assert lengths.min() == 30 and lengths.max() == 2880
    assert lengths.mean() == pytest.approx(400, rel=0.1)


@linux
@pytest.mark.parametrize("door", ["pipeline", "sktime"])
def test_a_panel_is_measured(door):
    pytest.importorskip("sktime")
    found = panels.grown_panel(3, 40, 5, door, TEST_MODEL)
    assert found["seconds"] > 0
    assert 0 < found["before"] <= found["peak"]


def ask(name, checkpoint="", n=2, horizon=3):
    return forecasters.peer(name, str(checkpoint), n, 60, horizon, seed=0)


@pytest.fixture
def peer_of(monkeypatch):
    """Return a function that adds a forecaster for this test."""
    monkeypatch.setattr(darts_models, "be_quiet", lambda: None)  # it quiets the whole process
    monkeypatch.setattr(forecasters, "_built", {})

    def add(build):
        one = forecasters.Peer("model", "way", "ours", 2, build)
        monkeypatch.setattr(forecasters, "PEERS", [one])
        return one.name

    return add


@pytest.mark.parametrize("library", ["sktime", "statsforecast"])
def test_a_classical_forecaster(library, peer_of):
    pytest.importorskip(library)
    build = {
        "sktime": forecasters.sktime_classical("Theta", sp=24),
        "statsforecast": forecasters.statsforecast_classical("AutoTheta", 24),
    }[library]
    found = ask(peer_of(build), n=1)
    assert found["seconds"] > 0 and found["parameters"] is None


@pytest.mark.parametrize("door", ["pipeline", "sktime_door", "darts_door"])
def test_a_door_of_ours(door, checkpoint, peer_of):
    pytest.importorskip({"sktime_door": "sktime", "darts_door": "darts"}.get(door, "torch"))
    found = ask(peer_of(getattr(forecasters, door)), checkpoint)
    assert found["seconds"] > 0 and found["parameters"] == parameters(TINY)


def test_a_model_of_darts_is_built_without_files(peer_of):
    pytest.importorskip("darts")
    sizes = {"d_model": 32, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2}
    tiny = darts_models.CHRONOS_2 | sizes
    found = ask(peer_of(forecasters.darts_model("Chronos2Model", tiny)))
    assert found["seconds"] > 0 and 0 < found["parameters"] < 1e6


@pytest.mark.parametrize("name", ["chronos_2", "timesfm_2p5", "granite_ttm"])
def test_a_package_that_is_absent_is_said(name, peer_of, monkeypatch):
    for package in ("chronos", "timesfm", "tsfm_public"):
        monkeypatch.setitem(sys.modules, package, None)
    found = ask(peer_of(getattr(forecasters.own_pipelines, name)))
    assert set(found) == {"missing"}


def test_a_ttm_of_released_size_is_written(tmp_path, peer_of):
    found = ask(peer_of(forecasters.pipeline), write_ttm(tmp_path, "r2-512-96"))
    assert found["parameters"] == 805_280  # as in the released notebooks


def test_forecasters_are_named_once_and_a_forecast_uses_its_own_series(peer_of):
    names = [one.name for one in forecasters.PEERS]
    assert len(set(names)) == len(names)
    seen = []
    name = peer_of(lambda *sizes: Built(lambda walks: lambda: seen.append(walks)))
    ask(name)
    forecasters.peer(name, "", 2, 60, 3, seed=1)
    assert seen[0].shape == (2, 60) and (seen[0] != seen[1]).all()


def test_start_up_is_measured_in_new_processes():
    found = startup.measure_startup(1, {"nothing": "pass", "package": "import timer_forecaster"})
    assert all(0 < figures["CPU s"] for figures in found.values())


def test_the_size_of_the_package_is_that_of_its_files(tmp_path):
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "weights").write_bytes(bytes(100_000))
    (tmp_path / "bytecode.pyc").write_bytes(bytes(100))
    files, compressed = startup.package_bytes(tmp_path)
    assert files == 100_000 and 0 < compressed < 1000


class Here:
    """A side that answers in this process: a new one loads torch. The next test starts one."""

    def __init__(self, python, side):
        self.side = side

    def ask(self, question, *arguments, **details):
        arguments, details = json.loads(json.dumps([arguments, details], default=str))
        return json.loads(
            json.dumps(questions.QUESTIONS[question](self.side, *arguments, **details))
        )

    def close(self):
        questions._held.clear()
        release()


def test_the_program_prints_tables(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(released, "start", Here)
    sizes = ",".join(f"{name}={value}" for name, value in TINY.items())
    given = ["--work", str(tmp_path), "--quick", "--rounds", "1"]
    program.main([*given, "--only", "full", "--sizes", sizes])
    printed = capsys.readouterr().out
    assert "Left out: the released implementation" in printed
    assert "| 2 | 64 | 400 | ours, bfloat16 |" in printed
    assert "This machine's own products" in printed
    assert re.search(r"`--only full`, \d{4}-\d\d-\d\d, \d+ cores with \w+, torch 2", printed)


def test_growth_is_printed(checkpoint, capsys):
    sizes = {"contexts": (64, 32), "horizons": (16,), "batches": (1, 2), "repeats": 1}
    growth.report_growth(sys.executable, checkpoint, **sizes)
    printed = capsys.readouterr().out
    assert "| 16 | " in printed and "One series of 64 points, by roll-out" in printed


def test_a_panel_of_mixed_lengths_is_compared_with_the_released_one(monkeypatch, capsys):
    seconds = {"released": [8.0, 9.0, 10.0], "ours": [2.0, 3.0, 100.0]}

    def start(python, side):
        return Answering({"ragged_seconds": seconds[side]})

    monkeypatch.setattr(released, "start", start)
    ways, _ = released.ways_of("python", "python", "float32", int8=False)
    released.report_ragged(released.Setting(Path(), ways, rounds=1), 10, 48, 3)
    assert "| ours, float32 | 3 | 300 | 3 |" in capsys.readouterr().out


def test_forecasters_are_compared_with_the_first(monkeypatch, capsys):
    class Asked(Answering):
        def ask(self, question, name, seed, **details):
            if name == "absent, way":
                return {"missing": "No module named 'absent'"}
            seconds = {"ours, way": 0.002, "slow, way": 0.05}[name]
            return {"seconds": seconds + (seed == 0), "parameters": 4_000_000}

    monkeypatch.setattr(peers, "start", lambda python, side: Asked({}))
    rows = [
        forecasters.Peer(model, "way", side, 5, None)
        for model, side in (
            ("ours", "ours"),
            ("slow", "peers"),
            ("absent", "peers"),
            ("x", "other"),
        )
    ]
    pythons = {"ours": "python", "peers": "python", "other": None}
    peers.report_peers(pythons, {}, rounds=3, most=4, peers=rows)
    printed = capsys.readouterr().out
    assert "| ours | way | 4 | 2 | 1 |" in printed
    assert "| slow | way | 4 | 50 | 25 |" in printed
    assert "Left out: absent, way: No module named 'absent'." in printed
    assert "Left out: x, way: --other-python not given." in printed
    assert "Left out: T0Model: " in printed


def test_memory_of_growing_panels_is_printed_by_door(capsys):
    def ask(question, n, door, **details):
        seconds = {"pipeline": 0.01, "sktime": 0.02}[door] * n
        return {"seconds": seconds, "before": 1.0, "peak": 1.0 + n / 8}

    panel_growth.report_panel_growth(ask, (2, 4), rounds=1)
    printed = capsys.readouterr().out
    assert "| 2 | 10 | 1.25 | 0.25 | 20 | 1.25 | 0.25 |" in printed
    assert "| 4 | 10 | 1.5 | 0.5 | 20 | 1.5 | 0.5 |" in printed


def test_a_busy_machine_is_compared_with_a_free_one(monkeypatch, capsys):
    def start(python, side, threads):
        return Answering({"seconds": [1.0 if threads else 3.0]})

    monkeypatch.setattr(busy_machine, "start", start)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    busy_machine.report_neighbor("python", None, series=2, rounds=1)
    printed = capsys.readouterr().out
    assert "| ratio |" in printed
    assert "| ours | 1 | 3 | 3 |" in printed


def test_the_page_has_a_place_for_every_part(tmp_path):
    copy = tmp_path / "page.md"
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    write_page(copy, dict.fromkeys(parts.PARTS, "| new |"))
    assert copy.read_text(encoding="utf-8").count("| new |") == len(parts.PARTS)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--only", "full"], "--work is needed"),
        (["--work", "x", "--only", "full,fast"], "unknown parts ['fast']"),
    ],
)
def test_arguments_that_cannot_be_used(given, message, capsys):
    with pytest.raises(SystemExit):
        program.parse_arguments(given)
    assert message in capsys.readouterr().err


def test_arguments():
    arguments = program.parse_arguments(["--work", "x", "--sizes", "hidden_size=64,num_experts=4"])
    assert arguments.sizes == {"hidden_size": 64, "num_experts": 4}
    assert "full" in arguments.only and "gpu" not in arguments.only
