"""Pages of reports, taken apart."""

import json
from html.parser import HTMLParser

EMPTY = {"meta", "link", "input"}


class Page(HTMLParser):
    """A page with its elements, texts and data; a tag that is not closed fails."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.content = [], [], {}
        self.feed(text)
        self.close()
        assert self.open == []
        self.data = json.loads(self.texts("script")[0])

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)
            self.content.setdefault(tag, []).append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.content[self.open[-1]][-1] += data

    def texts(self, tag):
        """Return the texts of the elements of a tag."""
        return self.content.get(tag, [])

    def attributes(self, tag):
        """Return the attributes of the elements of a tag."""
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(path):
    """Return the page of a file."""
    return Page(path.read_text(encoding="utf-8"))
