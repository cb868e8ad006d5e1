"""Averaging: the weights of several trainings from one start become one model.

Trainings that begin with the same model, and differ by chance alone, end on different sides of a
valley; in its middle a network is as a rule better than on any side. Unlike several networks that
vote, it costs nothing when it is used. Models that did not begin alike have nothing in between.

References:
    Wortsman et al., "Model soups: averaging weights of multiple fine-tuned models improves accuracy
    without increasing inference time", ICML 2022.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from asr.checkpoint.directory import CARD_FILE
from asr.checkpoint.network import Checkpoint, load_checkpoint, read_example, save_checkpoint
from asr.config import config_hash, shape_difference
from asr.errors import ConfigError
from asr.provenance import Provenance

SECTION = "## Average"  # of the model card

Name = TypeVar("Name", bound=str)


def average_models(folders: Sequence[Path], output: Path, provenance: Provenance) -> None:
    """Write the average of models, and of their spellers, if they have such.

    Configuration, search, card and golden example are those of the first one. It has no
    calibrations: those belong to other weights.

    Args:
        folders: Model directories, at least one.
        output: Model directory to make.
        provenance: For the model card.

    Raises:
        ConfigError: The models are not of one shape, or have other tokens, or not all a speller.
        ModelError: One is no model, or `output` holds something that is no model.
    """
    models = [load_checkpoint(folder) for folder in folders]
    first = models[0]
    for model, folder in zip(models, folders, strict=True):
        difference = _difference(first, model)
        if difference:
            raise ConfigError(
                f"{folders[0]} and {folder} do not average: {difference}; they must have begun as "
                "the same model (--start)"
            )
    for networks in zip(*map(_networks, models), strict=True):
        networks[0].load_state_dict(_mean([network.state_dict() for network in networks]))
    outputs = [o for o in first.priors if all(o in model.priors for model in models)]
    priors = _mean([{o: model.priors[o] for o in outputs} for model in models])
    averaged = replace(first, priors=priors, calibrations={})
    card = _card(folders, models, provenance)
    save_checkpoint(output, averaged, card=card, example=read_example(folders[0]))


def _difference(one: Checkpoint, other: Checkpoint) -> str | None:
    """Say why there is no middle between the weights of two models, if there is none."""
    spellers = [model.speller for model in (one, other)]
    if (spellers[0] is None) != (spellers[1] is None):
        return "only one of them has a speller"
    tokens = [
        (model.tokenizer.tokens, model.text_tokenizer.tokens, model.phones and model.phones.tokens)
        for model in (one, other)
    ]
    differs = shape_difference(one.config, other.config)
    if not differs and spellers[0] and spellers[1]:
        differs = shape_difference(spellers[0].config, spellers[1].config)
    if differs:
        name, ours, theirs = differs
        return f"{name} is {ours!r} and {theirs!r}"
    return "their tokens differ" if tokens[0] != tokens[1] else None


def _networks(model: Checkpoint) -> list[nn.Module]:
    speller = [model.speller.model] if model.speller else []
    return [model.front_end, model.model, *speller]


def _mean(parts: Sequence[Mapping[Name, Tensor]]) -> dict[Name, Tensor]:
    """Average tensors of the same names."""
    return {name: torch.stack([part[name] for part in parts]).mean(dim=0) for name in parts[0]}


def _card(folders: Sequence[Path], models: Sequence[Checkpoint], provenance: Provenance) -> str:
    """Write about the average below what the card says of the first model."""
    card = (folders[0] / CARD_FILE).read_text(encoding="utf-8").partition(SECTION)[0]
    configs = [
        config_hash(model.config, *([model.speller.config] if model.speller else []))
        for model in models
    ]
    return f"""\
{card.rstrip()}

{SECTION}

What stands above is about the first of the models that were averaged.

| | |
|---|---|
| average of | {len(models)} models |
| configurations | {", ".join(configs)} |
{provenance.rows}
"""
