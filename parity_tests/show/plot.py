"""Two training runs as a picture: both loss curves, and how far apart they are."""

from parity_tests.errors import InputError


def require_matplotlib():
    """Raise InputError where matplotlib, an extra, is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise InputError(
            "--plot needs matplotlib, which is not installed: pip install 'handgrad[plot]'."
        ) from None


def save_losses(path, title, ours, theirs, drift):
    """Draw the losses of both runs and their relative difference into the file `path`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 6), layout="constrained")
    losses, difference = figure.subplots(2, sharex=True)
    losses.plot(theirs, label="PyTorch", linewidth=4, alpha=0.4)
    losses.plot(ours, label="NumPy", color="black", linewidth=1)
    losses.set(title=title, ylabel="loss", yscale="log")
    losses.legend()
    # A log axis has no place for 0: steps on which both agree to the bit leave a gap.
    steps = [step for step, value in enumerate(drift) if value > 0]
    difference.plot(steps, drift[steps], ".", markersize=3)
    difference.set(xlabel="step", ylabel="relative difference", yscale="log")
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise InputError(f"Cannot write the plot to {path}: {error}.") from None
