"""Averaging: the weights of several trainings from one start become one model.

Trainings that start from the same model and differ only by chance end on different sides of a
valley of the loss; a network in its middle is as a rule better than on any side. Unlike an ensemble
it costs nothing at run time. Models that did not start alike have nothing in between.

References:
    Wortsman et al., "Model soups: averaging weights of multiple fine-tuned models improves accuracy
    without increasing inference time", ICML 2022.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from asr.checkpoint.directory import read_card
from asr.checkpoint.golden import read_example
from asr.checkpoint.network import Checkpoint, load_checkpoint, save_checkpoint
from asr.config import config_hash, shape_difference
from asr.errors import ConfigError
from asr.provenance import Provenance

SECTION = "## Average"  # of the model card


def average_models(folders: Sequence[Path], output: Path, provenance: Provenance) -> None:
    """Write the average of models.

    Configuration, search, card and golden example are those of the first one. It has no
    calibrations, since those belong to other weights.

    Args:
        folders: Model directories, at least one.
        output: Model directory to make.
        provenance: For the model card.

    Raises:
        ConfigError: The models are not of one shape, or have different tokens.
        ModelError: One is no model, or `output` holds something that is no model.
    """
    models = [load_checkpoint(folder) for folder in folders]
    first = models[0]
    for model, folder in zip(models, folders, strict=True):
        difference = _difference(first, model)
        if difference:
            raise ConfigError(
                f"{folders[0]} and {folder} do not average: {difference}; they must have started "
                "from the same model (--start)"
            )
    first.front_end.load_state_dict(_mean([model.front_end.state_dict() for model in models]))
    first.model.load_state_dict(_mean([model.model.state_dict() for model in models]))
    priors = [model.directory.priors for model in models]
    shared = [head for head in priors[0] if all(head in own for own in priors)]
    directory = replace(
        first.directory,
        priors={head: np.mean([own[head] for own in priors], axis=0) for head in shared},
        calibrations={},
    )
    averaged = replace(first, directory=directory)
    card = _card(read_card(folders[0]), models, provenance)
    save_checkpoint(output, averaged, card=card, example=read_example(folders[0]))


def _difference(one: Checkpoint, other: Checkpoint) -> str | None:
    """Say why there is no middle between the weights of two models; None if there is one."""
    difference = shape_difference(one.config, other.config)
    if difference:
        name, ours, theirs = difference
        return f"{name} is {ours!r} and {theirs!r}"
    tokens = [
        {head: own.tokens for head, own in model.directory.tokenizers.items()}
        for model in (one, other)
    ]
    return "their tokens differ" if tokens[0] != tokens[1] else None


def _mean(parts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Average tensors of the same names."""
    return {name: torch.stack([part[name] for part in parts]).mean(dim=0) for name in parts[0]}


def _card(card: str, models: Sequence[Checkpoint], provenance: Provenance) -> str:
    """Add a section on the average to the card of the first model."""
    return f"""\
{card.partition(SECTION)[0].rstrip()}

{SECTION}

What stands above is about the first of the models that were averaged.

| | |
|---|---|
| average of | {len(models)} models |
| configurations | {", ".join(config_hash(model.config) for model in models)} |
{provenance.rows}
"""
