# SPDX-License-Identifier: BSD-3-Clause
"""What consists of parts that end in the opposite order, also when opening it fails half-way."""
import contextlib


class Opened:
    """A class whose _open() enters its parts into self.stack."""

    def __init__(self):
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        try:
            self._open()
            return self
        except BaseException:
            self.stack.close()
            raise

    def __exit__(self, *exc):
        return self.stack.__exit__(*exc)
