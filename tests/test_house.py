# SPDX-License-Identifier: Apache-2.0
"""The house rules: lint, types, rooms, start-up cost."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["lint-imports"],
    ],
    ids=["lint", "format", "types", "rooms"],
)
def test_rules(command: list[str]) -> None:
    tool = Path(sys.executable).parent / command[0]
    done = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; import backbeat.cli.main; "
        "heavy = {'numpy', 'scipy', 'av', 'cv2', 'opentimelineio', 'PIL'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_ci_runs_exactly_the_test_command_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    command = "pip install uv && uv run pytest"
    assert command in readme.splitlines()
    assert ci[-1].replace("--quiet ", "") == command


def test_the_readme_names_every_verb_and_no_other() -> None:
    from backbeat.cli import main

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    here = ROOT / "src" / "backbeat" / "cli"
    verbs = {verb for verb in main.VERBS if (here / f"{main.module_of(verb)}.py").is_file()}
    table = text[text.index("## The verbs") : text.index("## What was measured")]
    named = set(re.findall(r"`(?:backbeat )?([a-z]+)[ `]", table)) - {"backbeat"}
    assert named >= verbs, f"not in the table: {sorted(verbs - named)}"
    assert named <= verbs, f"in the table, but no verb: {sorted(named - verbs)}"


def test_links_of_the_documents_lead_somewhere() -> None:
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_every_dependency_has_its_row() -> None:
    rows = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(d for extra in project["optional-dependencies"].values() for d in extra)]
    for requirement in wanted:
        name = re.split(r"[\[<>=]", requirement)[0]
        row = next((line for line in rows.splitlines() if re.search(rf"\| {re.escape(name)} \|", line)), None)
        assert row, f"{name} has no row in docs/dependencies.md"
        assert not re.search(r"\|\s*\|", row), f"the row of {name} has an empty cell"


def test_every_source_file_names_its_licence() -> None:
    for path in (ROOT / "src").rglob("*.py"):
        assert path.read_text(encoding="utf-8").startswith("# SPDX-License-Identifier: Apache-2.0"), path
