"""An embedding whose rows are used again and again, and once more as the head: tied weights."""

import numpy as np
from torch import nn

PARAMETERS = {"e": "emb.weight", "w": "h.weight.T"}
loss_fn = nn.CrossEntropyLoss()


def init(rng, n=5, t=4, words=6, d=3):
    params = {"e": rng.standard_normal((words, d)), "w": rng.standard_normal((d, d))}
    return params, rng.integers(0, words, (n, t)), rng.integers(0, words, n)


def log_softmax(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def forward(params, x, y):
    emb = params["e"][x]  # (n, t, d)
    bag = emb.mean(axis=1)
    h = bag @ params["w"]
    logits = h @ params["e"].T
    loss = -log_softmax(logits)[np.arange(len(y)), y].mean()
    return {"emb": emb, "bag": bag, "h": h, "logits": logits, "loss": loss}


def backward(params, x, y, values):
    logits, h = values["logits"], values["h"]
    grad_logits = np.exp(log_softmax(logits))
    grad_logits[np.arange(len(y)), y] -= 1
    grad_logits /= len(y)
    grad_e = grad_logits.T @ h
    grad_h = grad_logits @ params["e"]
    grad_w = values["bag"].T @ grad_h
    grad_bag = grad_h @ params["w"].T
    grad_emb = np.repeat(grad_bag[:, None] / x.shape[1], x.shape[1], axis=1)
    np.add.at(grad_e, x, grad_emb)
    return {
        **{"grad_logits": grad_logits, "grad_e": grad_e, "grad_h": grad_h, "grad_w": grad_w},
        **{"grad_bag": grad_bag, "grad_emb": grad_emb},
    }


class Net(nn.Module):
    def __init__(self, words=6, d=3):
        super().__init__()
        self.emb = nn.Embedding(words, d)
        self.bag = nn.Identity()
        self.h = nn.Linear(d, d, bias=False)
        self.logits = nn.Linear(d, words, bias=False)
        self.logits.weight = self.emb.weight

    def forward(self, x):
        return self.logits(self.h(self.bag(self.emb(x).mean(dim=1))))
