"""All cases, from the files that have those of one topic each."""

import importlib
from pathlib import Path

from benchmarks.found.case import Case

TOPICS = tuple(
    path.stem.removeprefix("cases_") for path in sorted(Path(__file__).parent.glob("cases_*.py"))
)


def cases_of(topic: str) -> tuple[Case, ...]:
    """Return the cases of a topic."""
    return importlib.import_module(f"benchmarks.found.cases_{topic}").CASES


BY_TOPIC = {topic: cases_of(topic) for topic in TOPICS}
CASES = tuple(case for cases in BY_TOPIC.values() for case in cases)
if len({case.id for case in CASES}) < len(CASES):
    raise ValueError("two cases have one id")
