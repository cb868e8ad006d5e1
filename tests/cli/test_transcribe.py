import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import asr
from asr.audio.write import write_waveform
from asr.cli import main
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance
from asr.text.formats import FORMATS, ending


def transcribe(model: Path, *words: object) -> int:
    return main(["transcribe", "--model", str(model), *map(str, words)])


def test_one_recording_gives_its_text_alone(
    model: Path, recordings: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert transcribe(model, recordings[0]) == 0
    expected = asr.load_model(model).transcribe(recordings[0]).text
    assert expected
    assert capsys.readouterr() == (f"{expected}\n", "")


def test_several_give_name_tab_text_in_their_order(
    model: Path, recordings: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    files = [*reversed(recordings)]
    assert transcribe(model, *files, recordings[1]) == 0  # named twice, transcribed once
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    texts = {str(path): asr.load_model(model).transcribe(path).text for path in recordings}
    assert lines == [[str(path), texts[str(path)]] for path in files]


def test_json_has_words_times_confidence_and_score(
    model: Path, recordings: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert transcribe(model, *recordings, "--format", "json") == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [record["id"] for record in records] == ["one", "two"]
    assert records[0]["duration"] == 0.5
    assert records[0]["score"] < 0
    assert records[0]["words"][0].keys() == {"text", "start", "end", "confidence"}
    assert [word["text"] for word in records[0]["words"]] == records[0]["text"].split()


def test_n_best_lists_different_texts_best_first(
    model: Path, recordings: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--search", "beam", "--beam-size", 4, "--n-best", 3, "--format", "json")
    assert transcribe(model, recordings[0], *options) == 0
    record = json.loads(capsys.readouterr().out)
    texts = [entry["text"] for entry in record["n_best"]]
    scores = [entry["score"] for entry in record["n_best"]]
    assert (len(set(texts)), texts[0]) == (3, record["text"])
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_goes_to_files_named_after_the_recordings(
    name: str, model: Path, recordings: list[Path], tmp_path: Path
) -> None:
    output = tmp_path / "new" / "texts"
    assert transcribe(model, *recordings, "--format", name.lower(), "--output", output) == 0
    files = [output / f"{stem}.{ending(name)}" for stem in ("one", "two")]
    assert sorted(output.iterdir()) == files
    transcript = asr.load_model(model).transcribe(recordings[0])
    assert files[0].read_text() == FORMATS[name](replace(transcript, id="one"))


@pytest.mark.parametrize("name", ["srt", "vtt", "tsv", "whisper", "TextGrid"])
def test_several_recordings_in_a_format_of_one_need_a_folder(
    name: str, model: Path, recordings: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        transcribe(model, *recordings, "--format", name)
    assert ended.value.code == 2
    assert f"several recordings as {name} need --output FOLDER" in capsys.readouterr().err
    assert transcribe(model, recordings[0], "--format", name) == 0


def test_bad_files_are_named_and_the_good_ones_beside_them_transcribed(
    model: Path, recordings: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "letter.wav").write_text("Dear reader, this is not audio.")
    (tmp_path / "no recordings").mkdir()
    names = ("no recordings", "missing.wav", "empty.wav", "letter.wav")
    bad = [tmp_path / name for name in names]
    assert transcribe(model, bad[0], recordings[0], *bad[1:], recordings[1]) == 1
    out, err = capsys.readouterr()
    assert [line.split("\t")[0] for line in out.splitlines()] == [str(p) for p in recordings]
    assert [line.split(": ")[1] for line in err.splitlines()[:-1]] == [str(p) for p in bad]
    assert err.splitlines()[-1] == "asr: 4 of 6 recordings could not be transcribed"


def test_what_the_system_refuses_to_look_at_is_named_like_any_other_bad_file(
    model: Path, recordings: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, long = recordings[0].parent, "a" * 300 + ".wav"
    (folder / "dangling.wav").symlink_to("gone")
    (folder / "loop.wav").symlink_to("loop.wav")

    assert transcribe(model, folder, long) == 1

    out, err = capsys.readouterr()
    assert [line.partition("\t")[0] for line in out.splitlines()] == list(map(str, recordings))
    assert err.splitlines() == [
        f"asr: {folder / 'dangling.wav'}: no such file",
        f"asr: {folder / 'loop.wav'}: cannot be read: Too many levels of symbolic links",
        f"asr: {long}: cannot be read: File name too long",
        "asr: 3 of 5 recordings could not be transcribed",
    ]


def test_no_word_at_all_is_no_recording(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        transcribe(model, "")
    assert "RECORDING: expected a file, a folder or a URL, got ''" in capsys.readouterr().err


def test_a_single_bad_file_is_one_line(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert transcribe(model, "nowhere.wav") == 1
    assert capsys.readouterr() == ("", "asr: nowhere.wav: no such file\n")


def test_a_channel_is_picked_by_its_number(
    model: Path, recordings: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert transcribe(model, recordings[0], "--channel", 0) == 0
    assert transcribe(model, recordings[0]) == 0
    first, mixed = capsys.readouterr().out.splitlines()
    assert first == mixed
    assert transcribe(model, recordings[0], "--channel", 1) == 1
    assert "has no channel 1" in capsys.readouterr().err


def test_a_recording_shorter_than_a_frame_has_an_empty_text_also_alone(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_waveform(tmp_path / "short.wav", np.zeros(10), 16000)
    assert transcribe(model, tmp_path / "short.wav") == 0
    assert capsys.readouterr().out == "\n"


def test_a_name_that_is_not_utf_8_can_be_printed(
    model: Path, recordings: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    odd = Path(os.fsdecode(os.fsencode(recordings[0].parent) + b"/caf\xe9.wav"))
    shutil.copy(recordings[0], odd)
    assert transcribe(model, odd, recordings[0]) == 0
    assert "caf\\udce9.wav\t" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--channel", "-1"), "expected 0 or more, got -1"),
        (("--threads", "0"), "expected 1 or more, got 0"),
        (("--jobs", "0"), "expected 1 or more, got 0"),
        (("--threads", "many"), "expected a whole number, got 'many'"),
        (("--format", "docx"), "invalid choice: 'docx'"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_the_usage(
    words: tuple[str, ...], complaint: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        transcribe(model, "speech.wav", *words)
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--n-best", "2"), "default search is greedy"),
        (("--search", "greedy", "--lm", "x.lm"), "a greedy search takes no beam settings"),
        (("--search", "beam", "--lm-weight", "2"), "lm_weight needs a language model"),
    ],
)
def test_settings_that_do_not_go_together_are_an_error(
    words: tuple[str, ...], complaint: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert transcribe(model, "speech.wav", *words) == 1
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--beam-size", "0"), ("--n-best", "101")])
def test_a_beam_out_of_its_range_is_an_error(
    words: tuple[str, ...], model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert transcribe(model, "speech.wav", "--search", "beam", *words) == 1
    assert capsys.readouterr().err.startswith("asr: error: ")


def test_a_model_that_is_not_there_is_an_error_that_lists_those_shipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert transcribe(tmp_path / "no-model", "speech.wav") == 1
    assert "neither a model directory nor a shipped model (shipped: " in capsys.readouterr().err


@pytest.mark.parametrize("name", ["json", "trn", "ctm", "stm", "text"])
@pytest.mark.parametrize("into_files", [True, False])
def test_what_is_transcribed_is_scored_against_a_manifest(
    model: Path,
    recordings: list[Path],
    tmp_path: Path,
    name: str,
    into_files: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "out"
    words = ("--format", name, *(("--output", output) if into_files else ()))
    assert transcribe(model, recordings[0], *words) == 0
    hypotheses = output / f"one.{name}"
    if not into_files:
        hypotheses = tmp_path / f"all.{name}"
        hypotheses.write_text(capsys.readouterr().out)
    manifest = tmp_path / "dev.jsonl"
    text = asr.load_model(model).transcribe(recordings[0]).text
    write_manifest(manifest, [Utterance("one", recordings[0], text=text)])
    kind = ("--hypothesis-format", "text") if name == "text" else ()
    assert main(["score", str(manifest), str(hypotheses), *kind]) == 0
    assert "WER   0.00 %" in capsys.readouterr().out


def test_recordings_of_one_name_are_told_apart_where_the_name_is_an_id(
    model: Path, recordings: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "elsewhere" / recordings[0].name
    other.parent.mkdir()
    other.write_bytes(recordings[0].read_bytes())
    assert transcribe(model, recordings[0], other, "--format", "trn") == 0
    ids = [line.rpartition(" ")[2] for line in capsys.readouterr().out.splitlines()]
    assert ids == ["(my_recordings/one)", "(elsewhere/one)"]
