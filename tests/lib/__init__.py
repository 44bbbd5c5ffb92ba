# SPDX-License-Identifier: BSD-3-Clause
"""What the tests and the demo share: guests, network namespaces, the daemon and its control program."""
