# SPDX-License-Identifier: Apache-2.0
"""Compile the decision's kernel: ``uv run --group kernel python kernel/build.py``; the result is kept here.

The compiler is the one that the lock file names, so the same source gives the same bytes; ``--check`` compares them.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
BUILT = HERE.parent / "src/backbeat/decide/data/kernel.wasm"
SEARCH = ("search", "outlook", "fill", "improve", "cross", "anneal")
EXPORTS = (*SEARCH, "descend", "look", "price", "hopes", "tops", "near", "expand", "weigh", "sped")


def build(to: Path) -> None:
    """Compile the sources beside this file to the WebAssembly module `to`."""
    options = [
        "-target",
        "wasm32-freestanding",
        "-O3",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-msimd128",
        "-mbulk-memory",
        "-mnontrapping-fptoint",
    ]
    linker = ["-nostdlib", "-Wl,--no-entry", "-Wl,--strip-all", *(f"-Wl,--export={name}" for name in EXPORTS)]
    sources = sorted(path.name for path in HERE.glob("*.c"))
    command = [sys.executable, "-m", "ziglang", "cc", *options, *linker, "-o", str(to), *sources]
    subprocess.run(command, cwd=HERE, check=True)


def same() -> bool:
    """Whether the module in the repository is what the source gives."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "kernel.wasm"
        build(fresh)
        return fresh.read_bytes() == BUILT.read_bytes()


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(0 if same() else "src/backbeat/decide/data/kernel.wasm is not what its sources give: build it anew")
    build(BUILT)
    print(f"{BUILT.name}: {BUILT.stat().st_size} bytes")
