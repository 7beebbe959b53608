"""Remarks on a backtest."""

from timer_forecaster.backtesting import notes


def test_remarks_name_what_they_mean():
    assert notes.note_of_short({"id 'a'": 2}, 5) == (
        "1 series has fewer than 5 windows: id 'a' (2)"
    )
    many = {f"id {i}": f"id {i}: too short" for i in range(7)}
    assert notes.note_of_left_out(many).endswith("id 4 (too short) and 2 more")
    failed = notes.note_of_failures("Theta", {"id 1, window after 3": "ValueError: no"}, 10)
    assert failed.startswith("Theta failed in 1 of 10 windows")
    assert "absolute errors" in notes.note_of_points("Theta")
