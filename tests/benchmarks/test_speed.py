"""The parts of the speed benchmark at tiny sizes: that they measure what they say, not how fast."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import speed
from measuring import forget_peak, in_turns, markdown, measure_cpu, memory, write_page
from places import ROOT
from speed_parts import against_released, machine, networks, own, panels, peers, sides, startup

from timer_forecaster import ForecastPipeline, release
from timer_forecaster.checkpoints.registry import find_checkpoint

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
LAYOUT = ROOT.parent / "shared" / "parity" / "released_checkpoint_layout.json"
PAGE = ROOT / "docs" / "performance.md"
linux = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return networks.write_checkpoint(tmp_path_factory.mktemp("work"), TINY, "float32", 50_000)


def test_a_checkpoint_is_written_in_shards_that_load(checkpoint):
    index = json.loads((checkpoint / "model.safetensors.index.json").read_text())
    files = set(index["weight_map"].values())
    assert files == {path.name for path in checkpoint.glob("*.safetensors")}
    assert len(files) > 3
    assert index["metadata"]["total_size"] == 4 * parameters(TINY)
    forecast = ForecastPipeline.from_pretrained(checkpoint, device="cpu").predict(
        np.arange(40.0), 5
    )
    assert np.isfinite(forecast.quantiles).all()


def test_a_checkpoint_is_written_once(tmp_path):
    networks.write_checkpoint(tmp_path, TINY, "float32")
    (weights,) = tmp_path.glob("*.safetensors")
    before = weights.stat().st_mtime_ns
    networks.write_checkpoint(tmp_path, TINY, "float32")
    assert weights.stat().st_mtime_ns == before
    networks.write_checkpoint(tmp_path, TINY, "bfloat16")
    assert weights.stat().st_mtime_ns > before
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["torch_dtype"] == "bfloat16"


def parameters(sizes):
    return sum(int(np.prod(shape)) for shape in networks.parameter_shapes(sizes).values())


def test_the_sizes_are_those_that_are_stated():
    assert parameters({}) == 8_303_654_176
    assert parameters(networks.SMALL) == pytest.approx(35.7e6, rel=0.01)
    assert parameters(peers.SIMILAR) == pytest.approx(120e6, rel=0.1)


@pytest.mark.skipif(not LAYOUT.exists(), reason="the released checkpoint's layout is not here")
def test_the_layout_is_the_released_one():
    released = json.loads(LAYOUT.read_text())
    assert {name: tuple(shape) for name, shape in released.items()} == networks.parameter_shapes({})


def test_balanced_routing_uses_every_expert_alike():
    network = TimerS1Network(TimerS1Architecture(**TINY)).eval()
    networks.balance(network)
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
    gate, again = (networks.balanced_gate(4) for _ in range(2))
    long, short = gate(torch.randn(networks.GATE_ROWS + 2, 32)), again(torch.zeros(2, 32))
    torch.testing.assert_close(long[:2], short)
    torch.testing.assert_close(long[-2:], short)
    assert gate(torch.zeros(1, 32, dtype=torch.bfloat16)).dtype == torch.bfloat16


@pytest.mark.parametrize("horizon", [16, 48])
def test_useful_work_is_what_the_network_does(horizon):
    from torch.utils.flop_counter import FlopCounterMode

    config = TimerS1Architecture(**TINY)
    network = TimerS1Network(config).eval()
    network.set_attention_kernel("eager")  # the counter knows nothing of the fused one
    patches = patchify(torch.randn(3, 160), None, 16)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.forecast_pass(patches, horizon // 16)
    useful = networks.useful_work(config, 3, 160, horizon).flops
    assert useful < counter.get_total_flops() < 1.05 * useful  # it attends to the future and masks


def test_useful_work_of_the_released_sizes():
    config = TimerS1Architecture()
    work = networks.useful_work(config, 1, 2880, 272)
    assert work.flops == pytest.approx(0.274e12, rel=0.03)
    assert work.weights == pytest.approx(8.1e9, rel=0.02)  # of the last block, two experts
    rolled = networks.useful_work(config, 1, 2880, 720)
    assert 1 < rolled.flops / work.flops < 1.5  # what is known of the context is kept
    assert networks.useful_work(config, 4, 2880, 272).flops == pytest.approx(4 * work.flops)


@linux
def test_memory_knows_the_peak():
    forget_peak()
    before = memory()
    held = np.ones(25_000_000)
    during = memory()
    del held
    assert during["anonymous"] - before["anonymous"] > 0.15
    assert memory()["peak"] - before["now"] > 0.15
    forget_peak()
    assert memory()["peak"] < during["peak"] - 0.1


def test_medians_and_tables():
    answers = iter([1.0, 10.0, 3.0, 30.0, 2.0, 20.0])
    ways = {name: lambda: {"seconds": next(answers)} for name in ("one", "two")}
    assert in_turns(ways, 3) == {"one": {"seconds": 2.0}, "two": {"seconds": 20.0}}
    rows = [{"name": "a", "n": 1234, "s": 0.012345}, {"name": "b", "n": None, "s": 123.4}]
    assert markdown(rows).splitlines() == [
        "| name | n | s |",
        "| --- | --- | --- |",
        "| a | 1,234 | 0.0123 |",
        "| b | – | 123 |",
    ]
    assert measure_cpu(lambda: sum(range(100_000))) > 0


def test_our_side_answers(checkpoint):
    assert min(sides.load("ours", str(checkpoint), "float32").values()) > 0
    quantiles = np.array(sides.forecast("ours", 64, 20))
    assert quantiles.shape == (1, 9, 20)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    sides.balance("ours")
    for batch, horizon in ((1, 20), (3, 80)):
        found = sides.seconds("ours", 64, horizon, batch, repeats=2)
        assert len(found) == 2 and min(found) > 0
    assert len(sides.ragged_seconds("ours", 3, 20, repeats=1)) == 1
    assert "aten::" in sides.profile("ours", 64, 20, 1)


def test_it_is_compared_with_itself_where_the_reference_is_missing():
    ways, left_out = against_released.ways_of(None, sys.executable, "bfloat16", int8=True)
    assert ways[0].name == "ours, bfloat16"
    assert "--reference-python" in left_out[0]
    assert [way.kind for way in ways] == ["bfloat16", "int8"]
    assert len(left_out) == 1


def test_what_is_packed_at_first_use_counts_to_the_start(checkpoint, int8_kernel, monkeypatch):
    monkeypatch.setattr(weights, "DEFERRED_FROM_BYTES", 0)  # small ones are packed as they load

    def n_packed():
        return sum(isinstance(part, Int8Linear) for part in sides._held["ours"].network.modules())

    release()
    sides.load("ours", str(checkpoint), "float32", quantization="int8")
    assert n_packed() == 0
    found = sides.first_forecast("ours", 64, 20, 1)
    assert n_packed() > 0
    assert set(found) == {"wall s", "CPU s"} and min(found.values()) > 0


def test_a_start_is_loading_and_a_first_forecast(monkeypatch, capsys):
    answers = {
        "load": {"wall s": 1.0, "CPU s": 2.0},
        "first_forecast": {"wall s": 10.0, "CPU s": 20.0},
        "seconds": [0.5],
        "memory": {"anonymous": 3.0, "peak": 4.0},
        "peaks": {"float32": 1.0, "bfloat16": 1.0, "int8": 1.0, "read": 1.0},
    }

    class Told:
        def __init__(self, *arguments):
            pass

        def ask(self, question, *arguments, **details):
            return answers.get(question)

        def close(self):
            pass

    monkeypatch.setattr(against_released, "Process", Told)
    ways, _ = against_released.ways_of("python", "python", "bfloat16", int8=True)
    setting = against_released.Setting(speed.PROGRAM, Path(), ways, rounds=1)
    against_released.report_cases(setting, TimerS1Architecture(**TINY), speed.QUICK_CASES)
    printed = capsys.readouterr().out
    assert "| load and first forecast, wall s | load and first forecast, CPU s |" in printed
    for name in ("released, bfloat16", "ours, bfloat16", "ours, int8"):
        assert f"| {name} | 11 | 22 | 3 |" in printed


def test_rates_of_the_machine():
    rates = machine.peaks(**machine.QUICK)
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


@pytest.mark.parametrize("name", peers.CLASSICAL)
def test_classical_forecasters(name):
    library = "statsforecast" if "statsforecast" in name else "statsmodels"
    pytest.importorskip(library, reason=f"{library} is not in this environment")
    if "season" in name and "AutoETS" in name:
        pytest.skip("takes seconds: the same as the others but for the season")
    found = peers.classical(name, 60, 3, budget=0)
    assert found["seconds"] > 0 and found["series"] == 1


@pytest.mark.parametrize("name", ["Chronos2Model, tiny", "TimerS1Model", "ours"])
def test_darts_models_are_built_without_files(name, checkpoint, monkeypatch):
    pytest.importorskip("darts")
    sizes = {"d_model": 32, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2}
    monkeypatch.setitem(peers.DARTS_MODELS, "Chronos2Model, tiny", peers.CHRONOS_2 | sizes)
    monkeypatch.setattr(peers, "_be_quiet", lambda: None)  # which is for good
    folder = find_checkpoint(TEST_MODEL) if name == "TimerS1Model" else checkpoint
    found = peers.darts_model(
        "TimerS1Model" if name == "ours" else name, 2, 40, 5, 1, checkpoint=str(folder)
    )
    assert found["seconds"] > 0
    if name == "ours":
        assert found["parameters"] == parameters(TINY)


def test_start_up_is_measured_in_new_processes():
    found = startup.startup(1, {"nothing": "pass", "package": "import timer_forecaster"})
    assert all(0 < figures["CPU s"] for figures in found.values())


def test_the_program_prints_tables(tmp_path, monkeypatch, capsys):
    sizes = ",".join(f"{name}={value}" for name, value in TINY.items())
    given = ["speed.py", "--work", str(tmp_path), "--quick", "--rounds", "1"]
    monkeypatch.setattr(sys, "argv", [*given, "--only", "full", "--sizes", sizes])
    speed.main()
    printed = capsys.readouterr().out
    assert "Left out: the released implementation" in printed
    assert "| 2 | 64 | 400 | ours, bfloat16 |" in printed
    assert "This machine's own products" in printed


def test_growth_is_printed(checkpoint, capsys):
    sizes = {"contexts": (64, 32), "horizons": (16,), "batches": (1, 2), "repeats": 1}
    own.report_growth(sys.executable, speed.PROGRAM, checkpoint, **sizes)
    printed = capsys.readouterr().out
    assert "| 16 | " in printed and "One series of 64 points, by roll-out" in printed


def test_the_page_has_a_place_for_every_part(tmp_path):
    copy = tmp_path / "page.md"
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    write_page(copy, dict.fromkeys(speed.PARTS, "| new |"))
    assert copy.read_text(encoding="utf-8").count("| new |") == len(speed.PARTS)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--only", "full"], "--work is needed"),
        (["--work", "x", "--only", "full,fast"], "unknown parts ['fast']"),
    ],
)
def test_arguments_that_cannot_be_used(given, message, capsys):
    with pytest.raises(SystemExit):
        speed.parse_arguments(given)
    assert message in capsys.readouterr().err


def test_arguments():
    arguments = speed.parse_arguments(["--work", "x", "--sizes", "hidden_size=64,num_experts=4"])
    assert arguments.sizes == {"hidden_size": 64, "num_experts": 4}
    assert "full" in arguments.only and "gpu" not in arguments.only
