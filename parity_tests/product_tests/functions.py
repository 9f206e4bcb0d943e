"""Custom autograd functions as people write them, each with mistakes that they make in them.

`CASES` has for each the class, its inputs, and its mistakes: a part of the source, what stands
there instead, and the kind of cause of each gradient that is then wrong.
"""

# ruff: noqa: A001, A002 (PyTorch's own examples call it `input`)

import inspect
import math
from typing import Any

import torch
from torch.autograd import Function


class Exp(Function):
    @staticmethod
    def forward(ctx, i):
        result = i.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, grad_output):
        (result,) = ctx.saved_tensors
        return grad_output * result


class MyReLU(Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return input.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[input < 0] = 0
        return grad_input


class Linear(Function):
    @staticmethod
    def forward(input, weight, bias):
        output = input.mm(weight.t())
        if bias is not None:
            output += bias.unsqueeze(0).expand_as(output)
        return output

    @staticmethod
    def setup_context(ctx, inputs, output):
        input, weight, bias = inputs
        ctx.save_for_backward(input, weight, bias)

    @staticmethod
    def backward(ctx, grad_output):
        input, weight, bias = ctx.saved_tensors
        grad_input = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_input = grad_output.mm(weight)
        if ctx.needs_input_grad[1]:
            grad_weight = grad_output.t().mm(input)
        if bias is not None and ctx.needs_input_grad[2]:
            grad_bias = grad_output.sum(0)
        return grad_input, grad_weight, grad_bias


class MulConstant(Function):
    @staticmethod
    def forward(tensor, constant):
        return tensor * constant

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, constant = inputs
        ctx.constant = constant

    @staticmethod
    def backward(ctx, grad_output):
        return grad_output * ctx.constant, None


class Softmax(Function):
    @staticmethod
    def forward(ctx, x, dim=-1):
        e = torch.exp(x - x.max(dim, keepdim=True).values)
        p = e / e.sum(dim, keepdim=True)
        ctx.save_for_backward(p)
        ctx.dim = dim
        return p

    @staticmethod
    def backward(ctx, g):
        (p,) = ctx.saved_tensors
        return p * (g - (g * p).sum(ctx.dim, keepdim=True)), None


class LogSoftmax(Function):
    @staticmethod
    def forward(ctx, x):
        out = x - x.logsumexp(1, keepdim=True)
        ctx.save_for_backward(out)
        return out

    @staticmethod
    def backward(ctx, g):
        (out,) = ctx.saved_tensors
        return g - out.exp() * g.sum(1, keepdim=True)


class LayerNorm(Function):
    @staticmethod
    def forward(ctx, x, weight, bias, eps):
        mean = x.mean(-1, keepdim=True)
        rstd = 1 / torch.sqrt(x.var(-1, keepdim=True, unbiased=False) + eps)
        xhat = (x - mean) * rstd
        ctx.save_for_backward(xhat, weight, rstd)
        return xhat * weight + bias

    @staticmethod
    def backward(ctx, dy):
        xhat, weight, rstd = ctx.saved_tensors
        dxhat = dy * weight
        m1 = dxhat.mean(-1, keepdim=True)
        m2 = (dxhat * xhat).mean(-1, keepdim=True)
        dx = rstd * (dxhat - m1 - xhat * m2)
        dweight = (dy * xhat).sum(0)
        dbias = dy.sum(0)
        return dx, dweight, dbias, None


class Huber(Function):
    @staticmethod
    def forward(ctx, pred, target, delta=1.0):
        d = pred - target
        ctx.save_for_backward(d)
        ctx.delta = delta
        small = d.abs() <= delta
        return torch.where(small, 0.5 * d * d, delta * (d.abs() - 0.5 * delta)).mean()

    @staticmethod
    def backward(ctx, g):
        (d,) = ctx.saved_tensors
        slope = d.clamp(-ctx.delta, ctx.delta) / d.numel()
        return g * slope, -g * slope, None


class Embedding(Function):
    @staticmethod
    def forward(ctx, indices, weight):
        ctx.save_for_backward(indices)
        ctx.rows = weight.shape[0]
        return weight[indices]

    @staticmethod
    def backward(ctx, grad_out):
        (indices,) = ctx.saved_tensors
        grad_weight = grad_out.new_zeros(ctx.rows, grad_out.shape[-1])
        grad_weight.index_add_(0, indices, grad_out)
        return None, grad_weight


class BatchedMatmul(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a @ b

    @staticmethod
    def backward(ctx, g):
        a, b = ctx.saved_tensors
        return g @ b.mT, (a.mT @ g).sum(0)


class AddBias(Function):
    @staticmethod
    def forward(ctx, x, bias):
        return x + bias

    @staticmethod
    def backward(ctx, g):
        return g, g.sum(0)


class Scale(Function):
    @staticmethod
    def forward(ctx, x, gamma):
        ctx.save_for_backward(x, gamma)
        return x * gamma

    @staticmethod
    def backward(ctx, g):
        x, gamma = ctx.saved_tensors
        return g * gamma, (g * x).sum()


class Sigmoid(Function):
    @staticmethod
    def forward(ctx, x):
        s = 1 / (1 + torch.exp(-x))
        ctx.save_for_backward(s)
        return s

    @staticmethod
    def backward(ctx, g):
        (s,) = ctx.saved_tensors
        return g * s * (1 - s)


class Tanh(Function):
    @staticmethod
    def forward(ctx, x):
        y = torch.tanh(x)
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return g * (1 - y**2)


class LegendrePolynomial3(Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


class SinCos(Function):
    @staticmethod
    def forward(ctx, x):
        s, c = x.sin(), x.cos()
        ctx.save_for_backward(s, c)
        return s, c

    @staticmethod
    def backward(ctx, gs, gc):
        s, c = ctx.saved_tensors
        return gs * c - gc * s


class MaxAlong(Function):
    @staticmethod
    def forward(ctx, x, dim):
        values, indices = x.max(dim)
        ctx.save_for_backward(indices)
        ctx.mark_non_differentiable(indices)
        ctx.dim, ctx.shape = dim, x.shape
        return values, indices

    @staticmethod
    def backward(ctx, g, _):
        (indices,) = ctx.saved_tensors
        grad = g.new_zeros(ctx.shape)
        grad.scatter_(ctx.dim, indices.unsqueeze(ctx.dim), g.unsqueeze(ctx.dim))
        return grad, None


class LeakyInPlace(Function):
    @staticmethod
    def forward(ctx, x, slope):
        ctx.save_for_backward(x > 0)
        ctx.slope = slope
        x.copy_(torch.where(x > 0, x, slope * x))
        ctx.mark_dirty(x)
        return x

    @staticmethod
    def backward(ctx, g):
        (positive,) = ctx.saved_tensors
        return torch.where(positive, g, ctx.slope * g), None


class Attention(Function):
    @staticmethod
    def forward(ctx, q, k, v):
        scale = 1 / math.sqrt(q.shape[-1])
        p = torch.softmax(q @ k.mT * scale, -1)
        ctx.save_for_backward(q, k, v, p)
        ctx.scale = scale
        return p @ v

    @staticmethod
    def backward(ctx, do):
        q, k, v, p = ctx.saved_tensors
        dv = p.mT @ do
        dp = do @ v.mT
        ds = p * (dp - (dp * p).sum(-1, keepdim=True)) * ctx.scale
        return ds @ k, ds.mT @ q, dv


class MSELoss(Function):
    @staticmethod
    def forward(ctx, y_pred, y):
        ctx.save_for_backward(y_pred, y)
        return ((y_pred - y) ** 2).mean()

    @staticmethod
    def backward(ctx, grad_output):
        y_pred, y = ctx.saved_tensors
        grad_input = 2 * (y_pred - y) / y_pred.numel()
        return grad_output * grad_input, None


class Dropout(Function):
    @staticmethod
    def forward(ctx, x, p):
        mask = (torch.rand(x.shape, dtype=torch.float64) > p).to(x.dtype) / (1 - p)
        ctx.save_for_backward(mask)
        return x * mask

    @staticmethod
    def backward(ctx, g):
        (mask,) = ctx.saved_tensors
        return g * mask, None


class CumSum(Function):
    @staticmethod
    def forward(ctx, x):
        return x.cumsum(1)

    @staticmethod
    def backward(ctx, g):
        return g.flip(1).cumsum(1).flip(1)


class Gelu(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        cdf = 0.5 * (1 + torch.erf(x / math.sqrt(2)))
        pdf = torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
        return g * (cdf + x * pdf)


class LogSumExp(Function):
    @staticmethod
    def forward(ctx, x):
        m = x.max(1, keepdim=True).values
        out = m.squeeze(1) + (x - m).exp().sum(1).log()
        ctx.save_for_backward(x, out)
        return out

    @staticmethod
    def backward(ctx, g):
        x, out = ctx.saved_tensors
        return g.unsqueeze(1) * (x - out.unsqueeze(1)).exp()


class AvgPool(Function):
    @staticmethod
    def forward(ctx, image, k):
        n, c, h, w = image.shape
        ctx.k = k
        return image.reshape(n, c, h // k, k, w // k, k).mean((3, 5))

    @staticmethod
    def backward(ctx, g):
        k = ctx.k
        return g.repeat_interleave(k, 2).repeat_interleave(k, 3) / (k * k), None


class Softplus(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.log1p(torch.exp(x))

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * torch.sigmoid(x)


class Upcast(Function):
    """Computes in float32 for the sake of bfloat16, as kernels do."""

    @staticmethod
    def forward(ctx, x, weight):
        wide = x.float()
        r = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-5)
        ctx.save_for_backward(x, weight, r)
        return (wide * r).to(x.dtype) * weight

    @staticmethod
    def backward(ctx, g):
        x, weight, r = ctx.saved_tensors
        hat = x.float() * r
        dhat = (g * weight).float()
        dx = r * (dhat - hat * (dhat * hat).mean(-1, keepdim=True))
        return dx.to(x.dtype), (g * hat.to(g.dtype)).sum(0)


class Distance(Function):
    @staticmethod
    def forward(ctx, a, b):
        diff = a[:, None, :] - b[None, :, :]
        out = diff.pow(2).sum(-1).sqrt()
        ctx.save_for_backward(diff, out)
        return out

    @staticmethod
    def backward(ctx, g):
        diff, out = ctx.saved_tensors
        unit = diff / out[..., None]
        return (g[..., None] * unit).sum(1), -(g[..., None] * unit).sum(0)


class ScatterMean(Function):
    @staticmethod
    def forward(ctx, src, index, size):
        count = torch.bincount(index, minlength=size).clamp(min=1).to(src.dtype)
        ctx.save_for_backward(index, count)
        out = src.new_zeros(size, src.shape[1]).index_add(0, index, src)
        return out / count[:, None]

    @staticmethod
    def backward(ctx, g):
        index, count = ctx.saved_tensors
        return (g / count[:, None])[index], None, None


def drawn(*shape, seed=0):
    """Return numbers that are drawn at random, the same each time."""
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=rng, dtype=torch.float64)


X, INDICES = drawn(6, 5), torch.tensor([0, 2, 2, 1, 2, 3])
QKV = (drawn(2, 4, 3), drawn(2, 5, 3, seed=1), drawn(2, 5, 6, seed=2))
NORM = (X, drawn(5, seed=1), drawn(5, seed=2), 1e-5)
CASES: dict[str, Any] = {
    "exp": (Exp, (X,), [("grad_output * result", "grad_output", {"i": "missing-derivative"})]),
    "relu": (MyReLU, (X,), [("input < 0", "input > 0", {"input": None})]),
    "linear": (
        Linear,
        (X, drawn(5, 5), drawn(5, seed=1)),
        [
            ("grad_output.mm(weight)", "grad_output.mm(weight.t())", {"input": "transposed"}),
            ("t().mm(input)", "t().mm(input).t()", {"weight": "transposed"}),
            ("grad_output.sum(0)", "grad_output.mean(0)", {"bias": None}),
            ("grad_output.sum(0)", "-grad_output.sum(0)", {"bias": "sign"}),
        ],
    ),
    "linear_without_bias": (
        Linear,
        (X, drawn(3, 5), None),
        [("t().mm(input)", "t().mm(-input)", {"weight": "sign"})],
    ),
    "mul_constant": (
        MulConstant,
        (X, 5.5),
        [("grad_output * ctx.constant", "grad_output", {"tensor": None})],
    ),
    "softmax": (
        Softmax,
        (X, 1),
        [("(g - (g * p).sum(ctx.dim, keepdim=True))", "g * (1 - p)", {"x": None})],
    ),
    "log_softmax": (LogSoftmax, (X,), [("g - out.exp()", "g - out", {"x": None})]),
    "layer_norm": (
        LayerNorm,
        NORM,
        [
            ("dxhat - m1 - xhat * m2", "dxhat - xhat * m2", {"x": None}),
            ("(dy * xhat).sum(0)", "(dxhat * xhat).sum(0)", {"weight": None}),
            ("dy.sum(0)", "dy", {}),
        ],
    ),
    "huber": (
        Huber,
        (3 * X, drawn(6, 5, seed=1), 1.0),
        [
            (" / d.numel()", "", {"pred": "factor", "target": "factor"}),
            ("-g * slope", "g * slope", {"target": "sign"}),
        ],
    ),
    "embedding": (
        Embedding,
        (INDICES, drawn(4, 5)),
        [
            (
                "index_add_(0, indices, grad_out)",
                "index_copy_(0, indices, grad_out)",
                {"weight": None},
            )
        ],
    ),
    "batched_matmul": (
        BatchedMatmul,
        (QKV[0], drawn(3, 5)),
        [("(a.mT @ g).sum(0)", "(a.mT @ g).mean(0)", {"b": None})],
    ),
    "add_bias": (AddBias, (X, drawn(5)), [("g.sum(0)", "g.sum(1)", {"bias": "shape"})]),
    "scale": (Scale, (X, drawn()), [("(g * x).sum()", "(g * gamma).sum()", {"gamma": None})]),
    "sigmoid": (Sigmoid, (X,), [("g * s * (1 - s)", "g * (1 - s)", {"x": None})]),
    "tanh": (
        Tanh,
        (X,),
        [("1 - y**2", "1 - y", {"x": None}), ("y**2)", "y**2) * 2", {"x": "factor"})],
    ),
    "legendre": (LegendrePolynomial3, (X,), [("1.5 *", "3 *", {"input": "factor"})]),
    "sin_cos": (SinCos, (X,), [("gs * c - gc * s", "gs * c + gc * s", {"x": "wrong-derivative"})]),
    "max": (MaxAlong, (X, 1), [("g.unsqueeze(ctx.dim))", "-g.unsqueeze(ctx.dim))", {"x": "sign"})]),
    "leaky_in_place": (LeakyInPlace, (X, 0.1), [("ctx.slope * g", "0 * g", {"x": None})]),
    "attention": (
        Attention,
        QKV,
        [
            (" * ctx.scale", "", {"q": "factor", "k": "factor"}),
            ("p.mT @ do", "-p.mT @ do", {"v": "sign"}),
        ],
    ),
    "mse": (MSELoss, (X, drawn(6, 5, seed=1)), [("2 * (", "(", {"y_pred": "factor"})]),
    "dropout": (Dropout, (X, 0.5), [("g * mask", "g * (mask > 0)", {"x": "factor"})]),
    "cumsum": (CumSum, (X,), [("g.flip(1).cumsum(1).flip(1)", "g.cumsum(1)", {"x": None})]),
    "gelu": (Gelu, (X,), [("cdf + x * pdf", "cdf", {"x": None})]),
    "logsumexp": (LogSumExp, (X,), [("g.unsqueeze(1) * ", "", {"x": None})]),
    "avg_pool": (AvgPool, (drawn(2, 1, 6, 4), 2), [(" / (k * k)", "", {"image": "factor"})]),
    "softplus": (Softplus, (X,), [("torch.sigmoid(x)", "torch.sigmoid(-x)", {"x": None})]),
    "upcast": (Upcast, (X, drawn(5)), [("(g * hat.to(g.dtype))", "g", {"weight": None})]),
    "distance": (Distance, (X, drawn(3, 5)), [(", -(g", ", (g", {"b": "sign"})]),
    "scatter_mean": (ScatterMean, (X, INDICES, 4), [("(g / count[:, None])", "g", {"src": None})]),
}


def in_dtype(inputs, dtype):
    """Return inputs with their real tensors in a dtype."""
    return [
        a.to(dtype) if isinstance(a, torch.Tensor) and a.is_floating_point() else a for a in inputs
    ]


def planted(function, old, new):
    """Return a class like `function` with another part of its source."""
    source = inspect.getsource(function)
    assert old in source
    names = dict(globals())
    exec(source.replace(old, new), names)
    return names[function.__name__]
