"""JSON is what it was said to be."""

import json
import math
from dataclasses import replace

import numpy as np

from handgrad.findings import Fix
from handgrad.show.columns import number
from handgrad.show.json import diff_json, to_json
from parity_tests.product_tests.shown import (
    ENVIRONMENT,
    ERROR,
    WRONG,
    difference,
    drift,
    finding,
    report,
)


def test_json_of_a_check():
    fix = Fix("mine.py", 12, "grad_w = -x", "grad_w = x", ["grad_w = +x"], 20)
    first, second, _ = WRONG.findings
    wrong = replace(
        WRONG,
        findings=[
            replace(first, difference=math.nan, tolerance=math.inf, resolution=-math.inf),
            replace(second, fix=fix, distinct=3),
        ],
        settings={"tf32": "off"},
        source="nets/net.py",
    )
    assert json.loads(to_json([wrong], ENVIRONMENT)) == {
        "version": 2,
        "environment": ENVIRONMENT,
        "runs": [
            {
                "source": "nets/net.py",
                "variant": "net",
                "device": "cpu",
                "dtype": "float64",
                "reference": "module",
                "verdict": "mismatch",
                "error": None,
                "first": "grad_w",
                "settings": {"tf32": "off"},
                "notes": ["Paired: w = h.weight"],
                "quantities": [
                    {
                        "name": "h",
                        "kind": "value",
                        "shape": [2, 3],
                        "verdict": "match",
                        "difference": "nan",
                        "tolerance": "inf",
                        "resolution": "-inf",
                        "line": None,
                        "cause": None,
                        "fix": None,
                    },
                    {
                        "name": "grad_w",
                        "kind": "gradient",
                        "shape": [2, 3],
                        "verdict": "wrong",
                        "difference": 2e-5,
                        "tolerance": 1e-15,
                        "resolution": 2e-14,
                        "distinct": 3,
                        "line": {
                            "file": "mine.py",
                            "number": 12,
                            "code": "grad_w = -x.T @ grad_h[0]",
                        },
                        "cause": {"kind": "sign", "message": "`grad_w` has the wrong sign."},
                        "fix": {
                            "file": "mine.py",
                            "number": 12,
                            "old": "grad_w = -x",
                            "new": "grad_w = x",
                            "alternatives": ["grad_w = +x"],
                            "verified_on": 20,
                            "is_forward": False,
                            "otherwise": None,
                        },
                    },
                ],
            }
        ],
    }


def test_json_of_what_could_not_be_judged():
    run = ERROR.to_dict()
    assert (run["verdict"], run["error"]) == ("error", "broken.py has no `forward`.")
    assert (run["first"], run["quantities"]) == (None, [])


def test_json_of_two_records():
    run = report(
        finding("losses", "mismatch", kind="losses"), reference="run", drift=drift(math.inf)
    )
    found = json.loads(diff_json(difference(run)))
    assert found.keys() == {"version", "environments", "alone", "runs"}
    assert found["version"] == 2
    assert found["environments"] == [{"device": "cpu", **ENVIRONMENT}] * 2
    assert (found["runs"][0]["drift"], found["runs"][0]["reference"]) == ("inf", "run")


def test_numbers_that_json_does_not_have_are_strings():
    values = (math.nan, math.inf, -math.inf, 1.5, np.float32(0.5))
    assert [number(value) for value in values] == ["nan", "inf", "-inf", 1.5, 0.5]
