"""Two real processes against one: what they add up, and what happens when one of them dies."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.distributed import TCPStore  # type: ignore[attr-defined]

from asr.config import Config, to_toml
from asr.corpus.manifest import write_manifest
from asr.corpus.utterance import Utterance
from asr.errors import ConfigError
from asr.train.ranks import cut, join_ranks

# Saves gradients and weights of every step of an epoch; then the second of two processes dies.
GRADIENTS = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import torch
from safetensors.torch import save_file
from asr.config import Config, read_tree
from asr.corpus.feature_cache import FeatureCache
from asr.corpus.manifest import read_manifest
from asr.features.front_end import FrontEnd
from asr.model.acoustic import AcousticModel
from asr.train.data import TrainingData
from asr.train.objective import Ctc
from asr.train.ranks import join_ranks
from asr.train.step import Workers, training_step

torch.set_num_threads(1)
folder = Path(sys.argv[1])
config, utterances = read_tree(Config, folder / "c.toml"), read_manifest(folder / "m.jsonl")
with join_ranks("cpu") as ranks, ThreadPoolExecutor(2) as pool:
    front_end = FrontEnd(config.features)
    torch.manual_seed(ranks.rank)  # the first rank's weights are everybody's
    model = AcousticModel(config.model, n_features=front_end.n_features, heads={"text": 5})
    ranks.begin_alike(model, "alike")
    tokens = {u.id: [1, 2, 2] * (1 + i % 2) for i, u in enumerate(utterances)}
    tokens[utterances[0].id] = [1] * 1000  # cannot be aligned
    cache = FeatureCache(front_end, 10**9)
    data = TrainingData(
        utterances, {"text": tokens}, {}, cache, config.batching, config.augment, ranks
    )
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)

    def step(batch):
        return training_step(
            model,
            optimiser,
            batch,
            Workers(ranks, pool, 2),
            terms=[Ctc("text", 1.0)],
            precision="float32",
            max_gradient_norm=5.0,
        )

    saved = {}
    for number, batch in enumerate(data.batches(3)):
        result = step(batch)
        gradient = torch.cat([p.grad.flatten() for p in model.parameters()])
        weights = torch.cat([p.detach().flatten() for p in model.parameters()])
        skipped = torch.tensor([name in result.skipped for name in batch.ids])
        saved |= {f"{number}.gradient": gradient, f"{number}.skipped": skipped}
        saved |= {f"{number}.weights": weights, f"{number}.loss": torch.tensor([result.loss])}
    save_file(saved, folder / f"{ranks.rank} of {ranks.count}")
    if ranks.rank == 1:
        os._exit(9)
    if ranks.count == 2:
        step(batch)
"""

# Prints the threads that are left of two processes that trained together. An optimiser imports much
# of torch when it is made, when there is a group already.
LEAVING = """
import sys
from pathlib import Path
import torch
from asr.train.ranks import join_ranks

with join_ranks("cpu") as ranks:
    torch.optim.AdamW([torch.nn.Parameter(torch.ones(1))])
    ranks.add([torch.ones(1)])
for name in Path("/proc/self/task").glob("*/comm"):
    print(name.read_text(), file=sys.stderr, end="")
"""

Ended = tuple[Path, list[tuple[int, str]]]


def start(code: str, folder: Path, *, rank: int, count: int, port: int) -> subprocess.Popen[str]:
    numbers = {"RANK": rank, "WORLD_SIZE": count, "LOCAL_RANK": rank, "MASTER_PORT": port}
    environment = {name: str(number) for name, number in numbers.items()}
    environment |= {"MASTER_ADDR": "127.0.0.1", "OMP_NUM_THREADS": "1"}
    environment |= {"TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_RESTART_COUNT": "0"}
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def ended(
    tmp_path_factory: pytest.TempPathFactory,
    small_config: Config,
    tiny_corpus: Sequence[Utterance],
) -> Ended:
    """The folder of gradients; exit status and messages of one process, then of each of two."""
    folder: Path = tmp_path_factory.mktemp("ranks")
    (folder / "c.toml").write_text(to_toml(small_config))
    write_manifest(folder / "m.jsonl", tiny_corpus)
    # where they meet, as torchrun has it: a port that was only looked for might be taken by then
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    processes = [
        start(GRADIENTS, folder, rank=rank, count=count, port=store.port)
        for rank, count in ((0, 1), (0, 2), (1, 2))
    ]
    messages = [process.communicate(timeout=600)[1] for process in processes]
    return folder, [(p.returncode, m) for p, m in zip(processes, messages, strict=True)]


def gradients(folder: Path, which: str) -> dict[str, Tensor]:
    return load_file(folder / which)


def test_two_processes_compute_the_gradients_and_the_weights_of_one(ended: Ended) -> None:
    one, two = (gradients(ended[0], which) for which in ("0 of 1", "0 of 2"))

    sizes = {len(tensor) for name, tensor in one.items() if name.endswith("skipped")}
    assert min(sizes) == 1 < max(sizes)  # a batch of one leaves the other process idle
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=1e-4, atol=1e-5)


def test_every_process_holds_the_same_bits(ended: Ended) -> None:
    first, second = (gradients(ended[0], which) for which in ("0 of 2", "1 of 2"))

    assert all(torch.equal(second[name], tensor) for name, tensor in first.items())


def test_what_one_process_skips_all_of_them_name(ended: Ended) -> None:
    saved = gradients(ended[0], "1 of 2")

    assert sum(int(t.sum()) for name, t in saved.items() if name.endswith("skipped")) == 1


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are listed under Linux")
def test_no_thread_of_the_group_is_left_when_python_ends(tmp_path: Path) -> None:
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    both = [start(LEAVING, tmp_path, rank=rank, count=2, port=store.port) for rank in (0, 1)]

    for process in both:
        threads = process.communicate(timeout=600)[1]
        assert process.returncode == 0, threads
        assert "gloo" not in threads


def test_a_process_that_dies_does_not_leave_the_other_waiting(ended: Ended) -> None:
    alone, survivor, dead = ended[1]

    assert (alone[0], dead[0]) == (0, 9), alone[1] + dead[1]
    assert survivor[0] == 1
    assert "TrainingError: another process of this run ended" in survivor[1]


@pytest.mark.parametrize("n_rows", range(9))
def test_rows_are_cut_without_gap_or_overlap_and_evenly(n_rows: int) -> None:
    parts = [list(range(n_rows))[part] for part in cut(n_rows, 4)]

    assert [row for part in parts for row in part] == list(range(n_rows))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta"])
def test_a_device_that_is_not_there_is_refused_by_its_name(device: str) -> None:
    with pytest.raises(ConfigError, match=device), join_ranks(device):
        pass
