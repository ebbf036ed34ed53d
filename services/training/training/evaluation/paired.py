"""Two systems compared by the clips that one of them gets right and the other does not.

McNemar 1947, "Note on the sampling error of the difference between correlated proportions", in its
exact form. Clips of one source are alike: were each counted for itself, differences would look
surer than they are. So it is whole sources of which either sign is as likely where the systems are
equally good. With one clip a source, that is McNemar's exact test as everybody knows it.

Legend: S sources, N clips.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

__all__ = ["PairedTest", "compare_pairs"]


@dataclass(frozen=True)
class PairedTest:
    """What two systems differ in.

    Attributes:
        first_only: clips that only the first gets right.
        second_only: clips that only the second gets right.
        n_sources: sources in which one of them gets more right.
        p: how likely a difference as large, either way, were between equals.
    """

    first_only: int
    second_only: int
    n_sources: int
    p: float

    def plain(self) -> dict[str, float]:
        """As JSON; three digits of the chance, however small it is."""
        return {**asdict(self), "p": float(f"{self.p:.3g}")}


def compare_pairs(
    sources: Sequence[str], first_N: Sequence[float], second_N: Sequence[float]
) -> PairedTest:
    """Compare two systems on the same clips.

    Args:
        sources: of each clip.
        first_N: 1 where the first system is right, else 0.
        second_N: the same of the second.
    """
    first_only = second_only = 0
    apart = Counter[str]()
    for source, first, second in zip(sources, first_N, second_N, strict=True):
        first_only += int(first > second)
        second_only += int(second > first)
        apart[source] += int(first > second) - int(second > first)
    apart_S = np.abs([number for number in apart.values() if number])
    return PairedTest(
        first_only, second_only, len(apart_S), _p_value(apart_S, abs(first_only - second_only))
    )


def _p_value(apart_S: np.ndarray, found: int) -> float:
    """How likely the numbers with random signs sum up to so much, or more, either way."""
    chances = np.ones(1)
    for number in apart_S:
        # The sum is `number` higher or lower: the middle of the list stays at zero.
        wider = np.zeros(len(chances) + 2 * number)
        wider[: len(chances)] += chances / 2
        wider[2 * number :] += chances / 2
        chances = wider
    middle = len(chances) // 2
    sums = np.abs(np.arange(len(chances)) - middle)
    return min(1.0, float(chances[sums >= found].sum()))
