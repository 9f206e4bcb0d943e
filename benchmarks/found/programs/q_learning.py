"""Q-learning: the value of the action taken against a target, with the Huber loss."""

import numpy as np

DELTA = 1.0


def init(rng, n=20, states=5, hidden=7, actions=3):
    params = {
        "w1": rng.standard_normal((states, hidden)),
        "b1": rng.standard_normal(hidden),
        "w2": rng.standard_normal((hidden, actions)),
        "b2": rng.standard_normal(actions),
    }
    x = {"state": rng.standard_normal((n, states)), "action": rng.integers(0, actions, n)}
    return params, x, rng.standard_normal(n)


def forward(params, x, y):
    n = len(y)
    z = x["state"] @ params["w1"] + params["b1"]
    hidden = np.maximum(z, 0)
    q = hidden @ params["w2"] + params["b2"]
    taken = q[np.arange(n), x["action"]]
    error = taken - y
    small = np.abs(error) <= DELTA
    huber = np.where(small, 0.5 * error**2, DELTA * (np.abs(error) - 0.5 * DELTA))
    loss = huber.mean()
    return {"z": z, "hidden": hidden, "q": q, "error": error, "small": small, "loss": loss}


def backward(params, x, y, values):
    n = len(y)
    error = values["error"]
    grad_error = np.where(np.abs(error) <= DELTA, error, DELTA * np.sign(error)) / n
    grad_q = np.zeros_like(values["q"])
    grad_q[np.arange(n), x["action"]] = grad_error
    grad_w2 = values["hidden"].T @ grad_q
    grad_b2 = grad_q.sum(axis=0)
    grad_hidden = grad_q @ params["w2"].T
    grad_z = grad_hidden * (values["z"] > 0)
    grad_w1 = x["state"].T @ grad_z
    grad_b1 = grad_z.sum(axis=0)
    return {
        "grad_error": grad_error,
        "grad_q": grad_q,
        "grad_z": grad_z,
        "grad_w1": grad_w1,
        "grad_b1": grad_b1,
        "grad_w2": grad_w2,
        "grad_b2": grad_b2,
    }
