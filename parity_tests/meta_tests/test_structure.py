"""What people leave out of a softmax, a lookup and of a loop over time: no network here has one."""

import numpy as np
import pytest

import handgrad


def softmax(s):
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def lookup(params, x, y):
    """Look rows up, weigh them by a softmax, and compare scores of classes with labels."""
    v = params["table"][x]
    s = v @ params["w"]
    p = softmax(s)
    m = np.einsum("nt,ntd->nd", p, v)
    scores = m @ params["o"]
    q = softmax(scores)
    loss = -np.log(q[np.arange(len(y)), y]).mean()
    return {"v": v, "s": s, "p": p, "m": m, "scores": scores, "q": q, "loss": loss}


def gradients(params, x, y, values, name, wrong):
    """Return the gradients of `lookup` by its names, with another array for one of them."""
    v, p, m, q = (values[key] for key in ("v", "p", "m", "q"))
    labels, found = np.eye(q.shape[1])[y], {}

    def put(key, right):
        if key != name:
            found[key] = right()
        else:
            found[key] = wrong(found, values, labels) if wrong else assigned(params, x, found["v"])
        return found[key]

    by_scores = put("scores", lambda: (q - labels) / len(y))
    by_m = put("m", lambda: by_scores @ params["o"].T)
    by_p = put("p", lambda: np.einsum("nd,ntd->nt", by_m, v))
    by_s = put("s", lambda: p * (by_p - (by_p * p).sum(axis=1, keepdims=True)))
    by_v = put("v", lambda: p[..., None] * by_m[:, None] + by_s[..., None] * params["w"])
    put("table", lambda: added(params, x, by_v))
    put("w", lambda: np.einsum("ntd,nt->d", v, by_s))
    put("o", lambda: m.T @ by_scores)
    return found


def added(params, x, came):
    table = np.zeros_like(params["table"])
    np.add.at(table, x, came)
    return table


def assigned(params, x, came):
    table = np.zeros_like(params["table"])
    table[x] = came
    return table


# The gradient that is wrong, what stands there, and what is said of it.
WRONG = [
    ("s", lambda g, v, labels: v["p"] * g["p"], "the sum over its rows is not subtracted"),
    ("s", lambda g, v, labels: v["p"] * (1 - v["p"]) * g["p"], "as of a sigmoid"),
    (
        "s",
        lambda g, v, labels: v["p"] * (g["p"] - (g["p"] * v["p"]).sum(axis=0)),
        "has the sum over axis 0, where `p` is a softmax over axis 1",
    ),
    ("scores", lambda g, v, labels: v["q"] / len(labels), "1 of the label is not subtracted"),
    ("scores", lambda g, v, labels: (v["q"] + labels) / len(labels), "added to the softmax"),
    (
        "scores",
        lambda g, v, labels: (v["q"] - np.roll(labels, 1, axis=1)) / len(labels),
        "in the column after the label's",
    ),
    (
        "scores",
        lambda g, v, labels: v["q"] - labels / len(labels),
        "with the 1 of the label only",
    ),
    ("v", lambda g, v, labels: v["p"][..., None] * g["m"][:, None], "is not added to `grad_v`"),
    (
        "p",
        lambda g, v, labels: np.clip(np.einsum("nd,ntd->nt", g["m"], v["v"]), -0.01, 0.01),
        "clipped at -0.01 and 0.01",
    ),
    (
        "w",
        lambda g, v, labels: np.einsum("ntd,nt->d", v["v"], g["s"])[::-1],
        "turned round along axis 0",
    ),
]


@pytest.mark.parametrize(("name", "wrong", "said"), WRONG)
def test_what_was_left_out_is_told(name, wrong, said):
    assert said in message_of(name, wrong)


def test_rows_that_were_assigned_are_told():
    message = message_of("table", None)
    assert "keeps the last of what comes back to a row that `x` has repeatedly" in message


def message_of(name, wrong):
    """Check `lookup` with one gradient wrong; return what is said of it."""

    def backward(params, x, y, values):
        found = gradients(params, x, y, values, name, wrong)
        return {f"grad_{key}": array for key, array in found.items()}

    rng = np.random.default_rng(2)
    shapes = {"table": (8, 3), "w": (3,), "o": (3, 5)}
    params = {key: rng.standard_normal(shape) for key, shape in shapes.items()}
    x, y = rng.integers(0, 8, (6, 4)), rng.integers(0, 5, 6)
    report = handgrad.check(lookup, backward, params, x, y)
    failed = {f.name: f.cause.message for f in report.findings if f.cause}
    assert set(failed) == {f"grad_{name}"}
    return failed[f"grad_{name}"]
