"""A gradient that was passed through an activation as it came."""

from torch import nn

from handgrad.explain.wording import described
from handgrad.findings import Cause

KIND = "missing-derivative"
LOOKS_LIKE = "the gradient passed through an activation unchanged"
EXAMPLES = [
    ("two_layer_relu", "grad_h_relu * (h > 0)", "grad_h_relu", {"grad_h": "missing-derivative"}),
    (
        "three_layer_sigmoid_bias",
        "grad_h2_sigm * h2_sigm * (1 - h2_sigm)",
        "grad_h2_sigm",
        {"grad_h2": "missing-derivative"},
    ),
    (
        "softmax_cross_entropy",
        "grad_h1_relu * (h1 > 0)",
        "grad_h1_relu",
        {"grad_h1": "missing-derivative"},
    ),
]


def find(case):
    """Explain a gradient that equals that of the activation's output."""
    for user, upstream in case.activations():
        if case.fits(upstream):
            module = case.module(user)
            return Cause(
                KIND,
                f"`{case.name}` equals `grad_{user}`: the derivative of {described(module)} is "
                f"missing{advice(case, user, module)}.",
            )
    return None


def advice(case, user, module):
    """Say what to multiply by, where that is known."""
    if isinstance(module, nn.ReLU):
        return f"; multiply by `{case.quantity} > 0`"
    if isinstance(module, nn.Sigmoid):
        return f"; multiply by `{user} * (1 - {user})`"
    return ""
