"""Expressions and idioms of hand-written networks, each a forward pass that gives a number.

`f(a, b, c)` gets arrays of shapes (4, 3), (3, 5) and (5,); y has the class of each of 4 rows.
"""

IDIOMS = {
    "squared_error": """
def f(a, b, c):
    h = a.dot(b).clip(min=0)
    return np.square(h - c).sum()
""",
    "relu_maximum": "f = lambda a, b, c: np.mean(np.maximum(0, a @ b + c) ** 2)",
    "relu_times_mask": "f = lambda a, b, c: ((a @ b) * (a @ b > 0)).sum()",
    "relu_mask_written": """
def f(a, b, c):
    z = a @ b
    h = z.copy()
    h[z <= 0] = 0
    return (h * c).sum() + z.min()
""",
    "leaky_where": "f = lambda a, b, c: np.where(a @ b > 0, a @ b, 0.01 * (a @ b)).sum()",
    "elu": """
def f(a, b, c):
    z = np.dot(a, b)
    return np.sum(np.where(z > 0, z, 1.5 * (np.exp(np.minimum(z, 0)) - 1)))
""",
    "sigmoid_stable": """
def f(a, b, c):
    z = a @ b
    out = np.zeros_like(z)
    pos = z >= 0
    out[pos] = 1 / (1 + np.exp(-z[pos]))
    e = np.exp(z[~pos])
    out[~pos] = e / (1 + e)
    return np.sum(out * c)
""",
    "sigmoid_tanh_forms": """
def f(a, b, c):
    s = lambda z: 1.0 / (1.0 + np.exp(-z))
    t = (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))
    return np.sum(s(t @ b)) + np.sum(0.5 * (1 + np.tanh(c / 2)))
""",
    "softplus_logaddexp": "f = lambda a, b, c: np.logaddexp(0, a @ b + c).mean()",
    "gelu": """
def f(a, b, c):
    z = a @ b
    return np.sum(0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))))
""",
    "softmax_cross_entropy": """
def f(a, b, c):
    z = a @ b + c
    z = z - z.max(axis=1, keepdims=True)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(len(y)), y]))
""",
    "softmax_columns": """
def f(a, b, c):
    z = b.T @ a.T + c.reshape(-1, 1)
    e = np.exp(z - np.max(z, axis=0))
    p = e / np.sum(e, axis=0)
    onehot = np.zeros((5, 4))
    onehot[y, np.arange(4)] = 1
    return -np.sum(onehot * np.log(p + 1e-12)) / p.shape[1]
""",
    "log_softmax": """
def f(a, b, c):
    z = np.einsum('ij,jk->ik', a, b)
    m = np.amax(z, axis=-1, keepdims=True)
    lp = z - m - np.log(np.sum(np.exp(z - m), axis=-1, keepdims=True))
    return -lp[range(4), y].mean()
""",
    "binary_cross_entropy": """
def f(a, b, c):
    p = 1 / (1 + np.exp(-(a @ b[:, 0])))
    p = np.clip(p, 1e-7, 1 - 1e-7)
    t = np.array([1, 0, 1, 1])
    return float(-np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)))
""",
    "hinge": """
def f(a, b, c):
    s = a @ b
    margins = np.maximum(0, s - s[np.arange(4), y][:, np.newaxis] + 1)
    margins[np.arange(4), y] = 0
    return np.sum(margins) / 4 + 1e-2 * np.sum(b ** 2)
""",
    "huber": """
def f(a, b, c):
    e = a @ b - c
    return np.where(np.abs(e) <= 1, 0.5 * e * e, np.abs(e) - 0.5).sum()
""",
    "mean_absolute": "f = lambda a, b, c: np.abs(a @ b - c).mean() + abs(c).sum()",
    "kl_divergence": """
def f(a, b, c):
    p = np.exp(c) / np.exp(c).sum()
    q = np.ones(5) / 5
    return (q * (np.log(q) - np.log(p))).sum() + np.sum(a) * np.sum(b)
""",
    "l2_and_l1": """
f = lambda a, b, c: 0.1 * sum(np.sum(w * w) for w in (a, b)) + 0.2 * np.abs(c).sum()
""",
    "batch_norm": """
def f(a, b, c):
    mu = np.mean(a, axis=0)
    var = np.var(a, axis=0)
    n = (a - mu) / np.sqrt(var + 1e-5)
    return ((n @ b) * c).sum() + (n ** 3).sum()
""",
    "batch_norm_by_hand": """
def f(a, b, c):
    N, D = a.shape
    mu = 1. / N * np.sum(a, axis=0)
    xmu = a - mu
    var = 1. / N * np.sum(xmu ** 2, axis=0)
    ivar = 1. / np.sqrt(var + 1e-3)
    return np.sum((xmu * ivar) @ b * c)
""",
    "layer_norm": """
def f(a, b, c):
    z = a @ b
    m = z.mean(-1, keepdims=True)
    s = z.std(axis=-1, keepdims=True, ddof=1)
    return np.sum(((z - m) / (s + 1e-5) * c + c) ** 2)
""",
    "rms_norm": """
f = lambda a, b, c: np.sum(a / np.sqrt(np.mean(a**2, -1, keepdims=True) + 1e-6) @ b * c)
""",
    "dropout": """
def f(a, b, c):
    rng = np.random.default_rng(0)
    mask = (rng.random(a.shape) < 0.7) / 0.7
    h = a * mask
    h = mask * h
    return (h @ b).sum() + (rng.standard_normal((4, 4)) @ h).sum()
""",
    "dropout_legacy": """
def f(a, b, c):
    np.random.seed(0)
    U = np.random.rand(*a.shape) < 0.5
    a = a * U
    noise = np.random.randn(4, 5) * 0.1
    return np.tanh(a @ b + noise).sum()
""",
    "rnn_dict": """
def f(a, b, c):
    xs, hs = {}, {}
    hs[-1] = np.zeros((5, 1))
    loss = 0
    for t in range(4):
        xs[t] = a[t].reshape(3, 1)
        hs[t] = np.tanh(np.dot(b.T, xs[t]) + 0.5 * hs[t - 1] + c[:, None])
        loss += -np.log(np.exp(hs[t][y[t], 0]) / np.sum(np.exp(hs[t])))
    return loss
""",
    "rnn_buffer": """
def f(a, b, c):
    T = a.shape[0]
    h = np.zeros((T + 1, 5))
    h[0] = c
    for t in range(T):
        prev = h[t]
        h[t + 1] = np.tanh(a[t] @ b + prev * 0.3)
    return (h[1:] ** 2).sum()
""",
    "rnn_three_axes": """
def f(a, b, c):
    x = a.reshape(2, 2, 3)
    h = np.zeros((2, 2, 5))
    prev = np.zeros((2, 5))
    for t in range(2):
        prev = np.tanh(x[:, t, :].dot(b) + prev)
        h[:, t, :] = prev
    return np.sum(h[:, -1] * c) + np.sum(h)
""",
    "lstm_split": """
def f(a, b, c):
    sig = lambda z: 1 / (1 + np.exp(-z))
    h, cell = np.zeros(1), np.zeros(1)
    for x in a:
        z = x @ b[:, :4] + h
        i, f_, o, g = np.split(z, 4)
        cell = sig(f_) * cell + sig(i) * np.tanh(g)
        h = sig(o) * np.tanh(cell)
    return h.sum()
""",
    "lstm_slices": """
def f(a, b, c):
    z = np.hstack((a, np.ones((4, 1)))) @ np.vstack((b, c))
    H = 1
    i, f_, o, g = z[:, 0:H], z[:, H:2*H], z[:, 2*H:3*H], z[:, 3*H:]
    i = 1 / (1 + np.exp(-i))
    return (i * np.tanh(g) + f_ * o).sum()
""",
    "attention": """
def f(a, b, c):
    q, k, v = a @ b[:, :3], a @ b[:, 1:4], a @ b[:, 2:]
    s = q @ k.T / np.sqrt(3)
    s[np.triu_indices(4, 1)] = -np.inf
    w = np.exp(s - s.max(-1, keepdims=True))
    w /= w.sum(-1, keepdims=True)
    return (w @ v).sum()
""",
    "attention_heads": """
def f(a, b, c):
    x = (a @ b[:, :4]).reshape(4, 2, 2).transpose(1, 0, 2)
    s = x @ x.transpose(0, 2, 1) / math.sqrt(2)
    mask = np.tril(np.ones((4, 4), dtype=bool))
    s = np.where(mask, s, -1e9)
    w = np.exp(s) / np.exp(s).sum(axis=-1)[..., None]
    out = (w @ x).transpose(1, 0, 2).reshape(4, 4)
    return np.sum(out ** 2)
""",
    "embedding": """
def f(a, b, c):
    ix = np.array([[0, 2], [1, 1], [0, 0]])
    emb = a[ix]
    return np.tanh(emb.reshape(3, -1)[:, :3] @ b).sum() + emb.mean(1).sum()
""",
    "add_at": """
def f(a, b, c):
    out = np.zeros((3, 5))
    np.add.at(out, np.array([0, 2, 0, 1]), a @ b)
    return (out ** 2).sum()
""",
    "subtract_at": """
def f(a, b, c):
    out = c.copy()
    np.subtract.at(out, [1, 1, 3], a[:3, 0])
    return (out ** 3).sum()
""",
    "conv_loops": """
def f(a, b, c):
    k = b[:2, :2]
    out = np.zeros((3, 2))
    for i in range(3):
        for j in range(2):
            out[i, j] = np.sum(a[i:i + 2, j:j + 2] * k) + c[0]
    return np.sum(out ** 2)
""",
    "conv_accumulated": """
def f(a, b, c):
    out = np.zeros((3, 2))
    for i in range(3):
        for j in range(2):
            for u in range(2):
                for v in range(2):
                    out[i, j] += a[i + u, j + v] * b[u, v]
    return (out * out).sum()
""",
    "conv_pad_window": """
def f(a, b, c):
    x = np.pad(a, ((1, 1), (1, 1)))
    w = np.lib.stride_tricks.sliding_window_view(x, (3, 3))
    return (np.einsum('ijkl,kl->ij', w, b[:, :3]) ** 2).sum()
""",
    "conv_as_strided": """
def f(a, b, c):
    s = a.strides
    w = np.lib.stride_tricks.as_strided(a, (3, 2, 2, 2), (s[0], s[1], s[0], s[1]))
    return (np.tensordot(w, b[:2, :2], axes=((2, 3), (0, 1))) ** 2).sum()
""",
    "im2col": """
def f(a, b, c):
    cols = np.array([a[i:i + 2, j:j + 2].ravel() for i in range(3) for j in range(2)])
    return ((cols @ b.ravel()[:4]) ** 2).sum()
""",
    "convolve": "f = lambda a, b, c: (np.convolve(a.ravel(), c, mode='valid') ** 2).sum()",
    "max_pool_window": """
def f(a, b, c):
    z = a @ b
    out = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            out[i, j] = np.max(z[2 * i:2 * i + 2, 2 * j:2 * j + 2])
    return (out * out).sum()
""",
    "max_pool_argmax": """
def f(a, b, c):
    z = (a @ b)[:, :4].reshape(2, 2, 2, 2).swapaxes(1, 2).reshape(4, 4)
    i = z.argmax(axis=1)
    return np.take_along_axis(z, i[:, None], axis=1).sum() + z[np.arange(4), i].prod()
""",
    "average_pool": "f = lambda a, b, c: (a.reshape(2, 2, 3).mean(axis=1) @ b).sum() + c.mean()",
    "edge_pad_roll": """
def f(a, b, c):
    x = np.pad(a, ((0, 0), (1, 2)), mode='edge') + np.pad(a, ((0, 0), (1, 2)), constant_values=2)
    return (x[:, 1:] * x[:, :-1]).sum() + (np.roll(b, 1, axis=1) * b).sum() + (c * c[::-1]).sum()
""",
    "reversed_written": """
def f(a, b, c):
    out = np.zeros(5)
    out[::-1] = c
    back = out[::-1]
    back *= 2
    return (out * np.arange(5)).sum() + np.flip(a, 0)[0].sum() * b.sum()
""",
    "views_written": """
def f(a, b, c):
    buf = np.zeros((4, 5))
    buf.T[:3] = a.T
    buf[:, 3:] += (a @ b)[:, 3:]
    row = buf[1]
    row[:] = row * 2
    flat = buf.reshape(-1)
    flat[0] = c[0] ** 2
    buf.ravel()[7] *= 3
    return (buf ** 2).sum() + row.sum()
""",
    "overwritten_later": """
def f(a, b, c):
    h = np.zeros(5)
    total = 0
    for t in range(4):
        h[:] = np.tanh(a[t] @ b + h)
        total = total + (h * c).sum()
    return total
""",
    "in_place_chain": """
def f(a, b, c):
    z = a @ b
    z += c
    z *= 2
    z -= z.mean()
    z /= 3
    z **= 2
    return z.sum()
""",
    "out_argument": """
def f(a, b, c):
    out = np.empty((4, 5))
    np.dot(a, b, out=out)
    np.exp(out, out=out)
    np.add(out, c, out)
    return np.log(out.sum(axis=0) ** 2).sum()
""",
    "where_argument": """
def f(a, b, c):
    z = a @ b
    safe = np.divide(1.0, z, out=np.zeros_like(z), where=z > 0.3)
    log = np.log(z, where=z > 0.1, out=np.zeros_like(z))
    return safe.sum() + log.sum() + np.sum(z, where=z > 0)
""",
    "ufunc_methods": """
def f(a, b, c):
    return (np.add.reduce(a, axis=1).sum() + np.multiply.outer(a[0], c).sum()
            + np.maximum.reduce(b).sum() + np.multiply.reduce(c) + np.add.accumulate(c)[2]
            + np.logaddexp.reduce(c) + np.subtract.outer(c, a[0]).std())
""",
    "concatenate_stack": """
def f(a, b, c):
    x = np.concatenate([a, b.T[:4]], axis=1)
    s = np.stack([a[0], a[1], b[:, 0]], axis=1)
    total = (x ** 2).sum() + np.linalg.det(s) + np.append(c, 1.0).sum()
    return total + np.column_stack((c, c))[:, 1].sum()
""",
    "ones_column": """
def f(a, b, c):
    x = np.c_[a, np.ones(4)]
    w = np.r_[b, c[None]]
    return np.tanh(x @ w).sum() + np.r_[c, 0, a[0]].prod() + np.r_[c, c[:2]].sum()
""",
    "ix_fancy": """
def f(a, b, c):
    sub = b[np.ix_([0, 2], [1, 3, 4])]
    keep = np.array([True, False, True, True, False])
    return (sub ** 2).sum() + a[[0, 1], [2, 0]].sum() * c[keep].sum()
""",
    "array_of_list": """
def f(a, b, c):
    rows = []
    for x in a:
        rows.append(np.tanh(x @ b))
    out = np.array(rows)
    scalars = np.array([out[0, 0], 2.0, c.sum()])
    return (out ** 2).sum() + scalars.prod()
""",
    "vectorized": """
relu = np.vectorize(lambda z: z if z > 0 else 0.1 * z)
def f(a, b, c):
    sig = np.vectorize(lambda z: 1 / (1 + math.exp(-z)))
    return relu(a @ b).sum() + (sig(c) ** 2).sum()
""",
    "norms": """
def f(a, b, c):
    u = a / np.linalg.norm(a, axis=1, keepdims=True)
    return (u @ u.T)[0, 1] + np.linalg.norm(b) + np.linalg.norm(c, 1) + np.linalg.norm(c, ord=2)
""",
    "linear_algebra": """
def f(a, b, c):
    s = a.T @ a + np.eye(3)
    return (np.linalg.inv(s) * s.T).sum() + np.linalg.solve(s, b).sum() + np.linalg.slogdet(s)[1]
""",
    "cholesky": """
def f(a, b, c):
    s = b @ b.T + 2 * np.identity(3)
    L = np.linalg.cholesky(s)
    return np.log(np.diag(L)).sum() + np.trace(s) + np.diag(c).sum() + np.linalg.det(s)
""",
    "products": """
def f(a, b, c):
    return (np.outer(a[:, 0], c).sum() + np.inner(a, b.T).sum() + np.kron(a, b).sum()
            + np.vdot(a, a) + np.matmul(a, b).sum() + np.tensordot(a, b, 1).max() + np.dot(c, c))
""",
    "einsums": """
def f(a, b, c):
    return (np.einsum('ij,jk,k->', a, b, c) + np.einsum('ij,ij->i', a, a).prod()
            + np.einsum('i,j->ij', c, c, optimize=True).sum() + np.einsum('...j,jk', a, b).sum())
""",
    "floats": """
def f(a, b, c):
    loss = float(np.mean((a @ b) ** 2))
    reg = np.float64(0.1) * (b ** 2).sum().item()
    return loss + reg + np.float64(c[0] * c[1])
""",
    "math_entries": """
def f(a, b, c):
    total = 0.0
    for i in range(len(c)):
        total += math.exp(c[i]) / (1 + math.exp(c[i])) + math.sqrt(a[0, 0] ** 2 + 1)
    return total + math.tanh(b[0, 0]) + math.log(b[0][1] ** 2, 2) + math.pow(a[1, 1], 2) + math.pi
""",
    "python_loops": """
def f(a, b, c):
    out = [[0.0] * 5 for _ in range(4)]
    for i in range(4):
        for j in range(5):
            for k in range(3):
                out[i][j] += a[i][k] * b[k][j]
    return sum(max(0, v) for row in out for v in row)
""",
    "shown_values": """
def f(a, b, c):
    loss = ((a @ b) ** 2).mean()
    text = f'{loss:.4f} {loss}' + '%.3f' % loss + str(c) + repr(loss) + '{:.2e}'.format(loss)
    assert len(text) > 10
    return loss
""",
    "error_state": """
def f(a, b, c):
    with np.errstate(over='ignore', divide='ignore'):
        return np.sum(np.log(np.exp(a) + 1)) + np.nan_to_num(b).sum() + c.sum()
""",
    "float32_inside": """
def f(a, b, c):
    w = np.ones((5, 2), dtype=np.float32)
    mask = (a > 0).astype(float)
    return ((a * mask) @ b @ w).sum() + c.astype(np.float64).sum() + c.astype('float64').mean()
""",
    "broadcasting": """
def f(a, b, c):
    d = a[:, None, :] - b.T[None, :, :]
    dist = np.sqrt((d ** 2).sum(-1))
    return np.exp(-dist).sum() + np.broadcast_to(c, (4, 5)).sum() + np.expand_dims(c, 0).sum()
""",
    "whole_numbers_put_in": """
def f(a, b, c):
    x = np.insert(a, 0, 1, axis=1)
    v = np.append(c, 1) * np.append(2, c)
    w = np.r_[c, 3, 0:3, [4, 5]]
    u = np.c_[np.ones(4, dtype=int), a, y]
    p, q = np.broadcast_arrays(c, 2)
    g, h = np.meshgrid(c, [1, 2])
    return (x @ x.T).sum() + v.prod() + (w ** 2).sum() + (u ** 2).sum() + (p * q).sum() + (
        g * h).sum() + np.atleast_2d(c)[0, 1] + b[np.atleast_1d(1)].sum() + np.delete(c, 1).prod()
""",
    "repeats": """
def f(a, b, c):
    return (np.tile(c, (4, 1)) * np.repeat(a[:, :1], 5, axis=1)).sum() + np.rot90(b)[0, 0] ** 2 + (
        a.repeat(2, axis=0)[3] ** 2).sum() + np.full((2, 2), c[0]).sum()
""",
    "triangles": """
f = lambda a, b, c: (np.tril(a @ a.T) ** 2).sum() + np.triu(b, 1).prod(axis=1).sum() + c[0]
""",
    "cumulative": """
f = lambda a, b, c: np.cumsum(a, axis=0)[2].prod() + np.cumprod(c)[-1] + np.diff(b).max()
""",
    "choices": """
def f(a, b, c):
    z = a @ b
    s = np.select([z > 1, z > 0], [z ** 2, z], default=0.1 * z)
    p = np.piecewise(c, [c < 0, c >= 0], [lambda t: 0.2 * t, lambda t: t ** 2])
    return s.sum() + p.sum() + np.sign(c).sum() + np.heaviside(z, 0.5).sum()
""",
    "sorted_values": """
def f(a, b, c):
    first = a[np.argsort(a[:, 0])][0]
    return (np.sort(c) * np.arange(5)).sum() + first.sum() + np.median(b) + np.percentile(c, 30)
""",
    "shuffled_batch": """
def f(a, b, c):
    np.random.seed(1)
    ix = np.arange(4)
    np.random.shuffle(ix)
    perm = np.random.permutation(4)
    batch = a[ix[:2]]
    total = np.tanh(batch @ b).sum() + (a[perm] * np.arange(12).reshape(4, 3)).sum()
    return total + c[np.random.randint(5)]
""",
    "class_of_layers": """
class Dense:
    def __init__(self, w, act): self.w, self.act = w, act
    def __call__(self, x):
        self.x = x
        self.z = np.dot(x, self.w)
        return self.act(self.z)
def f(a, b, c):
    layers = [Dense(b, np.tanh), Dense(b.T, lambda z: np.maximum(z, 0.0)), Dense(b, np.sin)]
    x = a
    for layer in layers:
        x = layer(x)
    return (x * c).sum() + layers[0].z.mean()
""",
    "is_instance": """
def f(a, b, c):
    assert isinstance(a, np.ndarray) and a.dtype == np.float64 and a.ndim == 2 and not callable(a)
    s = a.sum()
    if isinstance(s, float) and isinstance(1.0, float) and not isinstance(a, (list, tuple)):
        return s * b.sum() + np.asarray(c).sum()
""",
    "power_and_exp": """
def f(a, b, c):
    return (np.power(np.abs(a) + 1, 1.7).sum() + (2 ** b).sum() + np.exp2(c).sum()
            + np.expm1(c).sum() + np.log1p(c ** 2).sum() + np.sqrt(a ** 2 + 1).sum()
            + np.cbrt(b).sum() + np.hypot(c, 1).sum() + np.arctan2(c, 2).sum())
""",
    "weighted": """
def f(a, b, c):
    return np.average(a, axis=0, weights=[1, 2, 3, 4]).sum() + np.average(b) + np.bincount(
        [0, 1, 1, 3, 0], weights=c)[1] ** 2 + np.ptp(c) + np.cov(a.T)[0, 1]
""",
    "transposes": """
def f(a, b, c):
    x = a.reshape(2, 2, 3)
    total = (np.moveaxis(x, 0, -1)[1] ** 2).sum() + np.transpose(x, (2, 0, 1))[0].prod()
    total = total + np.squeeze(x[:1]).sum() + np.swapaxes(b, 0, 1)[0].prod()
    return total + x.T.ravel()[1] * np.atleast_2d(c).sum()
""",
    "copied_buffer": """
def f(a, b, c):
    grid = np.full((4, 5), 0.5)
    saved = grid.copy()
    grid[1:3, ::2] = a[1:3] ** 2
    np.copyto(saved, grid)
    saved[0] = c
    return (grid * saved).sum() + np.array(saved, copy=True)[0].prod()
""",
    # Set aside before there was any code, and first run when it was done: all 15 came out.
    "weight_norm_layer": """
def f(a, b, c):
    g = np.sqrt(np.square(b).sum(0, keepdims=True))
    v = b / g
    return float(np.sum(np.tanh(a @ v * c[np.newaxis]) ** 2))
""",
    "im2col_indices": """
def f(a, b, c):
    i0 = np.repeat(np.arange(2), 2); j0 = np.tile(np.arange(2), 2)
    i1 = np.repeat(np.arange(3), 2); j1 = np.tile(np.arange(2), 3)
    i = i0.reshape(-1, 1) + i1.reshape(1, -1); j = j0.reshape(-1, 1) + j1.reshape(1, -1)
    cols = a[i, j]
    w = b.flatten()[:4].reshape(1, 4)
    return (w @ cols).clip(-1, 1).sum()
""",
    "maxpool_reshape": """
def f(a, b, c):
    z = (a @ b)[:, :4]
    p = z.reshape(2, 2, 2, 2).max(axis=(1, 3))
    return np.sum(p * p)
""",
    "gru_concat_slices": """
def f(a, b, c):
    h = np.zeros_like(c[:3])
    hs = []
    for t in range(len(a)):
        xh = np.concatenate((a[t], h))
        zr = 1 / (1 + np.exp(-(np.vstack([b[:, :3], b[:, 2:]]).T @ xh)))
        h = (1 - zr) * h + zr * np.tanh(xh[:3])
        hs.append(h)
    return np.mean(np.array(hs)[-1] ** 2)
""",
    "adjusted_labels_copy": """
def f(a, b, c):
    s = a.dot(b) + c
    s -= np.max(s, axis=1, keepdims=True)
    p = np.exp(s)
    p /= p.sum(axis=1)[:, None]
    n = s.shape[0]
    loss = -np.log(p[range(n), y]).sum() / n
    loss += 0.5 * 0.1 * np.sum(b * b)
    return loss
""",
    "svm_loop": """
def f(a, b, c):
    loss = 0.0
    for i in range(a.shape[0]):
        scores = a[i].dot(b)
        correct = scores[y[i]]
        for j in range(b.shape[1]):
            if j == y[i]:
                continue
            margin = scores[j] - correct + 1
            if margin > 0:
                loss += margin
    return loss / a.shape[0]
""",
    "layernorm_lists": """
def f(a, b, c):
    out = []
    for row in a:
        m = sum(row) / len(row)
        v = sum([(r - m) ** 2 for r in row]) / len(row)
        out.append([(r - m) / math.sqrt(v + 1e-5) for r in row])
    return (np.array(out) @ b @ c).sum()
""",
    "attention_heads_swapaxes": """
def f(a, b, c):
    q = (a @ b[:, :4]).reshape(4, 2, 2).transpose(1, 0, 2)
    k = np.swapaxes((a @ b[:, 1:]).reshape(4, 2, 2), 0, 1)
    s = np.matmul(q, k.transpose(0, 2, 1)) / np.sqrt(q.shape[-1])
    s = np.where(np.tril(np.ones((4, 4))) == 0, -1e9, s)
    w = np.exp(s - s.max(-1, keepdims=True))
    w = w / w.sum(-1, keepdims=True)
    o = np.einsum('hts,shd->thd', w, k.swapaxes(0, 1)).reshape(4, -1)
    return (o ** 2).mean()
""",
    "list_comprehension_mlp": """
def f(a, b, c):
    weights, biases = [b[:, :3], b[:, 2:]], [c[:3, None], c[2:, None]]
    act = a[0].reshape(-1, 1)
    for w, bias in zip(weights, biases):
        act = 1.0 / (1.0 + np.exp(-(np.dot(w, act) + bias)))
    return 0.5 * np.linalg.norm(act - 1) ** 2
""",
    "dropout_inverted": """
def f(a, b, c):
    np.random.seed(3)
    keep = 0.8
    u = (np.random.rand(*a.shape) < keep) / keep
    h = np.maximum(0, a * u)
    d = np.random.binomial(1, keep, size=(4, 5)).astype(a.dtype)
    return np.sum((h.dot(b) * d) ** 2) / d.size
""",
    "running_stats_inplace": """
def f(a, b, c):
    mu = a.mean(axis=0); var = a.var(axis=0)
    running = np.zeros(3)
    running *= 0.9
    running += 0.1 * mu
    xhat = (a - mu) / np.sqrt(var + 1e-5)
    out = np.empty((4, 5))
    np.matmul(xhat, b, out=out)
    out += c
    return np.abs(out).sum() + (running ** 2).sum()
""",
    "conv1d_flip": """
def f(a, b, c):
    x = np.pad(a.ravel(), (2, 2), 'constant')
    k = c[::-1]
    out = [np.dot(x[i:i + 5], k) for i in range(len(x) - 4)]
    return np.sum(np.asarray(out) ** 2)
""",
    "kl_gauss": """
def f(a, b, c):
    mu, logvar = np.split(a @ b[:, :4], 2, axis=1)
    eps = np.random.default_rng(0).standard_normal(mu.shape)
    z = mu + eps * np.exp(0.5 * logvar)
    kl = -0.5 * np.sum(1 + logvar - mu ** 2 - np.exp(logvar), axis=-1)
    return np.mean(kl + np.sum((z - 0.5) ** 2, axis=-1))
""",
    "cross_entropy_onehot_eye": """
def f(a, b, c):
    logits = np.einsum('ij,jk->ik', a, b) + c
    lse = np.log(np.sum(np.exp(logits), axis=1))
    target = np.eye(5)[y]
    assert f'loss {lse.mean():.3f}' and '%.2f' % lse[0] and str(lse)[:3]
    return np.average(lse - (target * logits).sum(1))
""",
    "class_with_dict_params": """
class Net:
    def __init__(self, w, bias): self.params = {'W': w, 'b': bias}; self.cache = {}
    def forward(self, x):
        self.cache['z'] = z = x @ self.params['W'] + self.params['b']
        mask = z < 0
        a = z.copy(); a[mask] = 0.01 * a[mask]
        self.cache['a'] = a
        return a
def f(a, b, c):
    net = Net(b, c)
    out = net.forward(a)
    out[:, 0] = 0
    return np.sum(np.log1p(np.exp(out))) + net.cache['a'].T[1].sum()
""",
}
