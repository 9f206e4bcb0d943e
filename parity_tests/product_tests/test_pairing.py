"""Which name of a backward pass is the gradient of which of the forward pass."""

from typing import ClassVar

import numpy as np
import pytest

from handgrad.load.arrays import Array, arrays_of, bases_of
from handgrad.load.leaves import noted_as, of_leaves
from handgrad.load.pairing import groups, names_of, pair, watchable
from handgrad.run.noting import Noted

RNG = np.random.default_rng(0)


def arrays(*names, shape=(2,), **more):
    """Return Arrays of these names, in order, with random numbers."""
    return [
        Array(at, RNG.standard_normal(shape), [(name, None)], given=at, **more)
        for at, name in enumerate(names)
    ]


def paired(values, grads, truth=None):
    """Return the pairs of names that are found: of a value and of its gradient's number."""
    truth = truth or {value.at: RNG.standard_normal(value.value.shape) for value in values}
    pairs = pair(grads, values, truth)
    return {(values[at].names[0][0], at): grad.at for at, grad in pairs.items()}


@pytest.mark.parametrize(
    ("name", "bases"),
    [
        ("dh1", {"h1"}),
        ("grad_h1", {"h1"}),
        ("h1_grad", {"h1"}),
        ("dL_dh1", {"h1", "L_dh1"}),
        ("gradH", {"H", "h"}),
        ("dh[3]", {"h[3]"}),
        ("d1", set()),
        ("h1", set()),
    ],
)
def test_the_names_that_a_gradient_may_be_of(name, bases):
    assert bases <= set(bases_of(name))
    assert bool(bases) == bool(set(bases_of(name)))


def test_a_key_of_a_dict_of_gradients_is_the_gradient_of_its_name():
    assert "w1" in set(bases_of("w1", "grads"))
    assert "[2]" in set(bases_of("dw[2]", "dw")) | set(bases_of("grads[2]", "grads"))
    assert "w1" not in set(bases_of("w1", "cache"))


def test_names_find_each_other_in_any_order():
    assert paired(arrays("h1", "h2", "y"), arrays("dh1", "dy", "dh2")) == {
        ("h1", 0): 0,
        ("y", 2): 1,
        ("h2", 1): 2,
    }


def test_a_single_letter_is_one_in_either_case():
    assert paired(arrays("z1", "a1"), arrays("dZ1", "dA1")) == {("z1", 0): 0, ("a1", 1): 1}
    assert paired(arrays("h_raw"), arrays("dH_raw")) == {}


def test_of_one_name_what_comes_last_has_the_first_gradient():
    found = paired(arrays("h", "h", "h"), arrays("dh", "dh", "dh"))
    assert found == {("h", 2): 0, ("h", 1): 1, ("h", 0): 2}


def test_of_one_name_and_two_objects_each_has_its_own():
    values, grads = arrays("out", "out"), arrays("dout", "dout")
    for one, owner in zip(values + grads, (7, 8, 7, 8), strict=True):
        one.names = [(one.names[0][0], owner)]
    assert paired(values, grads) == {("out", 0): 0, ("out", 1): 1}


def test_entries_of_a_buffer_go_by_their_index():
    values = arrays("h[0]", "h[1]", "h[2]")
    assert paired(values, arrays("dh[2]", "dh[0]", "dh[1]")) == {
        ("h[2]", 2): 0,
        ("h[0]", 0): 1,
        ("h[1]", 1): 2,
    }


def test_a_buffer_of_gradients_has_those_of_all_entries():
    values = [*arrays("h[0]", "h[1]"), *arrays("h", "h", shape=(2, 2))]
    for at, value in enumerate(values):
        value.at, value.is_of_entry = at, at > 1
    (grad,) = arrays("dh", shape=(2, 2))
    pairs = pair([grad], values, {v.at: v.value for v in values})
    assert {at: part.at for at, part in pairs.items()} == {0: (0, 0), 1: (0, 1)}


def test_where_counts_differ_the_numbers_tell():
    values, grads = arrays("h", "h", "h"), arrays("dh", "dh")
    truth = {0: grads[1].value, 1: grads[0].value + 1, 2: grads[0].value}
    assert paired(values, grads, truth) == {("h", 2): 0, ("h", 0): 1}


def test_a_gradient_of_another_name_is_known_by_its_numbers():
    values, grads = arrays("h", "y"), arrays("delta", "dy")
    assert paired(values, grads, {0: grads[0].value, 1: grads[1].value}) == {
        ("h", 0): 0,
        ("y", 1): 1,
    }
    assert paired(values, grads) == {("y", 1): 1}


def test_zeros_and_single_numbers_tell_nothing():
    values, grads = arrays("h"), arrays("delta")
    grads[0].value[:] = 0
    assert paired(values, grads, {0: np.zeros(2)}) == {}
    values, grads = arrays("h", shape=(1,)), arrays("delta", shape=(1,))
    assert paired(values, grads, {0: grads[0].value}) == {}


def test_what_has_a_gradient_by_name_or_shape_is_watched():
    values = arrays("h", "other") + arrays("wide", shape=(3,))
    assert [v.names[0][0] for v in watchable(values, arrays("dh"))] == ["h"]
    assert [v.names[0][0] for v in watchable(values, arrays("delta"))] == ["h", "other"]


def test_several_of_one_name_are_numbered():
    values = arrays("h", "h", "w1", "y")
    assert names_of(values, {"w1"}) == {0: "h[0]", 1: "h[1]", 2: "w1_value", 3: "y"} | {
        at: name for at, name in names_of(values, {"w1"}).items() if at < 2
    }


def noted(name, value, **more):
    """Return a note of an array."""
    rest = {"container": "", "owner": None, "function": "f", "filename": "m.py", "line": 1}
    rest |= {"is_partial": False, "is_argument": False, "given": value}
    return Noted(name, np.array(value), **(rest | more))


def test_an_array_that_a_function_returns_is_one_under_both_names_until_it_is_changed():
    one = np.ones(3)
    names = [noted("out", one, function="relu"), noted("h", one), noted("h", one, is_partial=True)]
    first, second = arrays_of(dict(enumerate(names)))
    assert [name for name, _ in first.names] == ["out", "h"]
    assert [name for name, _ in second.names] == ["h"]
    assert list(groups([first, second])) == ["out", "h"]


def test_another_name_in_one_function_is_a_line_of_its_own():
    one = np.ones(3)
    found = arrays_of({4: noted("dh_relu", one), 5: noted("dh", one)})
    assert [(array.at, array.shown) for array in found] == [(4, "dh_relu"), (5, "dh")]


def test_what_is_returned_under_a_name_is_the_array_of_that_name():
    one = np.ones(3)
    both = arrays_of({4: noted("dh", one), 5: noted("dz", one)})
    assert noted_as("dh", one, both) is both[0]
    assert noted_as("other", one, both) is both[1]
    assert noted_as("dh", one + 1, both) is None


def test_whole_numbers_empty_arrays_and_data_are_no_values():
    data = np.ones(2)
    notes = [noted("k", np.arange(3)), noted("e", np.zeros(0)), noted("x", data)]
    assert arrays_of(dict(enumerate(notes)), {id(data)}) == []


class First:
    """Stand for a first run of a forward pass with nothing noted."""

    values: dict = {}  # noqa: RUF012 (nobody writes into it)
    params: dict = {}  # noqa: RUF012
    returned: ClassVar[object] = None

    class programme:  # noqa: N801
        held = dict
        is_one = True


def leaves(*names):
    """Return parameters by name."""
    return {name: np.zeros(2) for name in names}


@pytest.mark.parametrize(
    "name", ["dw1", "grad_w1", "w1_grad", "dL_dw1", "dW1", "gradient_w1", "nabla_w1"]
)
def test_a_parameters_gradient_is_found_under_any_naming(name):
    (grad,) = arrays(name)
    assert of_leaves(leaves("w1", "w2"), First, {}, [grad]) == {"w1": grad}


def test_what_is_returned_comes_before_what_was_assigned():
    grads = arrays("dw1", "dw1", "dw1")
    grads[1].way = "w1"
    assert of_leaves(leaves("w1"), First, {}, grads) == {"w1": grads[1]}


def test_a_tuple_is_taken_in_the_parameters_order():
    grads = arrays("", "")
    for number, grad in enumerate(grads):
        grad.way = f"[{number}]"

    class Two(First):
        params = leaves("w1", "w2")
        returned: ClassVar[object] = [grad.value for grad in grads]

    assert of_leaves(Two.params, Two, {}, grads[::-1]) == {"w1": grads[0], "w2": grads[1]}


def test_one_gradient_without_a_name_is_that_of_the_one_parameter_of_its_shape():
    (grad,) = arrays("grad")
    assert of_leaves(leaves("theta"), First, {}, [grad]) == {"theta": grad}
    assert of_leaves(leaves("theta", "other"), First, {}, [grad]) == {}


def test_a_gradient_of_a_value_is_no_nameless_one():
    class Named(First):
        values = {0: noted("y_pred", np.ones(2))}  # noqa: RUF012

    (grad,) = arrays("grad_y_pred")
    assert of_leaves(leaves("theta"), Named, {}, [grad]) == {}
    assert of_leaves(leaves("train_y"), First, {}, arrays("grad")) == {}
