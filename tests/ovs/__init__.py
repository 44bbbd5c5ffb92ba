# SPDX-License-Identifier: BSD-3-Clause
"""The back-end driver in Debian's Open vSwitch."""
