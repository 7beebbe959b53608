import pytest

from timer_forecaster.ray.errors import errors_of_workers

exceptions = pytest.importorskip("ray.exceptions")


def raised_by_ray(cause):
    """Return the error of Ray Data about the error of a worker, as `ray.get` raises it."""
    user = exceptions.UserCodeException("UDF failed to process a data block.")
    user.__cause__ = cause
    return exceptions.RayTaskError("map", "the traceback", user).as_instanceof_cause()


@pytest.mark.parametrize("kind", [ValueError, TypeError, ImportError])
def test_an_error_that_a_user_caused_is_raised_as_it_is(kind):
    with pytest.raises(kind, match=r"^levels must lie in") as caught, errors_of_workers():
        raise raised_by_ray(kind("levels must lie in (0, 1)"))
    assert type(caught.value) is kind


def test_other_errors_stay_errors_of_ray():
    with pytest.raises(exceptions.RayError), errors_of_workers():
        raise raised_by_ray(MemoryError())


def test_errors_of_the_caller_pass():
    with pytest.raises(KeyError), errors_of_workers():
        raise KeyError("a")
