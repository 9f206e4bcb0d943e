"""Every network of the gallery keeps the contract, on both of its sides."""

import ast
import copy
import inspect
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from handgrad.load import gallery

ROOT = Path(gallery.manual_side("two_layer_relu").__file__).parents[1]  # of the two sides
FILES = sorted(path for side in ("manual", "torch_ref") for path in (ROOT / side).rglob("*.py"))
MAY_IMPORT = {"manual": {"numpy", *sys.stdlib_module_names}, "torch_ref": {"torch"}}


def run(name, dtype="float64", scale=1):
    """Return the parameters, the values and the gradients of a network."""
    network = gallery.manual_side(name)
    params, x, y = gallery.draw(name, dtype)
    params = {key: scale * w for key, w in params.items()}
    values = network.forward(params, x, y)
    return params, values, network.backward(params, x, y, values)


def same(left, right):
    """Say whether two `params, x, y` are the same arrays under the same names."""
    (params, *data), (others, *other_data) = left, right
    pairs = zip([*params.values(), *data], [*others.values(), *other_data], strict=True)
    return list(params) == list(others) and all(np.array_equal(a, b) for a, b in pairs)


def larger(name):
    """Return sizes that are not the network's own."""
    return {size: 2 * number + 1 for size, number in gallery.sizes_of(name).items()}


def test_init_draws_from_the_generator_alone(name):
    init = gallery.manual_side(name).init
    params, x, y = init(np.random.default_rng(3))
    assert same((params, x, y), init(np.random.default_rng(3)))
    assert not same((params, x, y), init(np.random.default_rng(4)))
    assert len(x) == len(y) == gallery.sizes_of(name)["n"]
    assert {x.dtype, *(w.dtype for w in params.values())} == {np.dtype("float64")}
    assert y.dtype in (np.float64, np.int64)


def test_every_quantity_has_a_gradient_of_its_shape_and_dtype(name, dtype):
    params, values, gradients = run(name, dtype)
    assert list(values)[-1] == "loss"
    loss = values.pop("loss")
    assert (loss.shape, loss.dtype) == ((), dtype)
    quantities = {f"grad_{key}": array for key, array in {**params, **values}.items()}
    assert gradients.keys() == quantities.keys()
    for key, array in quantities.items():
        assert gradients[key].shape == array.shape
        assert gradients[key].dtype == array.dtype == dtype


def test_nothing_passed_in_is_changed(name):
    network = gallery.manual_side(name)
    params, x, y = gallery.draw(name)
    before = copy.deepcopy((params, x, y))
    values = network.forward(params, x, y)
    computed = copy.deepcopy(values)
    network.backward(params, x, y, values)
    assert same((params, x, y), before)
    assert same((values, x, y), (computed, x, y))


def test_nothing_overflows(name, dtype):
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        _, values, gradients = run(name, dtype, scale=1e4)
    assert all(np.isfinite(array).all() for array in (*values.values(), *gradients.values()))


def test_net_takes_the_sizes_of_init(name):
    sizes, net = gallery.sizes_of(name), gallery.torch_side(name).Net
    own = {key: size.default for key, size in inspect.signature(net).parameters.items()}
    assert own == {key: size for key, size in sizes.items() if key != "n"}
    network = gallery.load(name, sizes=larger(name))  # it compares the shapes of the parameters
    values = network.forward(network.params, network.x, network.y)
    output = network.reference.model.double()(torch.from_numpy(network.x))
    assert output.shape == values[list(values)[-2]].shape


def test_every_submodule_gives_a_value_in_the_order_of_computing(name):
    _, values, _ = run(name)
    _, x, _ = gallery.draw(name, "float32")
    model, called = gallery.torch_side(name).Net(), []
    for path, module in model.named_children():
        module.register_forward_hook(
            lambda _module, _inputs, out, path=path: called.append((path, out.shape))
        )
    model(torch.from_numpy(x))
    assert called == [(key, array.shape) for key, array in values.items() if key != "loss"]


def test_the_table_names_every_parameter_once(name):
    side, (params, _, _) = gallery.torch_side(name), gallery.draw(name)
    model, table = side.Net(), side.PARAMETERS
    assert list(table) == list(params)
    paths = [entry.removesuffix(".T") for entry in table.values()]
    assert sorted(paths) == sorted(path for path, _ in model.named_parameters())
    for entry, path in zip(table.values(), paths, strict=True):
        owner, _, attribute = path.rpartition(".")
        is_linear = isinstance(model.get_submodule(owner), torch.nn.Linear)
        assert entry.endswith(".T") == (is_linear and attribute == "weight")


def test_training_lowers_the_loss(name, dtype):
    network = gallery.manual_side(name)
    params, x, y = gallery.draw(name, dtype)
    before = copy.deepcopy(params)
    assert isinstance(network.LEARNING_RATES, list)
    trained, losses = gallery.manual_side("training").train(
        network, params, x, y, network.LEARNING_RATES
    )
    assert len(losses) == len(network.LEARNING_RATES)
    assert losses[-1] < 0.9 * losses[0]
    assert same((params, x, y), (before, x, y))
    assert {w.dtype for w in trained.values()} == {np.dtype(dtype)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_nothing_of_the_other_side_or_of_the_engine(path):
    side, *below = path.relative_to(ROOT).parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level <= len(below)  # of its own folder
            names = [] if node.level else [str(node.module)]
        assert {name.partition(".")[0] for name in names} <= MAY_IMPORT[side]


def test_the_two_sides_have_the_same_files():
    manual, torch_ref = ({path.name for path in (ROOT / side).glob("*.py")} for side in MAY_IMPORT)
    assert manual == torch_ref
    assert {f"{name}.py" for name in gallery.GALLERY} < manual
