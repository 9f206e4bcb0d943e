"""ReLU, softmax, the mean cross entropy and a penalty: scores, dscores, grads."""

import numpy as np

REG = 0.05


def init(rng, N=20, D=5, H=7, C=4):
    params = {
        "W1": rng.standard_normal((D, H)),
        "b1": rng.standard_normal(H),
        "W2": rng.standard_normal((H, C)),
        "b2": rng.standard_normal(C),
    }
    return params, rng.standard_normal((N, D)), rng.integers(0, C, N)


def forward(params, X, y):
    N = X.shape[0]
    W1, W2 = params["W1"], params["W2"]
    z1 = X.dot(W1) + params["b1"]
    h1 = np.maximum(0, z1)
    scores = h1.dot(W2) + params["b2"]
    shifted = scores - scores.max(axis=1, keepdims=True)
    exps = np.exp(shifted)
    probs = exps / exps.sum(axis=1, keepdims=True)
    data_loss = -np.log(probs[np.arange(N), y]).sum() / N
    loss = data_loss + REG * (np.sum(W1 * W1) + np.sum(W2 * W2))
    return {"z1": z1, "h1": h1, "scores": scores, "probs": probs, "loss": loss}


def backward(params, X, y, values):
    N = X.shape[0]
    W1, W2 = params["W1"], params["W2"]
    dscores = values["probs"].copy()
    dscores[np.arange(N), y] -= 1
    dscores /= N
    dW2 = values["h1"].T.dot(dscores) + 2 * REG * W2
    db2 = dscores.sum(axis=0)
    dh1 = dscores.dot(W2.T)
    dz1 = dh1 * (values["z1"] > 0)
    dW1 = X.T.dot(dz1) + 2 * REG * W1
    db1 = dz1.sum(axis=0)
    return {"dscores": dscores, "dW2": dW2, "db2": db2, "dz1": dz1, "dW1": dW1, "db1": db1}
