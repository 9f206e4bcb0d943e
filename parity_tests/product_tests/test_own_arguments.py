"""A file with its own forward pass as the reference gives and takes its arrays in any way."""

import pytest

from parity_tests.product_tests.own_files import GRADS, RIGHT, judged, verdicts

__all__ = ["judged"]  # a fixture


@pytest.mark.parametrize(
    "returned",
    [
        '{"grad_w1": grad_w1, "grad_b1": grad_b1, "grad_w2": grad_w2, "grad_b2": grad_b2}',
        '{"dW1": grad_w1, "db1": grad_b1, "dW2": grad_w2, "db2": grad_b2}',
        '{"w1_grad": grad_w1, "b1_grad": grad_b1, "w2_grad": grad_w2, "b2_grad": grad_b2}',
        "grad_w1, grad_b1, grad_w2, grad_b2",
        "[grad_w1, grad_b1, grad_w2, grad_b2]",
        "(grad_w2, grad_w1), grad_b1, grad_b2",
        f'{{"grads": {GRADS}}}',
        "None",
    ],
)
@pytest.mark.parametrize("factor", ["", "-"])
def test_gradients_come_back_in_any_way(judged, returned, factor):
    report = judged(
        (f"return {GRADS}", f"return {returned}"), ("grad_w2 = h1", f"grad_w2 = {factor}h1")
    )
    found = verdicts(report)
    assert len(found) == 7
    wrong = {name.lower() for name, verdict in found.items() if verdict != "match"}
    assert wrong <= {"grad_w2", "dw2", "w2_grad"}
    assert len(wrong) == len(factor)


def test_a_tuple_is_in_the_order_of_the_parameters(judged):
    anonymous = [(f"grad_{name}", f"part{n}") for n, name in enumerate(("w1", "b1", "w2", "b2"))]
    tuples = (f"return {GRADS}", "return grad_w1, grad_b1, grad_w2, grad_b2")
    right = verdicts(judged(tuples, *anonymous))
    assert {right[f"part{n}"] for n in range(4)} == {"match"}
    assert judged(tuples, *anonymous, ("part2 = h1", "part2 = 3 * h1")).first == "part2"


def test_parameters_lie_in_lists_and_dicts(judged):
    nested = [
        ('"w1": rng.standard_normal((5, 4)),\n        "b1": rng.standard_normal(4),', '"first": ['),
        ('"w2": rng.standard_normal((4, 2)),', "rng.standard_normal((5, 4)),"),
        ('"b2": rng.standard_normal(2),', "rng.standard_normal(4)],"),
        ("    return params, x, y", "    params['out'] = {'w': rng.standard_normal((4, 2))}\n"
         "    params['out']['b'] = rng.standard_normal(2)\n    return params, x, y"),
        ('params["w1"]', 'params["first"][0]'),
        ('params["b1"]', 'params["first"][1]'),
        ('params["w2"]', 'params["out"]["w"]'),
        ('params["b2"]', 'params["out"]["b"]'),
        (GRADS, '{"first": [grad_w1, grad_b1], "out": {"w": grad_w2, "b": grad_b2}}'),
    ]  # fmt: skip
    right = judged(*nested)
    assert len(verdicts(right)) == 7
    assert set(verdicts(right).values()) == {"match"}
    parameters = {f.name for f in right.findings if f.kind == "parameter"}
    assert parameters == {"first[0]", "first[1]", "out.w", "out.b"}
    assert judged(*nested, ("grad_b2 = grad_y", "grad_b2 = 2 * grad_y")).first == "grad_b2"


@pytest.mark.parametrize(
    ("made", "first", "second"),
    [
        ("x, 2 * x", "x[0]", "x[1]"),
        ("{'one': x, 'two': 2 * x}", "x['one']", "x['two']"),
    ],
)
def test_there_may_be_several_inputs(judged, made, first, second):
    inputs = [
        ("return params, x, y", f"return params, ({made}), y"),
        ("h1 = x @", f"h1 = ({first} + {second}) @"),
        ("x.T @ grad_h1", f"({first} + {second}).T @ grad_h1"),
    ]
    assert verdicts(judged(*inputs)).items() >= RIGHT.items()
    wrong = judged(*inputs, (f"({first} + {second}).T", f"{first}.T"))
    assert verdicts(wrong)["grad_w1"] == "wrong"


def test_there_may_be_no_targets(judged):
    report = judged(
        ("return params, x, y", "return params, x, None"),
        ("np.square(y_pred - y)", "np.square(y_pred)"),
        ("2.0 * (y_pred - y)", "2.0 * y_pred"),
    )
    assert verdicts(report).items() >= RIGHT.items()


@pytest.mark.parametrize(
    "drawn",
    [
        "def init():\n    rng = np.random.default_rng(3)",
        "def init(rng=np.random.RandomState(0)):",
        "def init(generator):\n    rng = generator",
    ],
)
def test_init_takes_what_it_likes(judged, drawn):
    assert verdicts(judged(("def init(rng):", drawn))).items() >= RIGHT.items()


@pytest.mark.parametrize(
    "returned",
    [
        "{'loss': loss, 'cache': (h1_tanh, y_pred)}",
        "(h1_tanh, y_pred), loss",
        "loss, h1_tanh, y_pred",
        "h1_tanh, y_pred",
        "[loss, [h1_tanh, y_pred]]",
    ],
)
def test_the_loss_is_found(judged, returned):
    unpacked = {
        "{": "h1_tanh, y_pred = cache['cache']",
        "(": "(h1_tanh, y_pred), _ = cache",
        "l": "_, h1_tanh, y_pred = cache",
        "h": "h1_tanh, y_pred = cache",
        "[": "_, (h1_tanh, y_pred) = cache",
    }[returned[0]]
    right = judged(
        ("return loss, (h1_tanh, y_pred)", f"return {returned}"),
        ("    h1_tanh, y_pred = cache", "    h1_tanh, y_pred = took(cache)"),
        (
            "def backward",
            f"def took(cache):\n    {unpacked}\n    return h1_tanh, y_pred\n\n\ndef backward",
        ),
    )
    assert verdicts(right).items() >= RIGHT.items()
    (loss,) = (f for f in right.findings if f.kind == "loss")
    assert loss.verdict == "yours"


def test_where_there_is_no_loss_the_first_gradient_is_taken_as_it_is(judged):
    changes = [
        ("    loss = np.square(y_pred - y).sum()  # a number\n", ""),
        ("return loss, (h1_tanh, y_pred)", "return h1_tanh, y_pred"),
    ]
    report = judged(*changes, ("2.0 * (y_pred - y)", "7.0 * (y_pred - y)"))
    assert verdicts(report).items() >= RIGHT.items()
    assert "There is no loss: `grad_y_pred` is taken as it is." in report.notes
    assert judged(*changes, ("= h1_tanh.T @", "= -h1_tanh.T @")).first == "grad_w2"


def test_no_loss_and_no_gradient_is_one_sentence(judged):
    report = judged(source="import numpy as np\n"
                    "def forward(params, x, y): return x * params['w']\n"
                    "def backward(params, x, y, out): return 0\n"
                    "params, x, y = {'w': np.ones(3)}, np.ones((2, 3)), np.ones(2)\n")  # fmt: skip
    assert str(report.error).endswith(
        "no loss was found, the number that is differentiated: assign it as `loss = ...`, and "
        "return it from forward."
    )
