"""For how long an account counts as dry, and what ends it."""

from realtime.core.dry_account import ASK_AGAIN_S, DRY_S, Dryness


def test_it_holds_from_the_latest_refusal_on_for_as_long_as_the_platform_said():
    dry = Dryness()
    assert not dry.holds(0.0)
    assert dry.refused("chat", 100.0, None)
    assert not dry.refused("chat", 200.0, None), "no news"
    assert dry.holds(200.0 + DRY_S - 1)
    assert not dry.holds(200.0 + DRY_S)
    assert dry.refused("speech", 2000.0, 3600.0), "after its time it had counted again"
    assert dry.holds(2000.0 + 3599.0)


def test_an_answer_to_a_later_request_of_the_same_kind_ends_it():
    dry = Dryness()
    assert not dry.answered("chat", 1.0, 2.0)
    dry.refused("chat", 100.0, None)
    assert not dry.answered("chat", 99.0, 101.0), "it was asked while there was something left"
    assert not dry.answered("speech", 150.0, 151.0), "another kind may have a plan of its own"
    assert dry.holds(151.0)
    assert dry.answered("chat", 150.0, 152.0)
    assert not dry.holds(152.0)
    assert not dry.answered("chat", 160.0, 161.0), "no news"


def test_it_is_over_when_every_kind_answers():
    dry = Dryness()
    dry.refused("chat", 100.0, None)
    dry.refused("speech", 110.0, None)
    assert not dry.answered("chat", 120.0, 121.0)
    assert dry.holds(121.0)
    assert dry.answered("speech", 130.0, 131.0)


def test_of_two_that_answer_nobody_the_one_whose_word_is_older_is_asked_after_a_while():
    one, two = Dryness(), Dryness()
    one.refused("chat", 100.0, None)
    two.refused("chat", 110.0, None)
    assert not one.worth_asking_before(two, 100.0 + ASK_AGAIN_S - 1)
    assert one.worth_asking_before(two, 100.0 + ASK_AGAIN_S)
    assert not two.worth_asking_before(one, 1000.0), "so nobody goes to and fro"
