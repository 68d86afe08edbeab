# SPDX-License-Identifier: Apache-2.0
"""Street door: argv. No logic."""
