"""Let a recurrent model over characters continue a text.

The same seed gives the same continuation. A temperature of 1 draws from the model's own
distribution; a lower one prefers probable characters, and 0 always takes the most probable one. The
end of a segment is a line break.

Example:
  asr lm sample char_lm --prompt "IT WAS A" --temperature 0.8 --length 200 --seed 1
"""

import argparse
from pathlib import Path

from asr.cli.numbers import add_number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", type=Path, metavar="MODEL", help="a recurrent model's directory")
    parser.add_argument(
        "--prompt", default="", metavar="TEXT", help="text to continue (default: none)"
    )
    parser.add_argument(
        "--temperature", type=float, default=0.8, metavar="T", help="0 or more (default: 0.8)"
    )
    add_number(parser, "--length", "number of characters", default=200)
    add_number(parser, "--seed", "random seed", minimum=0, default=1)


def run(options: argparse.Namespace) -> int:
    from asr.char_lm.language_model import load_language_model
    from asr.char_lm.sampling import sample

    text = sample(
        load_language_model(options.model),
        options.prompt,
        n_characters=options.length,
        temperature=options.temperature,
        seed=options.seed,
    )
    print(text.removesuffix("\n"))
    return 0
