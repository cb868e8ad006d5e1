"""A model directory: everything that decoding needs, in one place, and nothing that runs code.

model.safetensors    weights of the acoustic model and the statistics of CMVN
config.toml          the configuration, complete, as it was trained with
tokens.txt           the tokens by id (and bpe.model, where they are pieces of words)
phones.txt           those of the second output, where the model has one
priors.safetensors   each token's share of the training speech, for searches that take it out
golden.safetensors   a waveform, its features and its transcript, which loading can check
README.md            the model card
confidence.toml      what the confidences of its searches are worth, where that was measured
search.toml          the search that it comes with, if any, and its files; see `asr.checkpoint.decoding`
speller/             the network that spells what this one hears, if any; see `asr.speller`
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from asr.checkpoint.decoding import OwnSearch, read_own_search, write_own_search
from asr.checkpoint.directory import CARD_FILE, CONFIG_FILE, WEIGHTS_FILE, staging, swap_in
from asr.confidence.calibration_file import (
    Calibrations,
    read_calibrations,
    write_calibrations,
)
from asr.config import Config, read_config, refuse_other_shape, to_toml
from asr.errors import ConfigError, DataError, ModelError
from asr.features.cmvn import utterance_statistics
from asr.features.front_end import FrontEnd
from asr.features.padding import pad
from asr.model.acoustic import AcousticModel, Output
from asr.search.greedy import greedy_search
from asr.speller import Speller, read_speller, write_speller
from asr.text.bpe import read_tokenizer
from asr.text.normalise import normaliser
from asr.text.tokens import Tokenizer, TokenTable

PHONES_FILE = "phones.txt"
GOLDEN_FILE = "golden.safetensors"
PRIORS_FILE = "priors.safetensors"

FEATURE_TOLERANCE = 1e-2  # of a normalised feature; other processors and libraries round otherwise


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model ready to decode: configuration, tokens, front-end with its CMVN, acoustic model.

    `phones` are the tokens of its second output, if it has one. `calibrations` say what the
    confidences of its searches are worth, and belong to these weights: training makes none.
    `priors`, (V,) float32 of each output, are the tokens' shares of the training speech as the
    model hears it; see `asr.train.priors`. `search` is how it is searched unless told otherwise.
    `speller` takes over the output of text, for all but alignment.
    """

    config: Config
    tokenizer: Tokenizer
    front_end: FrontEnd
    model: AcousticModel
    phones: TokenTable | None = None
    calibrations: Calibrations = field(default_factory=dict)
    priors: Mapping[Output, Tensor] = field(default_factory=dict)
    search: OwnSearch | None = None
    speller: Speller | None = None

    @property
    def frame_shift(self) -> float:
        """Seconds from one output frame of the acoustic model to the next."""
        model = self.config.model
        shift = self.config.features.frame_shift * model.subsampling_factor
        return shift / model.upsampling_factor

    @property
    def text_tokenizer(self) -> Tokenizer:
        """The tokens of the output of text: the speller's, if there is one."""
        return self.speller.tokenizer if self.speller else self.tokenizer

    def shift_of(self, output: Output) -> float:
        """Tell the seconds from one frame of an emission to the next."""
        if self.speller is None or output == "phones":
            return self.frame_shift
        return self.frame_shift * self.speller.frames_heard

    def emit(self, features: Tensor, lengths: Tensor, output: Output) -> tuple[Tensor, Tensor]:
        """Score every token of an output, of text by the speller, if there is one.

        Args:
            features: (B, T, F) float, normalised; padding is never read.
            lengths: (B,) int64, valid frames.
            output: Which tokens.

        Returns:
            log_probs, (B, T', V) float32, and their lengths, (B,) int64.
        """
        log_probs, lengths = self.model(features, lengths, self.heard(output))
        return self.spell(log_probs, lengths, output)

    def heard(self, output: Output) -> Output:
        """Tell which output of the acoustic model an output is made of: a speller reads phones."""
        return "phones" if self.speller else output

    def spell(self, log_probs: Tensor, lengths: Tensor, output: Output) -> tuple[Tensor, Tensor]:
        """Make an output of what the acoustic model says, `heard`: by the speller, or it is it."""
        if self.speller is None or output == "phones":
            return log_probs, lengths
        spelled: tuple[Tensor, Tensor] = self.speller(log_probs, lengths)
        return spelled


def build(config: Config, tokenizer: Tokenizer, phones: TokenTable | None = None) -> Checkpoint:
    """Make a model with random weights, as training starts from."""
    front_end = FrontEnd(config.features)
    model = AcousticModel(
        config.model,
        n_features=front_end.n_features,
        n_tokens=len(tokenizer),
        n_phones=len(phones) if phones else 0,
    )
    return Checkpoint(config, tokenizer, front_end, model, phones)


def untrained(trained: Checkpoint) -> Checkpoint:
    """Make the model again that training by this configuration began with, but for its CMVN."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(trained.config.batching.seed)
        return build(trained.config, trained.tokenizer, trained.phones)


def begin_with(trained: Checkpoint, config: Config, *, has_phones: bool) -> Checkpoint:
    """Make the model that training by `config` begins with out of one that was trained before.

    Args:
        trained: Gives tokens, CMVN and weights.
        config: Of the training to come; what shapes the model is as in the trained one.
        has_phones: Whether its output of phones is trained on; else it is left out.

    Raises:
        ConfigError: The configuration asks for another model, or for phones that it does not have.
    """
    refuse_other_shape(trained.config, config)
    if has_phones and trained.phones is None:
        raise ConfigError("the model to start with has no output of phones: set phone_weight to 0")
    made = build(config, trained.tokenizer, trained.phones if has_phones else None)
    weights = trained.model.state_dict()
    made.model.load_state_dict({name: weights[name] for name in made.model.state_dict()})
    made.front_end.load_state_dict(trained.front_end.state_dict())
    return made


def save_checkpoint(
    folder: Path,
    checkpoint: Checkpoint,
    *,
    card: str,
    example: Tensor,
    is_half: bool = False,
) -> None:
    """Write a model directory beside `folder`, then put it in its place.

    Args:
        folder: Replaced as a whole where it is a model directory already.
        checkpoint: What to write.
        card: The model card, Markdown.
        example: (N,) float32 waveform of the golden example, at the model's sample rate.
        is_half: Store weights in float16, in half the space; they are loaded as float32.

    Raises:
        ModelError: `folder` holds something that is no model.
    """
    beside = staging(folder)
    beside.mkdir(parents=True)
    tensors = {
        name: tensor.half() if is_half and name.startswith("model.") else tensor
        for name, tensor in _tensors(checkpoint).items()
    }
    (beside / WEIGHTS_FILE).write_bytes(safetensors.torch.save(tensors))
    (beside / CONFIG_FILE).write_text(to_toml(checkpoint.config), encoding="utf-8")
    checkpoint.tokenizer.write(beside)
    if checkpoint.phones:
        checkpoint.phones.write(beside, PHONES_FILE)
    if checkpoint.priors:
        priors = {str(output): prior for output, prior in checkpoint.priors.items()}
        (beside / PRIORS_FILE).write_bytes(safetensors.torch.save(priors))
    if checkpoint.search:
        normalise = normaliser(checkpoint.config.text.normaliser)
        write_own_search(beside, checkpoint.search, normalise)
    if checkpoint.speller:
        write_speller(beside, checkpoint.speller, is_half=is_half)
    if checkpoint.calibrations:
        write_calibrations(beside, checkpoint.calibrations)
    (beside / CARD_FILE).write_text(card, encoding="utf-8")
    _write_golden(beside / GOLDEN_FILE, load_checkpoint(beside), example)
    swap_in(beside, folder)


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a model directory.

    Returns:
        The model in evaluation mode, in float32.

    Raises:
        ModelError: The folder or a file is missing, or they do not belong together.
    """
    if not (folder / WEIGHTS_FILE).is_file():
        raise ModelError(f"{folder}: not a model directory: expected {WEIGHTS_FILE} in it")
    try:
        config = read_config(folder / CONFIG_FILE)
        has_phones = (folder / PHONES_FILE).exists()
        phones = TokenTable.read(folder, PHONES_FILE) if has_phones else None
        calibrations = read_calibrations(folder)
        checkpoint = build(config, read_tokenizer(folder), phones)
        tensors = safetensors.torch.load_file(folder / WEIGHTS_FILE)
        for prefix, module in _modules(checkpoint).items():
            own = {
                name.removeprefix(prefix): tensor.to(torch.float32)
                for name, tensor in tensors.items()
                if name.startswith(prefix)
            }
            module.load_state_dict(own)
            module.eval().requires_grad_(False)
        if phones:
            checkpoint = replace(checkpoint, speller=read_speller(folder, n_phones=len(phones)))
        priors = _read_priors(folder / PRIORS_FILE, checkpoint)
        search = read_own_search(folder)
    except (ConfigError, DataError, SafetensorError, RuntimeError) as error:
        raise ModelError(f"{folder}: its files do not make a model: {error}") from error
    return replace(checkpoint, calibrations=calibrations, priors=priors, search=search)


def read_example(folder: Path) -> Tensor:
    """Read the waveform of a model's golden example, (N,) float32 at the model's sample rate.

    Raises:
        ModelError: The model has none.
    """
    return _read_golden(folder / GOLDEN_FILE)[0]


def verify_golden(folder: Path, checkpoint: Checkpoint) -> None:
    """Check that this machine computes what the machine computed that made the model.

    Raises:
        ModelError: The features or the transcript of the golden example come out otherwise.
    """
    waveform, expected, text = _read_golden(folder / GOLDEN_FILE)
    features, transcript = _run(checkpoint, waveform)
    if features.shape != expected.shape:
        raise ModelError(
            f"{folder}: the golden example's features have shape {tuple(features.shape)}, "
            f"expected {tuple(expected.shape)}"
        )
    difference = float((features - expected).abs().max())
    if not difference <= FEATURE_TOLERANCE:
        raise ModelError(
            f"{folder}: the golden example's features differ by {difference:.3g}, "
            f"expected at most {FEATURE_TOLERANCE}"
        )
    if transcript != text:
        raise ModelError(f"{folder}: the golden example reads {transcript!r}, expected {text!r}")


def _modules(checkpoint: Checkpoint) -> dict[str, torch.nn.Module]:
    return {"front_end.": checkpoint.front_end, "model.": checkpoint.model}


def _tensors(checkpoint: Checkpoint) -> dict[str, Tensor]:
    return {
        prefix + name: tensor.contiguous()
        for prefix, module in _modules(checkpoint).items()
        for name, tensor in module.state_dict().items()
    }


def _read_priors(path: Path, checkpoint: Checkpoint) -> dict[Output, Tensor]:
    """Read the priors of a model's tokens; none if it has no such file.

    Raises:
        DataError: One does not belong to its output, or is not above 0 everywhere.
    """
    sizes: dict[Output, int] = {"text": len(checkpoint.text_tokenizer)}
    if checkpoint.phones:
        sizes["phones"] = len(checkpoint.phones)
    stored = safetensors.torch.load_file(path) if path.exists() else {}
    priors = {output: stored[output].float() for output in sizes if output in stored}
    for output, prior in priors.items():
        if prior.shape != (sizes[output],) or not bool((prior > 0).all()):
            raise DataError(f"{path.name}: {output} must be {sizes[output]} numbers above 0")
    return priors


def _write_golden(path: Path, checkpoint: Checkpoint, example: Tensor) -> None:
    waveform = (example * 32768).round().clamp(-32768, 32767).to(torch.int16)
    features, text = _run(checkpoint, waveform.float() / 32768)
    tensors = {"waveform": waveform, "features": features.contiguous()}
    path.write_bytes(safetensors.torch.save(tensors, {"text": text}))


def _read_golden(path: Path) -> tuple[Tensor, Tensor, str]:
    """Read waveform (N,) float32, features (T, F) and transcript of the golden example."""
    try:
        with safe_open(path, framework="pt") as file:
            text = file.metadata()["text"]
            waveform, features = file.get_tensor("waveform"), file.get_tensor("features")
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: no golden example: {error}") from error
    return waveform.float() / 32768, features, text


def _run(checkpoint: Checkpoint, waveform: Tensor) -> tuple[Tensor, str]:
    """Compute features (T, F) and the greedy transcript of one waveform (N,), a speaker's only."""
    waveforms, lengths = pad([waveform])
    with torch.inference_mode():
        speaker = utterance_statistics(*checkpoint.front_end.raw(waveforms, lengths))
        features, lengths = checkpoint.front_end(waveforms, lengths, speaker)
        hypotheses = greedy_search(*checkpoint.emit(features, lengths, "text"))
    return features[0], checkpoint.text_tokenizer.decode(hypotheses[0].tokens)
