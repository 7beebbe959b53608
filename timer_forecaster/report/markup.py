"""Texts in HTML: whatever an id or a column is called, it stays text."""

from __future__ import annotations

import html
import json
import re
from typing import Any

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def plain(text: object) -> str:
    r"""Return a text without characters that no page can hold.

    Examples
    --------
    >>> plain("a\x00b")
    'a�b'
    """
    return _CONTROL.sub("\ufffd", str(text))


def escaped(text: object) -> str:
    """Return a text for the content or an attribute of an element.

    Examples
    --------
    >>> escaped('<b title="x">')
    '&lt;b title=&quot;x&quot;&gt;'
    """
    return html.escape(plain(text), quote=True)


def element(name: str, text: object, **attributes: str) -> str:
    """Return an element that holds a text.

    Examples
    --------
    >>> element("td", "a < b", scope="row")
    '<td scope="row">a &lt; b</td>'
    """
    return f"<{name}{_written(attributes)}>{escaped(text)}</{name}>"


def script_data(value: Any) -> str:
    r"""Return a value as JSON that no text in it can leave.

    Examples
    --------
    >>> script_data({"id": "</script>"})
    '{"id":"\\u003c/script>"}'
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def scroller(label: str, content: str = "") -> str:
    """Return a place that scrolls, also by keys, for content that may be large.

    Examples
    --------
    >>> scroller("a < b").startswith('<div class="scroll" tabindex="0" role="region"')
    True
    """
    name = escaped(label)
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{name}">{content}</div>'


def picture(title: str, head: str = "") -> str:
    """Return the places of a picture that the script draws, and of the table behind it.

    Parameters
    ----------
    title : str
        Of the part.
    head : str
        Markup above the legend.
    """
    table = scroller(f"{title}: values of the picture")
    return (
        f'<figure>{head}<div class="legend"></div><div class="picture"></div>'
        '<p class="readout" role="status"></p></figure>'
        '<details class="behind"><summary>The values of this picture as a table</summary>'
        f"{table}</details>"
    )


def _written(attributes: dict[str, str]) -> str:
    return "".join(f' {name.rstrip("_")}="{escaped(value)}"' for name, value in attributes.items())
