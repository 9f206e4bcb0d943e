"""A variational autoencoder: mean and log variance, a sample of them, the KL divergence."""

import numpy as np


def init(rng, n=18, d=5, h=6, latent=3):
    params = {
        "We": rng.standard_normal((d, h)),
        "be": rng.standard_normal(h),
        "Wmu": rng.standard_normal((h, latent)) / 2,
        "Wlv": rng.standard_normal((h, latent)) / 2,
        "Wd": rng.standard_normal((latent, d)),
        "bd": rng.standard_normal(d),
    }
    return params, rng.standard_normal((n, d)), rng.standard_normal((n, latent))


def forward(params, x, eps):
    hidden = np.tanh(x @ params["We"] + params["be"])
    mu = hidden @ params["Wmu"]
    logvar = hidden @ params["Wlv"]
    std = np.exp(0.5 * logvar)
    z = mu + std * eps
    recon = z @ params["Wd"] + params["bd"]
    recon_loss = 0.5 * np.sum((recon - x) ** 2)
    kl = -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar))
    loss = (recon_loss + kl) / len(x)
    values = {"hidden": hidden, "mu": mu, "logvar": logvar, "std": std, "z": z}
    return values | {"recon": recon, "loss": loss}


def backward(params, x, eps, values):
    n = len(x)
    hidden, mu, logvar, std = values["hidden"], values["mu"], values["logvar"], values["std"]
    drecon = (values["recon"] - x) / n
    dWd = values["z"].T @ drecon
    dbd = drecon.sum(axis=0)
    dz = drecon @ params["Wd"].T
    dmu = dz + mu / n
    dlogvar = dz * eps * 0.5 * std + 0.5 * (np.exp(logvar) - 1) / n
    dWmu = hidden.T @ dmu
    dWlv = hidden.T @ dlogvar
    dhidden = dmu @ params["Wmu"].T + dlogvar @ params["Wlv"].T
    dpre = dhidden * (1 - hidden**2)
    grads = {"dmu": dmu, "dlogvar": dlogvar, "dhidden": dhidden, "dWd": dWd, "dbd": dbd}
    return grads | {"dWmu": dWmu, "dWlv": dWlv, "dWe": x.T @ dpre, "dbe": dpre.sum(axis=0)}
