"""Joined cases: all of them are tested, and those that fail are named."""

import pytest

from tests.each import each


def test_every_case_is_tested_with_its_arguments():
    tested = []

    @each((number, str(number)) for number in range(3))
    def check(number, text):
        tested.append((number, text))

    check()
    assert tested == [(0, "0"), (1, "1"), (2, "2")]


def test_all_cases_that_fail_are_named():
    @each(["a", "b", "c"])
    def check(letter):
        assert letter == "b"

    with pytest.raises(ExceptionGroup, match="2 of 3 cases failed") as caught:
        check()
    assert [error.__notes__ for error in caught.value.exceptions] == [["The case: 'a'"], ["The case: 'c'"]]


def test_an_error_that_does_not_come_is_a_failure_too():
    @each([1])
    def check(_):
        with pytest.raises(ValueError, match="any"):
            pass

    with pytest.raises(BaseExceptionGroup, match="1 of 1 cases failed"):
        check()


def test_no_cases_are_a_failure():
    with pytest.raises(AssertionError, match="no cases"):
        each([])(lambda: None)()


@each(["a pair"])
def test_pytest_sees_a_test_without_fixtures(text):
    """And its docstring."""
    assert text == "a pair"


def test_the_test_keeps_its_name():
    assert test_pytest_sees_a_test_without_fixtures.__name__ == "test_pytest_sees_a_test_without_fixtures"
    assert test_pytest_sees_a_test_without_fixtures.__doc__ == "And its docstring."
