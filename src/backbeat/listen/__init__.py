# SPDX-License-Identifier: Apache-2.0
"""Samples to facts: a Song."""
