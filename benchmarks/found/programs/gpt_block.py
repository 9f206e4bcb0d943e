"""Embeddings tied to the output, a GELU network on a residual stream, cross entropy over tokens."""

import numpy as np

SCALE = np.sqrt(2 / np.pi)


def init(rng, n=4, t=5, vocabulary=7, d=3, h=6):
    params = {
        "wte": rng.standard_normal((vocabulary, d)),
        "wpe": rng.standard_normal((t, d)),
        "w1": rng.standard_normal((d, h)),
        "b1": rng.standard_normal(h),
        "w2": rng.standard_normal((h, d)),
    }
    tokens = rng.integers(0, vocabulary, (n, t))
    return params, tokens, rng.integers(0, vocabulary, (n, t))


def forward(params, tokens, targets):
    emb = params["wte"][tokens] + params["wpe"]
    u = emb @ params["w1"] + params["b1"]
    tanh = np.tanh(SCALE * (u + 0.044715 * u**3))
    g = 0.5 * u * (1 + tanh)
    res = emb + g @ params["w2"]
    logits = res @ params["wte"].T
    logits_max = logits.max(axis=-1, keepdims=True)
    exps = np.exp(logits - logits_max)
    probs = exps / exps.sum(axis=-1, keepdims=True)
    picked = np.take_along_axis(probs, targets[:, :, None], axis=-1)
    loss = -np.mean(np.log(picked))
    values = {"emb": emb, "u": u, "tanh": tanh, "g": g, "res": res}
    return values | {"logits": logits, "probs": probs, "loss": loss}


def backward(params, tokens, targets, values):
    u, tanh, emb = values["u"], values["tanh"], values["emb"]
    vocabulary = len(params["wte"])
    dlogits = (values["probs"] - np.eye(vocabulary)[targets]) / targets.size
    dwte = np.einsum("ntv,ntd->vd", dlogits, values["res"])
    dres = dlogits @ params["wte"]
    dw2 = np.einsum("nth,ntd->hd", values["g"], dres)
    dg = dres @ params["w2"].T
    inner = SCALE * (1 + 3 * 0.044715 * u**2)
    du = dg * (0.5 * (1 + tanh) + 0.5 * u * (1 - tanh**2) * inner)
    dw1 = np.einsum("ntd,nth->dh", emb, du)
    db1 = du.sum(axis=(0, 1))
    demb = dres + du @ params["w1"].T
    np.add.at(dwte, tokens, demb)
    dwpe = demb.sum(axis=0)
    grads = {"dlogits": dlogits, "dres": dres, "du": du, "demb": demb}
    return grads | {"dwte": dwte, "dwpe": dwpe, "dw1": dw1, "db1": db1, "dw2": dw2}
