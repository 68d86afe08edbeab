# SPDX-License-Identifier: Apache-2.0
"""It chooses. Pure: no I/O, no clock, no randomness but a seed handed in."""
