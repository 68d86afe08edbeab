# SPDX-License-Identifier: Apache-2.0
"""The street door: help is quick and complete, mistakes are answered kindly, --json is always one object."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from backbeat.cli import main

ROOT = Path(__file__).parents[2]
DOOR = ROOT / "src" / "backbeat" / "cli"


def backbeat(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "backbeat", *arguments], capture_output=True, text=True, check=False, encoding="utf-8"
    )


def test_help_costs_less_than_three_tenths_of_a_second() -> None:
    """The least of several runs, in CPU seconds, so that a busy machine does not fail it."""
    code = (
        "import resource, subprocess, sys\n"
        "subprocess.run([sys.executable, '-m', 'backbeat', '--help'], stdout=subprocess.DEVNULL, check=True)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(used.ru_utime + used.ru_stime)\n"
    )
    pytest.importorskip("resource")
    costs = []
    for _ in range(8):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        costs.append(float(done.stdout))
        if costs[-1] < 0.3:
            break
    assert min(costs) < 0.3, costs


def test_help_loads_no_verb_and_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['backbeat', '--help']; from backbeat.cli import main\n"
        "try: main.run()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'scipy', 'av', 'cv2', 'PIL', 'rich', 'backbeat.cli.cut'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_verb_module_is_listed() -> None:
    verbs = {
        path.stem
        for path in DOOR.glob("*.py")
        if any(isinstance(n, ast.FunctionDef) and n.name == "register" for n in ast.parse(path.read_text("utf-8")).body)
    }
    assert verbs <= {main.module_of(verb) for verb in main.VERBS}, "add it to cli.main.VERBS"
    shown = backbeat("--help").stdout
    for verb in main.VERBS:
        assert (f"\n  {verb} " in shown) == (main.module_of(verb) in verbs)


@pytest.mark.parametrize("verb", [v for v in main.VERBS if (DOOR / f"{main.module_of(v)}.py").is_file()])
def test_every_verb_has_help(verb: str) -> None:
    done = backbeat(verb, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Usage: ")
    assert "--help" in done.stdout


def test_no_verb_shows_the_help() -> None:
    done = backbeat()
    assert done.returncode == 0
    assert "Commands:" in done.stdout


def test_version() -> None:
    from backbeat import __version__

    assert backbeat("--version").stdout.strip() == __version__


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cutt"], "did you mean 'cut'?"),
        (["zzz"], "no command called 'zzz'"),
        (["--vershun"], "--vershun"),
        (["cut", "--outptu", "x"], "--output"),
        (["cut"], "missing argument"),
        (["cut", "a", "b", "--beats-shift", "x"], "--beats-shift"),
        (["cut", "a", "b", "--workers", "many"], "--workers many"),
        (["cut", "a", "b", "--progress", "loud"], "--progress loud"),
    ],
)
def test_a_wrong_command_line_is_answered_in_one_sentence(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = backbeat(*arguments)
    assert done.returncode == 2
    assert not done.stdout
    first, second = done.stderr.strip().splitlines()
    assert first.startswith("error: ")
    assert said in first + second
    assert second.startswith("  try: ")
    told = backbeat(*arguments, "--json")
    assert told.returncode == 2
    assert set(json.loads(told.stdout)) == {"error", "try", "exit_code"}
    assert "Traceback" not in told.stderr


def test_a_reader_that_leaves_is_no_traceback() -> None:
    line = f"{sys.executable} -c \"import backbeat.cli.main as m, sys; sys.argv=['backbeat','--help']; m.run()\" | true"
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
