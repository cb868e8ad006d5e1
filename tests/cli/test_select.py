"""`asr select`: what is trained on, and what is held out."""

import json
from pathlib import Path

import pytest

from asr.cli import main
from asr.corpus.manifest import read_manifest, write_manifest
from asr.corpus.training_set import held_out
from asr.corpus.utterance import Utterance
from asr.text.transcript import Transcript, write_transcripts


def utterance(
    name: str,
    text: str | None = "GOOD MORNING",
    seconds: float | None = 3.0,
    speaker: str | None = None,
) -> Utterance:
    return Utterance(name, Path(f"{name}.wav"), duration=seconds, text=text, speaker=speaker)


def corpus(path: Path, *utterances: Utterance) -> Path:
    write_manifest(path, utterances)
    return path


def select(*words: object) -> int:
    return main(["select", *map(str, words)])


def ids(path: Path) -> list[str]:
    return [one.id for one in read_manifest(path)]


@pytest.mark.parametrize(
    ("text", "seconds", "reason"),
    [
        ("", 3.0, "has no words"),
        ("...", 3.0, "has no words"),
        ("Room 3 is free", 3.0, "the normaliser drops part of its text: Room 3 is free"),
        ("Fish & chips", 3.0, "the normaliser drops part of its text: Fish & chips"),
        ("GOOD", None, "has no duration: `asr prepare` fills it in"),
        ("GOOD", 0.7, "lasts 0.7 s"),
        ("GOOD", 20.5, "lasts 20.5 s"),
        # 16 characters and a pair of equal ones: 17 frames of 0.04 s, and 2 for the edges
        ("GOOD MORNING YOU", 0.8, "0.8 s are too short for its text at 1.1 times the speed"),
    ],
)
def test_what_teaches_nothing_or_something_wrong_is_left_out_with_its_reason(
    text: str, seconds: float | None, reason: str, tmp_path: Path
) -> None:
    bad = utterance("bad", text, seconds)
    given = corpus(tmp_path / "a.jsonl", utterance("good"), bad)
    output = tmp_path / "train.jsonl"
    assert select(given, "--output", output) == 0
    assert ids(output) == ["good"]
    problems = output.with_name("train.jsonl.problems.txt").read_text(encoding="utf-8")
    assert problems == f"bad\t{reason}\n"


def test_manifests_are_joined_in_their_order(tmp_path: Path) -> None:
    first = corpus(tmp_path / "b.jsonl", utterance("2"), utterance("1"))
    second = corpus(tmp_path / "a.jsonl", utterance("0"))
    assert select(first, second, "--output", tmp_path / "train.jsonl") == 0
    assert ids(tmp_path / "train.jsonl") == ["2", "1", "0"]


def test_the_same_id_in_two_manifests_wants_prefixes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [corpus(tmp_path / f"{name}.jsonl", utterance("1")) for name in ("a", "b")]
    output = tmp_path / "train.jsonl"
    assert select(*given, "--output", output) != 0
    assert "the id 1 is in two manifests; use --prefix" in capsys.readouterr().err
    assert not output.exists()
    assert select(*given, "--prefix", "--output", output) == 0
    assert ids(output) == ["a-1", "b-1"]


def test_a_speaker_is_held_out_with_all_that_he_says(tmp_path: Path) -> None:
    utterances = [utterance(f"{n}", speaker=f"s{n % 40}") for n in range(400)]
    given = corpus(tmp_path / "many.jsonl", *utterances)
    output, apart = tmp_path / "train.jsonl", tmp_path / "apart"
    assert select(given, "--held-out", apart, "--every", "4", "--output", output) == 0
    held = {one.speaker for one in read_manifest(apart / "many.jsonl")}
    trained = {one.speaker for one in read_manifest(output)}
    assert not held & trained
    assert len(held | trained) == 40
    assert 4 <= len(held) <= 16


@pytest.mark.parametrize(("folder", "output"), [(".", "chosen.jsonl"), ("apart", "apart/a.jsonl")])
def test_nothing_is_held_out_into_a_manifest_of_the_command(
    folder: str, output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = corpus(tmp_path / "a.jsonl", *(utterance(f"{n}", speaker=f"{n}") for n in range(9)))
    content = given.read_bytes()
    words = ["--held-out", tmp_path / folder, "--every", 2, "--output", tmp_path / output]
    with pytest.raises(SystemExit, match="2"):
        select(given, *words)
    assert "a.jsonl, which has another use here" in capsys.readouterr().err
    assert given.read_bytes() == content
    assert not (tmp_path / output).exists()


def test_a_folder_that_is_there_is_held_out_into_and_a_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    given = corpus(tmp_path / "in" / "a.jsonl", *(utterance(f"{n}") for n in range(9)))
    monkeypatch.chdir(tmp_path)
    words = ["--every", 2, "--output", "chosen.jsonl"]
    with pytest.raises(SystemExit, match="2"):
        select(given, "--held-out", given, *words)
    assert "is a file; name a folder" in capsys.readouterr().err
    assert select(given, "--held-out", ".", *words) == 0
    assert (tmp_path / "a.jsonl").exists()


def test_nothing_is_held_out_into_the_texts_of_the_command(tmp_path: Path) -> None:
    given = corpus(tmp_path / "a.jsonl", utterance("1", None), utterance("2"))
    heard = tmp_path / "heard" / "a.jsonl"
    heard.parent.mkdir()
    write_transcripts(heard, [Transcript("1", "GOOD DAY", confidence=0.9)])
    words = ["--texts", heard, "--held-out", heard.parent, "--output", tmp_path / "chosen.jsonl"]
    with pytest.raises(SystemExit, match="2"):
        select(given, *words, "--every", 10**6)
    assert heard.exists()


def test_who_was_held_out_and_is_trained_on_now_is_held_out_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = corpus(tmp_path / "a.jsonl", *(utterance(f"{n}", speaker=f"{n}") for n in range(9)))
    words = ["--held-out", tmp_path / "apart", "--output", tmp_path / "chosen.jsonl"]
    assert select(given, *words, "--every", 2) == 0
    assert (tmp_path / "apart" / "a.jsonl").exists()
    assert select(given, *words, "--every", 10**6) == 0
    assert not (tmp_path / "apart" / "a.jsonl").exists()
    assert "nothing is held out from a: a lower --every holds out more" in capsys.readouterr().err


def test_a_held_out_part_that_leaves_nothing_to_train_on_is_refused_by_its_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = map(str, range(99))
    one = next(one for one in map(utterance, names) if held_out({"a": [one]}, 2)[0])
    given, output = corpus(tmp_path / "a.jsonl", one), tmp_path / "chosen.jsonl"

    assert select(given, "--held-out", tmp_path / "b", "--every", 2, "--output", output) == 1

    assert "all that can be used is held out: a higher --every" in capsys.readouterr().err


def test_a_confidence_above_1_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = corpus(tmp_path / "a.jsonl", utterance("1"))
    with pytest.raises(SystemExit, match="2"):
        select(given, "--min-confidence", 80, "--output", tmp_path / "b.jsonl")
    assert "--min-confidence is at most 1, got 80" in capsys.readouterr().err


def test_of_a_single_speaker_utterances_are_held_out_whatever_else_there_is(tmp_path: Path) -> None:
    utterances = [utterance(f"{n}", speaker="one") for n in range(120)]
    held = []
    for n_more in (0, 50):
        more = [utterance(f"more-{n}", speaker="one") for n in range(n_more)]
        given = corpus(tmp_path / "single.jsonl", *utterances, *more)
        select(given, "--held-out", tmp_path / "apart", "--output", tmp_path / "train.jsonl")
        held.append(
            [name for name in ids(tmp_path / "apart" / "single.jsonl") if "more" not in name]
        )
    assert held[0] == held[1]
    assert 2 <= len(held[0]) <= 25


def test_texts_are_kept_as_they_are_written(tmp_path: Path) -> None:
    given = corpus(tmp_path / "a.jsonl", utterance("1", "Good morning, Anne."))
    assert select(given, "--output", tmp_path / "train.jsonl") == 0
    line = json.loads((tmp_path / "train.jsonl").read_text(encoding="utf-8"))
    assert line["text"] == "Good morning, Anne."


def test_a_text_that_is_missing_is_what_a_model_surely_heard(tmp_path: Path) -> None:
    heard = [
        Transcript("sure", "GOOD DAY", confidence=0.8),
        Transcript("unsure", "GOLD", confidence=0.7),
        Transcript("silent", ""),
        Transcript("unrated", "GOLD"),
    ]
    write_transcripts(tmp_path / "heard.jsonl", [*heard, Transcript("told", "BAD", confidence=1.0)])
    names = ("told", "sure", "unsure", "silent", "unrated", "unheard")
    utterances = [utterance(name, "GOOD" if name == "told" else None) for name in names]
    given = corpus(tmp_path / "a.jsonl", *utterances)
    output = tmp_path / "train.jsonl"
    assert select(given, "--texts", tmp_path / "heard.jsonl", "--output", output) == 0
    texts = {one.id: one.text for one in read_manifest(output)}
    assert texts == {"told": "GOOD", "sure": "GOOD DAY"}
    problems = output.with_name("train.jsonl.problems.txt").read_text(encoding="utf-8")
    assert problems.splitlines() == [
        "unsure\thas confidence 0.70",
        "silent\tnothing was recognised in it",
        "unrated\tits transcript has no confidence",
        "unheard\thas no transcript",
    ]


def test_a_transcript_is_never_that_of_two_utterances(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ids are unique in a manifest only."""
    write_transcripts(tmp_path / "heard.jsonl", [Transcript("1", "GOOD DAY", confidence=0.9)])
    first, second, told = (
        corpus(tmp_path / f"{name}.jsonl", utterance("1", text))
        for name, text in (("a", None), ("b", None), ("c", "GOOD MORNING"))
    )
    words = ["--texts", tmp_path / "heard.jsonl", "--prefix", "--output", tmp_path / "train.jsonl"]
    assert select(first, second, *words) == 1
    assert f"b.jsonl: the id 1 has no text in {first} either" in capsys.readouterr().err
    assert not (tmp_path / "train.jsonl").exists()
    assert select(first, told, *words) == 0
    assert ids(tmp_path / "train.jsonl") == ["a-1", "c-1"]
