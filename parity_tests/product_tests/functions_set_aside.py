"""Eight functions that were set aside before `check_function` was written: how it does on them.

Each has a right backward pass and one with a mistake that people make.
"""

import torch
from torch.autograd import Function


class Swish(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad_output * (s + x * s * (1 - s))


class WrongSwish(Swish):
    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad_output * (s + s * (1 - s))


class Normalize(Function):
    @staticmethod
    def forward(ctx, x, dim):
        norm = x.norm(dim=dim, keepdim=True)
        y = x / norm
        ctx.save_for_backward(y, norm)
        ctx.dim = dim
        return y

    @staticmethod
    def backward(ctx, grad_output):
        y, norm = ctx.saved_tensors
        inner = (grad_output * y).sum(ctx.dim, keepdim=True)
        return (grad_output - y * inner) / norm, None


class WrongNormalize(Normalize):
    @staticmethod
    def backward(ctx, grad_output):
        _, norm = ctx.saved_tensors
        return grad_output / norm, None


class Conv1d(Function):
    @staticmethod
    def forward(ctx, x, kernel):
        ctx.save_for_backward(x, kernel)
        return x.unfold(1, len(kernel), 1) @ kernel

    @staticmethod
    def backward(ctx, grad_output):
        x, kernel = ctx.saved_tensors
        windows = x.unfold(1, len(kernel), 1)
        grad_kernel = torch.einsum("no,nok->k", grad_output, windows)
        grad_x = torch.zeros_like(x)
        for i in range(grad_output.shape[1]):
            grad_x[:, i : i + len(kernel)] += grad_output[:, i : i + 1] * kernel
        return grad_x, grad_kernel


class WrongConv1d(Conv1d):
    @staticmethod
    def backward(ctx, grad_output):
        x, kernel = ctx.saved_tensors
        windows = x.unfold(1, len(kernel), 1)
        grad_kernel = torch.einsum("no,nok->k", grad_output, windows)
        grad_x = torch.zeros_like(x)
        for i in range(grad_output.shape[1]):
            grad_x[:, i : i + len(kernel)] = grad_output[:, i : i + 1] * kernel
        return grad_x, grad_kernel


class CrossEntropy(Function):
    @staticmethod
    def forward(ctx, logits, labels):
        p = torch.softmax(logits, 1)
        ctx.save_for_backward(p, labels)
        return -torch.log(p[torch.arange(len(labels)), labels]).mean()

    @staticmethod
    def backward(ctx, grad_output):
        p, labels = ctx.saved_tensors
        grad = p.clone()
        grad[torch.arange(len(labels)), labels] -= 1
        return grad_output * grad / len(labels), None


class WrongCrossEntropy(CrossEntropy):
    @staticmethod
    def backward(ctx, grad_output):
        p, labels = ctx.saved_tensors
        grad = p.clone()
        grad[torch.arange(len(labels)), labels] -= 1
        return grad_output * grad, None


class Glu(Function):
    @staticmethod
    def forward(x):
        a, b = x.chunk(2, dim=-1)
        return a * b.sigmoid()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        a, b = x.chunk(2, dim=-1)
        s = b.sigmoid()
        return torch.cat([grad_output * s, grad_output * a * s * (1 - s)], -1)


class WrongGlu(Glu):
    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        a, b = x.chunk(2, dim=-1)
        s = b.sigmoid()
        return torch.cat([grad_output * a * s * (1 - s), grad_output * s], -1)


class Bilinear(Function):
    @staticmethod
    def forward(ctx, a, w, b):
        ctx.save_for_backward(a, w, b)
        return torch.einsum("ni,oij,nj->no", a, w, b)

    @staticmethod
    def backward(ctx, g):
        a, w, b = ctx.saved_tensors
        grad_a = torch.einsum("no,oij,nj->ni", g, w, b) if ctx.needs_input_grad[0] else None
        grad_w = torch.einsum("no,ni,nj->oij", g, a, b) if ctx.needs_input_grad[1] else None
        grad_b = torch.einsum("no,oij,ni->nj", g, w, a) if ctx.needs_input_grad[2] else None
        return grad_a, grad_w, grad_b


class WrongBilinear(Bilinear):
    @staticmethod
    def backward(ctx, g):
        a, w, b = ctx.saved_tensors
        grad_w = torch.einsum("no,ni,nj->oji", g, a, b)
        grad_a = torch.einsum("no,oij,nj->ni", g, w, b)
        return grad_a, grad_w, torch.einsum("no,oij,ni->nj", g, w, a)


class Clamp(Function):
    @staticmethod
    def forward(ctx, x, low, high):
        ctx.save_for_backward(x)
        ctx.low, ctx.high = low, high
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        inside = (x >= ctx.low) & (x <= ctx.high)
        return grad_output * inside, None, None


class WrongClamp(Clamp):
    @staticmethod
    def backward(ctx, grad_output):
        return grad_output, None, None


class RMSNorm(Function):
    @staticmethod
    def forward(ctx, x, weight, eps=1e-6):
        r = torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)
        ctx.save_for_backward(x, weight, r)
        return x * r * weight

    @staticmethod
    def backward(ctx, grad_output):
        x, weight, r = ctx.saved_tensors
        g, hat = grad_output * weight, x * r
        grad_x = r * (g - hat * (g * hat).mean(-1, keepdim=True))
        return grad_x, (grad_output * hat).sum(0), None


class WrongRMSNorm(RMSNorm):
    @staticmethod
    def backward(ctx, grad_output):
        x, weight, r = ctx.saved_tensors
        g, hat = grad_output * weight, x * r
        grad_x = r * (g - hat * (g * hat).sum(-1, keepdim=True))
        return grad_x, (grad_output * hat).sum(0), None


def drawn(*shape):
    """Return numbers that are drawn at random, the same for a shape each time."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


LABELS = torch.tensor([2, 0, 1, 1, 3, 2])
# The right function, the wrong one, the inputs, and what is wrong.
SET_ASIDE = {
    "swish": (Swish, WrongSwish, (drawn(6, 5),), {"grad_x"}),
    "normalize": (Normalize, WrongNormalize, (drawn(6, 5), 1), {"grad_x"}),
    "conv1d": (Conv1d, WrongConv1d, (drawn(4, 9), drawn(3)), {"grad_x"}),
    "cross_entropy": (CrossEntropy, WrongCrossEntropy, (drawn(6, 4), LABELS), {"grad_logits"}),
    "glu": (Glu, WrongGlu, (drawn(6, 8),), {"grad_x"}),
    "bilinear": (Bilinear, WrongBilinear, (drawn(6, 3), drawn(2, 3, 4), drawn(6, 4)), {"grad_w"}),
    "clamp": (Clamp, WrongClamp, (drawn(6, 5), -1.0, 0.5), {"grad_x"}),
    "rms_norm": (RMSNorm, WrongRMSNorm, (drawn(6, 5), drawn(5)), {"grad_x"}),
}
