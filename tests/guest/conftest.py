# SPDX-License-Identifier: BSD-3-Clause
"""Labs of virtual machines; a failed test shows the logs of its lab."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from lab import Lab  # noqa: E402


@pytest.fixture(scope="module")
def open_lab():
    """open_lab(...) opens a Lab that lasts for the module, or until it is closed."""
    labs = []

    def start(**options):
        lab = Lab(**options)
        labs.append(lab)
        return lab.__enter__()

    start.labs = labs
    yield start
    for lab in labs:
        lab.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def show_labs(request, log_sources):
    """Show the logs of the module's labs with a failed test."""
    if "open_lab" in request.fixturenames:
        labs = request.getfixturevalue("open_lab").labs
        log_sources.append(lambda: [log for lab in labs for log in lab.logs()])
