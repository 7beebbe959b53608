"""Batches of rows of similar length."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from timer_forecaster.inference.engine.batching import fill_in_batches, token_batches


def test_batches_hold_rows_of_similar_length():
    batches = token_batches([3, 1, 2, 1, 9], lambda n_tokens: max(1, 4 // n_tokens), None)
    assert [*batches] == [[1, 3], [2], [0], [4]]


@given(
    st.lists(st.integers(1, 50), max_size=40),
    st.integers(1, 100),
    st.none() | st.integers(1, 7),
)
def test_every_row_is_in_one_batch_that_keeps_the_limits(n_tokens, budget, batch_size):
    def rows_at_once(longest):
        return max(1, budget // longest)

    batches = [*token_batches(n_tokens, rows_at_once, batch_size)]
    rows = [row for batch in batches for row in batch]
    assert sorted(rows) == [*range(len(n_tokens))]
    lengths = [n_tokens[row] for row in rows]
    assert lengths == sorted(lengths)
    for batch in batches:
        longest = max(n_tokens[row] for row in batch)
        assert 1 <= len(batch) <= min(rows_at_once(longest), batch_size or len(rows))


@pytest.mark.parametrize("n_threads", [1, 3])
def test_outputs_go_to_their_rows_and_progress_is_told(n_threads):
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        result, done = np.zeros((5, 2)), []
        fill_in_batches(
            result,
            lambda batch: np.array([[row, row**2] for row in batch]),
            [[4, 0], [2], [1, 3]],
            device=torch.device("cpu"),
            share_experts=False,
            on_batch=done.append,
        )
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(result, [[row, row**2] for row in range(5)])
    assert done == [2, 1, 2]
