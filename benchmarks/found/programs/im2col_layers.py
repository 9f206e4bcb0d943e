"""A convolution by im2col and a max pooling by argmax, as layers with forward and backward."""

import numpy as np


def im2col(x, f):
    N, C, H, W = x.shape
    out_h, out_w = H - f + 1, W - f + 1
    col = np.zeros((N, C, f, f, out_h, out_w))
    for i in range(f):
        for j in range(f):
            col[:, :, i, j] = x[:, :, i : i + out_h, j : j + out_w]
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(N * out_h * out_w, -1)


def col2im(col, shape, f):
    N, C, H, W = shape
    out_h, out_w = H - f + 1, W - f + 1
    col = col.reshape(N, out_h, out_w, C, f, f).transpose(0, 3, 4, 5, 1, 2)
    img = np.zeros(shape)
    for i in range(f):
        for j in range(f):
            img[:, :, i : i + out_h, j : j + out_w] += col[:, :, i, j]
    return img


class Conv:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        FN, _, f, _ = self.W.shape
        N, _, H, W = x.shape
        self.shape = x.shape
        self.col = im2col(x, f)
        col_W = self.W.reshape(FN, -1).T
        out = self.col @ col_W + self.b
        return out.reshape(N, H - f + 1, W - f + 1, FN).transpose(0, 3, 1, 2)

    def backward(self, dout):
        FN, _, f, _ = self.W.shape
        dout = dout.transpose(0, 2, 3, 1).reshape(-1, FN)
        self.db = np.sum(dout, axis=0)
        dcol_W = self.col.T @ dout
        self.dW = dcol_W.T.reshape(self.W.shape)
        dcol = dout @ self.W.reshape(FN, -1)
        return col2im(dcol, self.shape, f)


class MaxPool:
    def __init__(self, size):
        self.size = size

    def forward(self, x):
        N, C, H, W = x.shape
        s = self.size
        windows = x.reshape(N, C, H // s, s, W // s, s).transpose(0, 1, 2, 4, 3, 5)
        windows = windows.reshape(N, C, H // s, W // s, s * s)
        self.arg_max = windows.argmax(axis=4)
        self.shape = x.shape
        return windows.max(axis=4)

    def backward(self, dout):
        s = self.size
        dx = np.zeros(self.shape)
        n, c, i, j = np.indices(dout.shape)
        row = s * i + self.arg_max // s
        column = s * j + self.arg_max % s
        dx[n, c, row, column] = dout
        return dx


def init(rng, n=6, channels=2, height=7, width=9, filters=4, g=3, d_out=5):
    params = {
        "W1": rng.standard_normal((filters, channels, 2, 2)),
        "b1": rng.standard_normal(filters),
        "W2": rng.standard_normal((g, filters, 2, 2)),
        "b2": rng.standard_normal(g),
        "V": rng.standard_normal((g * 2 * 3, d_out)),
    }
    x = rng.standard_normal((n, channels, height, width))
    return params, x, rng.standard_normal((n, d_out))


def forward(params, x, y):
    conv1 = Conv(params["W1"], params["b1"])
    pool = MaxPool(2)
    conv2 = Conv(params["W2"], params["b2"])
    feature_map = conv2.forward(pool.forward(conv1.forward(x)))
    flat = feature_map.reshape(len(x), -1)
    out = flat @ params["V"]
    loss = np.mean((out - y) ** 2)
    return loss, (conv1, pool, conv2, feature_map.shape, flat, out)


def backward(params, x, y, cache):
    conv1, pool, conv2, shape, flat, out = cache
    dout = 2 * (out - y) / y.size
    dV = flat.T @ dout
    dflat = dout @ params["V"].T
    conv1.backward(pool.backward(conv2.backward(dflat.reshape(shape))))
    return {"W1": conv1.dW, "b1": conv1.db, "W2": conv2.dW, "b2": conv2.db, "V": dV}
