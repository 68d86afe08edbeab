# SPDX-License-Identifier: Apache-2.0
"""Frames to facts: Takes with Shots, Hits, Speech."""
