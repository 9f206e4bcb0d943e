"""Convolution, ReLU, max pooling 2 x 2, a linear layer. Small whole numbers: maxima are tied."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from torch import nn

PARAMETERS = {"k": "conv.weight", "b": "conv.bias", "w": "y_pred.weight.T", "c": "y_pred.bias"}
loss_fn = nn.MSELoss(reduction="sum")


def init(rng, n=3, channels=2, filters=3, k=3, height=2, width=2, d_out=2):
    image = (2 * height + k - 1, 2 * width + k - 1)  # height and width are those of the pooled
    params = {
        "k": np.rint(rng.standard_normal((filters, channels, k, k))),
        "b": np.rint(rng.standard_normal(filters)),
        "w": rng.standard_normal((filters * height * width, d_out)),
        "c": rng.standard_normal(d_out),
    }
    x = np.rint(rng.standard_normal((n, channels, *image)))
    return params, x, rng.standard_normal((n, d_out))


def patches(image):
    """Return the patches of 2 x 2, each as the last axis: the first of tied maxima is argmax's."""
    n, filters, rows, columns = image.shape
    cut = image.reshape(n, filters, rows // 2, 2, columns // 2, 2).swapaxes(3, 4)
    return cut.reshape(n, filters, rows // 2, columns // 2, 4)


def forward(params, x, y):
    k = params["k"]
    windows = sliding_window_view(x, k.shape[2:], axis=(2, 3))  # (n, channels, i, j, k, k)
    products = np.tensordot(windows, k, axes=((1, 4, 5), (1, 2, 3)))  # (n, i, j, filters)
    conv = np.moveaxis(products + params["b"], 3, 1)
    relu = np.maximum(conv, 0)
    pool = patches(relu).max(axis=4)
    flat = pool.reshape(len(x), -1)
    y_pred = flat @ params["w"] + params["c"]
    loss = np.square(y_pred - y).sum()
    return {"conv": conv, "relu": relu, "pool": pool, "flat": flat, "y_pred": y_pred, "loss": loss}


def backward(params, x, y, values):
    conv, relu, k = values["conv"], values["relu"], params["k"]
    grad_y_pred = 2 * (values["y_pred"] - y)
    grad_w = values["flat"].T @ grad_y_pred
    grad_c = grad_y_pred.sum(axis=0)
    grad_flat = grad_y_pred @ params["w"].T
    grad_pool = grad_flat.reshape(values["pool"].shape)
    is_largest = np.arange(4) == patches(relu).argmax(axis=4)[..., None]
    grad_patches = is_largest * grad_pool[..., None]  # (n, filters, i, j, 4)
    cut = grad_patches.reshape(*grad_pool.shape, 2, 2).swapaxes(3, 4)
    grad_relu = cut.reshape(relu.shape)
    grad_conv = grad_relu * (conv > 0)
    windows = sliding_window_view(x, k.shape[2:], axis=(2, 3))
    grad_k = np.tensordot(grad_conv, windows, axes=((0, 2, 3), (0, 2, 3)))
    grad_b = grad_conv.sum(axis=(0, 2, 3))
    return {
        **{"grad_y_pred": grad_y_pred, "grad_w": grad_w, "grad_c": grad_c, "grad_flat": grad_flat},
        **{"grad_pool": grad_pool, "grad_relu": grad_relu, "grad_conv": grad_conv},
        **{"grad_k": grad_k, "grad_b": grad_b},
    }


class Net(nn.Module):
    def __init__(self, channels=2, filters=3, k=3, height=2, width=2, d_out=2):
        super().__init__()
        self.conv = nn.Conv2d(channels, filters, k)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.flat = nn.Flatten()
        self.y_pred = nn.Linear(filters * height * width, d_out)

    def forward(self, x):
        return self.y_pred(self.flat(self.pool(self.relu(self.conv(x)))))
