"""Several ranks against `manual`: real ones where it is slow, one in this process elsewhere."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn.parallel import DistributedDataParallel

from handgrad.load import gallery
from handgrad.run.hand_written import run_hand_written

COMPARED = ["loss", "gradients", "weights"]


@pytest.fixture(scope="module")
def distributed():
    """Give the module. What it needs of PyTorch takes a second to import: where it is tested."""
    from handgrad.record import distributed

    return distributed


@pytest.fixture(scope="module")
def sharing():
    """Give the module, which is as slow to import."""
    from handgrad.record import sharing

    return sharing


@pytest.fixture(scope="module")
def ways(sharing):
    """Give the names of the ways to share a batch."""
    return list(sharing.ways(torch.device("cpu")))


@pytest.fixture
def rank(distributed, monkeypatch, capsys):
    """Give a function that runs one rank in this process: exit code, stdout and stderr."""
    torchrun = {"TORCHELASTIC_RUN_ID": "none", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "0"}
    alone = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "LOCAL_WORLD_SIZE": "1"}
    monkeypatch.setenv("COLUMNS", "112")

    def run(*arguments, **environment):
        for name, value in {**torchrun, **alone, **environment}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["distributed", *arguments])
        try:
            distributed.main()
        except SystemExit as exit_:
            code = exit_.code or 0
        else:  # a rank that has nothing to say
            code = 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def rows(out, ending):
    return [line.split() for line in out.splitlines() if line.rstrip().endswith(ending)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("ranks", "dtype", "share"), [(2, "float32", "1/2"), (3, "float64", "0.3333333333")]
)
def test_several_ranks_match_also_where_the_rows_do_not_divide_evenly(ways, ranks, dtype, share):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", str(ranks), "-m", "handgrad.record.distributed"),
            *("--device", "cpu", "--dtype", dtype),
        ],
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "140"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    both = [(name, way) for name in gallery.GALLERY for way in ways]
    matching = [tuple(row[:3]) for row in rows(done.stdout, " match")]
    assert matching == [(*pair, what) for pair in both for what in COMPARED]
    assert "mismatch" not in done.stdout
    trap = [row for row in map(str.split, done.stdout.splitlines()) if row[2:3] == ["factor"]]
    assert [tuple(row[:2]) for row in trap] == both
    assert {row[8] for row in trap} == {share}
    assert "multiply each rank's loss" in " ".join(done.stdout.split())


def test_what_comes_of_ranks_that_do_not_multiply_their_loss_is_shown(
    distributed, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "104")
    monkeypatch.setenv("WORLD_SIZE", "2")
    network = distributed.load("two_layer_relu", "0", "6,3,4,1", "float64", steps=1)
    trace = run_hand_written(network)
    first = {"loss": trace["loss"], **{f"grad_{w}": trace[f"grad_{w}"] for w in network.params}}
    halved = {key: array / 2 if key != "loss" else array for key, array in first.items()}
    rate = gallery.learning_rates("two_layer_relu")[0]
    weights = {key: w - rate * first[f"grad_{key}"] for key, w in network.params.items()}
    networks = {"two_layer_relu": network}
    runs = {("two_layer_relu", "DDP"): (first, weights, halved)}
    assert distributed.show(networks, runs, ranks=2, steps=1)
    out = capsys.readouterr().out
    assert [row[2] for row in rows(out, " match")] == COMPARED
    assert "two_layer_relu  DDP  factor  2 of 2     `grad_w2` is 1/2 times what is meant." in out
    assert "multiply each rank's loss" in " ".join(out.split())


def test_one_rank_has_nothing_to_average(ways, rank):
    code, out, err = rank("--device", "cpu", "--steps", "2")
    assert (code, err) == (0, "")
    matching = [tuple(row[:3]) for row in rows(out, " match")]
    assert matching == [(n, way, w) for n in gallery.GALLERY for way in ways for w in COMPARED]
    assert "With 1 rank there is nothing to average." in out
    assert "multiply" not in out


@pytest.mark.parametrize("batch", [np.arange(14.0).reshape(7, 2), np.arange(7)])
def test_the_ranks_rows_are_the_whole_batch(sharing, monkeypatch, batch):
    world = sharing.dist
    monkeypatch.setattr(world, "get_world_size", lambda: 3)
    shares = []
    for number in range(3):
        monkeypatch.setattr(world, "get_rank", lambda number=number: number)
        shares.append(sharing.rows_of(batch))
    assert [len(share) for share in shares] == [3, 2, 2]
    assert {share.dtype for share in shares} == {batch.dtype}
    assert np.array_equal(np.concatenate(shares), batch)


@pytest.mark.parametrize("times", [2, 1 + 1e-9])
def test_a_gradient_that_is_not_averaged_right_is_a_mismatch(sharing, rank, monkeypatch, times):
    def wrong(model):
        model.model.h.weight.register_hook(lambda grad: times * grad)
        return DistributedDataParallel(model)

    monkeypatch.setattr(sharing, "ways", lambda place: {"DDP": wrong})
    code, out, err = rank("two_layer_relu", "--device", "cpu", "--steps", "5")
    assert (code, err) == (1, "")
    assert [row[2] for row in rows(out, " match")] == ["loss"]
    assert [row[2] for row in rows(out, " mismatch")] == ["gradients", "weights"]
    assert "factor  1 of 2     `grad_w1` is" in out
    assert "No match: gradients of two_layer_relu with DDP; weights of" in out


def test_a_row_that_no_rank_has_is_a_mismatch(sharing, rank, monkeypatch):
    monkeypatch.setattr(sharing, "rows_of", lambda array: array[1:])
    monkeypatch.setattr(sharing, "ways", lambda place: {"DDP": DistributedDataParallel})
    code, out, _ = rank("two_layer_relu", "--device", "cpu", "--steps", "1")
    assert (code, rows(out, " match")) == (1, [])
    assert [row[2] for row in rows(out, " mismatch")] == COMPARED


BAD = {
    ("no_such",): ["'no_such'", "two_layer_relu, three_layer_relu"],
    ("--dtype", "float16"): ["'float16'", "float64 or float32"],
    ("--device", "abacus"): ["'abacus'", "cpu or cuda"],
    ("--steps", "0"): ["--steps"],
    ("--seed", "x"): ["--seed", "'x'"],
    ("two_layer_relu", "--size", "big"): ["'big'", "64,20,32,1"],
    ("residual", "--steps", "201"): ["residual is trained for 200 steps", "--steps 201"],
}


@pytest.mark.parametrize("arguments", BAD, ids=" ".join)
def test_bad_input_is_one_sentence_of_rank_0(rank, arguments):
    code, out, err = rank(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert all(word in err for word in BAD[arguments])
    assert rank(*arguments, RANK="1", WORLD_SIZE="2") == (0, "", "")


def test_more_ranks_than_rows_is_one_sentence(rank):
    code, out, err = rank("two_layer_relu", "--size", "2,3,4,1", WORLD_SIZE="3")
    assert (code, out) == (2, "")
    assert err == "Error: two_layer_relu has n=2 rows for 3 ranks: start fewer ranks.\n"


def test_a_network_that_is_not_trained_is_left_out_or_one_sentence(rank, monkeypatch):
    for name in list(gallery.GALLERY)[1:]:
        monkeypatch.setattr(gallery.manual_side(name), "LEARNING_RATES", [])
    code, out, _ = rank("--device", "cpu", "--steps", "1", "--size", "6,3,4,1")
    assert code == 0
    assert {row[0] for row in rows(out, " match")} == {"two_layer_relu"}
    code, out, err = rank("residual")
    assert (code, out) == (2, "")
    assert err.startswith("Error: residual is not trained: ")


def test_a_network_without_a_gradient_is_one_sentence(rank, monkeypatch):
    side = gallery.manual_side("two_layer_relu")
    monkeypatch.setattr(side, "backward", lambda *_: {})
    code, out, err = rank("two_layer_relu", "--device", "cpu")
    assert (code, out) == (2, "")
    assert err.startswith("Error: two_layer_relu cannot be trained: `grad_w1` is missing")


def test_fewer_gpus_than_ranks_is_one_sentence(sharing, rank, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    code, out, err = rank("--device", "cuda", WORLD_SIZE="2", LOCAL_WORLD_SIZE="2")
    assert (code, out) == (2, "")
    assert err == "Error: nccl takes a GPU per rank, found 1 of 2: use --device cpu.\n"
    assert sharing.choose_device("").type == "cpu"


def test_each_rank_takes_a_gpu_of_its_own(sharing, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert sharing.choose_device("") == torch.device("cuda:1")
    assert sharing.choose_device("cpu") == torch.device("cpu")


def test_started_without_torchrun_it_says_how_to_start(distributed, rank, monkeypatch):
    monkeypatch.setattr(distributed.dist, "is_torchelastic_launched", lambda: False)
    code, out, err = rank()
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert "torchrun --nproc-per-node 2 -m handgrad.record.distributed" in err
