"""Write scores as Markdown, JSON, a picture, or one HTML file that opens anywhere.

The extension of --output decides; repeat it for several. All show the same figures:

  .md    for a repository: rates and counts, what they depend on, frequent errors, worst utterances
  .json  the figures, for scripts
  .svg   for a README: the word error rates with their intervals, in a picture
  .html  for a reader: the same, with pictures, and every utterance in a table that sorts and
         searches; it needs neither server nor network. To make it: pip install 'asr-ctc[report]'

The page shows more the more you give it: with --hypotheses, confidences and the times of words;
with --manifest, errors by level and noise, spectrograms, and sound; with --train-texts, errors by
how often training saw a word; with --model, what the network heard; with --training, its curve.

Recordings are referred to by their paths from the page, except those of the closer look, which are
embedded up to --embed megabytes. Two scores are never pooled. The same files give the same report.

Examples:
  asr report dev.greedy.score.json dev.beam.score.json --output RESULTS.md
  asr report dev.score.json --hypotheses dev.jsonl --manifest dev-manifest.jsonl --output dev.html
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from asr.cli.messages import tell
from asr.cli.numbers import add_number
from asr.cli.outputs import file_to_write
from asr.cli.watch import METRICS_FILE
from asr.config import TEXT_HEAD
from asr.corpus.manifest import read_manifest
from asr.corpus.utterance import Utterance
from asr.errors import AudioError, DataError, counted, shortened
from asr.files import write_text
from asr.provenance import n_cores
from asr.report.numbers import results_json
from asr.report.picture import results_picture
from asr.report.results import results_page
from asr.report.summary import Summary, summaries
from asr.text.normalise import normaliser
from asr.text.transcript import read_transcripts
from asr.wer.score_file import read_score_file
from asr.wer.texts import read_references

if TYPE_CHECKING:
    from asr.report.page import Panel
    from asr.report.spectrogram import Heard

Given = TypeVar("Given", Path, str)

ENDINGS = (".md", ".json", ".svg", ".html")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "scores", type=Path, nargs="+", metavar="S.json", help="scores, in the order to show them"
    )
    parser.add_argument(
        "--output",
        type=_report_to_write,
        action="append",
        required=True,
        metavar="FILE",
        help="report to write: .md, .json, .svg or .html",
    )
    parser.add_argument(
        "--title", default="Results", metavar="TEXT", help="of the report (default: Results)"
    )
    parser.add_argument(
        "--all-rates", action="store_true", help="show match error rate and lost information, too"
    )
    _add_page_arguments(parser.add_argument_group("for .html"))


def _add_page_arguments(page: argparse._ArgumentGroup) -> None:
    for name, metavar, help_text in (
        ("--hypotheses", "H.jsonl", "what asr decode wrote, one file a score"),
        ("--manifest", "M.jsonl", "the recordings, one manifest for all scores or one each"),
    ):
        page.add_argument(name, type=Path, nargs="+", default=[], metavar=metavar, help=help_text)
    page.add_argument(
        "--train-texts", type=Path, metavar="FILE", help="texts that the model was trained on"
    )
    page.add_argument(
        "--model",
        nargs="+",
        default=[],
        metavar="MODEL",
        help="folder or name, to show what it hears, one model for all scores or one each",
    )
    page.add_argument(
        "--training",
        type=Path,
        nargs="+",
        default=[],
        metavar="RUN",
        help="folders of asr train, MODEL.run, for their curves",
    )
    page.add_argument(
        "--look-at",
        nargs="+",
        default=[],
        metavar="ID",
        help="utterances of the closer look (default: the worst)",
    )
    add_number(page, "--closer-look", "worst utterances", minimum=0, default=6)
    add_number(page, "--embed", "sound in the page, at most", minimum=0, default=5, metavar="MB")


def run(options: argparse.Namespace) -> int:
    """Make every report before writing the first, so that an error leaves the old ones."""
    found = summaries([read_score_file(path) for path in options.scores])
    texts = {path: _report(options, found, path) for path in options.output}
    for path, text in texts.items():
        write_text(path, text)
        print(f"{path}: {counted(len(found), 'score')}")
    return 0


def _report_to_write(text: str) -> Path:
    path = file_to_write(text)
    if path.suffix not in ENDINGS:
        raise argparse.ArgumentTypeError(f"{text!r} must end in {', '.join(ENDINGS)}")
    return path


def _report(options: argparse.Namespace, found: Sequence[Summary], path: Path) -> str:
    if path.suffix == ".json":
        return results_json(options.title, found)
    if path.suffix == ".svg":
        return results_picture(options.title, found)
    if path.suffix == ".html":
        return _page(options, found, path.parent)
    return results_page(options.title, found, all_rates=options.all_rates)


def _page(options: argparse.Namespace, found: Sequence[Summary], folder: Path) -> str:
    """Read what the page needs, and make it."""
    from asr.report.learning_curve import learning_charts, read_reports
    from asr.report.page import Panel, report_page

    known = {one.id for summary in found for one in summary.score_file.score.utterances}
    if unknown := [name for name in options.look_at if name not in known]:
        raise DataError(f"--look-at: no score has an utterance {shortened(unknown)}")
    hypotheses = _one_each(options.hypotheses, len(found), "--hypotheses")
    manifests = _one_each(options.manifest, len(found), "--manifest", may_share=True)
    models = _one_each(options.model, len(found), "--model", may_share=True)
    panels: list[Panel] = []
    n_bytes = options.embed * 1_000_000
    for summary, *given in zip(found, hypotheses, manifests, models, strict=True):
        panels.append(_panel(options, summary, folder, n_bytes, *given))
        n_bytes -= sum(len(look.audio) for look in panels[-1].looks if look.is_embedded)
    trainings = [
        (run.name.removesuffix(".run"), *learning_charts(read_reports(run / METRICS_FILE)))
        for run in options.training
    ]
    return report_page(options.title, panels, trainings, folder=folder, all_rates=options.all_rates)


def _one_each(
    given: Sequence[Given], n_scores: int, option: str, *, may_share: bool = False
) -> Sequence[Given | None]:
    """Give each score its own, if there are any."""
    if not given:
        return [None] * n_scores
    if may_share and len(given) == 1:
        return [given[0]] * n_scores
    if len(given) != n_scores:
        raise DataError(f"{option}: expected one for each of {n_scores} scores, got {len(given)}")
    return given


def _panel(
    options: argparse.Namespace,
    summary: Summary,
    folder: Path,
    most_bytes: int,
    hypotheses: Path | None,
    manifest: Path | None,
    model: str | None,
) -> "Panel":
    from asr.report.acoustics import measure_all
    from asr.report.closer_look import choose, closer_looks
    from asr.report.figures import figures
    from asr.report.material import gather
    from asr.report.page import Panel

    score = summary.score_file.score
    scored = {utterance.id for utterance in score.utterances}
    recordings = [u for u in (read_manifest(manifest) if manifest else ()) if u.id in scored]
    if manifest and not recordings:
        raise DataError(f"{manifest}: has no utterance of the score {summary.score_file.subset}")
    transcripts = read_transcripts(hypotheses) if hypotheses else {}
    material = gather(score, transcripts, recordings)
    acoustics = measure_all(recordings, n_threads=n_cores())
    ids = choose(material, options.closer_look, options.look_at)
    looks = closer_looks(
        material,
        ids,
        _heard(model, summary, [u for u in recordings if u.id in set(ids)]),
        folder=folder,
        most_bytes=most_bytes,
    )
    words = _count_words(options.train_texts, score.normaliser) if options.train_texts else None
    return Panel(summary, material, figures(material, acoustics, words), looks)


def _heard(
    model: str | None, summary: Summary, recordings: Sequence[Utterance]
) -> "Mapping[str, Heard]":
    """Compute what the model makes of some recordings, with the head that was searched."""
    if model is None or not recordings:
        return {}
    import numpy as np

    from asr.recognizer import load_model
    from asr.report.spectrogram import Heard

    decoding = summary.score_file.decoding
    kind = decoding.search_kind if decoding is not None else None
    reads_phones = kind is None or kind.startswith("phones")
    recognizer = load_model(model, search=None if reads_phones else "greedy")
    if kind and reads_phones and recognizer.searcher.head == TEXT_HEAD:
        tell(f"{model}: its default search reads no phones, which were searched: not shown")
        return {}
    tokens = recognizer.model.tokenizers[recognizer.searcher.head].tokens
    shift = recognizer.model.config.frame_shift
    return {
        utterance.id: Heard(np.exp(emission), tokens, shift)
        for utterance, emission in recognizer.emit_all(recordings)
        if not isinstance(emission, AudioError)
    }


def _count_words(path: Path, normaliser_name: str) -> Counter[str]:
    """Count the words of training texts, spelled as the scored ones are."""
    normalise = normaliser(normaliser_name)
    segments = read_references(path).segments
    return Counter(word for segment in segments for word in normalise(segment.text).split())
