"""Sizes of chunks: as many items as take a worker some seconds, by measurement."""

__all__ = ["ChunkSize"]

_GROWTH = 8
_SMOOTHING = 0.3


class ChunkSize:
    """The number of items in the next chunk.

    The first chunks are single items. Their measured seconds say how many fill the time that is
    aimed at; a size grows by a factor of 8 at most from one measurement to the next, so that one
    lucky item does not make a chunk of minutes.

    Args:
        target_s: seconds of work in a chunk.
        most: items in a chunk, however short they are: what they give is held until it is sent.
    """

    def __init__(self, target_s: float = 10.0, most: int = 5_000) -> None:
        self._target_s = target_s
        self._most = most
        self._seconds: float | None = None
        self._size = 1

    def measured(self, n_items: int, seconds: float) -> None:
        """Take in how long a chunk was worked on."""
        one_s = max(seconds / n_items, 1e-7)
        before = self._seconds
        self._seconds = one_s if before is None else before + _SMOOTHING * (one_s - before)
        wanted = int(self._target_s / max(self._seconds, one_s))
        self._size = max(1, min(wanted, _GROWTH * self._size, self._most))

    def next(self, n_left: int | None, n_workers: int) -> int:
        """Items in the next chunk.

        Args:
            n_left: items that are not sent yet; None if unknown.
            n_workers: workers that share them: near the end chunks get smaller, so that all
                finish at about the same time.
        """
        if n_left is None:
            return self._size
        return max(1, min(self._size, n_left // (2 * n_workers)))
