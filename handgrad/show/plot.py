"""Two training runs as a picture: both loss curves, and how far apart they are."""

from handgrad.errors import InputError
from handgrad.show.sentences import stopped
from handgrad.show.target import check_target


def check_plot(path, force):
    """Raise InputError where matplotlib, an extra, is missing, or `path` may not be written."""
    check_target(path, force)
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError(
            "--plot needs matplotlib, which is not installed: pip install 'handgrad[plot]'."
        ) from None
    endings = Figure().canvas.get_supported_filetypes()
    if path.suffix[1:].lower() not in endings:
        raise InputError(
            f"The plot {path} must end in what matplotlib can write, such as .png, .svg or .pdf."
        )


def save_losses(path, title, drift):
    """Draw the losses of both runs of a Drift and their difference into the file `path`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 6), layout="constrained")
    losses, difference = figure.subplots(2, sharex=True)
    losses.plot(drift.expected, label="PyTorch", linewidth=4, alpha=0.4)
    losses.plot(drift.actual, label="NumPy", color="black", linewidth=1)
    losses.set(title=title, ylabel="loss", yscale="log")
    losses.legend()
    # A log axis has no place for 0: steps on which both agree to the bit leave a gap.
    steps = (drift.difference > 0).nonzero()[0]
    relative = (drift.difference / drift.scale)[steps]
    difference.plot(drift.tolerance / drift.scale, label="rounding allows", color="tab:gray")
    difference.plot(steps, relative, ".", markersize=3, label="difference")
    difference.set(xlabel="step", ylabel="relative difference", yscale="log")
    difference.legend()
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise InputError(stopped(f"Cannot write the plot to {path}: {error}")) from None
