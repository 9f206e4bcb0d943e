"""What is said of how a derivation was understood."""

from handgrad.load.layout import usual_table
from handgrad.load.parameters import is_linear


def notes_on(reading, draft, before):
    """Return sentences on which parameter is which, and how the arrays lie."""
    notes = [*paired(reading, draft), *turned(reading, draft), *reshaped(reading)]
    if draft.buffers:
        notes.append(f"In the reference as well: your {', '.join(draft.buffers)}.")
    if before is not None:
        _, names, rate = before
        own = [reading.own[name] for name in names]
        notes.append(
            f"{', '.join(own)} {'was' if len(own) == 1 else 'were'} updated after the values were "
            f"computed, which fit {own[0]} + {rate:.6g} * {reading.own[f'grad_{names[0]}']}: "
            "judged with the weights from before; check before the update."
        )
    return notes


def paired(reading, draft):
    """Say which parameter was taken for which, unless that is what the user's `names` say."""
    table = {reading.own[n]: entry for n, entry in reading.network.reference.parameters.items()}
    if not table or table.items() <= draft.names.items():
        return []
    return [f"Paired: {', '.join(f'{name} = {entry}' for name, entry in table.items())}"]


def turned(reading, draft):
    """Say where the arrays lie otherwise than against `x @ w`, and what told so."""
    reference = reading.network.reference
    model, table = reference.model, reference.parameters
    parameters = dict(model.named_parameters())
    notes = []
    if reading.is_turned:
        notes.append(
            "Your samples are in columns, the reference's in rows: x, y and every value are "
            "compared transposed."
        )
    straight = [
        reading.own[name]
        for name, entry in table.items()
        if entry in parameters and is_linear(model, entry) and name not in draft.names
    ]
    if straight and not reading.is_turned:
        notes.append(
            f"{', '.join(straight)} {'is' if len(straight) == 1 else 'are'} taken as (out, in), as "
            "PyTorch keeps a weight."
        )
    usual = usual_table(draft, reading.is_turned)
    told = [
        f"{reading.own[name]} = {entry}" for name, entry in table.items() if entry != usual[name]
    ]
    if told:
        notes.append(
            f"Square, so just the values tell which way round: by them, {', '.join(told)}."
        )
    return notes


def reshaped(reading):
    """Say which arrays have an axis of length 1 more or less than the reference's."""
    if not reading.reshaped:
        return []
    parts = [
        f"{reading.own[name]} {shape} for {reading.shapes[name.removeprefix('grad_')]}"
        for name, shape in reading.reshaped.items()
    ]
    return [f"Shapes differ by an axis of length 1, which is no mistake: {', '.join(parts)}."]
