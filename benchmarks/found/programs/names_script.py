"""Embedding, batch normalization, tanh and cross entropy as a script, a line for each gradient."""

import numpy as np

rng = np.random.default_rng(1)
n, block_size, vocab_size, n_embd, n_hidden = 18, 3, 7, 4, 6
Xb = rng.integers(0, vocab_size, (n, block_size))
Yb = rng.integers(0, vocab_size, n)
C = rng.standard_normal((vocab_size, n_embd))
W1 = rng.standard_normal((n_embd * block_size, n_hidden))
W2 = rng.standard_normal((n_hidden, vocab_size)) / 2
b2 = rng.standard_normal(vocab_size)
bngain = rng.standard_normal((1, n_hidden))
bnbias = rng.standard_normal((1, n_hidden))

emb = C[Xb]
embcat = emb.reshape(n, -1)
hprebn = embcat @ W1
bnmeani = 1 / n * hprebn.sum(0, keepdims=True)
bndiff = hprebn - bnmeani
bndiff2 = bndiff**2
bnvar = 1 / (n - 1) * bndiff2.sum(0, keepdims=True)
bnvar_inv = (bnvar + 1e-5) ** -0.5
bnraw = bndiff * bnvar_inv
hpreact = bngain * bnraw + bnbias
h = np.tanh(hpreact)
logits = h @ W2 + b2
norm_logits = logits - logits.max(1, keepdims=True)
counts = np.exp(norm_logits)
counts_sum = counts.sum(1, keepdims=True)
counts_sum_inv = counts_sum**-1
probs = counts * counts_sum_inv
logprobs = np.log(probs)
loss = -logprobs[np.arange(n), Yb].mean()

dlogprobs = np.zeros_like(logprobs)
dlogprobs[np.arange(n), Yb] = -1.0 / n
dprobs = (1.0 / probs) * dlogprobs
dcounts_sum_inv = (counts * dprobs).sum(1, keepdims=True)
dcounts_sum = (-(counts_sum**-2)) * dcounts_sum_inv
dcounts = counts_sum_inv * dprobs + dcounts_sum
dnorm_logits = counts * dcounts
dlogits = dnorm_logits - dnorm_logits.sum(1, keepdims=True) * (norm_logits == 0)
dh = dlogits @ W2.T
dW2 = h.T @ dlogits
db2 = dlogits.sum(0)
dhpreact = (1.0 - h**2) * dh
dbngain = (bnraw * dhpreact).sum(0, keepdims=True)
dbnbias = dhpreact.sum(0, keepdims=True)
dbnraw = bngain * dhpreact
dbnvar_inv = (bndiff * dbnraw).sum(0, keepdims=True)
dbnvar = (-0.5 * (bnvar + 1e-5) ** -1.5) * dbnvar_inv
dbndiff2 = 1.0 / (n - 1) * np.ones_like(bndiff2) * dbnvar
dbndiff = bnvar_inv * dbnraw + 2 * bndiff * dbndiff2
dbnmeani = -dbndiff.sum(0, keepdims=True)
dhprebn = dbndiff + 1.0 / n * (np.ones_like(hprebn) * dbnmeani)
dembcat = dhprebn @ W1.T
dW1 = embcat.T @ dhprebn
demb = dembcat.reshape(emb.shape)
dC = np.zeros_like(C)
np.add.at(dC, Xb, demb)
