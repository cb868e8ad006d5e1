"""Train a recurrent language model over characters on text.

The text has one segment per line, in its natural order; .gz, .xz and .bz2 are unpacked. The best
model by a dev text is kept.

The configuration (see conf/) decides everything about the model and its training; --set changes a
value for one run: --set train.n_epochs=3. The folder OUTPUT.run keeps the state and the metrics of
the run: stopped at any moment, the same command resumes from there. The model directory appears
when training is finished.

Example:
  asr lm train conf/char_lm.toml --text books.txt.xz --output char_lm
Next:
  asr lm perplexity char_lm dev.txt
  asr lm sample char_lm --prompt "IT WAS A"
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from asr.char_lm.config import LanguageConfig
from asr.cli.searching import add_threads_argument
from asr.cli.stopping import StopSignals
from asr.cli.training import add_run_arguments, read_run_config, share_threads
from asr.errors import DataError, counted
from asr.lm.segments import hold_out, read_segments
from asr.provenance import provenance


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, metavar="CONFIG", help="a file of conf/")
    parser.add_argument(
        "--text", type=Path, nargs="+", required=True, metavar="FILE", help="training text"
    )
    parser.add_argument(
        "--dev",
        type=Path,
        metavar="FILE",
        help="text to choose the best model by (default: the last tenth, at most 3,000 lines)",
    )
    add_run_arguments(parser)
    add_threads_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Train, show progress, and put the best model in place."""
    from asr.char_lm.experiment import train_language_model
    from asr.cli.lm.watch import LanguageRunWatcher
    from asr.train.run import run_folder

    text: Sequence[str] = list(read_segments(options.text))
    if options.dev:
        dev: Sequence[str] = list(read_segments([options.dev]))
        dev_name = options.dev.name
    else:
        n_segments = len(text)
        text, dev = hold_out(text)
        if not dev:
            raise DataError(
                f"a tenth of the text is held out, and it has {counted(n_segments, 'line')}: "
                "expected at least 10, or a text of its own to validate on (--dev)"
            )
        dev_name = f"{counted(len(dev), 'segment')} held out"
    config = read_run_config(options, LanguageConfig, options.config)
    share_threads(options.threads, config.train.n_shards)
    made, output = provenance(options.command), options.output
    with StopSignals() as signals, LanguageRunWatcher(run_folder(output)) as watcher:
        state = train_language_model(config, text, dev, output, watcher, made, signals.has_come)
    if signals.has_stopped:
        return signals.exit_status
    print(
        f"{output}: best {state.best_bits:.4f} bits per character of {dev_name} "
        f"(update {state.best_step} of {state.step}, {state.seconds / 60:.0f} minutes)"
    )
    return 0
