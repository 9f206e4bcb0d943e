"""How much evidence a cause needs before it is named, and why so much."""

# So many times its tolerance is how large a difference must be to be explained: where it is
# smaller, rounding alone may make one explanation fit as well as another.
TELLING = 10

# So many times the tolerance at least a few entries must be: where the tolerance
# is a sizable part of them (a network that explodes, what cancels to 0), too much fits.
NOISY = 5

# Whole passes of the reference that are made to explain one quantity, where its step is not just
# one submodule's: each costs about as much as the passes that are checked. In a network of few
# numbers a pass costs less than what else a check does, so there as many are made as go through
# so many numbers.
PASSES = 5
WORK = 200_000
SLOWER = 2  # times as long as a module's a traced pass takes, or longer

# One or two numbers are a multiple of any others by chance, or lie where some learning rate would
# have put them: a factor without a meaning, and a rate, need this many entries.
ENTRIES_FOR_A_FIT = 3

# A single 0 may be a number like any other.
ENTRIES_FOR_ZEROS = 2

# In an array of fewer entries, one that is off is no exception among the others.
ENTRIES_FOR_EXCEPTIONS = 4

# One in so many entries may be off, and at least one: more are no exceptions.
ONE_IN = 10

# Numbers of size 1 or less are -1, 0 and 1 when rounded: a mask or a sign may be so as well.
BEYOND_A_MASK = 1

# A number of a dtype uses one of its last so many bits, but for one in 2 ** SPARE_BITS.
SPARE_BITS = 4

# Fewer different whole numbers than this may be a mask, or labels, and no rounding.
WHOLE_NUMBERS = 4


def passes_for(steps):
    """Return an iterator over as many whole passes as explaining one quantity may take."""
    numbers = sum(array.size for array in steps.expected.values())
    is_traced = steps.network.reference.kind == "forward"
    work = WORK // SLOWER if is_traced else WORK
    return iter(range(max(PASSES, work // numbers)))
