# SPDX-License-Identifier: Apache-2.0
"""``python -m backbeat``."""

from backbeat.cli.main import run

if __name__ == "__main__":
    run()
