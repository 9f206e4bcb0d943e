"""Does a device give the same bits each time? The reference runs again, results are counted."""

import hashlib
from dataclasses import replace

from handgrad.run.precision import arithmetic
from handgrad.run.reference import run_reference


def counted(findings, network, precision, device, times):
    """Run the reference several times; count for each quantity what differs in any bit."""
    seen: dict[str, set[bytes]] = {finding.name: set() for finding in findings}
    with arithmetic(precision, device):
        for _ in range(times):
            for name, array in run_reference(network, precision, device).quantities.items():
                seen.setdefault(name, set()).add(hashlib.sha256(array.tobytes()).digest())
    return [replace(finding, distinct=len(seen[finding.name])) for finding in findings]
