"""One test for many small cases: a test of its own for each would cost several times more than what it tests.

`@each(CASES)` calls the test with each case (a tuple is several arguments) and then names all cases that failed. Not for tests
with fixtures or coroutines, nor where a case takes long: for those there is `pytest.mark.parametrize`.
"""

from collections.abc import Callable, Iterable
from typing import Any

import pytest


def each(cases: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Make one test of a function that tests one case."""
    kept = list(cases)

    def joined(test: Callable[..., None]) -> Callable[[], None]:
        several = test.__code__.co_argcount > 1

        def all_cases() -> None:
            assert kept, "there are no cases"
            failed = [error for case in kept if (error := _failure(test, case if several else (case,)))]
            if failed:
                raise BaseExceptionGroup(f"{len(failed)} of {len(kept)} cases failed", failed)

        all_cases.__name__, all_cases.__qualname__ = test.__name__, test.__qualname__
        all_cases.__module__, all_cases.__doc__ = test.__module__, test.__doc__
        return all_cases

    return joined


def _failure(test: Callable[..., None], case: tuple[Any, ...]) -> BaseException | None:
    try:
        test(*case)
    except (Exception, pytest.fail.Exception) as error:
        error.add_note(f"The case: {', '.join(map(repr, case))}")
        return error
    return None
