"""A user's code may run for ever, or end the process without a word: neither ends a check so.

Two lines of defence. In the process that checks, `limited` interrupts a file that takes too long:
that stops whatever is Python, or waits, and the next file is checked. And that process has another
one above it, `supervised`, which ends it where nothing of that helps (a product of huge matrices,
a loop in C, a crash, `os._exit`), and starts it again without that file. The second needs fork,
which Windows does not have.
"""

import contextlib
import os
import signal
import threading
import time
from multiprocessing import Pipe

from handgrad.errors import InputError
from handgrad.show.table import console, say

LONGEST = 10**6  # seconds, eleven days
GRACE = 3.0  # seconds in which an interrupted file has to end by itself
PATIENCE = 0.2  # seconds between two looks at whether the process below is alive
PASSED_ON = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
SIGNALLED = 128  # what a shell adds to the number of a signal that ended a process


class TimeUp(KeyboardInterrupt):
    """A file has run for too long; what lets Ctrl-C through lets this through."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, and no KeyboardInterrupt that a user's code raises."""


class Watch:
    """What the process that checks tells the one above it, and what it was told by it.

    `lost` has the files that ended, or had to be ended, with the process: the sentence on each.
    """

    def __init__(self):
        self.lost: dict[str, str] = {}
        self.above = None

    def tell(self, *message):
        """Tell the process above which file runs and for how long, or that all is done."""
        if self.above is not None:
            with contextlib.suppress(OSError):  # the file may have closed all that is open
                self.above.send(message)


WATCH = Watch()


def parse_timeout(text):
    """Return a time in seconds; raise InputError where it is none."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= LONGEST:
        raise InputError(
            f"--timeout must be a number of seconds above 0, at most {LONGEST}, found {text!r}."
        )
    return seconds


def checked(path, seconds, **how):
    """Check a user's file within so many seconds; return its Reports, errors among them.

    `how` is as `handgrad.pipeline.check_file` takes it.
    """
    from handgrad.pipeline import check_file, error_report

    if path in WATCH.lost:
        return [error_report(path, WATCH.lost[path])]
    try:
        with limited(path, seconds):
            return check_file(path, **how)
    except TimeUp:
        return [error_report(path, too_long(path, seconds))]
    except Interrupted:
        raise
    except KeyboardInterrupt:
        return [error_report(path, f"{path}: it raised KeyboardInterrupt.")]


def in_passing(found):
    """Say in a line what a user's code raises where Python stops nothing: in a thread, a __del__.

    It is a hook of `sys` and of `threading`.
    """
    with contextlib.suppress(BaseException):  # Python itself may be ending
        from handgrad.run.hand_written import one_line

        say(f"Ignored: {one_line(found.exc_value)}.", stderr=True)


def too_long(path, seconds):
    """Return the sentence on a file that takes too long."""
    return (
        f"{path} was not done after {seconds:g} s: is there a loop without an end? Make its data "
        "smaller, or give it longer with --timeout SECONDS."
    )


@contextlib.contextmanager
def limited(path, seconds):
    """Raise TimeUp in what runs inside when so many seconds are over."""
    WATCH.tell("runs", path, seconds)
    try:
        with alarm(seconds):
            yield
    finally:
        WATCH.tell("rests")


@contextlib.contextmanager
def alarm(seconds):
    """Raise TimeUp once, in the main thread, when so many seconds are over."""
    if hasattr(signal, "setitimer"):
        number = signal.SIGALRM
        timer = None
    else:  # it stops what is Python, but no call that waits
        number = signal.SIGTERM
        timer = threading.Timer(seconds, signal.raise_signal, [number])
    before = signal.signal(number, raising(TimeUp))
    try:
        timer.start() if timer else signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        timer.cancel() if timer else signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(number, before)


def raising(kind, then=signal.SIG_IGN):
    """Return a handler of a signal that raises an exception of this kind once; `then` is next."""

    def handle(number, _frame):
        signal.signal(number, then)
        raise kind

    return handle


def supervised(command_line):
    """Run the command line in a process below this one, and return its exit code.

    Where that process ends while a file runs, or does not end in time, it is started again, and
    told what to say of that file.
    """
    handlers = {number: signal.getsignal(number) for number in PASSED_ON}
    heard = {number: before for number, before in handlers.items() if before != signal.SIG_IGN}
    code = None
    while code is None:
        above, below = Pipe(duplex=False)
        for number, before in heard.items():
            signal.signal(number, before)
        if (child := os.fork()) == 0:
            above.close()
            WATCH.above = below
            code = command_line()
            WATCH.tell("done", code)
            return code
        below.close()
        code = Below(child, above, heard).wait()
    return code


class Below:
    """The process below: what it tells, how long it takes, and how it ends."""

    def __init__(self, child, connection, heard):
        self.child, self.connection = child, connection
        self.path, self.seconds = None, None  # of the file that runs
        self.code = None  # once all is done
        self.deadline, self.received = float("inf"), None
        for number in heard:
            signal.signal(number, self.pass_on)

    def pass_on(self, number, _frame):
        """Pass a signal on to the process below, which has a moment to end."""
        self.received, self.deadline = number, time.monotonic() + GRACE
        os.kill(self.child, number)

    def listen(self, seconds):
        """Hear what the process below tells within so many seconds; say whether it did."""
        try:
            if not self.connection.poll(seconds):
                return False
            word, *about = self.connection.recv()
        except (EOFError, OSError):  # it is about to end
            time.sleep(seconds / 10)
            return False
        waits = float("inf")
        if word == "runs":
            self.path, self.seconds = about
            waits = self.seconds
        elif word == "rests":
            self.path = None
        else:
            (self.code,), waits = about, 0
        if self.received is None:
            self.deadline = time.monotonic() + waits + GRACE
        return True

    def wait(self):
        """Wait for the end of the process below; return the exit code, None to start again."""
        ended = status = 0
        while not ended:
            self.listen(PATIENCE)
            if time.monotonic() > self.deadline:
                os.kill(self.child, signal.SIGKILL)
                console(stderr=True).show_cursor()  # a status line hides it
            ended, status = os.waitpid(self.child, os.WNOHANG)
        while self.listen(0):
            pass
        how = os.waitstatus_to_exitcode(status)
        if self.code is not None:
            return self.code
        if self.received == signal.SIGINT:
            say("Interrupted.", stderr=True)
        if self.received is not None:
            return SIGNALLED + self.received
        if how == -signal.SIGPIPE:
            return SIGNALLED + signal.SIGPIPE
        return self.lost(how)

    def lost(self, how):
        """Note what is to be said of the file that the process below ended in; None to go on."""
        end = f"signal {-how}" if how < 0 else f"exit code {how}"
        if self.path is None:
            say(f"Error: Handgrad ended with {end} before it was done.", stderr=True)
            return 2
        WATCH.lost[self.path] = (
            too_long(self.path, self.seconds)
            if time.monotonic() > self.deadline
            else f"{self.path} ended the whole process, with {end}: take out what exits or crashes."
        )
        return None
