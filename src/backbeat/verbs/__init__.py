# SPDX-License-Identifier: Apache-2.0
"""The stories: cut, listen, watch, render, export, review."""
