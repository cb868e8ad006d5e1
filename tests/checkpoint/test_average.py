import dataclasses
from pathlib import Path

import pytest
import torch
from asr.speller import build_speller
from asr.spelling.pronounced_text import PronouncingConfig

from asr.checkpoint.average import average_models
from asr.checkpoint.network import Checkpoint, build, load_checkpoint, save_checkpoint
from asr.confidence.calibration import Calibration
from asr.confidence.calibration_file import Fitted
from asr.config import Config, SpellingConfig
from asr.errors import ConfigError, ModelError
from asr.model.config import ModelConfig
from asr.provenance import provenance
from asr.recognizer import verify_model
from asr.text.tokenizer import TextConfig
from asr.text.tokens import TokenTable

TOKENS, PHONES = TokenTable.from_text(["AB"]), TokenTable(("<blank>", "x", "y"))
PROVENANCE = provenance(["asr", "average"])


def a_model(config: Config, seed: int = 0) -> Checkpoint:
    torch.manual_seed(seed)
    checkpoint = build(config, TOKENS, PHONES)
    for buffer in checkpoint.front_end.state_dict().values():
        buffer.add_(seed)
    priors = torch.tensor([0.5, 0.25, 0.25]) if seed == 1 else torch.tensor([0.1, 0.1, 0.8])
    return dataclasses.replace(checkpoint, priors={"phones": priors})


def with_speller(checkpoint: Checkpoint, *, size: int = 8) -> Checkpoint:
    config = SpellingConfig(
        text=TextConfig("librispeech-1", "char", 0),
        model=ModelConfig(2, 0, 1, "lstm", size, 1, bidirectional=True, dropout=0.1),
        pronouncing=PronouncingConfig(2, 12, 1, 4, 20.0, 1),
        optimiser=checkpoint.config.optimiser,
        train=checkpoint.config.train,
    )
    speller = build_speller(config, TokenTable.from_text(["ABC"]), n_phones=3)
    return dataclasses.replace(checkpoint, speller=speller)


def written(folder: Path, checkpoint: Checkpoint) -> Path:
    save_checkpoint(folder, checkpoint, card="# Ours\n", example=torch.zeros(4000))
    return folder


@pytest.fixture
def models(small_config: Config, tmp_path: Path) -> list[Path]:
    some = [with_speller(a_model(small_config, seed)) for seed in (1, 2, 4)]
    return [written(tmp_path / f"{i}", model) for i, model in enumerate(some)]


def test_every_weight_and_prior_lies_in_the_middle(models: list[Path], tmp_path: Path) -> None:
    average_models(models, tmp_path / "average", PROVENANCE)

    averaged, parts = load_checkpoint(tmp_path / "average"), [*map(load_checkpoint, models)]
    for network in ("model", "front_end", "speller.model"):
        middle, *sides = (
            {k: v for k, v in all_weights(model).items() if k.startswith(network)}
            for model in (averaged, *parts)
        )
        assert middle
        for name, tensor in middle.items():
            torch.testing.assert_close(tensor, sum(side[name] for side in sides) / 3)
    assert averaged.priors["phones"].tolist() == pytest.approx([0.7 / 3, 0.45 / 3, 1.85 / 3])
    assert averaged.config == parts[0].config
    verify_model(tmp_path / "average")


def all_weights(model: Checkpoint) -> dict[str, torch.Tensor]:
    assert model.speller
    networks = {
        "model": model.model,
        "front_end": model.front_end,
        "speller.model": model.speller.model,
    }
    return {
        f"{network}.{name}": tensor
        for network, module in networks.items()
        for name, tensor in module.state_dict().items()
    }


def test_the_card_says_what_was_averaged_once(models: list[Path], tmp_path: Path) -> None:
    average_models(models, tmp_path / "average", PROVENANCE)
    average_models([tmp_path / "average", models[0]], tmp_path / "again", PROVENANCE)

    card = (tmp_path / "again" / "README.md").read_text()
    assert card.startswith("# Ours\n")
    assert card.count("## Average") == 1
    assert "| average of | 2 models |" in card
    assert "| command | `asr average` |" in card


def test_calibrations_are_left_out_and_priors_that_one_of_them_lacks(
    small_config: Config, tmp_path: Path
) -> None:
    fitted = {"greedy": Fitted(Calibration(), "dev")}
    calibrated = dataclasses.replace(a_model(small_config), calibrations=fitted)
    without = dataclasses.replace(calibrated, priors={})
    both = [written(tmp_path / "one", calibrated), written(tmp_path / "other", without)]
    assert load_checkpoint(both[0]).calibrations
    average_models(both, tmp_path / "average", PROVENANCE)

    averaged = load_checkpoint(tmp_path / "average")
    assert (averaged.calibrations, averaged.priors) == ({}, {})


def test_models_that_cannot_have_begun_alike_are_refused(
    small_config: Config, tmp_path: Path
) -> None:
    wide = dataclasses.replace(small_config, model=dataclasses.replace(small_config.model, size=12))
    ours = a_model(small_config)
    others = {
        "model.size is 8 and 12": (ours, a_model(wide)),
        "their tokens differ": (ours, build(small_config, TokenTable.from_text(["AC"]), PHONES)),
        "tokens differ": (ours, build(small_config, TOKENS)),
        "only one of them has a speller": (with_speller(ours), ours),
        "model.size is 8 and 6": (with_speller(ours), with_speller(ours, size=6)),
    }
    for reason, models in others.items():
        folders = [written(tmp_path / f"{i}", model) for i, model in enumerate(models)]
        with pytest.raises(ConfigError, match=rf"0 and .*1 do not average: .*{reason}; they must"):
            average_models(folders, tmp_path / "a", PROVENANCE)
    with pytest.raises(ModelError, match="not a model directory"):
        average_models([tmp_path / "0", tmp_path / "none"], tmp_path / "a", PROVENANCE)
    assert not (tmp_path / "a").exists()


def test_dropout_may_differ(small_config: Config, tmp_path: Path) -> None:
    model = dataclasses.replace(small_config.model, dropout=0.5)
    dropped = dataclasses.replace(small_config, model=model)
    configs = (small_config, dropped)
    folders = [written(tmp_path / f"{i}", a_model(config)) for i, config in enumerate(configs)]
    average_models(folders, tmp_path / "a", PROVENANCE)
    assert load_checkpoint(tmp_path / "a").config == small_config
