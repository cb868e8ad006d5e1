import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from asr.audio.read import read_duration
from asr.audio.write import write_waveform
from asr.cli import main
from asr.corpus.manifest import read_manifest
from asr.corpus.tiny import write_tiny_corpus


def prepare(*words: object) -> int:
    return main(["prepare", *map(str, words)])


def change_text(corpus: Path, text: str) -> None:
    """Let the transcript of 1000-1-0000 say something else."""
    path = corpus / "1000" / "1" / "1000-1.trans.txt"
    _, *others = path.read_text().splitlines()
    path.write_text("\n".join([f"1000-1-0000 {text}", *others]))


def test_a_corpus_becomes_a_manifest_with_durations_texts_and_speakers(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new" / "all.jsonl"
    assert prepare(corpus, "--output", output) == 0
    utterances = read_manifest(output)
    assert len(utterances) == 4
    assert {utterance.speaker for utterance in utterances} == {"1000", "1001"}
    for utterance in utterances:
        assert utterance.duration == read_duration(utterance.audio_filepath)
        assert utterance.text
    seconds = sum(utterance.duration or 0.0 for utterance in utterances)
    expected = f"{output}: 4 utterances, {seconds:.1f} seconds, 2 speakers\n"
    assert capsys.readouterr() == (expected, "")
    assert not output.with_name("all.jsonl.problems.txt").exists()


def test_what_is_wrong_is_left_out_and_listed_with_its_reason(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (corpus / "1000" / "1" / "1000-1-0000.flac").unlink()
    (corpus / "1001" / "1" / "1001-1-0001.flac").write_bytes(b"fLaC")
    output = tmp_path / "all.jsonl"
    assert prepare(corpus, "--output", output) == 0
    assert [u.id for u in read_manifest(output)] == ["1000-1-0001", "1001-1-0000"]
    listed = output.with_name("all.jsonl.problems.txt").read_text().splitlines()
    assert [line.split("\t")[0] for line in listed] == ["1000-1-0000", "1001-1-0001"]
    err = capsys.readouterr().err
    assert "2 left out" in err
    assert "1000-1-0000: " in err


def test_utterances_too_short_for_their_text_are_left_out(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change_text(corpus, "MISSISSIPPI " * 20)
    output = tmp_path / "all.jsonl"
    assert prepare(corpus, "--output", output) == 0
    assert "1000-1-0000" not in [u.id for u in read_manifest(output)]
    assert "frames; its tokens need" in capsys.readouterr().err


@pytest.mark.parametrize(("factor", "is_left_out"), [(2, False), (3, False), (4, True)])
def test_how_short_is_too_short_follows_from_the_subsampling_factor(
    factor: int, is_left_out: bool, corpus: Path, tmp_path: Path
) -> None:
    seconds = read_duration(corpus / "1000" / "1" / "1000-1-0000.flac")
    n_frames = (round(seconds * 16000) - 400) // 160 + 1
    text = "AB" * (-(-n_frames // 4) // 2 + 1)  # one or two more than factor 4 leaves room for
    change_text(corpus, text)
    output = tmp_path / "all.jsonl"
    assert prepare(corpus, "--output", output, "--subsampling-factor", factor) == 0
    assert ("1000-1-0000" not in [u.id for u in read_manifest(output)]) == is_left_out


def test_many_problems_are_all_in_the_file_and_the_first_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tiny_corpus(tmp_path / "corpus", n_utterances=9, n_speakers=1, seed=1)
    for path in sorted(tmp_path.glob("corpus/*/*/*.flac"))[:8]:
        path.unlink()
    assert prepare(tmp_path / "corpus", "--output", tmp_path / "all.jsonl") == 0
    assert capsys.readouterr().err.endswith("\n  and 3 more\n")
    assert len((tmp_path / "all.jsonl.problems.txt").read_text().splitlines()) == 8


def test_a_corpus_of_which_nothing_can_be_used_is_an_error_and_leaves_no_manifest(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in corpus.glob("*/*/*.flac"):
        path.unlink()
    assert prepare(corpus, "--output", tmp_path / "all.jsonl") == 1
    assert "expected a usable utterance, got none among 4" in capsys.readouterr().err
    assert not (tmp_path / "all.jsonl").exists()
    assert (tmp_path / "all.jsonl.problems.txt").exists()


def test_a_list_without_a_line_is_refused_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none.csv").write_text("path,text\n")
    assert prepare(tmp_path / "none.csv", "--output", tmp_path / "all.jsonl") == 1
    assert "none.csv: expected utterances, got none" in capsys.readouterr().err


def test_a_list_of_problems_that_are_gone_is_deleted(corpus: Path, tmp_path: Path) -> None:
    stale = tmp_path / "all.jsonl.problems.txt"
    stale.write_text("old\n")
    assert prepare(corpus, "--output", tmp_path / "all.jsonl") == 0
    assert not stale.exists()


def test_several_folders_make_one_manifest(corpus: Path, tmp_path: Path) -> None:
    write_tiny_corpus(tmp_path / "more", n_utterances=3, n_speakers=1, seed=2)
    assert prepare(corpus, tmp_path / "more", "--output", tmp_path / "all.jsonl") == 0
    utterances = read_manifest(tmp_path / "all.jsonl")
    assert len(utterances) == 7
    assert {utterance.speaker for utterance in utterances} == {"1000", "1001", "2000"}


def test_a_copy_in_another_folder_is_taken_once(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(corpus, tmp_path / "again")
    assert prepare(corpus, tmp_path / "again", "--output", tmp_path / "all.jsonl") == 0
    assert len(read_manifest(tmp_path / "all.jsonl")) == 4
    assert "4 copies taken once: 1000-1-0000" in capsys.readouterr().err


def test_a_damaged_copy_does_not_take_the_sound_one_with_it(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(corpus, tmp_path / "again")
    next((tmp_path / "again").rglob("*.flac")).write_bytes(b"fLaC")
    assert prepare(corpus, tmp_path / "again", "--output", tmp_path / "all.jsonl") == 0
    assert len(read_manifest(tmp_path / "all.jsonl")) == 4
    assert "1 left out" in capsys.readouterr().err


def test_an_id_that_means_another_utterance_in_another_folder_is_a_problem(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(corpus, tmp_path / "again")
    change_text(corpus, "OTHER")
    assert prepare(corpus, tmp_path / "again", "--output", tmp_path / "all.jsonl") == 0
    assert len(read_manifest(tmp_path / "all.jsonl")) == 3
    assert "2 left out" in capsys.readouterr().err
    assert prepare(corpus, corpus, tmp_path / "again", "--output", tmp_path / "all.jsonl") == 0
    told = capsys.readouterr().err
    assert "3 left out" in told
    pairs = re.findall(r"(\S+): the same id is that of (\S+)", told)
    assert len(pairs) == 3
    assert all(one != other for one, other in pairs)


@pytest.fixture
def ids(tmp_path: Path) -> Path:
    """A list of 201 ids over two folders; one of them is nowhere."""
    write_tiny_corpus(tmp_path / "more", n_utterances=198, n_speakers=1, seed=2)
    names = [path.stem for path in sorted(tmp_path.glob("more/*/*/*.flac"))]
    path = tmp_path / "ids.txt"
    chosen = "\n".join([*names, "1000-1-0000", "1001-1-0001", "9-9-9"])
    path.write_text(f"# a part of each\n\n{chosen}\n", encoding="utf-8")
    return path


def test_only_the_utterances_of_a_list_are_taken_over_all_folders(
    corpus: Path, ids: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (corpus / "1000" / "1" / "1000-1-0001.flac").write_bytes(b"not in the list: never opened")
    output = tmp_path / "all.jsonl"
    assert prepare(corpus, tmp_path / "more", "--ids", ids, "--output", output) == 0
    utterances = read_manifest(output)
    assert len(utterances) == 200
    assert {u.id for u in utterances if not u.id.startswith("2000")} == {
        "1000-1-0000",
        "1001-1-0001",
    }
    assert capsys.readouterr().err.splitlines()[1:] == [
        f"  9-9-9: {ids}: its recording is in none of the folders"
    ]


def test_a_list_of_which_more_than_a_small_share_is_missing_is_refused(
    corpus: Path, ids: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare(corpus, "--ids", ids, "--output", tmp_path / "all.jsonl") == 1
    err = capsys.readouterr().err
    assert f"{ids}: 199 of its 201 ids are in none of the folders: 2000-" in err
    assert "and 194 more; name the folders of all its subsets" in err
    assert not (tmp_path / "all.jsonl").exists()


def test_an_empty_list_of_ids_is_refused(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = tmp_path / "ids.txt"
    ids.write_text("# nothing yet\n")
    assert prepare(corpus, "--ids", ids, "--output", tmp_path / "all.jsonl") == 1
    assert f"{ids}: expected an id a line, got none" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "nowhere", "corpus/1000"])
def test_a_folder_that_is_no_subset_is_refused_with_an_example(
    name: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = corpus.parent / name
    assert prepare(folder, "--output", tmp_path / "all.jsonl") == 1
    err = capsys.readouterr().err
    assert err.startswith(f"asr: error: {folder}: ")
    assert "name a subset, such as LibriSpeech/dev-clean" in err


def own_list(tmp_path: Path, *rows: tuple[str, float], name: str = "mine.csv") -> Path:
    """A table of one's own: recordings of so many seconds, with texts."""
    lines = ["audio,text"]
    for number, (text, seconds) in enumerate(rows):
        write_waveform(tmp_path / "wav" / f"{number}.wav", np.zeros(round(16000 * seconds)), 16000)
        lines.append(f'wav/{number}.wav,"{text}"')
    path = tmp_path / name
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_list_of_ones_own_becomes_a_manifest_to_train_on(
    tmp_path: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = own_list(tmp_path, ("Hello, Søren!", 1.5), ("", 1.0))
    output = tmp_path / "there" / "all.jsonl"
    assert prepare(mine, corpus, "--output", output) == 0
    utterances = {u.id: u for u in read_manifest(output)}
    assert (utterances["0"].duration, utterances["0"].text) == (1.5, "Hello, Søren!")
    assert utterances["1"].text == ""
    assert all(Path(u.audio_filepath).exists() for u in utterances.values())
    out, err = capsys.readouterr()
    assert out.endswith("2 speakers, 1 with an empty text\n")
    assert err == ""


def test_ids_cannot_steer_the_terminal(
    tmp_path: Path, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = [{"id": "\x1b[2J", "audio_filepath": "gone.wav", "text": "A"}] * 2
    (tmp_path / "mine.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in records))
    assert prepare(corpus, tmp_path / "mine.jsonl", "--output", tmp_path / "all.jsonl") == 0
    assert "\x1b" not in (err := capsys.readouterr().err)
    assert "\\x1b[2J" in err


def test_what_the_normaliser_takes_away_is_named_and_refused_if_it_is_much(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = own_list(tmp_path, ("SUN 3 MOON", 2.0), ("STAR", 1.0))
    output = tmp_path / "all.jsonl"
    assert prepare(mine, "--output", output) == 1
    assert not output.exists()
    taken = "takes letters, digits or symbols from 1 of 4 words (25.00 %): 3 (1); as in 3 (0)"
    err = capsys.readouterr().err
    assert f"librispeech-2 {taken}. More than 1 % are refused" in err
    assert prepare(mine, "--output", output, "--max-lost", 25) == 0
    assert taken in capsys.readouterr().err
    assert prepare(mine, "--output", output, "--normaliser", "verbatim-1") == 0
    assert capsys.readouterr().err == ""


def test_a_text_of_which_nothing_is_left_is_left_out_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = own_list(tmp_path, ("...", 2.0), ("STAR", 1.0), ("7", 1.0))
    assert prepare(mine, "--output", tmp_path / "all.jsonl", "--max-lost", 100) == 0
    assert [u.id for u in read_manifest(tmp_path / "all.jsonl")] == ["1"]
    err = capsys.readouterr().err
    assert "  0: librispeech-2 leaves nothing of its text, '...'" in err
    assert "  2: librispeech-2 leaves nothing of its text, '7'" in err


def test_punctuation_needs_no_frames(tmp_path: Path) -> None:
    mine = own_list(tmp_path, ("Oh - - - - - - - - - - no !?!?!?!?!?!?!?!?", 0.5))
    assert prepare(mine, "--output", tmp_path / "all.jsonl") == 0


def test_a_recording_of_less_than_a_frame_is_left_out_even_without_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = own_list(tmp_path, ("", 0.01), ("A", 1.0))
    assert prepare(mine, "--output", tmp_path / "all.jsonl") == 0
    assert "0.01 s are 0 frames" in capsys.readouterr().err


def test_damage_in_the_middle_is_found_on_request(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = corpus / "1000" / "1" / "1000-1-0000.flac"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert prepare(corpus, "--output", tmp_path / "all.jsonl") == 0
    assert len(read_manifest(tmp_path / "all.jsonl")) == 4
    assert prepare(corpus, "--decode", "--output", tmp_path / "all.jsonl") == 0
    assert len(read_manifest(tmp_path / "all.jsonl")) == 3
    assert "1000-1-0000" in capsys.readouterr().err


@pytest.mark.parametrize("percent", ["-1", "101", "many", "nan"])
def test_what_is_no_percentage_is_refused(
    corpus: Path, percent: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        prepare(corpus, "--output", "all.jsonl", f"--max-lost={percent}")
    assert f"expected a percentage from 0 to 100, got '{percent}'" in capsys.readouterr().err
