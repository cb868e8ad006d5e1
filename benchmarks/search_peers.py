"""Other decoders behind one face, each in a process that runs when told; see `benchmarks.search`.

Runs in an environment of its own, which has none of this package:

    python3 -m venv ../peers
    ../peers/bin/pip install flashlight-text pyctcdecode fast-ctc-decode kenlm numpy

Standard input tells what to do, a line of JSON each: a task to make ready for, then how often to
decode with which weights. Each is answered by a line of JSON.
"""

import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Emission = NDArray[np.float32]
Decode = Callable[[Emission], str]
Task = dict[str, Any]  # as `_task` of `benchmarks.search` writes it

_MADE: dict[str, Any] = {}  # what weights do not change

LN_10 = math.log(10.0)  # peers weigh the decimal logarithms of KenLM, or the natural ones


def fast_ctc_decode(task: Task, _: Task) -> Decode:
    import fast_ctc_decode as library

    alphabet = "".join(chr(0x100 + i) for i in range(len(task["tokens"])))  # one character a token

    def decode(emission: Emission) -> str:
        symbols, _ = library.beam_search(np.exp(emission), alphabet, beam_size=task["beam_size"])
        return text_of([task["tokens"][ord(symbol) - 0x100] for symbol in symbols])

    return decode


def pyctcdecode(task: Task, weights: Task) -> Decode:
    import pyctcdecode as library

    labels = ["", *task["tokens"][1:]]
    if boundary_of(task["tokens"]) is not None:
        labels = [label.replace("▁", " ") for label in labels]
    if "decoder" not in _MADE:
        words = task["words"] or None
        _MADE["decoder"] = library.build_ctcdecoder(labels, task["lm"], words)
    decoder = _MADE["decoder"]
    if task["lm"]:
        decoder.reset_params(
            alpha=weights.get("lm_weight", 0.0), beta=weights.get("word_score", 0.0)
        )

    def decode(emission: Emission) -> str:
        text: str = decoder.decode(emission, beam_width=task["beam_size"])
        return text

    return decode


def flashlight(task: Task, weights: Task) -> Decode:
    from flashlight.lib.text import decoder as library

    tokens = task["tokens"]
    common = {
        "beam_size": task["beam_size"],
        "beam_size_token": len(tokens),
        "beam_threshold": task["beam_threshold"],
        "lm_weight": LN_10 * weights.get("lm_weight", 0.0),
        "sil_score": 0.0,
        "log_add": True,
        "criterion_type": library.CriterionType.CTC,
    }
    own = boundary_of(tokens)
    boundary = -1 if own is None else own
    if not task["words"]:
        options = library.LexiconFreeDecoderOptions(**common)
        free = library.LexiconFreeDecoder(options, library.ZeroLM(), boundary, 0, [])
        return lambda emission: text_of(collapsed(best(free, emission).tokens, tokens))
    trie, lm, dictionary = flashlight_words(task)
    options = library.LexiconDecoderOptions(
        **common, word_score=weights.get("word_score", 0.0), unk_score=-math.inf
    )
    decoder = library.LexiconDecoder(
        options, trie, lm, boundary, 0, dictionary.get_index("<unk>"), [], False
    )

    end = np.full((1, len(tokens)), -30.0, np.float32)  # words are spelled with the boundary behind
    end[0, boundary] = 0.0

    def decode(emission: Emission) -> str:
        emission = np.concatenate([emission, end]) if boundary >= 0 else emission
        words = best(decoder, emission).words
        return " ".join(dictionary.get_entry(word) for word in words if word >= 0)

    return decode


def flashlight_words(task: Task) -> tuple[Any, Any, Any]:
    from flashlight.lib.text import decoder as library
    from flashlight.lib.text.dictionary import Dictionary

    if "words" not in _MADE:
        dictionary = Dictionary([*task["words"], "<unk>"])
        lm = library.KenLM(task["lm"], dictionary)
        boundary = boundary_of(task["tokens"])
        trie, start = library.Trie(len(task["tokens"]), boundary or 0), lm.start(False)
        for word, spelling in zip(task["words"], task["spellings"], strict=True):
            number = dictionary.get_index(word)
            _, score = lm.score(start, number)
            end = [] if boundary is None else [boundary]
            trie.insert([*spelling, *end], number, score)
        trie.smear(library.SmearingMode.MAX)
        _MADE["words"] = (trie, lm, dictionary)
    result: tuple[Any, Any, Any] = _MADE["words"]
    return result


def boundary_of(tokens: list[str]) -> int | None:
    """Find the token between words; among pieces, which begin words themselves, there is none."""
    return tokens.index("▁") if all(len(token) == 1 for token in tokens[1:]) else None


def best(decoder: Any, emission: Emission) -> Any:
    emission = np.ascontiguousarray(emission)
    return decoder.decode(emission.ctypes.data, *emission.shape)[0]


def collapsed(path: list[int], tokens: list[str]) -> list[str]:
    pairs = zip([0, *path[:-1]], path, strict=True)
    return [tokens[i] for before, i in pairs if i != before and 0 < i < len(tokens)]


def text_of(tokens: list[str]) -> str:
    return " ".join("".join(tokens).replace("▁", " ").split())


PEERS = {"fast-ctc-decode": fast_ctc_decode, "pyctcdecode": pyctcdecode, "flashlight": flashlight}


def serve(make: Callable[[Task, Task], Decode]) -> None:
    """Answer until nobody asks any more."""
    began = time.perf_counter()
    task = json.loads(Path(json.loads(sys.stdin.readline())).read_text(encoding="utf-8"))
    decode = make(task, {})
    weights: Task = {}
    loaded = np.load(task["emissions"])
    emissions = {name: loaded[name] for name in loaded.files}
    decode(next(iter(emissions.values())))
    answer({"start_seconds": time.perf_counter() - began})
    for line in sys.stdin:
        order = json.loads(line)
        if order["weights"] != weights:
            weights = order["weights"]
            decode = make(task, weights)
            decode(emissions[order["names"][0]])
        began = time.thread_time()
        texts = {name: decode(emissions[name]) for name in order["names"]}
        seconds = time.thread_time() - began
        answer({"seconds": seconds, "texts": texts, "megabytes": _peak_megabytes()})


def answer(message: Task) -> None:
    sys.__stdout__.write(json.dumps(message) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


def _peak_megabytes() -> float:
    """Ask Linux for the most memory that this program held; getrusage tells its parent's, too."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return float("nan")


if __name__ == "__main__":
    sys.stdout = sys.stderr  # libraries say things
    serve(PEERS[sys.argv[1]])
