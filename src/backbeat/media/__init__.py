# SPDX-License-Identifier: Apache-2.0
"""The only room that opens a media file: probe, pictures in, samples in, both out."""
