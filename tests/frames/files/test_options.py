"""What a user may say about a file."""

import pytest

from timer_forecaster.frames.files.options import ReadingOptions


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sep": ";;"}, "sep=';;' must be one sign"),
        ({"sep": "x"}, "sep='x' must be one sign"),
        ({"sep": ""}, "sep='' must be one sign"),
        ({"decimal": ";"}, r"decimal=';' must be '\.' or ','"),
        ({"thousands": "x"}, "thousands='x' must be one of"),
        ({"decimal": ",", "thousands": ","}, "decimal and thousands are both ','"),
        ({"encoding": "utf-9"}, "encoding='utf-9' is unknown: use for example utf-8"),
    ],
)
def test_options_that_cannot_be_meant(options, message):
    with pytest.raises(ValueError, match=message):
        ReadingOptions(**options)
