"""Print what is said into a microphone, until Ctrl-C.

Needs `pip install 'asr-ctc[mic]'`. A line appears when nothing that follows can change its words. A
network that hears in both directions needs some of what follows: words come up to 4.5 seconds late.

--device is a part of an input device's name, or its number; `python -m sounddevice` lists them.

Examples:
  asr listen
  asr listen --device USB
"""

import argparse

from asr.audio.microphone import microphone_blocks
from asr.cli.live import print_settled
from asr.cli.searching import add_model_option, add_search_arguments, add_threads_argument, load
from asr.cli.stopping import StopSignals


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_model_option(parser)
    parser.add_argument(
        "--device",
        metavar="NAME",
        help="input device (default: the system's)",
    )
    add_search_arguments(parser)
    add_threads_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Listen until a signal, and print the rest."""
    recognizer = load(options)
    device = options.device
    with StopSignals(last="the words in hand") as signals:
        blocks = microphone_blocks(
            recognizer.sample_rate,
            device=int(device) if device and device.isdecimal() else device,
            must_stop=signals.has_come,
        )
        print_settled(recognizer, blocks)
    return 0
