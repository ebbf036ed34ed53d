"""A session stops when a site refuses it again and again, and says when to go on."""

import threading
from pathlib import Path

from collection.network.breaker import Breaker, session_breaker
from s2s.reasons import Reason


def test_it_opens_after_so_many_refusals_in_a_row():
    breaker = Breaker(3)
    for reason in (Reason.RATE_LIMITED, Reason.FORBIDDEN):
        breaker.report(reason)
        assert breaker.reason is None
    breaker.report(Reason.BOT_CHECK)
    assert breaker.reason is Reason.BOT_CHECK
    breaker.report(None)
    assert breaker.reason is Reason.BOT_CHECK, "it stays open"


def test_an_answer_starts_the_count_again():
    for answer in (None, Reason.GONE, Reason.PRIVATE):
        breaker = Breaker(2)
        breaker.report(Reason.RATE_LIMITED)
        breaker.report(answer)
        breaker.report(Reason.RATE_LIMITED)
        assert breaker.reason is None, answer


def test_what_is_no_answer_changes_nothing():
    breaker = Breaker(2)
    for reason in (Reason.RATE_LIMITED, Reason.NETWORK, Reason.TIMEOUT, Reason.RATE_LIMITED):
        breaker.report(reason)
    assert breaker.reason is Reason.RATE_LIMITED


def test_it_says_how_long_to_wait():
    asked = Breaker(2)
    asked.report(Reason.RATE_LIMITED, 90)
    asked.report(Reason.RATE_LIMITED, 610)
    assert "refused 2 requests in a row (rate_limited)" in asked.message
    assert "Wait about 11 minutes" in asked.message
    unasked = Breaker(1)
    unasked.report(Reason.BOT_CHECK)
    assert "Wait about 60 minutes" in unasked.message


def test_threads_of_a_run_share_one_and_runs_do_not(tmp_path: Path):
    found: list[Breaker] = []
    threads = [
        threading.Thread(target=lambda: found.append(session_breaker(tmp_path, 5)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
    assert session_breaker(tmp_path / "other", 5) is not found[0]
