# SPDX-License-Identifier: Apache-2.0
"""A sample shoot and a sample song, both drawn and synthesised by code: for `backbeat demo` and for tests."""
