"""A folder of profiles: read again when it changes, and no file hides another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from i18n.messages import profile_fault_text
from pipeline.programs.profile_folder import MOST_FILES, ProfileFolder
from pipeline.programs.profiles import ProfileFault
from pipeline.programs.registry import PROGRAMS
from pipeline.settings import SAMPLE_PROFILES


class Folder:
    """A folder, its profiles, the models that are known and the faults that were reported."""

    def __init__(self, path: Path) -> None:
        self.path = path / "profiles"
        self.path.mkdir()
        self.models = {"fast"}
        self.reported: list[ProfileFault] = []
        self.read = ProfileFolder(self.path, PROGRAMS, lambda label: label in self.models, self.reported.append)

    def write(self, name: str, text: str) -> None:
        (self.path / name).write_text(text, encoding="utf-8")

    @property
    def names(self) -> list[str]:
        return list(self.read().usable)

    @property
    def faults(self) -> list[tuple[str, str, int]]:
        return [(each.file, each.message.code, each.line) for each in self.read().faults]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_files_are_read_when_they_come_change_and_go(folder: Folder) -> None:
    assert folder.names == []
    folder.write("desk.yaml", "title: One")
    assert [each.title for each in folder.read().usable.values()] == ["One"]
    folder.write("desk.yaml", "title: Two")
    folder.write("other.yml", "title: Other")
    assert [each.title for each in folder.read().usable.values()] == ["Two", "Other"]
    (folder.path / "desk.yaml").unlink()
    assert folder.names == ["other"]


def test_a_file_that_has_not_changed_is_read_once(folder: Folder) -> None:
    folder.write("desk.yaml", "title: One")
    assert folder.read().usable["desk"] is folder.read().usable["desk"]


def test_a_fault_hides_no_other_profile_and_is_reported_once(folder: Folder) -> None:
    folder.write("bad.yaml", "title: a\ntemperature: warm")
    folder.write("good.yaml", "title: Good")
    for _ in range(2):
        assert folder.names == ["good"]
        assert folder.faults == [("bad.yaml", "number", 2)]
    assert len(folder.reported) == 1
    folder.write("bad.yaml", "temperature: 1")
    assert (folder.names, folder.faults) == (["bad", "good"], [])
    folder.write("bad.yaml", "title: a\ntemperature: warm")
    assert (folder.names, len(folder.reported)) == (["good"], 2)


def test_what_is_no_regular_file_of_the_folder_is_named(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("title: outside")
    (folder.path / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (folder.path / "lost.yaml").symlink_to(folder.path / "nowhere")
    (folder.path / "folder.yaml").mkdir()
    os.mkfifo(folder.path / "pipe.yaml")
    folder.write("Upper Case.yaml", "title: a")
    folder.write("twice.yaml", "title: a")
    folder.write("twice.yml", "title: b")
    folder.write(".desk.yaml.swp", "hidden")
    folder.write(".desk.yaml", "hidden")
    folder.write("notes.txt", "no profile")
    assert folder.names == ["twice"]
    assert folder.faults == [
        ("Upper Case.yaml", "name", 1),
        ("folder.yaml", "not_a_file", 1),
        ("link.yaml", "outside", 1),
        ("lost.yaml", "unreadable", 1),
        ("pipe.yaml", "not_a_file", 1),
        ("twice.yml", "taken", 1),
    ]
    for fault in folder.read().faults:
        assert str(tmp_path) not in f"{fault.file} {profile_fault_text(fault)}"


def test_a_link_inside_the_folder_is_read(folder: Folder) -> None:
    folder.write("..data", "title: Mounted")
    (folder.path / "desk.yaml").symlink_to("..data")
    assert folder.names == ["desk"]


def test_a_model_may_become_known_later(folder: Folder) -> None:
    folder.write("desk.yaml", "title: a\nmodel: local")
    assert (folder.names, folder.faults) == ([], [("desk.yaml", "unknown_model", 2)])
    folder.models.add("local")
    assert (folder.names, folder.faults) == (["desk"], [])


def test_files_beyond_the_limit_are_named(folder: Folder) -> None:
    for number in range(MOST_FILES + 1):
        folder.write(f"p{number:03}.yaml", "title: a")
    assert (len(folder.names), folder.faults) == (MOST_FILES, [(f"p{MOST_FILES}.yaml", "many", 1)])


def test_a_private_collection_stays_private_until_its_file_can_be_read(folder: Folder, tmp_path: Path) -> None:
    folder.write("hr.yaml", "collections: [{name: hr, private: true}]")
    assert folder.read().private == {"hr"}
    for broken in ("", "[", "title: a"):
        folder.write("hr.yaml", broken)
        assert (folder.read().private == {"hr"}) == (broken != "title: a")
    folder.write("hr.yaml", "model: gone\ncollections: [{name: hr, private: true}]")
    assert (folder.names, set(folder.read().private)) == ([], {"hr"})
    folder.path.rename(tmp_path / "moved")
    assert folder.read().private == {"hr"}


def test_the_bundled_profiles_have_no_fault() -> None:
    read = ProfileFolder(SAMPLE_PROFILES, PROGRAMS, lambda _label: True, lambda fault: None)()
    assert (list(read.usable), read.faults) == (["compliance-desk", "support-bot"], ())
    assert all(each.example_questions and each.status_texts for each in read.usable.values())
