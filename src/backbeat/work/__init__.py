# SPDX-License-Identifier: Apache-2.0
"""Cellar: cache, pool, plugins, progress. Knows no film."""
