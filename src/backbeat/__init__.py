# SPDX-License-Identifier: Apache-2.0
"""backbeat: cut film to music.

Listen to the song, watch the footage, decide on paper, then cut.
"""

__version__ = "0.1.0"
