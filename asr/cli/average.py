"""`asr average`: several trainings from one start become one model."""

import argparse

from asr.cli.outputs import add_model_output

HELP = "make one model of several trainings from one start"
DESCRIPTION = """\
Average the weights of models, and of their spellers, if they have such. Where trainings began with
the same weights (--start), are equally good, and differ by chance, as with --set pronouncing.seed=2
or --set batching.seed=2, the average is as a rule better than each of them, and as small and as
fast: count its errors, too. Models that did not begin alike do not average: the result would hear
nothing, and nothing but that would tell.

The card and the search are those of the first model; confidences are to be calibrated anew.

examples:
  asr average exp/spelling-1 exp/spelling-2 exp/spelling-3 --output exp/averaged
next:
  asr decode exp/averaged dev.jsonl --output dev.hypotheses.jsonl
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `asr average` takes."""
    parser.add_argument(
        "models", nargs="+", metavar="MODEL", help="model folders, or shipped models by name"
    )
    add_model_output(parser)


def run(options: argparse.Namespace) -> int:
    """Write the average, and say of how many models it is."""
    from asr.checkpoint.average import average_models
    from asr.checkpoint.names import model_folder
    from asr.provenance import provenance

    if len(options.models) < 2:
        options.refuse("an average is of two models or more")
    folders = [model_folder(model) for model in options.models]
    average_models(folders, options.output, provenance(options.command))
    print(f"{options.output}: the average of {len(folders)} models")
    return 0
