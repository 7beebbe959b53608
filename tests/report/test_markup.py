import json

import pytest

from timer_forecaster.report import markup

ODD = ['<script>alert("x")</script>', "a & b", "'\"<>", "</script>", "<!--", "a\x00b\x1f", "\ud800"]


@pytest.mark.parametrize("text", ODD)
def test_texts_stay_texts(text):
    written = markup.element("td", text, title=text)
    assert written.count("<") == 2 and written.count(">") == 2
    assert "\x00" not in written
    written.encode()


@pytest.mark.parametrize("text", ODD)
def test_data_do_not_leave_their_script(text):
    written = markup.script_data({text: [text]})
    assert "<" not in written
    if text.isprintable():
        assert json.loads(written) == {text: [text]}


def test_numbers_that_json_does_not_have_are_refused():
    with pytest.raises(ValueError):
        markup.script_data(float("nan"))


def test_a_table_stands_behind_each_picture():
    text = markup.picture("Sales <b>")
    assert text.count("<details") == 1 and 'aria-label="Sales &lt;b&gt;: values' in text


def test_a_scroller_is_reached_by_keys():
    assert 'tabindex="0"' in markup.scroller("a")
