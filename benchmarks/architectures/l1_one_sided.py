"""Absolute errors, some exactly 0: the slope is 1 there by hand, as right as PyTorch's 0."""

import numpy as np

from .l1 import PARAMETERS, Net, forward, init, loss_fn

__all__ = ["PARAMETERS", "Net", "backward", "forward", "init", "loss_fn"]


def backward(params, x, y, values):
    grad_y_pred = np.where(values["y_pred"] >= y, 1, -1).astype(y.dtype) / y.size
    grad_w = x.T @ grad_y_pred
    grad_b = grad_y_pred.sum(axis=0)
    return {"grad_y_pred": grad_y_pred, "grad_w": grad_w, "grad_b": grad_b}
