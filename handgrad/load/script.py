"""A script or a notebook as it stands: its passes, each of which an update of the weights ends.

Statements are run one by one, a training loop once. What computes with the weights, from after
these and the data are there up to where the weights are moved, is a pass: it is run again on other
numbers, as a function would be, and judged. What comes after the last pass is not run.
"""

import ast
import dis
import types
from dataclasses import replace
from typing import Any

import numpy as np

from handgrad.load import own
from handgrad.load.arrays import bases_of
from handgrad.load.names import Y_NAMES
from handgrad.load.nested import copied, floats_in, own_copy
from handgrad.load.programme import PARAMS, State
from handgrad.load.statements import is_aside, made_anew
from handgrad.run.hand_written import as_array, failure
from handgrad.run.own_forward import Programme

GLOBALS = ("LOAD_GLOBAL", "LOAD_NAME")


def started(segment, namespace, where):
    """Run what comes before the pass of a segment; return the statements of the pass, and the rest.

    It begins where the weights are there, those that are moved after it or have a gradient, or
    where something is computed with arrays.
    """
    statements, start = segment.statements, segment.start
    run_all(statements[:start], namespace, where)
    while start < segment.end and not computes(statements[start], namespace):
        run(statements[start], namespace, where)
        start += 1
    if not segment.moved:
        late = last_leaf(statements[start : segment.end], namespace, where)
        run_all(statements[start : start + late], namespace, where)
        start += late
    body = [one for one in statements[start : segment.end] if not is_aside(one.node)]
    return body, statements[start:]


def computes(one, namespace):
    """Say whether a statement computes with arrays that there are."""
    if isinstance(one.node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
        return False
    return bool(floats_in({name: namespace[name] for name in needed([one], namespace)}))


def last_leaf(statements, namespace, where):
    """Return how many statements there are up to the last that draws an array with a gradient.

    They are run to find out, and what they do is undone.
    """
    assigned = {name for one in statements for name in one.assigned}
    wanted = {base for name in assigned for base in bases_of(name)} & assigned
    scratch = dict(namespace)
    memo: dict[int, Any] = {}
    scratch.update({n: copied(namespace[n], memo) for n in needed(statements, namespace)})
    drawn: dict[str, int] = {}
    for number, one in enumerate(statements):
        is_drawn = not computes(one, scratch)
        for name in one.assigned & wanted:
            if is_drawn:
                drawn.setdefault(name, number + 1)
            else:
                drawn[name] = 0  # a buffer that is filled
        if all(drawn.get(name) == 0 for name in wanted):
            break
        run(one, scratch, where)
    return max(drawn.values(), default=0)


def given_in(body, namespace):
    """Return the names that a pass assigns without computing with arrays: `dout`, drawn at random.

    Such a gradient is what comes from the next layer, and nothing to judge.
    """
    computed: set[str] = set()
    given: set[str] = set()
    for one in body:
        if one.used & computed or computes(one, namespace):
            computed |= one.assigned
        else:
            given |= one.assigned
    return given - computed


def load(body, namespace, files, namespaces, where, **about):
    """Return the Network of a pass, on what its namespace holds now; `about` is for the Network.

    `files` are the names of the user's files, `namespaces` those of their modules.
    """
    files = files | {one.filename for one in body}
    programme, leaves = programme_of(body, namespace, files.__contains__, namespaces, where)
    y = next((as_array(namespace[name]) for name in Y_NAMES if name in namespace), None)
    y = np.zeros(1) if y is None or not y.ndim else y
    return own.load_script(programme, leaves, y, **about)


def programme_of(body, namespace, is_theirs, namespaces, where):
    """Return the Programme of the statements of a pass, and the arrays that go in, by name.

    The arrays are those that the namespace holds now, and the objects in it, as far as the pass
    uses them.
    """
    codes = [compiled(statement) for statement in body]
    values = {name: namespace[name] for name in needed(body, namespace)}
    values |= weights_as_arrays(values, body)
    leaves, state = floats_in(values), State(namespaces)
    held: dict[str, Any] = {}

    def forward(arrays, x, _):
        state.put_back()
        before = dict(namespace)
        given = {**arrays, **x}
        memo = {id(leaf): own_copy(given[name]) for name, leaf in leaves.items()}
        held.clear()
        held.update({name: copied(value, memo) for name, value in values.items()})
        namespace.update(held)
        try:
            for code in codes:
                exec(code, namespace)
        finally:  # the statements are run again, on arrays of their own
            namespace.clear()
            namespace.update(before)

    programme = Programme(forward, None, is_theirs, namespaces, where, held=lambda: held)
    given, statements = given_in(body, namespace), [(one.node, one.filename) for one in body]
    return replace(programme, given=frozenset(given), body=statements, codes=codes), leaves


def weights_as_arrays(values, body):
    """Return the numbers that a pass has a gradient of as arrays: `b = 0.0`, where it has `db`.

    So are those of a dict of parameters, `params = {"w": 0.5, "b": 0.0}`.
    """
    based = {base for one in body for name in one.assigned for base in bases_of(name)}
    numbers = {name: value for name, value in values.items() if name in based and is_number(value)}
    found: dict[str, Any] = {name: np.array(value, np.float64) for name, value in numbers.items()}
    for name, value in values.items():
        if name in PARAMS and type(value) is dict and value and all(map(is_number, value.values())):
            found[name] = {key: np.array(number, np.float64) for key, number in value.items()}
    return found


def is_number(value):
    """Say whether a value is a number of Python's, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def needed(body, namespace):
    """Return the names of the data that statements use, and the functions that they call."""
    anew = made_anew(body)
    waiting = [name for one in body for name in sorted(one.used - anew)]
    found: dict[str, None] = {}
    while waiting:
        name = waiting.pop()
        if name in found or name not in namespace:
            continue
        found[name] = None
        waiting += names_in(namespace[name])
    kinds = types.ModuleType | types.FunctionType | types.BuiltinFunctionType | type | np.ufunc
    return [name for name in found if not isinstance(namespace[name], kinds)]


def names_in(value):
    """Return the global names that a user's function, or the methods of a class, use."""
    if isinstance(value, types.FunctionType):
        return list(names_in_code(value.__code__))
    of_class = value if isinstance(value, type) else type(value)
    functions = [f for c in of_class.__mro__ for f in vars(c).values()]
    plain = [getattr(f, "__func__", f) for f in functions]
    codes = [f.__code__ for f in plain if isinstance(f, types.FunctionType)]
    return [name for code in codes for name in names_in_code(code)]


def names_in_code(code):
    """Yield the global names in a code object, and in those in it; attributes are none."""
    loads = (one for one in dis.get_instructions(code) if one.opname in GLOBALS)
    yield from (one.argval for one in loads)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from names_in_code(inner)


def compiled(statement):
    """Compile one statement, with the numbers of its lines."""
    return compile(ast.Module([statement.node], []), statement.filename, "exec")


def run(statement, namespace, where):
    """Run a statement in a namespace; raise InputError, naming the line, where it fails."""
    try:
        exec(compiled(statement), namespace)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise failure(where, error, statement.filename) from None


def run_all(statements, namespace, where):
    """Run statements in order."""
    for one in statements:
        run(one, namespace, where)
