from timer_forecaster.report import Words


def test_all_texts_are_there():
    part = Words("About <x>", ["one", "two"], {"checkpoint": "a<b"}, ["note & more"])
    text = part.markup(4)
    assert '<h2 id="part4">About &lt;x&gt;</h2>' in text
    assert "<p>one</p><p>two</p>" in text
    assert "<dt>checkpoint</dt><dd>a&lt;b</dd>" in text
    assert "<li>note &amp; more</li>" in text
    assert (part.weight, part.packed(1.0)) == (0, None)
