"""Count the tests of a JUnit report on one closing line; fail where one was skipped for a reason that is not allowed.

python .ci/summary.py REPORT STATUS      (STATUS: the exit status of what ran before)
"""

import os
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

#: Reasons for which a test may be skipped here. Everything else is a failure: a skip is not a pass.
ALLOWED: list[str] = []
for variable in ("HISTOLAB_DATA", "HISTOLAB_PAPERS"):
    if not os.environ.get(variable):
        ALLOWED.append(rf"{variable} is not set")


def main(report: Path, status: int) -> int:
    """Print the counts; return 1 where the run must count as failed."""
    if not report.is_file():
        print("0 passed, 1 failed, 0 skipped")
        return 1
    cases = list(ET.parse(report).iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [(case, case.find("skipped")) for case in cases if case.find("skipped") is not None]
    refused = []
    for case, skip in skipped:
        reason = (skip.get("message") or "") if skip is not None else ""
        known = any(re.search(pattern, reason) for pattern in ALLOWED)
        print(
            f"skipped{'' if known else ', which is not allowed'}: {case.get('classname')}::{case.get('name')}: {reason}"
        )
        if not known:
            refused.append(case)
    bad = len(failed) + len(refused) + (1 if status and not failed else 0)
    passed = len(cases) - len(failed) - len(skipped)
    print(f"{passed} passed, {bad} failed, {len(skipped) - len(refused)} skipped")
    return 1 if bad or not passed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
