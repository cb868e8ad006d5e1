"""Tell whether one system is better than another on the same utterances.

Prints the difference of the two WERs with its 95 % interval, by a paired bootstrap over speakers
(over utterances, if one is unknown or there are fewer than ten); the matched-pairs test of NIST's
sc_stats (MAPSSWE), whose p is the probability of such a difference between equally good systems;
and the utterances that changed most, aligned with their reference under each.

Both scores must be of the same references under the same normaliser.

Example:
  asr compare dev-clean.greedy.score.json dev-clean.beam.score.json --output greedy-beam.txt
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from asr.cli.numbers import add_number
from asr.cli.outputs import file_to_write
from asr.errors import counted
from asr.files import write_text
from asr.report.side_by_side import side_by_side
from asr.text.markdown import count, percent, visible
from asr.wer.score_file import ScoreFile, read_score_file
from asr.wer.significance import Comparison, compare, paired

LEAST_P = 1e-9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("first", type=Path, metavar="A.json", help="a score (see asr score)")
    parser.add_argument("second", type=Path, metavar="B.json", help="the score to compare with it")
    add_number(parser, "--utterances", "show the N that changed most", minimum=0, default=3)
    parser.add_argument(
        "--output", type=file_to_write, metavar="FILE", help="file for what is printed, too"
    )


def run(options: argparse.Namespace) -> int:
    first, second = map(read_score_file, (options.first, options.second))
    lines = [
        *_comparison(first, second, compare(first.score, second.score)),
        *_changes(first, second, options.utterances),
    ]
    text = "".join(f"{line}\n" for line in lines)
    if options.output:
        write_text(options.output, text)
    print(text, end="")
    return 0


def _p(p: float) -> str:
    """Write a probability; the smallest ones of a normal distribution are not to be told apart."""
    return f"p {p:.2g}" if p >= LEAST_P else f"p < {LEAST_P:g}"


def _comparison(first: ScoreFile, second: ScoreFile, found: Comparison) -> Iterator[str]:
    subset = first.subset if first.subset == second.subset else f"{first.subset}, {second.subset}"
    yield visible(f"{subset}: {first.condition} → {second.condition}")
    wers = " → ".join(f"{percent(s.score.total.wer)} %" for s in (first, second))
    within, resampled = "", "too little to resample"
    if interval := found.interval:
        within = f" ({100 * interval.low:+.2f} – {100 * interval.high:+.2f})"
        over = f"{count(interval.n_resampled)} {interval.resampled}"
        resampled = f"{over}; better in {100 * found.better:.1f} % of the replicates"
    yield f"  WER {wers}, difference {100 * found.difference:+.2f}{within}"
    yield f"  bootstrap: {resampled}"
    test = found.mapsswe
    yield (
        f"  MAPSSWE: {counted(test.n_segments, 'segment')}, z {test.z:.3f}, {_p(test.p)}"
        if test
        else "  MAPSSWE: fewer than two segments with errors, or all differ alike"
    )


def _changes(first: ScoreFile, second: ScoreFile, n_shown: int) -> Iterator[str]:
    """Count the utterances that changed, and show those that changed most."""
    pairs = paired(first.score, second.score)
    changes = [b.words.errors - a.words.errors for a, b in pairs]
    better, worse = (sum(sign * change > 0 for change in changes) for sign in (-1, 1))
    same = len(pairs) - better - worse
    yield (
        f"  fewer errors in {counted(better, 'utterance')}, more in {count(worse)}, as many in "
        f"{count(same)}"
    )
    ranked = sorted(range(len(pairs)), key=lambda i: (-abs(changes[i]), pairs[i][0].id))
    for i in [i for i in ranked if changes[i]][:n_shown]:
        a, b = pairs[i]
        yield ""
        yield (
            f"{visible(a.id)}: {a.words.errors} → {counted(b.words.errors, 'error')} "
            f"in {counted(a.words.n_reference, 'word')}"
        )
        for name, scored, one in ((first.condition, first, a), (second.condition, second, b)):
            lines = side_by_side(
                one.reference, one.hypothesis or "", has_markup=scored.score.has_markup
            )
            yield from ("", visible(name), *map(visible, lines.split("\n")))
