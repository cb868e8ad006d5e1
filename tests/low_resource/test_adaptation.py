from pathlib import Path

from asr.corpus.utterance import Utterance
from asr.low_resource.adaptation import folds, recordings_hash


def test_every_fold_has_some_of_each_speaker() -> None:
    utterances = [Utterance(f"{s}-{n}", Path(f"{n}.wav")) for s in "ab" for n in "123"]

    assert [[u.id for u in fold] for fold in folds(utterances, 2)] == [
        ["a-1", "a-3", "b-2"],
        ["a-2", "b-1", "b-3"],
    ]


def test_recordings_are_known_by_their_content_and_not_by_their_folder(tmp_path: Path) -> None:
    def corpus(folder: str, content: bytes) -> str:
        path = tmp_path / folder / "1.wav"
        path.parent.mkdir()
        path.write_bytes(content)
        return recordings_hash([Utterance("1", path), Utterance("2", path.with_name("gone.wav"))])

    one, copy, other = corpus("one", b"hello"), corpus("copy", b"hello"), corpus("other", b"world")

    assert one == copy != other
