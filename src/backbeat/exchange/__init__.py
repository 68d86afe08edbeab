# SPDX-License-Identifier: Apache-2.0
"""A Timeline becomes a paper for a person or another program, and back."""
