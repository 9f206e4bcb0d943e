"""Traced arrays: autograd follows what a user wrote in NumPy, or the sentence says that it cannot.

Each idiom's traced value is the plain run's, and its gradient agrees with finite differences.
"""

import math

import numpy as np
import pytest
import torch

from handgrad.run.traced import Traced, Untraceable, plain, traced, tracing
from handgrad.run.traced.torch_numpy import BORROWED
from parity_tests.product_tests.awkward_idioms import AWKWARD
from parity_tests.product_tests.idioms import IDIOMS
from parity_tests.product_tests.traced_runs import gradients, leaf, namespace, run, slopes


def inputs():
    """Draw the arrays of an idiom."""
    rng = np.random.default_rng(1)
    return [rng.standard_normal(shape) for shape in ((4, 3), (3, 5), 5)]


ALL = IDIOMS | AWKWARD


@pytest.mark.parametrize("code", ALL.values(), ids=ALL)
def test_an_idiom_gives_numpys_number_and_its_slopes(code):
    result, leaves = run(code, *inputs())
    function = namespace(code)["f"]
    assert float(plain(result)) == pytest.approx(float(function(*inputs())), rel=1e-12)
    found = gradients(result, leaves)
    np.testing.assert_allclose(
        found, slopes(function, inputs()), atol=1e-7 * max(1, abs(found).max()), rtol=1e-6
    )


REFUSED = {
    "np.fft.fft": "np.abs(np.fft.fft(c)).sum()",
    "np.interp": "np.interp(c, [0, 1], [0, 1]).sum()",
    "np.unique": "np.unique(c).sum()",
    "np.multiply.at": "np.multiply.at(np.ones(5), [0, 1], c[:2])",
    "np.add.reduceat": "np.add.reduceat(c, [0, 2]).sum()",
    "math.gamma": "math.gamma(c[0])",
    "np.random.normal": "np.random.normal(c).sum()",
    "plain NumPy array": "keep[0].__setitem__(slice(None), c)",
    "Python float": "unknown_float(c[0])",
    "np.histogram": "np.histogram(c)[1].sum()",
    "np.quantile": "np.quantile(np.arange(4.0), c[0])",
    "np.median": "np.median(c[None], axis=(0, 1))",
    "np.pad": "np.pad(c, 1, mode='mean')",
    "np.matmul": "np.matmul(c[None], c[:, None], axes=[(0, 1), (0, 1), (0, 1)])",
    "np.std": "np.std(c, 0, None, None, 1)",
    "np.vectorize": "np.vectorize(lambda x, n: x * n, excluded=['n'])(c, n=2)",
    "vectorize": "np.vectorize(abs, signature='(n)->(n)')(c)",
}


@pytest.mark.parametrize(("name", "line"), REFUSED.items(), ids=REFUSED)
def test_what_would_lose_the_gradient_is_refused_by_name(name, line):
    code = f"def f(c):\n    return {line}"
    space = namespace(code, keep=[np.zeros(5)], unknown_float=math.sqrt)
    with tracing([space]):
        space["unknown_float"] = math.sqrt  # as a module would that is not the user's
        with pytest.raises(Untraceable, match=name.replace(".", r"\.")) as caught:
            space["f"](traced(leaf(np.ones(5))))
    assert str(caught.value).endswith((".", "loop."))


def test_arrays_that_no_proxy_made_are_numpys_own_and_still_followed():
    rng = np.random.default_rng(0)
    x = traced(leaf(rng.standard_normal((3, 4))))
    mask, weights = rng.random((3, 4)) < 0.5, rng.standard_normal((5, 3))
    for result in (mask * x, weights @ x, np.tanh(x), np.concatenate([x, mask]), np.sum(x, axis=0)):
        assert type(result) is Traced
        assert result.tensor.requires_grad
    with pytest.raises(Untraceable, match="plain NumPy array"):
        weights[:, :3] += x[0, 0]
    with pytest.raises(Untraceable, match="plain NumPy array"):
        weights[0] = x[0, :3]
    assert type(np.array([1.0, 2.0])) is np.ndarray


CHOICES = """
def f(a):
    b = np.maximum(a, 0) + np.minimum(a, 1) + np.clip(a, -1, 2) + np.abs(a) + abs(a)
    return b + np.where(a > 0, 3.0, 0.0) + (a >= 0) + np.sign(a) + (1.0 if a[0] > 0 else 0.0)
"""


def test_whoever_decides_gets_every_difference_and_gives_the_branches():
    noted = []

    def note(difference):
        noted.append(difference)
        return difference

    first, _ = run(CHOICES, np.array([1e-9, 2 - 1e-9, -1e-9, 0.5, -1 + 1e-9]), decide=note)
    moved = np.array([-1e-9, 2 + 1e-9, 1e-9, 0.5, -1 - 1e-9])
    noted_again = iter(list(noted))
    second, leaves = run(CHOICES, moved, decide=lambda difference: next(noted_again))
    np.testing.assert_allclose(plain(second), plain(first), atol=1e-7)
    assert next(noted_again, None) is None
    assert plain(run(CHOICES, moved)[0])[0] != pytest.approx(plain(first)[0], abs=1e-3)
    found = gradients(second.sum(), leaves)
    assert found.tolist() == [1 + 1 + 1 + 1 + 1, 1 + 1 + 2, 1 + 1 - 2, 5, 1 + 1 - 2]


def test_no_difference_of_infinities_is_decided_on():
    a = traced(torch.tensor([math.inf, -math.inf, math.nan], dtype=torch.float64))
    with tracing([], decide=lambda difference: difference):
        assert plain(a >= np.array([math.inf, math.inf, 0])).tolist() == [True, False, False]
        assert plain(np.maximum(a, math.inf))[:2].tolist() == [math.inf, math.inf]


def test_arrays_and_generators_of_a_namespace_are_traced_and_left_as_they_were():
    code = """
mask, kept, rng = np.tril(np.ones((3, 3))), np.zeros(3), np.random.default_rng(0)
def f(a):
    kept[0] = a[0, 0] * 2
    noise = rng.standard_normal((3, 3))
    assert isinstance(rng, np.random.Generator)
    return mask.dot(a).sum() + noise.dot(a).sum() + kept.sum()
"""
    array = np.random.default_rng(1).standard_normal((3, 3))
    result, leaves = run(code, array)
    assert float(plain(result)) == pytest.approx(float(namespace(code)["f"](array)), rel=1e-12)
    assert result.tensor.requires_grad
    space = namespace(code)
    with tracing([space]):
        space["f"](traced(leaves[0]))
    assert type(space["kept"]) is np.ndarray
    assert space["kept"].tolist() == [0, 0, 0]


def test_what_an_object_keeps_of_the_run_is_numpys_own_afterwards():
    space = namespace("kept = {}\ndef f(a):\n    kept['act'] = np.tanh\n    return kept['act'](a)")
    with tracing([space]):
        assert type(space["f"](traced(leaf(np.ones(2))))) is Traced
    assert type(space["kept"]["act"](np.ones(2))) is np.ndarray


def test_scipys_functions_are_torchs():
    def softmax(x, axis=None):
        raise AssertionError("this is SciPy's own")

    softmax.__module__ = "scipy.special._logsumexp"  # SciPy need not be here
    space = namespace("f = lambda a: softmax(a, axis=1)", softmax=softmax)
    array = np.random.default_rng(0).standard_normal((2, 3))
    with tracing([space]):
        result = space["f"](traced(leaf(array)))
    expected = np.exp(array) / np.exp(array).sum(1, keepdims=True)
    np.testing.assert_allclose(plain(result), expected, rtol=1e-14)
    assert space["softmax"] is softmax


def fail_within(space):
    """Raise ZeroDivisionError while a namespace is traced."""
    before = dict(space)
    with tracing([space]):
        assert {name for name in space if space[name] is not before.get(name)} == {*before, "float"}
        space["mine"] = 3
        raise ZeroDivisionError("mine")


def test_namespaces_are_put_back_whatever_happens():
    from numpy import exp

    space = {"np": np, "numpy": np, "la": np.linalg, "exp": exp, "math": math, "log": math.log}
    before, dtype, own_exp = dict(space), torch.get_default_dtype(), np.exp
    with pytest.raises(ZeroDivisionError, match="mine"):
        fail_within(space)
    assert np.exp is own_exp
    assert space == {**before, "mine": 3}
    assert torch.get_default_dtype() is dtype


def test_whole_numbers_are_pythons_where_numpy_has_pythons():
    code = """
def f(a):
    n, d = a.shape
    k = int(np.argmax(a[0]))
    i = np.argmax(a[0])
    counts = [0] * 3
    counts[i] += 1
    for j in range(int(np.ceil(n / 2))):
        assert isinstance(j, int)
    assert len(a) == n and type(n) is int and {k: 1}[int(i)] and 'abc'[i] and a.size == n * d
    assert np.zeros((2, 3)).shape == (2, 3) and np.prod(a.shape) == a.size
    return a[i, k] + a.reshape(-1, d)[0, 0] + a.flat[1] + a[-1][-1] + a.T.shape[0]
"""
    array = np.random.default_rng(0).standard_normal((3, 3))
    result, _ = run(code, array)
    assert float(plain(result)) == float(namespace(code)["f"](array))


DTYPES = [
    "a32 * 2.5", "a32 + np.float64(1)", "a32 / a64", "i / i", "i * 2", "i + 2.5", "i * a32",
    "np.exp(i)", "(a32 > 0) * a32", "(a32 > 0).sum()", "np.mean(i)", "a32.mean()", "i // 2",
    "np.where(a32 > 0, 1, 0)", "np.where(a32 > 0, a32, 0)", "np.maximum(a32, 0)", "np.zeros(2)",
    "np.zeros_like(a32)", "np.array([1, 2])", "np.array([1.0, a32[0]])", "np.arange(3)",
    "np.clip(a32, 0, 1)", "np.ones(3, bool)", "a32.astype(int)", "np.zeros(2, dtype=float)",
    "np.sum(i > 0)",
    "np.concatenate([a32, a64])", "np.stack([a32, i])", "i ** 2", "a32 ** 2", "2 ** a32",
    "np.sqrt(a32 + 2)", "a32 @ a32", "np.dot(a32, a64)", "-i", "~(a32 > 0)", "i % 2",
]  # fmt: skip


@pytest.mark.parametrize("line", DTYPES)
def test_dtypes_are_promoted_as_numpy_does(line):
    code = f"def f(a32, a64, i):\n    return {line}"
    arrays = [np.array([0.5, -1.5, 2], np.float32), np.array([1.5, 2, 3]), np.array([1, 2, 3])]
    space = namespace(code)
    expected = space["f"](*arrays)
    with tracing([space]):
        result = space["f"](*(traced(torch.from_numpy(array)) for array in arrays))
    assert np.asarray(plain(result)).dtype == expected.dtype
    np.testing.assert_allclose(plain(result), expected, rtol=1e-6)


@pytest.mark.parametrize("name", BORROWED)
def test_torchs_own_numpy_is_as_it_was_when_it_was_borrowed(name):
    square = np.random.default_rng(0).standard_normal((3, 3))
    square = square @ square.T + np.eye(3)
    arguments = {
        "linalg.solve": (square, square[0]),
        "linalg.matrix_power": (square, 3),
    }.get(name, (square,))
    code = f"def f(*arguments):\n    return np.{name}(*arguments)"
    space = namespace(code)
    expected = space["f"](*arguments)
    with tracing([space]):
        result = space["f"](traced(leaf(arguments[0])), *arguments[1:])
    pairs = zip(result, expected, strict=True) if isinstance(expected, (tuple, list)) else [
        (result, expected)
    ]  # fmt: skip
    for ours, numpys in pairs:
        assert ours.shape == np.shape(numpys)
        signless = np.abs if name in ("linalg.eigh", "linalg.qr", "linalg.svd") else np.asarray
        np.testing.assert_allclose(signless(plain(ours)), signless(numpys), rtol=1e-9, atol=1e-12)
