from pathlib import Path

from asr.corpus.utterance import Utterance
from asr.low_resource.adaptation import folds


def test_every_fold_has_some_of_each_speaker() -> None:
    utterances = [Utterance(f"{s}-{n}", Path(f"{n}.wav")) for s in "ab" for n in "123"]

    assert [[u.id for u in fold] for fold in folds(utterances, 2)] == [
        ["a-1", "a-3", "b-2"],
        ["a-2", "b-1", "b-3"],
    ]
