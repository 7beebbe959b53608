"""Batches of rows: what the sources of a run have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from timer_forecaster.extras import missing_extra

if TYPE_CHECKING:
    import pyarrow as pa


class Batch(NamedTuple):
    """Consecutive rows of a source."""

    table: pa.Table
    done: int
    """How much of the source is read then, in its unit."""


class Rows(Protocol):
    """A source of rows, which are read from the first one on each time."""

    unit: str
    """Unit of `total`, such as "row"."""
    total: int | None
    """Size of the source; None if it is not known before the end."""

    def head(self) -> pa.Table:
        """Return all columns of the first rows."""

    def sorting(self, ids: Sequence[str]) -> str:
        """Return how the rows can be sorted by some columns, for an error."""

    def described(self) -> dict[str, Any]:
        """Return what is known of the data before they are read."""

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """Yield some columns of consecutive rows."""


def require_pyarrow() -> None:
    """Refuse to go on without pyarrow.

    Raises
    ------
    ImportError
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise ImportError(
            missing_extra("folders of Parquet files need pyarrow", "parquet")
        ) from error


def kind_of(of: pa.DataType) -> str:
    """Return the kind of values of a type, such as "numbers"; a cast within a kind keeps meaning.

    Examples
    --------
    >>> import pyarrow as pa
    >>> kind_of(pa.int64()) == kind_of(pa.float32()), kind_of(pa.int64()) == kind_of(pa.string())
    (True, False)
    """
    from pyarrow import types

    if types.is_dictionary(of):
        return kind_of(of.value_type)
    if types.is_timestamp(of):
        return "times" if of.tz is None else "instants"
    kinds = {
        "numbers": (types.is_integer, types.is_floating, types.is_decimal),
        "texts": (types.is_string, types.is_large_string, types.is_string_view),
        "times": (types.is_date,),
    }
    found = [kind for kind, tests in kinds.items() if any(test(of) for test in tests)]
    return found[0] if found else str(of)
