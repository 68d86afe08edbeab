# SPDX-License-Identifier: Apache-2.0
"""A Timeline becomes sound and picture."""
