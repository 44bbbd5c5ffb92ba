# SPDX-License-Identifier: BSD-3-Clause
"""The measurements of `make bench`; tools/bench runs them."""
