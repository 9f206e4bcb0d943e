"""`handgrad train`: its losses, their drift and their picture."""

import sys

import numpy as np
import pytest

from parity_tests.product_tests.recorded import short_trainings


@pytest.fixture
def few_steps():
    """Train for few steps, where the whole training is not the point."""
    with short_trainings():
        yield


def test_train_uses_the_seed_and_the_dtype_that_are_asked_for(handgrad, few_steps):
    _, out, _ = handgrad("train", "two_layer_relu", "--size", "4,3,2,1")
    _, other, _ = handgrad("train", "two_layer_relu", "--size", "4,3,2,1", "--seed", "1")
    _, narrow, _ = handgrad("train", "two_layer_relu", "--size", "4,3,2,1", "--dtype", "float32")
    assert out.splitlines()[3] != other.splitlines()[3]
    assert out.splitlines()[3] != narrow.splitlines()[3]
    assert "float32, seed 0" in narrow


def test_train_shows_both_sides_losses_and_their_drift(handgrad):
    code, out, _ = handgrad("train", "two_layer_relu")
    assert code == 0
    rows = [line.split() for line in out.splitlines() if line and len(line.split()) == 5]
    assert [row[0] for row in rows] == ["0", "1", "10", "100", "500"]
    losses = np.array([[float(number) for number in row[1:3]] for row in rows])
    assert (np.diff(losses[:, 0]) < 0).all()
    assert np.allclose(losses[:, 0], losses[:, 1], rtol=1e-9)
    assert "501 steps" in out
    assert "Largest relative difference at any step" in out


def test_train_says_so_where_the_losses_overflow(handgrad, few_steps):
    code, out, err = handgrad("train", "two_layer_relu", "--size", "8,100,400,1")
    assert code == 0
    assert "The losses overflow" in out
    assert err == ""


def test_plot_is_a_picture_and_never_overwrites(handgrad, few_steps, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    target = tmp_path / "losses.png"
    code, out, _ = handgrad("train", "two_layer_relu", "--plot", str(target))
    assert code == 0, out
    assert str(target) in out
    assert target.read_bytes().startswith(b"\x89PNG")
    target.write_bytes(b"mine")
    code, _, err = handgrad("train", "two_layer_relu", "--plot", str(target))
    assert code == 2
    assert "is there already" in err
    assert target.read_bytes() == b"mine"
    assert handgrad("train", "two_layer_relu", "--plot", str(target), "--force")[0] == 0
    assert target.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["losses", "losses.xyz"])
def test_plot_needs_an_ending_that_says_how_to_draw(handgrad, tmp_path, name):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    code, out, err = handgrad("train", "two_layer_relu", "--plot", str(tmp_path / name))
    assert (code, out) == (2, "")
    assert f"{name} must end in what matplotlib can write, such as .png" in err
    assert list(tmp_path.iterdir()) == []


def test_plot_without_matplotlib_is_one_sentence(handgrad, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    code, _, err = handgrad("train", "two_layer_relu", "--plot", str(tmp_path / "l.png"))
    assert code == 2
    assert "pip install 'handgrad[plot]'" in err
