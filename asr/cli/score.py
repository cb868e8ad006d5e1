"""Count the errors of hypotheses against references.

WER by words, CER by characters, SER by utterances, each with a 95 % bootstrap interval by speaker
(by utterance, if one is unknown or there are fewer than ten). Errors are counted as by NIST's
sclite.

Files may be of this and of other tools; the format is that of the file's name:

  .jsonl  manifests (ours, NeMo's) and hypotheses (asr decode; NeMo's pred_text)
  text    Kaldi's text and LibriSpeech's .trans.txt: id, then words
  .tsv    id, tab, words
  .txt    words; line n is scored against line n
  .trn    NIST's transcripts; with { a / b / @ } either is right, and (uh) may be missing
  .stm    NIST's segments; words of a .ctm go to the segment in whose time they are
  .ctm    NIST's words with times

Both sides are normalised in the same way: by --normaliser, else as the model's training text was
(see asr decode), else in lower case for NIST's formats, as sclite does, else not at all. The score
names the normaliser, says what the WER would be without it, and is refused if it damages more than
--max-lost of the words.

A missing hypothesis is listed and counts as deletions; one without a reference is listed and not
counted. Against an empty reference, each word is an insertion. A score is of one subset; two are
never pooled.

Examples:
  asr score ref.txt hyp.txt
  asr score ref.stm hyp.ctm --glm en20030506.glm --fail-above 30
  asr score dev-clean.jsonl dev-clean.beam.jsonl --output dev-clean.beam.score.json
Next:
  asr compare dev-clean.greedy.score.json dev-clean.beam.score.json
  asr report *.score.json --output RESULTS.md
"""

import argparse
from dataclasses import replace
from pathlib import Path

from asr.cli.messages import tell
from asr.cli.numbers import part, percentage
from asr.cli.omitting import add_omission_limit, check_omissions
from asr.cli.outputs import file_to_write
from asr.errors import counted, shortened
from asr.provenance import provenance
from asr.text.markdown import count, percent, visible
from asr.text.normalise import NORMALISERS
from asr.wer import nist
from asr.wer.alignment import Counts, count_all
from asr.wer.glm import read_glm
from asr.wer.interval import RATES, Interval, rate_interval
from asr.wer.network import normalise_markup
from asr.wer.score import Score, score, total_of
from asr.wer.score_file import (
    DecodingRecord,
    ScoreFile,
    read_decoding_record,
    record_path,
    write_score_file,
)
from asr.wer.texts import FORMATS, Texts, format_of, read_hypotheses, read_references

UNCHANGED = "verbatim-1"
UNCASED = "uncased-1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("references", type=Path, metavar="REFERENCES", help="what was said")
    parser.add_argument("hypotheses", type=Path, metavar="HYPOTHESES", help="what was recognised")
    parser.add_argument(
        "--output", type=file_to_write, metavar="S.json", help="score to write, for asr report"
    )
    parser.add_argument(
        "--normaliser", choices=sorted(NORMALISERS), help="of both sides (default: see above)"
    )
    add_omission_limit(parser)
    parser.add_argument(
        "--glm",
        type=Path,
        metavar="FILE",
        help="NIST's spelling rules, applied to both sides first",
    )
    for side in ("reference", "hypothesis"):
        parser.add_argument(
            f"--{side}-format", choices=FORMATS, help="default: by the name of the file"
        )
    parser.add_argument(
        "--all-rates", action="store_true", help="print match error rate and lost information, too"
    )
    parser.add_argument(
        "--fail-above",
        type=percentage,
        metavar="PERCENT",
        help="exit with status 1 if the WER is higher",
    )
    parser.add_argument(
        "--subset",
        metavar="NAME",
        help="what was scored, for tables (default: the references' name)",
    )
    parser.add_argument(
        "--condition",
        metavar="NAME",
        help="how it was decoded, in a word or two, for tables (default: the hypotheses' name, "
        "without that of the references)",
    )


def run(options: argparse.Namespace) -> int:
    references = read_references(options.references, options.reference_format)
    hypotheses = read_hypotheses(options.hypotheses, references, options.hypothesis_format)
    if options.glm:
        references = _rewritten(references, options.glm, is_reference=True)
        hypotheses = _rewritten(hypotheses, options.glm, is_reference=False)
    record = record_path(options.hypotheses)
    decoding = read_decoding_record(record) if record.exists() else None
    normaliser = options.normaliser or _default_normaliser(options, decoding)
    for path, texts in ((options.references, references), (options.hypotheses, hypotheses)):
        check_omissions(path, map(nist.unmarked, texts.segments), normaliser, options.max_lost)
    counts = score(
        references.segments,
        {segment.id: segment.text for segment in hypotheses.segments},
        normaliser,
        has_markup=references.has_markup or hypotheses.has_markup,
    )
    score_file = ScoreFile(
        subset=options.subset or options.references.stem,
        condition=options.condition
        or options.hypotheses.stem.removeprefix(f"{options.references.stem}."),
        score=counts,
        scoring=provenance(options.command),
        decoding=decoding,
    )
    if options.output:
        write_score_file(options.output, score_file)
    _print_gaps(counts)
    _print_table(score_file, _rate_as_written(references, hypotheses), options.all_rates)
    return _judge(counts.total.words, options.fail_above)


def _default_normaliser(options: argparse.Namespace, decoding: DecodingRecord | None) -> str:
    if decoding and decoding.normaliser:
        return decoding.normaliser
    kind = options.reference_format or format_of(options.references)
    return UNCASED if kind in nist.FORMATS else UNCHANGED


def _rewritten(texts: Texts, glm: Path, *, is_reference: bool) -> Texts:
    """Apply spelling rules, which may add alternatives."""
    rewrite = read_glm(glm, "reference" if is_reference else "hypothesis")
    segments = tuple(replace(s, text=rewrite(s.text)) for s in texts.segments)
    has_markup = texts.has_markup or any(map(nist.has_marks, segments))
    return replace(texts, segments=segments, has_markup=has_markup)


def _print_gaps(counts: Score) -> None:
    """List missing hypotheses, missing references and empty references on stderr."""
    empty = [u.id for u in counts.utterances if u.words.insertions and not u.words.n_reference]
    for ids, problem in (
        (counts.missing, "without a hypothesis, counted as deleted"),
        (counts.extra, "without a reference, not counted"),
        (empty, "with an empty reference, where every word recognised is an insertion"),
    ):
        if ids:
            tell(f"{counted(len(ids), 'utterance')} {problem}: {shortened(ids)}")


def _print_table(score_file: ScoreFile, as_written: float, all_rates: bool) -> None:
    """Print the rates with their intervals, the counts, and what they depend on."""
    counts = score_file.score
    total, words = counts.total, counts.total.words
    intervals = {rate: rate_interval(counts, rate) for rate in RATES}
    rows = [
        ("WER", total.wer, intervals["wer"], words.errors, words.n_reference, "words"),
        ("CER", total.cer, intervals["cer"], total.characters.errors,
         total.characters.n_reference, "characters"),
        ("SER", total.ser, intervals["ser"], total.n_wrong, total.n_utterances, "utterances"),
    ]  # fmt: skip
    print(visible(f"{score_file.subset}, {score_file.condition}"))
    for name, rate, interval, errors, n, units in rows:
        within = _within(interval)
        print(f"  {name} {percent(rate):>6} %  {within:<22}  {count(errors)} of {count(n)} {units}")
    if all_rates:
        print(f"  MER {percent(words.match_error_rate):>6} %  of the aligned pairs are wrong")
        print(f"  WIL {percent(words.information_lost):>6} %  of the word information is lost")
    kinds = {
        "substitution": words.substitutions,
        "deletion": words.deletions,
        "insertion": words.insertions,
    }
    print("  " + ", ".join(counted(number, kind) for kind, number in kinds.items()))
    if not words.n_reference:
        print("  no reference has a word, so the WER is infinite if any is recognised")
    effect = "" if counts.normaliser == UNCHANGED else f", without it {percent(as_written)} % WER"
    print(f"  normaliser {counts.normaliser}{effect}")
    interval = intervals["wer"]
    if interval:
        print(f"  intervals: {interval.n_resampled:,} {interval.resampled}, 95 %")


def _within(interval: Interval | None) -> str:
    return f"({percent(interval.low)} – {percent(interval.high)})" if interval else ""


def _rate_as_written(references: Texts, hypotheses: Texts) -> float:
    """Compute the WER without any normaliser."""
    has_markup = references.has_markup or hypotheses.has_markup
    found = {segment.id: segment.text for segment in hypotheses.segments}
    texts = [segment.text for segment in references.segments]
    spoken = [found.get(segment.id, "") for segment in references.segments]
    if has_markup:
        texts, spoken = ([normalise_markup(text, str) for text in side] for side in (texts, spoken))
    return total_of(count_all(texts, spoken, has_markup=has_markup)).rate


def _judge(words: Counts, limit: float | None) -> int:
    """Compare the WER with --fail-above."""
    if limit is None or words.errors <= part(limit, words.n_reference):
        return 0
    tell(f"WER {percent(words.rate)} % is above {limit:g} %")
    return 1
