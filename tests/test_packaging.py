"""The lock and the front matter fit together, and the README names the commands that work."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()


def front_matter() -> dict[str, Any]:
    _, header, _ = README.split("---\n", 2)
    loaded: dict[str, Any] = yaml.safe_load(header)
    return loaded


def locked(name: str) -> str:
    """The one version that the lock pins, on every Python and platform."""
    [version] = [line.removeprefix(f"{name}==") for line in LOCK if line.startswith(f"{name}==")]
    return version


def test_the_space_installs_the_gradio_that_the_lock_pins() -> None:
    assert front_matter()["sdk_version"] == locked("gradio")


def test_pydantic_stays_within_what_the_extras_a_space_adds_to_gradio_accept() -> None:
    assert tuple(map(int, locked("pydantic").split("."))) <= (2, 12, 5)


def test_the_space_runs_on_python_3_12() -> None:
    assert front_matter()["python_version"] == "3.12"


def test_the_space_starts_a_file_that_exists() -> None:
    assert (ROOT / front_matter()["app_file"]).is_file()


def test_the_space_can_show_its_whole_short_description() -> None:
    assert len(front_matter()["short_description"]) <= 60


def test_every_line_of_the_lock_is_one_exact_version_without_hash_or_index() -> None:
    pin = re.compile(r"[a-z0-9][a-z0-9-]*==[0-9][0-9a-z.]*( ; [a-z_]+ .+)?")
    assert [line for line in LOCK if not pin.fullmatch(line) or "--" in line] == []


def test_the_lock_brings_no_torch() -> None:
    assert [line for line in LOCK if line.startswith(("torch", "nvidia"))] == []


def test_everything_asked_for_by_hand_is_in_the_lock() -> None:
    asked = (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()
    names = [line.partition(";")[0].partition("==")[0] for line in asked if line and not line.startswith("#")]
    assert [name for name in names if not any(line.startswith(f"{name}==") for line in LOCK)] == []


def test_ci_runs_what_people_run_and_nothing_else() -> None:
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8") == "bash tests/run\n"


def test_the_readme_holds_the_two_commands() -> None:
    assert "\npip install -r requirements.txt && python app.py\n" in README
    assert "\nbash tests/run\n" in README
