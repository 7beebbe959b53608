def test_checkpoints_are_listed(run):
    code, out, _ = run("checkpoints")
    assert code == 0
    assert out.splitlines()[0].startswith("timer-s1-small")
