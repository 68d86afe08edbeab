# SPDX-License-Identifier: Apache-2.0
"""Street door: HTTP. No logic."""
