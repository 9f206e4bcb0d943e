"""The ladder: one network climbed from NumPy to PyTorch, one file a rung.

The network is that of `manual/two_layer_relu.py`, which is rung 1: x @ w1, ReLU, @ w2, the sum
of squared errors, plain gradient descent. Each rung above changes one thing. Open two next to
each other: the names are the same, what differs is what is new.

Every rung has the same function, `train(params, x, y, learning_rates)`. `params` is a dict of
plain tensors, w1 (d_in, h) and w2 (h, d_out), where h is the number of hidden units; x is
(n, d_in), y is (n, d_out), and there is at least one learning rate. It returns the loss before
each step as Python floats, the gradients of the last step, grad_w1 and grad_w2, and the weights
after it, w1 and w2, all in the shapes of `params`. Nothing passed in is changed.
"""

# The rungs above NumPy from the lowest to the highest: the name of the file, and what is new.
RUNGS = {
    "tensors": "tensors, the gradients still by hand",
    "autograd": "the gradients by loss.backward()",
    "function": "a step of one's own in autograd, its backward by hand",
    "modules": "layers and a loss from torch.nn",
    "optim": "the update by torch.optim.SGD",
    "own_module": "a class of one's own for the network",
    "func": "the gradients as a function of the weights, without .grad",
    "compiled": "the forward and the backward pass compiled",
}
