import threading
from pathlib import Path

import pytest

from asr.corpus.loader import prefetch, recordings_hash
from asr.corpus.utterance import Utterance


@pytest.mark.parametrize("n_threads", [1, 3])
def test_results_come_in_the_order_of_the_arguments(n_threads: int) -> None:
    numbers = prefetch(lambda n: n * n, range(20), depth=4, n_threads=n_threads)

    assert list(numbers) == [n * n for n in range(20)]


def test_several_threads_compute_at_once() -> None:
    both = threading.Barrier(2, timeout=60)

    assert len(list(prefetch(lambda _: both.wait(), range(4), depth=4, n_threads=2))) == 4


def test_an_error_comes_where_its_result_would_have_come() -> None:
    numbers = prefetch(lambda n: 1 // n, [1, 1, 0, 1], depth=2)

    assert [next(numbers), next(numbers)] == [1, 1]
    with pytest.raises(ZeroDivisionError):
        next(numbers)


def test_recordings_are_known_by_their_content_and_not_by_their_folder(tmp_path: Path) -> None:
    def corpus(folder: str, content: bytes) -> str:
        path = tmp_path / folder / "1.wav"
        path.parent.mkdir()
        path.write_bytes(content)
        return recordings_hash([Utterance("1", path), Utterance("2", path.with_name("gone.wav"))])

    one, copy, other = corpus("one", b"hello"), corpus("copy", b"hello"), corpus("other", b"world")

    assert one == copy != other


def test_recordings_are_hashed_whatever_they_are_called() -> None:
    names = ["a\0b.wav", "\ud800.wav", "c" * 300]

    assert recordings_hash([Utterance(name, Path(name)) for name in names])
