"""How large chunks get."""

from s2s.engine.chunks import ChunkSize


def test_a_chunk_is_some_seconds_of_work():
    size = ChunkSize(target_s=10)
    assert size.next(None, 2) == 1
    for _ in range(20):
        size.measured(1, 0.5)
    assert size.next(None, 2) == 20


def test_one_quick_item_does_not_make_a_chunk_of_minutes():
    size = ChunkSize(target_s=10)
    size.measured(1, 0.0)
    assert size.next(None, 2) == 8
    size.measured(8, 16.0)
    assert size.next(None, 2) == 5


def test_slow_items_go_one_by_one():
    size = ChunkSize(target_s=10)
    size.measured(1, 60.0)
    assert size.next(None, 2) == 1


def test_chunks_get_smaller_towards_the_end():
    size = ChunkSize(target_s=10)
    for _ in range(20):
        size.measured(1, 0.01)
    assert size.next(1_000_000, 2) == 1000
    assert [size.next(left, 2) for left in (400, 40, 4, 1)] == [100, 10, 1, 1]


def test_there_is_a_most_however_short_items_are():
    size = ChunkSize(target_s=10, most=100)
    for _ in range(10):
        size.measured(100, 0.0)
    assert size.next(None, 1) == 100
