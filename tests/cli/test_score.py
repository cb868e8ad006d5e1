import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from asr.cli import main
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance
from asr.provenance import provenance
from asr.wer.alignment import Counts
from asr.wer.score_file import (
    DecodingRecord,
    read_score_file,
    record_path,
    write_decoding_record,
)

TEXTS = {"a": "THE CAT SAT", "b": "ON A MAT"}


@pytest.fixture
def references(tmp_path: Path) -> Path:
    path = tmp_path / "dev-clean.jsonl"
    audio = tmp_path / "a.wav"
    write_manifest(path, [Utterance(i, audio, text=t, speaker=i) for i, t in TEXTS.items()])
    return path


def hypotheses(tmp_path: Path, texts: Iterable[tuple[str, str]]) -> Path:
    path = tmp_path / "dev-clean.other.jsonl"
    path.write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in texts))
    return path


def score(references: Path, hypotheses: Path, *words: object) -> int:
    output = hypotheses.with_suffix(".score.json")
    command = ["score", str(references), str(hypotheses), "--output", str(output)]
    return main([*command, *map(str, words)])


def test_counts_are_written_and_the_rates_printed(
    references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hypotheses(tmp_path, [("a", "the hat sat down"), ("b", "on mat")])
    assert score(references, path, "--normaliser", "librispeech-1") == 0
    score_file = read_score_file(tmp_path / "dev-clean.other.score.json")
    assert score_file.score.total.words == Counts(4, substitutions=1, deletions=1, insertions=1)
    assert (score_file.subset, score_file.condition) == ("dev-clean", "other")
    assert score_file.score.normaliser == "librispeech-1"
    assert score_file.scoring.command.startswith(f"asr score {references}")
    out, err = capsys.readouterr()
    heading, words, characters, utterances, kinds, normaliser, intervals = out.splitlines()
    assert heading == "dev-clean, other"
    # the only two utterances have 2 errors in 3 words and 1 error in 3 words
    assert " ".join(words.split()) == "WER 50.00 % (33.33 – 66.67) 3 of 6 words"
    # CAT > HAT, SAT > SAT DOWN; ON A MAT > ON MAT
    assert characters.startswith("  CER  42.11 %")
    assert characters.endswith("8 of 19 characters")
    assert " ".join(utterances.split()) == "SER 100.00 % (100.00 – 100.00) 2 of 2 utterances"
    assert kinds.strip() == "1 substitution, 1 deletion, 1 insertion"
    assert normaliser.strip() == "normaliser librispeech-1, without it 116.67 % WER"
    assert intervals.strip() == "intervals: 2 utterances, 95 %"
    assert err == ""


def test_the_decoding_record_is_kept_and_gives_the_normaliser(
    references: Path, tmp_path: Path
) -> None:
    path = hypotheses(tmp_path, TEXTS.items())
    made = provenance(["asr", "decode"])
    decoding = DecodingRecord("m", "0123", "beam 8", 9.0, 1.0, made, normaliser="verbatim-1")
    write_decoding_record(record_path(path), decoding)
    assert score(references, path) == 0
    score_file = read_score_file(path.with_suffix(".score.json"))
    assert (score_file.decoding, score_file.condition) == (decoding, "other")
    assert score_file.score.normaliser == "verbatim-1"


def test_options_override_the_record(references: Path, tmp_path: Path) -> None:
    path = hypotheses(tmp_path, TEXTS.items())
    made = provenance(["asr", "decode"])
    write_decoding_record(
        record_path(path), DecodingRecord("m", "0", "greedy", 9.0, 1.0, made, "verbatim-1")
    )
    words = ("--normaliser", "librispeech-1", "--subset", "dev, MP3", "--condition", "ours")
    assert score(references, path, *words) == 0
    score_file = read_score_file(path.with_suffix(".score.json"))
    assert (score_file.subset, score_file.condition) == ("dev, MP3", "ours")
    assert score_file.score.normaliser == "librispeech-1"


def test_without_a_normaliser_texts_are_compared_as_they_are_and_the_score_says_so(
    references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(references, hypotheses(tmp_path, TEXTS.items())) == 0
    assert "normaliser verbatim-1\n" in capsys.readouterr().out


def test_missing_hypotheses_are_deletions_and_extra_ones_do_not_count_and_both_are_named(
    references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hypotheses(tmp_path, [("a", "THE CAT SAT"), ("z", "NOISE")])
    assert score(references, path, "--normaliser", "verbatim-1") == 0
    total = read_score_file(path.with_suffix(".score.json")).score.total.words
    assert total == Counts(3, deletions=3)
    out, err = capsys.readouterr()
    assert "WER  50.00 %" in out
    assert err.splitlines() == [
        "asr: 1 utterance without a hypothesis, counted as deleted: b",
        "asr: 1 utterance without a reference, not counted: z",
    ]


def test_hypotheses_of_another_set_are_refused(
    references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hypotheses(tmp_path, [("y", "THE CAT SAT")])
    assert score(references, path, "--normaliser", "verbatim-1") == 1
    assert (
        "none of its ids is among the references; got 'y', and not 'a'" in capsys.readouterr().err
    )


def test_a_line_that_is_not_a_transcript_is_named_by_its_number(
    references: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hypotheses(tmp_path, TEXTS.items())
    path.write_text(path.read_text() + "THE CAT SAT\n")
    assert score(references, path, "--normaliser", "verbatim-1") == 1
    assert capsys.readouterr().err.startswith(f"asr: error: {path}:3: ")


def text_files(tmp_path: Path, reference: str, hypothesis: str, ending: str) -> list[str]:
    paths = [tmp_path / f"{side}.{ending}" for side in ("ref", "hyp")]
    for path, text in zip(paths, (reference, hypothesis), strict=True):
        path.write_text(text, encoding="utf-8")
    return list(map(str, paths))


def test_plain_text_files_are_scored_line_by_line_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = text_files(tmp_path, "the cat sat\non a mat\n", "the hat sat\non a mat\n", "txt")
    assert main(["score", *files]) == 0
    assert "WER  16.67 %" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hyp.txt", "ref.txt"]


def test_plain_texts_with_another_number_of_lines_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", *text_files(tmp_path, "a\nb\n", "a\n", "txt")]) == 1
    assert "has 1 lines, and the references 2" in capsys.readouterr().err


@pytest.mark.parametrize(("limit", "status"), [("16", 1), ("17", 0)])
def test_a_wer_above_the_limit_is_told_by_the_exit_status(
    tmp_path: Path, limit: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    files = text_files(tmp_path, "a b c d e f\n", "a b c d e g\n", "txt")
    assert main(["score", *files, "--fail-above", limit]) == status
    assert ("WER 16.67 % is above 16 %" in capsys.readouterr().err) == bool(status)


@pytest.mark.parametrize("n_wrong", [7, 14, 28, 55, 56])
def test_a_wer_of_exactly_the_limit_is_not_above_it(tmp_path: Path, n_wrong: int) -> None:
    """100 * (7 / 100) is 7.000000000000001."""
    said, heard = " ".join(["a"] * 100), " ".join(["b"] * n_wrong + ["a"] * (100 - n_wrong))
    files = text_files(tmp_path, f"{said}\n", f"{heard}\n", "txt")
    assert main(["score", *files, "--fail-above", str(n_wrong)]) == 0


@pytest.mark.parametrize(
    ("reference", "hypothesis"),
    [("привет мир", "доброе утро"), ("CALL 911 NOW", "CALL 555 1234 NOW")],
)
def test_words_that_the_normaliser_takes_away_are_no_hits(
    tmp_path: Path, reference: str, hypothesis: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = text_files(tmp_path, f"{reference}\n", f"{hypothesis}\n", "txt")
    assert main(["score", *files, "--normaliser", "librispeech-2"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "librispeech-2 takes letters, digits or symbols from" in err
    assert main(["score", *files, "--normaliser", "verbatim-1"]) == 0


def test_a_few_words_that_the_normaliser_damages_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"{'WORD ' * 199}1984\n"
    files = text_files(tmp_path, text, text, "txt")
    assert main(["score", *files, "--normaliser", "librispeech-2"]) == 0
    assert "from 1 of 200 words (0.50 %)" in capsys.readouterr().err


def test_the_hypothesis_in_nemos_output_is_pred_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "nemo.jsonl"
    record = {"audio_filepath": "/data/a.wav", "duration": 1.0, "text": "a b", "pred_text": "a c"}
    path.write_text(json.dumps(record) + "\n")
    assert main(["score", str(path), str(path)]) == 0
    assert "WER  50.00 %" in capsys.readouterr().out


def test_a_manifest_is_no_hypothesis(references: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", str(references), str(references)]) == 1
    assert "this is a manifest, whose 'text' is the reference" in capsys.readouterr().err


def test_an_id_and_a_text_are_all_it_takes(references: Path, tmp_path: Path) -> None:
    words = [
        [{"text": "THE"}, {"text": "CAT"}],  # without times
        [{"word": "ON", "start": 2.0, "end": 3.0}, {"word": "A", "start": 1.0, "end": None}],
    ]
    path = tmp_path / "dev-clean.other.jsonl"
    lines = zip(TEXTS.items(), words, strict=True)
    path.write_text(
        "".join(json.dumps({"id": i, "text": t, "words": w}) + "\n" for (i, t), w in lines)
    )
    assert score(references, path) == 0
    assert read_score_file(path.with_suffix(".score.json")).score.total.words == Counts(6)


def test_words_against_an_empty_reference_are_insertions_and_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = text_files(tmp_path, "a b\n\n", "a b\nc d e\n", "txt")
    output = tmp_path / "score.json"
    assert main(["score", *files, "--output", str(output)]) == 0
    out, err = capsys.readouterr()
    assert "WER 150.00 %" in out
    named = "1 utterance with an empty reference, where every word recognised is an insertion: 2"
    assert named in err
    assert read_score_file(output).score.total.words == Counts(2, insertions=3)


def test_without_any_reference_word_the_wer_is_infinite(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "score.json"
    files = text_files(tmp_path, "\n\n", "a\n\n", "txt")
    assert main(["score", *files, "--output", str(output), "--fail-above", "100"]) == 1
    out, err = capsys.readouterr()
    assert "WER      ∞ %" in out
    assert "no reference has a word, so the WER is infinite" in out
    assert "WER ∞ % is above 100 %" in err
    assert json.loads(output.read_text())["wer"] is None


HOSTILE = "\x1b[2J\u202e<script>|`*_"


def test_ids_and_words_cannot_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # an id that is missing, one that is extra, a word that is lost, and an error that quotes a file
    files = text_files(tmp_path, f"{HOSTILE}r\ta\nb\tb\n", f"b\tb\n{HOSTILE}h\tc\n", "tsv")
    assert main(["score", *files, "--subset", HOSTILE]) == 0
    assert main(["score", *text_files(tmp_path, f"1{HOSTILE}\n", "a\n", "txt"),
                 "--normaliser", "librispeech-2"]) == 1  # fmt: skip
    bad = tmp_path / f"bad{HOSTILE.replace('/', '')}"
    assert main(["score", str(bad), str(bad)]) == 1
    out, err = capsys.readouterr()
    assert "\\x1b[2J" in out
    assert err.count("\\x1b[2J") >= 4
    assert not {"\x1b", "\u202e"} & set(out + err)


def test_nists_formats_are_compared_as_by_sclite_and_its_rules_apply(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    glm = tmp_path / "rules.glm"
    glm.write_text("GOING TO => GONNA / [ ] __ [ ]\n[HE'S] => [{HE IS / HE HAS}] / [ ] __ [ ]\n")
    files = text_files(
        tmp_path,
        "He is { going / headed } to (uh) leave (ann-1)\n",
        "he's HEADED TO leave (ANN-1)\n",
        "trn",
    )
    assert main(["score", *files, "--glm", str(glm)]) == 0
    out = capsys.readouterr().out
    assert "WER   0.00 %" in out
    assert "0 of 6 words" in out  # the word that may be missing is one of them, as in sclite
    assert "normaliser uncased-1" in out


def test_all_rates_include_match_error_rate_and_lost_information(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", *text_files(tmp_path, "a b c\n", "a x c d\n", "txt"), "--all-rates"]) == 0
    out = capsys.readouterr().out
    assert "MER  50.00 %" in out
    assert "WIL  66.67 %" in out  # 1 - 2/3 * 2/4


def test_a_name_without_a_known_ending_is_refused_unless_the_format_is_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = text_files(tmp_path, "u1 a b\n", "u1 a b\n", "xyz")
    assert main(["score", *files]) == 1
    assert "expected a name that ends in .jsonl, .text" in capsys.readouterr().err
    assert main(["score", *files, "--reference-format", "text", "--hypothesis-format", "text"]) == 0
