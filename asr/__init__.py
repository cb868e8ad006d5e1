"""Speech recognition with recurrent encoders and CTC: wav in, text out, trained on your own speech.

    import asr

    model = asr.load_model()                  # the one that the package ships, or a folder of yours
    transcript = model.transcribe("speech.wav")
    print(transcript.text)
    print([(word.text, word.start, word.end, word.confidence) for word in transcript.words])

Two programs share this package. Recognising, from a recording to a report, runs on numpy and ONNX
Runtime and never imports torch. Training adds torch. A model directory is all that passes between
them. Recognising, from top to bottom:

    audio       read, mix down, resample: a recording becomes a waveform
    runtime     model.onnx: a waveform becomes log-probabilities of tokens, frame by frame
    search      log-probabilities become the most probable tokens, words, times
    text        tokens become text; text becomes transcripts, subtitles and the like
    wer         references against hypotheses: counts, intervals
    report      counts become tables and pictures

    lexicon     how words are pronounced
    lm          text becomes n-grams: how probable a word is after others
    confidence  how probably a word is right
    chart       numbers become pictures

Training:

    corpus      manifests, corpora on disk, batches
    augment     speech is varied: speed, rooms, noise, lines, masks
    features    a waveform becomes filter-bank energies, normalised
    model       features become log-probabilities: subsampling, recurrent layers, heads, losses
    train       the loop, the optimiser, the state that a run resumes from
    checkpoint  the model directory: written, read, exported, searched

`recognizer` is what an application imports, `experiment` turns manifests and a `config` into a
model, `serve` is an HTTP server, `cli` is the command `asr`. All rest on `errors`, `files`,
`lengths`, `compiled` and `provenance`. The core never imports `char_lm` (a recurrent language
model), `cluster` (recognising on many machines), `lab` (what a network remembers), `low_resource`
(learning from one's own transcripts) and `lexicon.g2p` (pronunciations of words that a dictionary
lacks).

A name is imported when it is first used, so that `import asr` takes no time.
"""

import importlib
from typing import TYPE_CHECKING

from asr.errors import AsrError

if TYPE_CHECKING:
    from asr.recognizer import Recognizer, load_model
    from asr.text.transcript import Transcript

    __version__: str

__all__ = ["AsrError", "Recognizer", "Transcript", "__version__", "load_model"]

_HOMES = {
    "Recognizer": "asr.recognizer",
    "Transcript": "asr.text.transcript",
    "load_model": "asr.recognizer",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from asr.provenance import own_version

        return own_version()
    if name not in _HOMES:
        raise AttributeError(f"module 'asr' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
