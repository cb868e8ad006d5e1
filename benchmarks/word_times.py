r"""Word times against those of forced alignments: how far off they are, and to which side.

    git clone https://github.com/Jenny-Smolensky/LibriSpeechFilesParser
    asr decode english some.jsonl --output some.hyp.jsonl
    python -m benchmarks.word_times some.hyp.jsonl LibriSpeechFilesParser

The folder has TextGrids named after utterances, whose first tier has words. Words that both have in
the same order are compared.
"""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from asr.text.transcript import Word, read_transcripts
from benchmarks.options import option_parser

INTERVAL = re.compile(r'xmin = (\S+)\s+xmax = (\S+)\s+text = "(.*)"')


def main() -> None:
    """Compare, and print a list in Markdown."""
    parser = option_parser(__doc__)
    parser.add_argument("hypotheses", type=Path, help="recognised words with times")
    parser.add_argument("grids", type=Path, help="folder of TextGrids, searched to any depth")
    options = parser.parse_args()
    grids = {path.stem: path for path in options.grids.rglob("*.TextGrid")}
    pairs = [
        pair
        for name, transcript in read_transcripts(options.hypotheses).items()
        if name in grids
        for pair in matched(transcript.words, read_grid(grids[name]))
    ]
    print(f"- {len(pairs)} words")
    for side in ("start", "end"):
        errors = np.array([getattr(ours, side) - getattr(true, side) for ours, true in pairs])
        print(f"- {side}s: {summary(errors)}")


def read_grid(path: Path) -> list[Word]:
    """Read the words of a TextGrid's first tier."""
    tier = path.read_text(encoding="utf-8").split("item [2]")[0]
    return [
        Word(text.upper(), float(start), float(end))
        for start, end, text in INTERVAL.findall(tier)
        if text
    ]


def matched(ours: tuple[Word, ...], true: list[Word]) -> Iterator[tuple[Word, Word]]:
    """Pair the words that both have in the same order."""
    heard, said = ([word.text for word in words] for words in (ours, true))
    for block in SequenceMatcher(None, heard, said, autojunk=False).get_matching_blocks():
        for i in range(block.size):
            yield ours[block.a + i], true[block.b + i]


def summary(errors: NDArray[np.float64]) -> str:
    """Describe errors in seconds, (N,)."""
    distances = 1000 * np.abs(errors)
    return (
        f"median {1000 * np.median(errors):+.0f} ms; distance: median {np.median(distances):.0f} "
        f"ms, 90 % within {np.quantile(distances, 0.9):.0f} ms, "
        f"{100 * np.mean(distances <= 80):.1f} % within 80 ms"
    )


if __name__ == "__main__":
    main()
