"""Messages along the edges of a graph: rows are gathered by index, and added up at another."""

import numpy as np
from torch import nn

PARAMETERS = {"w": "h.weight.T", "v": "y_pred.weight.T"}
loss_fn = nn.MSELoss(reduction="sum")


def init(rng, n=5, edges=8, d=3, h=4, d_out=2):
    params = {"w": rng.standard_normal((d, h)), "v": rng.standard_normal((h, d_out))}
    x = (rng.standard_normal((n, d)), rng.integers(0, n, edges), rng.integers(0, n, edges))
    return params, x, rng.standard_normal((n, d_out))


def forward(params, x, y):
    x, start, end = x
    h = x @ params["w"]
    message = h[start]
    inbox = np.zeros_like(h)
    np.add.at(inbox, end, message)
    y_pred = inbox @ params["v"]
    loss = np.square(y_pred - y).sum()
    return {"h": h, "message": message, "inbox": inbox, "y_pred": y_pred, "loss": loss}


def backward(params, x, y, values):
    x, start, end = x
    grad_y_pred = 2 * (values["y_pred"] - y)
    grad_v = values["inbox"].T @ grad_y_pred
    grad_inbox = grad_y_pred @ params["v"].T
    grad_message = grad_inbox[end]
    grad_h = np.zeros_like(values["h"])
    np.add.at(grad_h, start, grad_message)
    grad_w = x.T @ grad_h
    return {
        **{"grad_y_pred": grad_y_pred, "grad_v": grad_v, "grad_inbox": grad_inbox},
        **{"grad_message": grad_message, "grad_h": grad_h, "grad_w": grad_w},
    }


class Net(nn.Module):
    def __init__(self, d=3, h=4, d_out=2):
        super().__init__()
        self.h = nn.Linear(d, h, bias=False)
        self.message = nn.Identity()
        self.inbox = nn.Identity()
        self.y_pred = nn.Linear(h, d_out, bias=False)

    def forward(self, x, start, end):
        h = self.h(x)
        message = self.message(h[start])
        inbox = self.inbox(h.new_zeros(h.shape).index_add(0, end, message))
        return self.y_pred(inbox)
