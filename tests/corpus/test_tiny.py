"""The tiny corpus is a corpus: whole, repeatable, with letters that can be told apart."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio.read import read_waveform
from asr.corpus.librispeech import read_librispeech
from asr.corpus.tiny import LETTER_DURATION, RESONANCES, SAMPLE_RATE, VOCABULARY, write_tiny_corpus
from asr.corpus.utterance import CorpusReport


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    write_tiny_corpus(folder, n_utterances=11, n_speakers=3, seed=5)
    return folder


@pytest.fixture(scope="module")
def report(folder: Path) -> CorpusReport:
    return read_librispeech(folder)


def test_it_is_a_whole_corpus(report: CorpusReport) -> None:
    assert report.problems == ()
    assert len(report.utterances) == 11


def test_the_utterances_are_dealt_evenly(report: CorpusReport) -> None:
    speakers = [utterance.speaker for utterance in report.utterances]

    assert sorted(speakers.count(speaker) for speaker in set(speakers)) == [3, 4, 4]


def test_an_utterance_has_two_to_four_words_of_the_vocabulary(report: CorpusReport) -> None:
    for utterance in report.utterances:
        words = (utterance.text or "").split()
        assert 2 <= len(words) <= 4
        assert set(words) <= set(VOCABULARY)


def test_an_utterance_is_as_long_as_its_letters_and_pauses(report: CorpusReport) -> None:
    for utterance in report.utterances:
        n_letters = sum(letter != " " for letter in utterance.text or "")
        assert n_letters * LETTER_DURATION[0] < (utterance.duration or 0)
        assert (utterance.duration or 0) < (n_letters + 5) * LETTER_DURATION[1]


def test_it_is_mono_at_16_khz_and_not_clipped(report: CorpusReport) -> None:
    for utterance in report.utterances:
        info = soundfile.info(utterance.audio_filepath)
        waveform = read_waveform(utterance.audio_filepath, sample_rate=SAMPLE_RATE)
        assert (info.samplerate, info.channels) == (16000, 1)
        assert 0.1 < np.abs(waveform).max() < 0.5


def test_equal_arguments_give_equal_files(folder: Path, tmp_path: Path) -> None:
    write_tiny_corpus(tmp_path, n_utterances=11, n_speakers=3, seed=5)

    assert files(tmp_path) == files(folder)


def test_another_seed_gives_other_speakers_and_other_words(folder: Path, tmp_path: Path) -> None:
    write_tiny_corpus(tmp_path, n_utterances=11, n_speakers=3, seed=6)

    one, other = read_librispeech(folder).utterances, read_librispeech(tmp_path).utterances
    assert not {u.speaker for u in one} & {u.speaker for u in other}
    assert [u.text for u in one] != [u.text for u in other]


def test_fewer_utterances_than_speakers_leave_no_one_silent(tmp_path: Path) -> None:
    write_tiny_corpus(tmp_path, n_utterances=2, n_speakers=5, seed=0)

    assert len({u.speaker for u in read_librispeech(tmp_path).utterances}) == 2


def test_every_letter_of_the_vocabulary_has_a_sound_of_its_own() -> None:
    assert {letter for word in VOCABULARY for letter in word} == set(RESONANCES)
    sounds = np.log(list(RESONANCES.values()))
    for index, sound in enumerate(sounds):
        others = np.delete(sounds, index, axis=0)
        assert np.abs(others - sound).max(axis=1).min() > 0.15
