"""A convolution with stride and padding, pooled by maximum and by mean, in loops, channels last."""

import numpy as np

STRIDE, PAD = 2, 1


def init(rng, m=5, n_H=6, n_W=8, n_C_prev=2, n_C=4, f=3, d_out=7):
    params = {
        "W": rng.standard_normal((f, f, n_C_prev, n_C)),
        "b": rng.standard_normal((1, 1, 1, n_C)),
        "V": rng.standard_normal((2 * n_C, d_out)),
    }
    return params, rng.standard_normal((m, n_H, n_W, n_C_prev)), rng.standard_normal((m, d_out))


def zero_pad(X, pad):
    return np.pad(X, ((0, 0), (pad, pad), (pad, pad), (0, 0)))


def forward(params, X, Y):
    W, b = params["W"], params["b"]
    f = W.shape[0]
    m, n_H_prev, n_W_prev, _ = X.shape
    n_H = (n_H_prev + 2 * PAD - f) // STRIDE + 1
    n_W = (n_W_prev + 2 * PAD - f) // STRIDE + 1
    X_pad = zero_pad(X, PAD)
    Z = np.zeros((m, n_H, n_W, W.shape[3]))
    for h in range(n_H):
        for w in range(n_W):
            vert, horiz = h * STRIDE, w * STRIDE
            a_slice = X_pad[:, vert : vert + f, horiz : horiz + f, :]
            Z[:, h, w, :] = np.tensordot(a_slice, W, axes=3) + b[0, 0]
    A = np.maximum(Z, 0)
    pooled = A.mean(axis=(1, 2))
    peaks = np.max(A.reshape(m, n_H * n_W, -1), axis=1)
    features = np.concatenate([pooled, peaks], axis=1)
    out = features @ params["V"]
    loss = np.sum((out - Y) ** 2) / m
    return loss, (X_pad, Z, A, peaks, features, out)


def backward(params, X, Y, cache):
    X_pad, Z, A, peaks, features, out = cache
    W = params["W"]
    f = W.shape[0]
    m, n_H, n_W, n_C = Z.shape
    dout = 2 * (out - Y) / m
    dV = features.T @ dout
    dfeatures = dout @ params["V"].T
    dpooled, dpeaks = dfeatures[:, :n_C], dfeatures[:, n_C:]
    dA = np.ones_like(A) * dpooled[:, None, None, :] / (n_H * n_W)
    mask = peaks[:, None, None, :] == A
    dA += mask * dpeaks[:, None, None, :]
    dZ = dA * (Z > 0)
    dW, dX_pad = np.zeros_like(W), np.zeros_like(X_pad)
    for h in range(n_H):
        for w in range(n_W):
            vert, horiz = h * STRIDE, w * STRIDE
            a_slice = X_pad[:, vert : vert + f, horiz : horiz + f, :]
            dZ_here = dZ[:, h, w, :]
            dX_pad[:, vert : vert + f, horiz : horiz + f, :] += np.tensordot(
                dZ_here, W, axes=([1], [3])
            )
            dW += np.tensordot(a_slice, dZ_here, axes=([0], [0]))
    db = np.sum(dZ, axis=(0, 1, 2)).reshape(1, 1, 1, n_C)
    dX = dX_pad[:, PAD:-PAD, PAD:-PAD, :]
    return {"dA": dA, "dZ": dZ, "dW": dW, "db": db, "dX": dX, "dV": dV}
