# SPDX-License-Identifier: Apache-2.0
"""Furniture: frozen dataclasses that every room shares. Pure; no I/O."""
