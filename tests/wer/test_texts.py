import json
from pathlib import Path

import pytest

from asr.errors import DataError
from asr.text.formats import HYPOTHESES
from asr.text.transcript import Transcript, Word
from asr.wer.alignment import Counts
from asr.wer.nist import Segment
from asr.wer.score import score
from asr.wer.texts import format_of, read_hypotheses, read_references


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


REFERENCES = {
    "dev.jsonl": '{"id": "ann-1", "audio_filepath": "a", "text": "on a mat", "speaker": "ann"}\n',
    "nemo.json": '{"audio_filepath": "/data/ann-1.wav", "duration": 2, "text": "on a mat"}\n',
    "text": "ann-1\ton a mat\n",
    "84-121123.trans.txt": "ann-1 on a mat\n",
    "dev.tsv": "id\ttext\nann-1\ton a mat\n",
    "dev.trn": ";; a comment\non a mat (ann-1)\n",
    "dev.stm": ";; a comment\nann-1 A ann 0.5 1.5 <o,f0> on a mat\n",
    "dev.ctm": "ann-1 A 0.5 0.2 on 0.9\nann-1 A 0.7 0.1 a\nann-1 A 0.8 0.5 mat 1\n",
}


@pytest.mark.parametrize("name", REFERENCES)
def test_a_text_is_the_same_in_every_format(name: str, tmp_path: Path) -> None:
    texts = read_references(written(tmp_path, name, REFERENCES[name]))

    assert [(segment.id, segment.text) for segment in texts.segments] == [("ann-1", "on a mat")]
    assert not texts.has_markup


@pytest.mark.parametrize("name", [name for name in REFERENCES if "json" not in name])
def test_hypotheses_are_read_as_references_are(name: str, tmp_path: Path) -> None:
    references = read_references(written(tmp_path, "ref.jsonl", REFERENCES["dev.jsonl"]))
    hypotheses = read_hypotheses(written(tmp_path, name, REFERENCES[name]), references)

    assert [(s.id, s.text) for s in hypotheses.segments] == [("ann-1", "on a mat")]


@pytest.mark.parametrize("id_", ["my talk\x1b", "talk (1)", "(a)", ";;a", "; ;a"])
@pytest.mark.parametrize("name", [name for name in HYPOTHESES if name != "jsonl"])
def test_hypotheses_find_references_whose_id_a_format_would_take_for_something_else(
    name: str, id_: str, tmp_path: Path
) -> None:
    entry = json.dumps({"id": id_, "audio_filepath": "a", "text": "on a mat"})
    references = read_references(written(tmp_path, "ref.jsonl", entry))
    words = tuple(Word(text, n, n + 1) for n, text in enumerate(["on", "a", "mat"]))
    transcript = Transcript(id_, "on a mat", words=words, duration=3)
    path = written(tmp_path, f"hypotheses.{name}", HYPOTHESES[name](transcript))

    (segment,) = read_hypotheses(path, references, name).segments

    assert (segment.id, segment.text) == (id_, "on a mat")


@pytest.mark.parametrize(
    ("name", "speaker"), [("dev.jsonl", "ann"), ("dev.trn", "ann"), ("dev.stm", "ann")]
)
def test_speakers_are_read_where_the_format_has_them(
    name: str, speaker: str, tmp_path: Path
) -> None:
    (segment,) = read_references(written(tmp_path, name, REFERENCES[name])).segments

    assert segment.speaker == speaker


def test_speakers_of_kaldis_texts_are_those_of_utt2spk_beside_them(tmp_path: Path) -> None:
    written(tmp_path, "utt2spk", "u1 ann\nu2 bob\n")

    segments = read_references(written(tmp_path, "text", "u1 a\nu2 b\nu3 c\n")).segments

    assert [segment.speaker for segment in segments] == ["ann", "bob", None]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.trn", "no id\n", r"a\.trn:1: expected words and \(speaker-utterance\)"),
        ("a.stm", "rec A spk 0.0\n", r"a\.stm:1: expected recording, channel"),
        ("a.stm", "rec A spk 0.0 end words\n", r"a\.stm:1: expected seconds, got 'end'"),
        ("a.ctm", "rec A 0.0 word\n", r"a\.ctm:1: expected recording, channel"),
        ("a.ctm", "rec A * * <ALT_BEGIN>\n", "<ALT_BEGIN> without <ALT_END>"),
        ("a.tsv", "0\t10\tword\n", r"a\.tsv:1: expected id, tab, words; got 3 columns"),
        ("text", "u a\nu b\n", "a second text with the id 'u'"),
        ("a.jsonl", '{"id": "a"}\n', r"a\.jsonl:1: expected a string as 'text', the reference"),
        ("a.jsonl", '{"text": "a"}\n', r"a\.jsonl:1: expected a string as 'id'"),
        ("a.txt", "", "expected references, got an empty file"),
        ("a.doc", "a\n", "expected a name that ends in"),
    ],
)
def test_what_breaks_its_format_is_named(
    name: str, text: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        read_references(written(tmp_path, name, text))


def test_a_segment_of_a_nemo_manifest_is_called_by_its_recording_and_offset(tmp_path: Path) -> None:
    lines = [
        json.dumps({"audio_filepath": "x/talk.wav", "offset": offset, "text": "a"})
        for offset in (0, 2.5)
    ]

    texts = read_references(written(tmp_path, "nemo.json", "\n".join(lines)))

    assert [segment.id for segment in texts.segments] == ["talk", "talk-2.5"]


def test_a_name_tells_the_format() -> None:
    names = ("text", "a.trans.txt", "a.txt", "a.json", "a.TRN")
    assert [format_of(Path(name)) for name in names] == ["text", "text", "txt", "jsonl", "trn"]


def test_tags_are_dropped_and_semicolons_kept(tmp_path: Path) -> None:
    path = written(tmp_path, "a.trn", "a\\;s far;tag1;tag2 as;;tag2 (ann-1)\n")

    assert read_references(path).segments[0].text == "a;s far as"


@pytest.mark.parametrize("name", ["trn", "stm", "ctm"])
def test_no_word_of_a_transcript_is_read_as_markup(name: str, tmp_path: Path) -> None:
    words = (Word("WAIT;", 0.0, 0.5), Word("(UH)", 0.5, 1.0), Word("{X}", 1.0, 1.5))
    transcript = Transcript("a-1", "WAIT; (UH) {X}", words=words, duration=1.5)

    texts = read_references(written(tmp_path, f"a.{name}", HYPOTHESES[name](transcript)))

    assert [segment.text for segment in texts.segments] == ["WAIT; [UH] [X]"]
    assert not texts.has_markup


STM = """\
;; CATEGORY "0" "" ""
talk A ann 1.06 3.47 <o,f0> I'VE { UM / UH } COME (UH) HERE
talk A ann 3.47 5.00 TO STAY
talk A ann 5.50 6.00 IGNORE_TIME_SEGMENT_IN_SCORING
talk A ann 6.00 8.00 FOR GOOD
talk B bob 0.00 2.00 WELCOME
"""
CTM = """\
talk a 0.05 0.24 so
talk a 1.20 0.20 i've
talk a 2.00 0.30 uh
talk a 2.40 0.30 come
talk a 3.40 0.10 here
talk a 3.46 0.10 to
talk a * * <ALT_BEGIN>
talk a 4.00 0.50 stay
talk a * * <ALT>
talk a 4.00 0.30 say
talk a * * <ALT_END>
talk a 5.60 0.20 erm
talk a 6.20 0.20 for
talk a 9.00 0.20 good;tag
talk b 0.50 0.50 welcomed 0.731
"""


def test_words_of_a_ctm_go_to_the_segments_of_an_stm_as_in_sclite(tmp_path: Path) -> None:
    references = read_references(written(tmp_path, "a.stm", STM))
    hypotheses = read_hypotheses(written(tmp_path, "b.ctm", CTM), references)

    assert {segment.id: segment.text for segment in hypotheses.segments} == {
        "talk-A-1.06": "so i've uh come here",  # the middle of `here` is before 3.47
        "talk-A-3.47": "to { stay / say }",
        "talk-A-6.00": "for good",  # what comes after the last segment is its own
        "talk-B": "welcomed",
    }
    found = score(
        references.segments,
        {segment.id: segment.text for segment in hypotheses.segments},
        "uncased-1",
        has_markup=references.has_markup,
    )
    # sclite -r a.stm stm -h b.ctm ctm -D (Debian's sctk 2.4.10)
    assert found.total.words == Counts(9, substitutions=1, insertions=1)
    assert (found.total.n_wrong, found.total.n_utterances) == (2, 4)


def test_words_of_a_channel_without_segments_are_listed_as_extra(tmp_path: Path) -> None:
    references = read_references(written(tmp_path, "a.stm", STM))
    hypotheses = read_hypotheses(written(tmp_path, "b.ctm", CTM + "other 1 0 1 word\n"), references)

    assert Segment("other-1", "word") in hypotheses.segments


def test_hypotheses_whose_ids_differ_in_case_only_are_not_one(tmp_path: Path) -> None:
    """For sclite, both are the reference's."""
    references = read_references(written(tmp_path, "r.trn", "hello world (spk-A1)\n"))
    path = written(tmp_path, "h.trn", "hello world (spk-A1)\nbye bye (SPK-a1)\n")

    with pytest.raises(DataError, match="a second text with the id 'spk-A1'"):
        read_hypotheses(path, references)
