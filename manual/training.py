"""Plain gradient descent, as in the notebook (cells 11, 12, 19, 20, 24, 25 and 28)."""


def step(params, grads, learning_rate):
    """Take one step downhill: w -= learning_rate * grad_w, in place, as the notebook does."""
    for name, w in params.items():
        w -= learning_rate * grads[f"grad_{name}"]


def train(network, params, x, y, learning_rates):
    """Train `network`, a module of this package, one step for each of `learning_rates`.

    Returns `params, losses`: new arrays with the weights after the last step, and as Python
    floats the loss before each step, which is the one that the notebook prints.
    """
    params = {name: w.copy() for name, w in params.items()}
    losses = []
    for learning_rate in learning_rates:
        values = network.forward(params, x, y)
        losses.append(float(values["loss"]))
        grads = network.backward(params, x, y, values)
        step(params, grads, learning_rate)
    return params, losses
