# SPDX-License-Identifier: Apache-2.0
"""The shared media with known truth, where it lies beside the checkout; tests that need it skip loudly elsewhere."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("BACKBEAT_SHARED", Path(__file__).parents[3] / "shared"))
HAVE_SHARED = (SHARED / "media").is_dir()

needs_shared = pytest.mark.skipif(not HAVE_SHARED, reason="LOUD: ../shared/media is absent, real media not tested")
