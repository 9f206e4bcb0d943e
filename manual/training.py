"""Plain gradient descent, as in the notebook's loops (cells 11, 12, 20, 25 and 28)."""


def step(params, grads, learning_rate):
    """Return the weights after one step, w - learning_rate * grad_w; `params` stays as it is.

    `learning_rate` is a Python float, so that float32 weights stay float32.
    """
    return {name: w - learning_rate * grads[f"grad_{name}"] for name, w in params.items()}


def train(network, params, x, y, learning_rates):
    """Train `network`, a module of this package, one step for each of `learning_rates`.

    Returns `params, losses`: the weights after the last step, and as Python floats the loss
    before each step, which is the one that the notebook prints.
    """
    losses = []
    for learning_rate in learning_rates:
        values = network.forward(params, x, y)
        losses.append(float(values["loss"]))
        grads = network.backward(params, x, y, values)
        params = step(params, grads, learning_rate)
    return params, losses
