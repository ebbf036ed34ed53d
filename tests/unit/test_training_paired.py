"""McNemar's test by source, held to the test as everybody knows it, and to chance itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from training.evaluation.paired import compare_pairs

ANSWERS = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60)


@given(ANSWERS)
def test_with_one_clip_a_source_it_is_mcnemars_exact_test(answers: list[tuple[bool, bool]]):
    first, second = ([pair[n] for pair in answers] for n in (0, 1))
    found = compare_pairs([str(n) for n in range(len(answers))], first, second)
    only = [sum(pair == wanted for pair in answers) for wanted in ((True, False), (False, True))]
    assert [found.first_only, found.second_only] == only
    wanted = binomtest(only[0], sum(only)).pvalue if sum(only) else 1.0
    assert found.p == pytest.approx(wanted)


@given(ANSWERS)
def test_it_does_not_matter_which_is_first(answers: list[tuple[bool, bool]]):
    sources = [str(n // 3) for n in range(len(answers))]
    first, second = ([pair[n] for pair in answers] for n in (0, 1))
    one, other = compare_pairs(sources, first, second), compare_pairs(sources, second, first)
    assert (one.first_only, one.p) == (other.second_only, pytest.approx(other.p))


def test_clips_of_one_source_are_no_more_than_one_source():
    right, wrong = [1.0] * 40, [0.0] * 40
    alone = compare_pairs(["one"] * 40, right, wrong)
    assert (alone.first_only, alone.n_sources, alone.p) == (40, 1, 1.0)
    ten = compare_pairs([str(n // 4) for n in range(40)], right, wrong)
    assert ten.p == pytest.approx(2 * 0.5**10)
    assert ten.plain() == {"first_only": 40, "second_only": 0, "n_sources": 10, "p": 0.00195}


def test_chance_is_that_of_signs_that_are_drawn():
    rng = np.random.default_rng(0)
    sources = [str(n) for n in rng.integers(12, size=90)]
    first, second = rng.random(90) < 0.8, rng.random(90) < 0.7
    apart = np.array(
        [
            sum(a * 1 - b for a, b, of in zip(first, second, sources, strict=True) if of == source)
            for source in sorted(set(sources))
        ]
    )
    drawn = rng.choice([-1, 1], (200_000, len(apart))) @ apart
    wanted = (np.abs(drawn) >= abs(apart.sum())).mean()
    found = compare_pairs(sources, first.tolist(), second.tolist())
    assert found.p == pytest.approx(wanted, abs=0.01)
