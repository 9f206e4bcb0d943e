"""Three layers in columns with ReLU, inverted dropout and an L2 penalty of lambda / 2m."""

import numpy as np

KEEP_PROB, LAMBD = 0.7, 0.6


def init(rng, m=17, n_x=3, n_1=6, n_2=5, n_y=2):
    sizes = (n_x, n_1, n_2, n_y)
    params = {}
    for layer in (1, 2, 3):
        params[f"W{layer}"] = rng.standard_normal((sizes[layer], sizes[layer - 1]))
        params[f"b{layer}"] = rng.standard_normal((sizes[layer], 1))
    return params, rng.standard_normal((n_x, m)), rng.integers(0, 2, (n_y, m))


def forward(params, X, Y):
    m = X.shape[1]
    rng = np.random.default_rng(3)
    Z1 = np.dot(params["W1"], X) + params["b1"]
    A1 = np.maximum(0, Z1)
    D1 = rng.random(A1.shape) < KEEP_PROB
    A1 = A1 * D1 / KEEP_PROB
    Z2 = np.dot(params["W2"], A1) + params["b2"]
    A2 = np.maximum(0, Z2)
    D2 = rng.random(A2.shape) < KEEP_PROB
    A2 = A2 * D2 / KEEP_PROB
    Z3 = np.dot(params["W3"], A2) + params["b3"]
    A3 = 1 / (1 + np.exp(-Z3))
    cross_entropy = -np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3)) / m
    squares = sum(np.sum(np.square(params[name])) for name in ("W1", "W2", "W3"))
    cost = cross_entropy + LAMBD / (2 * m) * squares
    return cost, (Z1, D1, A1, Z2, D2, A2, Z3, A3)


def backward(params, X, Y, cache):
    m = X.shape[1]
    Z1, D1, A1, Z2, D2, A2, _, A3 = cache
    W1, W2, W3 = params["W1"], params["W2"], params["W3"]
    dZ3 = (A3 - Y) / m
    dW3 = np.dot(dZ3, A2.T) + LAMBD / m * W3
    db3 = np.sum(dZ3, axis=1, keepdims=True)
    dA2 = np.dot(W3.T, dZ3) * D2 / KEEP_PROB
    dZ2 = np.multiply(dA2, np.int64(Z2 > 0))
    dW2 = np.dot(dZ2, A1.T) + LAMBD / m * W2
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    dA1 = np.dot(W2.T, dZ2) * D1 / KEEP_PROB
    dZ1 = np.multiply(dA1, np.int64(Z1 > 0))
    dW1 = np.dot(dZ1, X.T) + LAMBD / m * W1
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dW3": dW3, "db3": db3}
