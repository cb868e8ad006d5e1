"""Folders and lists in any form become utterances with ids, and what is wrong in them is named."""

import json
from pathlib import Path

import pytest

from asr.corpus.listing import list_corpora
from asr.corpus.utterance import Problem, Utterance
from asr.errors import DataError


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def listed(*sources: Path) -> list[Utterance]:
    report = list_corpora(sources)
    assert report.problems == ()
    return list(report.utterances)


def test_common_voice_with_its_clips(tmp_path: Path) -> None:
    touch(tmp_path / "clips" / "common_voice_en_1.mp3")
    table = write(
        tmp_path / "train.tsv",
        "client_id\tpath\tsentence_id\tsentence\tup_votes",
        '5ab\tcommon_voice_en_1.mp3\tx7\t"Well", he said.\t2',
    )

    assert listed(table) == [
        Utterance(
            "common_voice_en_1",
            tmp_path / "clips" / "common_voice_en_1.mp3",
            text='"Well", he said.',
            speaker="5ab",
        )
    ]


def test_a_table_of_ones_own_with_quotes_and_numbers(tmp_path: Path) -> None:
    table = write(
        tmp_path / "mine.csv",
        "Audio, text ,duration,offset,speaker",
        'a.wav,"One, two\nthree\u2028four",1.5,0.25,7',
        "/far/b.wav,,,,",
    )

    assert listed(table) == [
        Utterance(
            *("a", tmp_path / "a.wav", 0.25, 1.5), text="One, two\nthree\u2028four", speaker="7"
        ),
        Utterance("b", Path("/far/b.wav"), text=""),
    ]


def test_nemos_manifest_with_segments_of_one_recording(tmp_path: Path) -> None:
    records = [
        {"audio_filepath": "wav/a.wav", "offset": 0, "duration": 2, "text": "one", "speaker": 12},
        {"audio_filepath": "wav/a.wav", "offset": 2.5, "duration": 1, "text": "two"},
        {"audio_filepath": "wav/b.wav", "duration": None, "text": "three", "lang": "en"},
    ]
    path = write(tmp_path / "nemo.json", *map(json.dumps, records))

    utterances = listed(path)

    assert [u.id for u in utterances] == ["a#1", "a#2", "b"]
    assert [u.speaker for u in utterances] == ["12", None, None]
    assert (utterances[1].offset, utterances[2].duration) == (2.5, None)


def test_copies_of_one_segment_share_its_number(tmp_path: Path) -> None:
    """A table is often a part of another: Common Voice's train.tsv of its validated.tsv."""
    write(tmp_path / "all.tsv", "path\ttext", "a.wav\tONE", "b.wav\tTWO")
    write(tmp_path / "some.tsv", "path\ttext", "a.wav\tONE")
    segments = '{"audio_filepath": "c.wav", "offset": %d, "duration": 1}'
    write(tmp_path / "cut.jsonl", segments % 0, segments % 1, segments % 0)

    sources = [tmp_path / name for name in ("all.tsv", "some.tsv", "cut.jsonl")]
    names = [utterance.id for utterance in list_corpora(sources).utterances]

    assert names == ["a", "b", "a", "c#1", "c#2", "c#1"]


def test_the_working_directory_as_a_recording_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path without parts; what is wrong with it is found when it is opened."""
    write(tmp_path / "m.jsonl", '{"audio_filepath": "."}')
    monkeypatch.chdir(tmp_path)
    assert len(listed(Path("m.jsonl"))) == 1


def test_ids_that_are_there_stay(tmp_path: Path) -> None:
    path = write(tmp_path / "m.jsonl", '{"id": 17, "audio_filepath": "a.wav", "channel": 1}')

    (utterance,) = listed(path)

    assert (utterance.id, utterance.channel, utterance.text) == ("17", 1, None)


def test_a_folder_of_recordings_with_their_texts_beside_them(tmp_path: Path) -> None:
    touch(tmp_path / "x" / "1.wav", tmp_path / "y" / "1.FLAC", tmp_path / "y" / "2.wav")
    write(tmp_path / "x" / "1.txt", "Hello", "  there. ")
    write(tmp_path / "y" / "1.txt")
    (tmp_path / "y" / "2.txt").write_bytes(b"caf\xc9")
    touch(tmp_path / "y" / "3.mp3")

    report = list_corpora([tmp_path])

    assert report.utterances == (
        Utterance("x/1", tmp_path / "x" / "1.wav", text="Hello there."),
        Utterance("y/1", tmp_path / "y" / "1.FLAC", text=""),
    )
    assert report.problems == (
        Problem(
            str(tmp_path / "y" / "2.wav"), f"{tmp_path / 'y' / '2.txt'}: is not UTF-8 at byte 3"
        ),
        Problem(str(tmp_path / "y" / "3.mp3"), "there is no 3.txt beside it"),
    )


def test_a_folder_has_the_recordings_that_transcribing_finds_in_it(tmp_path: Path) -> None:
    touch(tmp_path / "a.m4a", tmp_path / "._b.wav", tmp_path / ".Trash" / "c.wav")
    (tmp_path / "folder.wav").mkdir()

    assert [u.id for u in listed(tmp_path)] == ["a"]


def test_a_folder_without_any_text_is_something_to_recognise(tmp_path: Path) -> None:
    touch(tmp_path / "a.wav", tmp_path / "a.mp3")

    assert [(u.id, u.text) for u in listed(tmp_path)] == [
        ("a.mp3", None),
        ("a.wav", None),
    ]


def test_the_same_names_in_two_sources_are_told_apart(tmp_path: Path) -> None:
    touch(tmp_path / "one" / "clips" / "1.wav", tmp_path / "two" / "clips" / "1.wav")

    utterances = listed(tmp_path / "one", tmp_path / "two")

    assert [u.id for u in utterances] == ["one/clips/1", "two/clips/1"]


def test_a_line_with_an_impossible_field_is_a_problem_and_the_others_stay(tmp_path: Path) -> None:
    table = write(tmp_path / "m.csv", "id,path,duration", "a,a.wav,long", "b,,1", "c,c.wav,1")

    report = list_corpora([table])

    assert [u.id for u in report.utterances] == ["c"]
    assert report.problems == (
        Problem("a", f"{table}:2: the field 'duration' must be a number of seconds, got 'long'"),
        Problem("b", f"{table}:3: lacks the field 'audio_filepath'"),
    )


def test_a_row_with_more_fields_than_columns_is_a_problem_and_loses_no_words(
    tmp_path: Path,
) -> None:
    table = write(tmp_path / "m.csv", "path,text", "a.wav,ONE, TWO", "b.wav,THREE,, ", "c.wav,FOUR")

    report = list_corpora([table])

    assert [u.text for u in report.utterances] == ["THREE", "FOUR"]
    (problem,) = report.problems
    assert problem.id == f"{table}:2"
    assert "has more fields than the first line has names, from 'TWO' on; put" in problem.reason


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("m.csv", "a.wav,hello\n", "expected a first line that names the columns, one of them"),
        ("m.csv", "", "got ''"),
        ("m.csv", f'path\n"{"a" * 200_000}', "m.csv:2: is no row of a table: field larger than"),
        ("m.csv", f'"{"a" * 200_000}"', "m.csv:1: is no row of a table: field larger than"),
        ("m.csv", 'path,text\na.wav,"ONE\nb.wav,TWO\n', "m.csv:2: is no row of a table"),
        ("m.csv", 'path,text\na,"ONE\nb,"TWO"\nc,THREE\n', "mark left open, or not doubled?"),
        ("m.jsonl", "{nothing", "is not JSON"),
        ("m.txt", "a.wav\n", "expected a folder, or a list that ends in .csv, .tsv, .jsonl"),
        ("empty/x", "", "has no recordings; expected audio with a text in .txt beside each"),
        ("absent", None, "no such file or folder"),
    ],
)
def test_what_is_in_no_known_form_is_refused(
    tmp_path: Path, name: str, content: str | None, reason: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    source = path if path.suffix or content is None else path.parent

    with pytest.raises(DataError) as refused:
        list_corpora([source])

    assert str(refused.value).startswith(str(source))
    assert reason in str(refused.value)
