"""Speech recognition with recurrent encoders and CTC: wav in, text out, trained on your own speech.

    import asr

    model = asr.load_model()                  # the one that the package ships, or a folder of yours
    transcript = model.transcribe("speech.wav")
    print(transcript.text)
    print([(word.text, word.start, word.end, word.confidence) for word in transcript.words])

The way of one utterance, and of this package's folders:

    audio       read, mix down, resample: a recording becomes a waveform
    corpus      manifests, corpora on disk, batches
    features    a waveform becomes filter-bank energies, normalised
    lexicon     letters become phones, for words that a pronouncing dictionary lacks
    lm          text becomes language models: how probable a word is behind others
    model       features become log-probabilities of tokens, frame by frame
    search      log-probabilities become the most probable tokens, with their times
    spelling    text becomes phones as a model would hear them, for a speller to learn from
    text        tokens become text; text becomes transcripts, subtitles and the like
    train       the loop, the optimiser, the state that a run resumes from
    wer         references against hypotheses: counts, scores, reports

On top of them stand `config` (one TOML file, one frozen tree), `checkpoint` and `language_model` (a
model directory of either kind), `speller` (the network that may stand behind a model's phones),
`own_search` (the search that a model comes with), `fusion` (a language model, a lexicon and
hotwords in a model's tokens), `recognizer` (what is imported above) and `reading` (what its search
found becomes words with their times), `rescoring` (n-best lists), `experiment`,
`spelling_experiment` and `language_experiment` (training), `averaging` (several trainings become
one model), `adaptation` (a model learns from what it recognised), `tuning` (the weights of a
language model), `confidence` (how probably a word is right), `memory` (what a model remembers,
measured and drawn) and `cli` (the command `asr`). Imports only go down; what everything may use is
`chart` (numbers become pictures), `compiled`, `errors`, `flush`, `lengths`, `model_files`,
`model_names`, `provenance` and `recurrent` (the layers that the acoustic and the language model
share).

Names are found when they are first used, so that `import asr` takes no time and loads no torch.
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
    """Find a public name in the module that it lives in."""
    if name == "__version__":
        from asr.provenance import own_version

        return own_version()
    if name not in _HOMES:
        raise AttributeError(f"module 'asr' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
