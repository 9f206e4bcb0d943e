"""More idioms, chosen to go wrong: aliases, views of views, swaps, odd names and other people's code.

Each `f(a, b, c)` gets arrays of shapes (4, 3), (3, 5) and (5,); y has the class of each of 4 rows.
"""
# ruff: noqa: E501 - code as people write it

AWKWARD = {
    "alias_inplace": """
def f(a, b, c):
    w = b
    w2 = w
    w2 = w2 * 1
    v = w2
    v += 1
    return (w2 ** 2).sum() + (v * w).sum()
""",
    "sum_scalar_alias": """
def f(a, b, c):
    s = a.sum()
    t = s
    t += 1
    x = c[0]
    x *= 3
    return s * t + x * c[0]
""",
    "reshape_write": """
def f(a, b, c):
    z = a @ b
    z.reshape(-1)[3] = 0
    z.T.reshape(-1)[2] = 100.0
    z.T[1, 2] += c[0]
    return (z ** 2).sum()
""",
    "iterate_rows_write": """
def f(a, b, c):
    z = np.zeros((4, 5))
    for row, x in zip(z, a):
        row += x @ b
        row[row < 0] = 0
    for i, row in enumerate(z):
        row /= row.sum() + 1
    return (z ** 2).sum()
""",
    "double_index_write": """
def f(a, b, c):
    z = np.zeros((2, 2, 3))
    z[0][1] = a[0]
    z[1][0][2] = c[1]
    z[1, 0][0] += c[2] * 2
    z[:, 1][1][1] = a[1, 1] ** 2
    return (z ** 2).sum() + z[0, 1, 2]
""",
    "swap_rows": """
def f(a, b, c):
    z = a * 1
    z[[0, 2]] = z[[2, 0]]
    z[0], z[1] = z[1].copy(), z[0].copy()
    return (z * np.arange(12).reshape(4, 3)).sum()
""",
    "repeated_assign": """
def f(a, b, c):
    z = np.zeros(3)
    z[[0, 0, 1]] = c[:3]
    z[[1, 1]] += c[3]
    return (z ** 2).sum()
""",
    "mask_2d_write": """
def f(a, b, c):
    z = a @ b
    m = z > 0
    z[~m] *= 0.1
    z[m & (z > 1)] = 1
    z[:, c > 0] += 2
    z[1, [0, 2]] = c[[1, 2]]
    return (z ** 2).sum()
""",
    "shifted_self": """
def f(a, b, c):
    z = a.ravel() ** 2
    z[1:] = z[:-1]
    z[1:] += z[:-1]
    y2 = z[::2]
    y2[1] = 5 * c[0]
    z[:3], z[3:6] = z[3:6], z[:3]
    return (z * np.arange(12)).sum()
""",
    "flip_views": """
def f(a, b, c):
    z = np.zeros((4, 5))
    z[:, ::-1][1:, 0] = a[1:, 0]
    z[::-1, ::-2][0, 0] += c[1]
    np.flipud(z)[0] += c
    g = z[::-1]
    g[0, 1:3] *= 2
    return (z ** 2 * np.arange(20).reshape(4, 5)).sum()
""",
    "neg_adv": """
def f(a, b, c):
    x = a.reshape(2, 2, 3)
    return (x[0, :, [0, 1]] * np.arange(4).reshape(2, 2)).sum() + (x[::-1, [0, 1]] * np.arange(12).reshape(2, 2, 3)).sum() + x[..., 0].sum() * x[:, None, 1, [0, 2]].prod()
""",
    "bool_scalar": """
def f(a, b, c):
    if (c > 0).any() and not np.all(c > 0) and c[0] != 0 and bool(c[0]):
        return np.where(c > 0)[0].sum() * c.sum() + len(np.nonzero(c > 0)[0]) * c[1] + np.argmax(c) * c[2]
""",
    "vec_math_in_lists": """
def f(a, b, c):
    xs = a.tolist()
    ws = [w.tolist() for w in b]
    s = 0
    for r in xs:
        s += math.tanh(sum(p * q for p, q in zip(r, [w[0] for w in ws])))
    return s + max(c) * min(c[0], c[1]) + round(2.6) + sorted(c)[1] ** 2 + pow(c[0], 2) + divmod(5, 2)[0]
""",
    "isinst_float": """
class V:
    def __init__(self, d): self.d = d
    def __mul__(self, o): return V(self.d * (o.d if isinstance(o, V) else o))
    def __rmul__(self, o): return self * o
    def __add__(self, o): return V(self.d + (o.d if isinstance(o, V) else o))
    __radd__ = __add__
def f(a, b, c):
    v = V(c[0]) * V(c[1]) + a[0, 0] * V(2.0)
    v = c[1] * v + c[2] + v
    return v.d
""",
    "np_sum_generator": """
def f(a, b, c):
    return np.sum([np.sum(w ** 2) for w in (a, b, c)]) + np.mean([c[0], c[1]]) + np.max([c[2], 0.1]) + sum(map(np.sum, [a, b]))
""",
    "dict_params_update": """
def f(a, b, c):
    p = {"W": b, "b": c}
    g = {k: np.zeros_like(v) for k, v in p.items()}
    m = {k: np.ones(v.shape) * 0.5 for k, v in p.items()}
    for k in p:
        m[k] = 0.9 * m[k] + 0.1 * p[k]
        g[k] += m[k] ** 2
    return sum(v.sum() for v in g.values())
""",
    "astype_float_label": """
def f(a, b, c):
    t = (y == np.arange(5)[:, None]).astype(np.float32)
    t2 = np.eye(5, dtype=int)[y]
    t3 = np.zeros((y.size, y.max() + 1)); t3[np.arange(y.size), y] = 1
    return (t.T * (a @ b)).sum() + (t2 * (a @ b)).sum() + (t3 @ c[:4]).sum()
""",
    "nan_safe": """
def f(a, b, c):
    d = np.sqrt(np.maximum(a - 100, 0) + 1) + np.nanmean(np.abs(a)) * 0
    return d.sum() + np.nansum(c)
""",
    "out_positional": """
def f(a, b, c):
    z = np.empty((4, 5)); z2 = np.zeros((4, 5))
    np.matmul(a, b, z); np.maximum(z, 0, out=z2); np.multiply(z2, c, out=z2)
    np.sum(z2, axis=0, out=z[0])
    np.clip(z2, 0, 1, out=z2)
    z[1:].clip(-1, 1, out=z[1:])
    return z.sum() + z2.mean()
""",
    "newaxis_matmul_batch": """
def f(a, b, c):
    x = a[np.newaxis, ...] @ np.stack([b, b * 2])
    d = np.dot(a.reshape(2, 2, 3), np.stack([b, b + 1]))
    return (x ** 2).sum() + (d * d).mean() + np.einsum("bij,bkj->bik", x, x)[1, 0].sum() + np.inner(a, a).sum()
""",
    "setflat": """
def f(a, b, c):
    z = np.zeros((2, 3))
    z.flat[2] = c[0] * c[1]
    z.flat[3:] = c[:3]
    z.fill(0) if False else None
    w = np.array(z, dtype=np.float64)
    w[...] = w * 2
    z[()] = z + 1
    return (w * z).sum()
""",
    "conv_im2col_strided": """
def f(a, b, c):
    x = a[None, None]
    N, C, H, W = x.shape
    cols = np.zeros((N, C, 2, 2, 3, 2))
    for i in range(2):
        for j in range(2):
            cols[:, :, i, j, :, :] = x[:, :, i:i + 3, j:j + 2]
    cols = cols.transpose(0, 4, 5, 1, 2, 3).reshape(N * 6, -1)
    return ((cols @ b.ravel()[:4].reshape(4, 1) + c[0]) ** 2).sum()
""",
    "pool_mask_writes": """
def f(a, b, c):
    z = (a @ b)[:, :4]
    out = np.zeros((2, 2))
    arg = np.zeros((2, 2), dtype=int)
    for i in range(2):
        for j in range(2):
            win = z[i*2:(i+1)*2, j*2:(j+1)*2]
            arg[i, j] = np.argmax(win)
            out[i, j] = win.flatten()[arg[i, j]]
    k = np.unravel_index(np.argmax(z), z.shape)
    return (out ** 2).sum() + z[k] + z.max() * z.flatten()[z.argmin()]
""",
    "tril_mask_inplace": """
def f(a, b, c):
    s = a @ a.T
    s[np.tril(np.ones((4, 4))) == 0] = float("-inf")
    e = np.exp(s - np.max(s, axis=-1, keepdims=True))
    p = e / np.sum(e, axis=-1, keepdims=True)
    p = np.where(np.isnan(p), 0, p)
    return np.sum(p @ a @ b)
""",
    "from_numpy_names": """
from numpy import exp, dot, array, zeros, sqrt as root
import numpy.linalg as la
import numpy.random as rnd
from numpy.random import randn, seed
from math import exp as mexp, sqrt
def f(a, b, c):
    seed(0)
    z = dot(a, b) + randn(5) + rnd.rand(4, 1)
    return exp(z).sum() / root(la.norm(z)) + mexp(c[0]) + sqrt(c[1] ** 2 + 1) + array([c[2], zeros(1)[0]]).sum()
""",
    "gumbel_reparam": """
def f(a, b, c):
    rng = np.random.RandomState(0)
    g = rng.gumbel(size=(4, 5))
    z = ((a @ b) + g) / 0.5
    p = np.exp(z) / np.exp(z).sum(1)[:, None]
    i = rng.choice(4, 2, replace=False)
    return (p[i] ** 2).sum() + np.random.RandomState(1).permutation(4)[0] * c[0] + rng.normal(size=5) @ c
""",
    "deepcopy_state": """
import copy
def f(a, b, c):
    st = copy.deepcopy({"h": c})
    st["h"] += 1
    s2 = copy.copy(a)
    s2[0] = 0
    return st["h"].prod() + s2.sum() + c.sum() + a.sum() * b.sum()
""",
    "size_checks": """
def f(a, b, c):
    assert a.shape[1] == b.shape[0] and np.shape(a) == (4, 3) and np.ndim(c) == 1 and np.size(b) == 15
    assert np.allclose(a, a) and np.isfinite(a).all() and not np.isnan(a).any() and (a == a).all()
    assert np.array_equal(a, a) and a.dtype.kind == "f" and a.nbytes == 96 and a.itemsize == 8
    np.testing.assert_allclose(a, a)
    return a.sum() * b.sum() + c @ c
""",
    "minimum_where_chain": """
def f(a, b, c):
    z = a @ b
    h = np.where(z < -1, -1, np.where(z > 1, 1, z))
    q = np.minimum(np.maximum(z, 0), 6)
    r = np.clip(z * 0.2 + 0.5, 0, 1) * z
    return h.sum() + q.sum() + r.sum() + np.fmax(z, 0).sum() + (z * np.heaviside(z, 0)).sum() + np.abs(np.sign(z) * z).sum()
""",
    "mixed_where_scalar": """
def f(a, b, c):
    eps = np.finfo(float).eps
    z = np.where(np.abs(c) < eps, eps, c)
    return (1 / z).sum() + np.log(np.clip(np.abs(z), eps, None)).sum() + np.float32(0.5) * c.sum() + np.pi * np.e
""",
    "ufunc_outer_at_reduce": """
def f(a, b, c):
    d = np.subtract.outer(c, c)
    np.add.at(d, (np.array([0, 0]), np.array([1, 1])), c[:2])
    np.add.at(d, np.eye(5, dtype=bool), c[0] ** 2)
    return np.add.reduce(d, axis=None) + np.add.reduce(d ** 2, (0, 1)) + np.maximum.accumulate(c)[-1]
""",
    "diag_views": """
def f(a, b, c):
    s = a @ a.T
    np.fill_diagonal(s, 0)
    d = np.diag(c) + np.diagflat(c[:5]) + np.eye(5) * c
    d[np.diag_indices(5)] += 1
    d[range(4), range(1, 5)] = c[1:]
    return s.sum() + (d ** 2).sum() + np.diagonal(d).prod() + d.trace()
""",
    "stack_list_hist": """
def f(a, b, c):
    hist = [c[:3]]
    for t in range(3):
        hist.append(np.tanh(hist[-1] + a[t]))
    H = np.stack(hist)
    V = np.vstack(hist[1:])
    C = np.concatenate(hist)
    return (H[1:] * V).sum() + C[::2].sum() + np.asarray(hist)[-1, 0] + np.array(hist).T[0, 0] + np.mean(hist)
""",
    "int_param": """
def f(a, b, c):
    k = np.arange(1, 6)
    return (c * k).sum() / len(k) + (c ** k).sum() + (k / 2 * c).sum() + (c // 1).sum() + (c % 2).sum() + np.mod(c, 3).sum() + np.round(c, 1).sum() + np.trunc(c).sum()
""",
    "scalar_conv": """
def f(a, b, c):
    return float(c[0]) * int(3.7) + np.float64(c[1]) + c[2].item() ** 2 + a.item(3) + a.item((1, 2)) + np.asarray(c[3]) + np.array(c[4]) * c.mean()
""",
    "put_along": """
def f(a, b, c):
    z = a @ b
    i = np.argsort(z, axis=1)[:, -2:]
    out = np.full_like(z, -10.0)
    np.put_along_axis(out, i, np.take_along_axis(z, i, axis=1), axis=1)
    e = np.exp(out)
    return (e / e.sum(axis=1, keepdims=True) * c).sum() + np.take(z, [0, 1], axis=1).sum() + np.take(c, 2)
""",
    "min_char_rnn": """
def lossFun(inputs, targets, hprev, Wxh, Whh, Why, bh, by):
  xs, hs, ys, ps = {}, {}, {}, {}
  hs[-1] = np.copy(hprev)
  loss = 0
  for t in range(len(inputs)):
    xs[t] = np.zeros((3,1))
    xs[t][inputs[t]] = 1
    hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t-1]) + bh)
    ys[t] = np.dot(Why, hs[t]) + by
    ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
    loss += -np.log(ps[t][targets[t],0])
  return loss
def f(a, b, c):
    return lossFun([0, 1, 2], [1, 2, 0], np.zeros((5, 1)), b.T, np.outer(c, c), a[:3].T[:, [0]] @ c[None], c[:, None], a[:3, :1])
""",
    "dict_int_keys": """
def f(a, b, c):
    cache = {}
    for i in np.arange(4):
        cache[i] = a[i] @ b
    names = [0] * np.int64(3) + [0] * y.max()
    assert len(names) == 3 + y.max()
    k = np.argmax(c)
    d = {k: 2.0}
    return sum(v.sum() for v in cache.values()) + cache[2][0] * d[np.argmax(c)] + cache[int(k) % 4].mean()
""",
    "nielsen": """
class Network(object):
    def __init__(self, sizes):
        np.random.seed(0)
        self.biases = [np.random.randn(y_, 1) for y_ in sizes[1:]]
        self.weights = [np.random.randn(y_, x) for x, y_ in zip(sizes[:-1], sizes[1:])]
def sigmoid(z):
    return 1.0/(1.0+np.exp(-z))
def f(a, b, c):
    net = Network([3, 5, 2])
    net.weights[0] = b.T
    activation = a[0][:, None]
    activations, zs = [activation], []
    for bb, w in zip(net.biases, net.weights):
        z = np.dot(w, activation)+bb
        zs.append(z)
        activation = sigmoid(z)
        activations.append(activation)
    return 0.5*np.linalg.norm(activations[-1]-np.array([[1],[0]]))**2 + np.sum(np.nan_to_num(-activations[1]*np.log(activations[1]))) + c[0]
""",
    "cs231n_conv": """
def f(a, b, c):
    x = np.stack([a, a * 2])[:, None]; w = b[:2, :2][None, None]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    pad, stride = 1, 1
    Hp = int(1 + (H + 2 * pad - HH) / stride)
    Wp = int(1 + (W + 2 * pad - WW) / stride)
    xp = np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)], 'constant')
    out = np.zeros((N, F, Hp, Wp))
    for n in range(N):
        for k in range(F):
            for i in range(Hp):
                for j in range(Wp):
                    out[n, k, i, j] = np.sum(xp[n, :, i*stride:i*stride+HH, j*stride:j*stride+WW] * w[k, :]) + c[k]
    return (out ** 2).sum()
""",
    "cs231n_lstm": """
def sigmoid(x):
    pos_mask = x >= 0
    neg_mask = x < 0
    z = np.zeros_like(x)
    z[pos_mask] = np.exp(-x[pos_mask])
    z[neg_mask] = np.exp(x[neg_mask])
    top = np.ones_like(x)
    top[neg_mask] = z[neg_mask]
    return top / (1 + z)
def f(a, b, c):
    x = a.reshape(2, 2, 3)
    N, T, D = x.shape
    H = 1
    h, cc = np.zeros((N, T, H)), np.zeros((N, T, H))
    prev_h = np.zeros((N, H)); prev_c = np.zeros(prev_h.shape)
    for t in range(T):
        act = x[:, t].dot(b[:, :4]) + prev_h.dot(c[None, :4]) + c[:4]
        ai, af, ao, ag = np.array_split(act, 4, axis=1)
        i, ff, o, g = sigmoid(ai), sigmoid(af), sigmoid(ao), np.tanh(ag)
        prev_c = ff * prev_c + i * g
        prev_h = o * np.tanh(prev_c)
        h[:, t, :], cc[:, t, :] = prev_h, prev_c
    return (h * cc).sum()
""",
    "spatial_bn": """
def f(a, b, c):
    x = np.stack([a, a ** 2]).reshape(2, 2, 3, 2)
    N, C, H, W = x.shape
    xr = x.transpose(0, 2, 3, 1).reshape(-1, C)
    mu = xr.mean(axis=0); xc = xr - mu; v = np.mean(xc ** 2, axis=0)
    out = (xc / np.sqrt(v + 1e-5) * c[:2] + c[2:4]).reshape(N, H, W, C).transpose(0, 3, 1, 2)
    return (out ** 3).sum()
""",
    "andrew_ng": """
def f(a, b, c):
    X, Y = a.T, (np.arange(4) % 2).reshape(1, 4)
    m = X.shape[1]
    parameters = {"W1": b.T, "b1": c.reshape(5, 1), "W2": np.outer(c[:1], c)}
    L = len(parameters) // 2
    Z1 = np.dot(parameters["W" + str(1)], X) + parameters["b1"]
    A1 = np.maximum(0, Z1); assert(A1.shape == Z1.shape)
    A2 = 1/(1+np.exp(-np.dot(parameters["W2"], A1)))
    cost = (-1 / m) * np.sum(np.multiply(Y, np.log(A2)) + np.multiply(1 - Y, np.log(1 - A2)))
    cost = np.squeeze(cost)
    cost += 0.1 / (2 * m) * (np.sum(np.square(parameters["W1"])) + np.sum(np.square(parameters["W2"])))
    return float(cost)
""",
    "micrograd_like": """
class Value:
    def __init__(self, data): self.data = np.asarray(data)
    def __add__(self, o):
        o = o if isinstance(o, Value) else Value(o)
        return Value(self.data + o.data)
    def __radd__(self, o): return self + o
    def __matmul__(self, o): return Value(self.data @ o.data)
    def __mul__(self, o):
        assert isinstance(o, (int, float, Value))
        return Value(self.data * (o.data if isinstance(o, Value) else o))
    __array_priority__ = 2000
def f(a, b, c):
    A, B = Value(a), Value(b)
    h = (A @ B) * 2 + c
    h = h * c.mean()
    return (h.data ** 2).mean()
""",
    "llm_c_layernorm": """
def f(a, b, c):
    eps = 1e-5
    x = (a @ b).reshape(2, 2, 5)
    B, T, C = x.shape
    mean = x.sum(-1, keepdims=True) / C
    xshift = x - mean
    var = (xshift**2).sum(-1, keepdims=True) / C
    rstd = (var + eps) ** -0.5
    norm = xshift * rstd
    out = norm * c + c
    return (out ** 2).sum() + (norm - 1).mean(-1, keepdims=True).sum()
""",
    "where_2d_lists": """
def f(a, b, c):
    idx = np.where(a > 0)
    r, k = np.nonzero(a > 0.5)
    z = a.copy(); z[idx] = -z[idx]
    z[r, k] *= 2
    pairs = list(zip(*idx))
    return z.sum() * b.sum() + len(pairs) * c[0] + sum(a[i, j] for i, j in pairs)
""",
    "trask": """
def nonlin(x, deriv=False):
    if deriv == True:
        return x * (1 - x)
    return 1 / (1 + np.exp(-x))
def f(a, b, c):
    np.random.seed(1)
    syn0 = 2 * np.random.random((3, 5)) - 1 + b
    l1 = nonlin(np.dot(a, syn0)); l2 = nonlin(np.dot(l1, c.reshape(5, 1)))
    l2_error = np.array([[0, 1, 1, 0]]).T - l2
    print("Error:" + str(np.mean(np.abs(l2_error)))[:0], end="")
    return np.mean(np.abs(l2_error)) + (l2_error * nonlin(l2, deriv=True)).sum()
""",
    "dtypes": """
from typing import Optional
from collections import defaultdict
from dataclasses import dataclass
@dataclass
class P:
    lr: float = 0.1
    w: Optional[float] = None
def g(x: float, n: "float | None" = None) -> float: return x
def f(a, b, c):
    assert a.dtype == float and a.dtype == np.float64 and a.dtype is np.dtype(float) and np.issubdtype(a.dtype, np.floating)
    assert np.finfo(a.dtype).eps < 1e-10 and np.finfo(float).max > 1 and np.iinfo(np.int64).max > 3
    assert np.zeros(3, a.dtype).dtype == a.dtype and np.random.default_rng(0).random(3, dtype=np.float32).dtype == np.float32
    assert isinstance(3.0, float) and float("nan") != 1 and float.__name__ == "float" and isinstance(np.float64(2), np.float64)
    assert type(1.0) == float and type(1.0) in (int, float) and issubclass(np.float64, float)
    d = defaultdict(float); d["x"] += c[0]; d["y"] += 1
    t = (float | None)
    x = np.array([1, 2], dtype=float); z = np.ones((2,), np.float32).astype("float64")
    assert x.dtype == np.float64 and np.asarray([1, 2], float).dtype == float and np.arange(3, dtype=float).dtype == float
    assert np.zeros(2, "f8").dtype == float and np.eye(2, dtype=np.float32).dtype == np.float32
    assert float(3) == 3.0 and float(np.ones(1)[0]) == 1.0 and list(map(float, [1, 2])) == [1.0, 2.0]
    return d["x"] + g(P(lr=c[1]).lr) + (x * z).sum() + np.float32(1) * a.sum()
""",
    "type_checks": """
def f(a, b, c):
    s = a.sum()
    assert isinstance(s, np.floating) and isinstance(s, (int, float, np.number)) and np.isscalar(s) and not isinstance(s, np.ndarray)
    assert isinstance(a, (np.ndarray, list)) and hasattr(a, "shape") and hasattr(a, "__len__") and not hasattr(a, "foo")
    assert isinstance(c[0], float) and not isinstance(c, float)
    k = np.argmax(c)
    assert isinstance(k, np.integer) and isinstance((c > 0)[0], np.bool_)
    return s * c.sum()
""",
    "local_import": """
def f(a, b, c):
    import numpy as np2
    z = np2.tanh(np2.dot(a, b) + c)
    z = np2.concatenate([z, np2.ones((4, 1))], axis=1)
    w = np2.where(z > 0, z, 0.1 * z)
    return np2.sum(w ** 2) + np2.linalg.norm(a) + np2.einsum("ij,jk->", a, b) + np2.exp(c).mean() + np2.maximum(c, 0).max()
""",
    "default_args": """
def layer(x, w, act=np.tanh, agg=np.mean, stack=np.stack): return agg(act(stack([x @ w, x @ w])))
ACTS = {"relu": lambda z: np.maximum(z, 0), "tanh": np.tanh, "exp": np.exp}
def f(a, b, c):
    return layer(a, b) + sum(ACTS[k](c).sum() for k in ACTS)
""",
    "contextless_globals": """
EYE = np.eye(5)
MASK = np.tril(np.ones((4, 4)))
def f(a, b, c):
    s = (a @ a.T) * MASK
    return (EYE[y] * (a @ b)).sum() + s.sum() + (EYE @ c).sum() + (MASK @ a).mean() + EYE[0].dot(c) + np.dot(MASK, a).sum()
""",
    "views_of_views": """
def f(a, b, c):
    z = np.zeros((2, 3, 4))
    v = z[1].T[1:][:, ::2]
    v[0] = c[:2]
    v[-1, -1] = c[3]
    w = z.reshape(6, 4)[::-1][0:2, 1]
    w += a[:2, 0]
    q = np.swapaxes(z, 0, 2)[0]
    q[1] *= 3
    q[...] = q + 1
    np.squeeze(z[:1], 0)[2, 2] = 7 * c[4]
    np.expand_dims(z, 0)[0, 0, 0, 0] = c[2]
    for part in np.split(z, 3, axis=1):
        part[0, 0, 1] += 2
    z.ravel()[5:7] = a[0, 1:]
    z[0, 1] -= z[1, 1]
    return (z ** 2 * np.arange(24).reshape(2, 3, 4)).sum()
""",
    "augmented_everything": """
def f(a, b, c):
    z = a * 1.0
    z[0] += 1; z[:, 1] *= c[0]; z[1:3, ::2] -= 0.5; z[z > 1] /= 2; z[[0, 3], [1, 2]] **= 2
    z[-1][0] += c[1]; z.T[2] += c[:4]; z[..., 0] *= 2; z[None][0, 0, 0] += 3; z @ b
    d = {"w": z}
    d["w"] += 1
    lst = [z]
    lst[0] *= 2
    lst[0][0] -= z[1]
    return (z ** 2).sum() + (d["w"] is z)
""",
    "in_place_int_float": """
def f(a, b, c):
    counts = np.zeros(5, dtype=int)
    for k in y: counts[k] += 1
    counts += 1
    w = 1.0 / counts
    h = np.bincount(y, minlength=5)
    onehot = (np.arange(5) == y[:, None]).astype(int)
    return (w * c).sum() + (h * c).sum() + (onehot @ c).sum() + (a @ b)[onehot == 1].sum() + (a @ b)[onehot.astype(bool)].prod()
""",
    "scan_reverse": """
def f(a, b, c):
    dh = np.zeros(5)
    acc = np.zeros_like(b)
    for t in reversed(range(4)):
        dh = np.tanh(a[t] @ b + dh)
        acc += np.outer(a[t], dh)
    for t, (x, yy) in enumerate(zip(a, y)):
        acc[:, yy] += x
    for x in np.nditer(np.arange(3)):
        pass
    return (acc ** 2).sum() + sum(v for v in c.flat) + sum(i * v for i, v in enumerate(c))
""",
    "ndenumerate_ndindex": """
def f(a, b, c):
    out = np.zeros(a.shape)
    for i, j in np.ndindex(a.shape):
        out[i, j] = a[i, j] ** 2 if a[i, j] > 0 else -a[i, j]
    for idx in np.ndindex(*b.shape):
        out[0, 0] += b[idx]
    return out.sum() * c.mean()
""",
    "ndenumerate": """
def f(a, b, c):
    out = np.zeros(a.shape)
    for (i, j), v in np.ndenumerate(a):
        out[i, j] = v * 2
    return (out ** 2).sum()
""",
    "stats": """
def f(a, b, c):
    z = (a - a.mean(0)) / a.std(0)
    cov = z.T @ z / 4
    return np.linalg.det(cov + np.eye(3)) + np.corrcoef(a.T)[0, 1] + np.var(b, axis=(0, 1)) + b.std() + np.linalg.eigh(cov)[0].max() + np.trace(np.linalg.pinv(a) @ a)*c[0] + np.linalg.svd(b, compute_uv=False)[0] + np.linalg.matrix_power(cov, 3).sum()
""",
    "apply_lambda": """
def f(a, b, c):
    rows = np.apply_along_axis(lambda r: r / np.sqrt((r ** 2).sum()), 1, a)
    v = np.array([np.exp(x) for x in c]) / sum(np.exp(x) for x in c)
    m = np.array(list(map(lambda r: r @ b, a)))
    n = np.fromiter((1.0 for _ in range(3)), float)
    return (rows @ b).sum() + (v * c).sum() + (m ** 2).sum() + n.sum()
""",
    "outer_loops_sum_inplace_scalar": """
def f(a, b, c):
    loss = 0.
    l2 = np.float64(0)
    cnt = np.array(0.0)
    tot = np.zeros(1)
    for i in range(4):
        loss += (a[i] ** 2).sum()
        l2 += np.dot(a[i], b).max()
        cnt += a[i, 0]
        tot += a[i, 1] ** 2
        tot[0] += c[i]
    return loss + l2 + cnt + tot[0] + tot.item() + float(tot.sum())
""",
}
