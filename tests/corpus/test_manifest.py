"""Manifests survive writing and reading, and a bad line is named."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from asr.corpus.manifest import read_manifest, write_manifest
from asr.corpus.utterance import Utterance
from asr.errors import DataError


def write_lines(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_manifest(path)
    return str(caught.value)


GOOD = '{"id": "a", "audio_filepath": "a.flac"}'


def test_utterances_survive_writing_and_reading(tmp_path: Path) -> None:
    utterances = [
        Utterance("1", tmp_path / "a.flac"),
        Utterance("2", tmp_path / "b" / "b.wav", 1.25, 0.1 + 0.2, "LÓGOS 話 \u2028 \"'", "me", 0),
        Utterance("3", tmp_path.parent / "c.mp3", text="", speaker="17", channel=1),
    ]

    write_manifest(tmp_path / "m.jsonl", utterances)

    read = read_manifest(tmp_path / "m.jsonl")
    assert [Path(u.audio_filepath).resolve() for u in read] == [
        u.audio_filepath for u in utterances
    ]
    assert [(u.id, u.offset, u.duration, u.text, u.speaker, u.channel) for u in read] == [
        (u.id, u.offset, u.duration, u.text, u.speaker, u.channel) for u in utterances
    ]


def test_paths_are_relative_to_the_manifest_so_that_both_can_be_moved(tmp_path: Path) -> None:
    (tmp_path / "here" / "lists").mkdir(parents=True)
    write_manifest(
        tmp_path / "here" / "lists" / "m.jsonl", [Utterance("a", tmp_path / "here" / "a.flac")]
    )
    (tmp_path / "here").rename(tmp_path / "there")

    (utterance,) = read_manifest(tmp_path / "there" / "lists" / "m.jsonl")

    assert Path(utterance.audio_filepath).resolve() == (tmp_path / "there" / "a.flac").resolve()


def test_a_manifest_behind_a_link_finds_its_audio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way up from a linked folder leads past the folder that it is linked from."""
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "exp").symlink_to(tmp_path / "far" / "away")
    (tmp_path / "home" / "a.wav").touch()
    (tmp_path / "far" / "b.wav").touch()
    monkeypatch.chdir(tmp_path / "home")

    given = [Utterance("a", Path("a.wav")), Utterance("b", Path("exp/../b.wav"))]
    for path in (Path("exp/m.jsonl"), Path("m.jsonl")):
        write_manifest(path, given)
        for one, same in zip(read_manifest(path), given, strict=True):
            assert Path(one.audio_filepath).samefile(same.audio_filepath)


def test_relative_paths_are_seen_from_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_manifest("lists/m.jsonl", [Utterance("a", Path("audio/a.flac"))])

    assert json.loads(Path("lists/m.jsonl").read_text())["audio_filepath"] == "../audio/a.flac"
    (utterance,) = read_manifest("lists/m.jsonl")
    assert Path(utterance.audio_filepath).resolve() == tmp_path / "audio" / "a.flac"


def test_a_url_stays_as_it_is(tmp_path: Path) -> None:
    url = "s3://bucket/a//b.flac"
    write_manifest(tmp_path / "m.jsonl", [Utterance("a", url)])

    assert read_manifest(tmp_path / "m.jsonl") == [Utterance("a", url)]


def test_absolute_paths_stay(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "m.jsonl", '{"id": "a", "audio_filepath": "/speech/a.flac"}')

    assert read_manifest(path)[0].audio_filepath == Path("/speech/a.flac")


def test_only_id_and_audio_are_required(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "m.jsonl", GOOD)

    assert read_manifest(path) == [Utterance("a", tmp_path / "a.flac")]


def test_null_means_not_known(tmp_path: Path) -> None:
    line = '{"id": "a", "audio_filepath": "a.flac", "text": null, "offset": null, "duration": null}'

    assert read_manifest(write_lines(tmp_path / "m.jsonl", line)) == [
        Utterance("a", tmp_path / "a.flac")
    ]


def test_fields_of_other_programs_are_passed_over(tmp_path: Path) -> None:
    line = '{"id": "a", "audio_filepath": "a.flac", "lang": "en", "alignment": [1, 2]}'

    assert read_manifest(write_lines(tmp_path / "m.jsonl", line)) == [
        Utterance("a", tmp_path / "a.flac")
    ]


def test_empty_lines_and_a_byte_order_mark_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode() + b"\r\n\r\n\n")

    assert len(read_manifest(path)) == 1


def test_an_empty_manifest_has_no_utterances(tmp_path: Path) -> None:
    write_manifest(tmp_path / "m.jsonl", [])

    assert read_manifest(tmp_path / "m.jsonl") == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "is not JSON: .* at column 2"),
        ("a.flac THE WORDS", "is not JSON: .* at column 1"),
        ("[1]", "must be a JSON object, got list"),
        ('"a"', "must be a JSON object, got str"),
        ("{}", "lacks the field 'id'"),
        ('{"audio_filepath": "b.flac"}', "lacks the field 'id'"),
        ('{"id": "", "audio_filepath": "b.flac"}', "lacks the field 'id'"),
        ('{"id": null, "audio_filepath": "b.flac"}', "lacks the field 'id'"),
        ('{"id": "b"}', "lacks the field 'audio_filepath'"),
        ('{"id": 7, "audio_filepath": "b.flac"}', "'id' must be a string, got 7"),
        ('{"id": 0, "audio_filepath": "b.flac"}', "'id' must be a string, got 0"),
        ('{"id": "b", "audio_filepath": ["b"]}', "'audio_filepath' must be a string"),
        (
            '{"id": "b", "audio_filepath": "b", "offset": "1"}',
            "'offset' must be a number of seconds, got '1'",
        ),
        ('{"id": "b", "audio_filepath": "b", "offset": -1}', "'offset' cannot be -1"),
        ('{"id": "b", "audio_filepath": "b", "duration": 0}', "'duration' cannot be 0"),
        (
            '{"id": "b", "audio_filepath": "b", "offset": 1' + 400 * "0" + "}",
            "'offset' cannot be 10",
        ),
        ('{"id": "b", "audio_filepath": "b", "duration": NaN}', "'duration' cannot be nan"),
        ('{"id": "b", "audio_filepath": "b", "duration": Infinity}', "'duration' cannot be inf"),
        (
            '{"id": "b", "audio_filepath": "b", "duration": true}',
            "'duration' must be a number of seconds, got True",
        ),
        ('{"id": "b", "audio_filepath": "b", "text": 5}', "'text' must be a string, got 5"),
        ('{"id": "b", "audio_filepath": "b", "speaker": 84}', "'speaker' must be a string, got 84"),
        (
            '{"id": "b", "audio_filepath": "b", "channel": 0.0}',
            "'channel' must be a whole number, got 0.0",
        ),
        ('{"id": "b", "audio_filepath": "b", "channel": -1}', "'channel' cannot be -1"),
        (GOOD, "the id 'a' is already at .*:1"),
    ],
)
def test_a_bad_line_is_refused_with_its_file_and_number(
    tmp_path: Path, line: str, message: str
) -> None:
    path = write_lines(tmp_path / "m.jsonl", GOOD, "", line)

    assert re.match(f"{re.escape(str(path))}:3: .*{message}", refusal(path))


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "m.jsonl").startswith(f"{tmp_path / 'm.jsonl'}: cannot be read: ")


def test_what_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_bytes(b'{"id": "\xff"}')

    assert refusal(path) == f"{path}: is not UTF-8 at byte 8"


def test_a_failed_write_leaves_the_old_manifest_and_nothing_else(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "m.jsonl", GOOD)

    def failing() -> Iterator[Utterance]:
        yield Utterance("b", tmp_path / "b.flac")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_manifest(path, failing())

    assert [utterance.id for utterance in read_manifest(path)] == ["a"]
    assert [found.name for found in tmp_path.iterdir()] == ["m.jsonl"]
