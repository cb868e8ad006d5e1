from pathlib import Path

from asr.corpus.utterance import Utterance, evenly


def test_some_of_a_corpus_are_evenly_spread_and_of_none_none() -> None:
    corpus = [Utterance(f"{n}", Path("a.wav")) for n in range(10)]
    assert [one.id for one in evenly(corpus, 4)] == ["0", "3", "6", "9"]
    assert evenly(corpus, 10) == corpus
    assert evenly([], 5) == []
