"""Publishing to a folder: a bad disk, a folder that may not be written, links that lead elsewhere."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.apply.folder import FolderPublisher
from reconciler.apply.interface import Publication
from reconciler.apply.observe import Observer
from reconciler.canonical import digest
from reconciler.errors import PartlyApplied, PublishFailed, ReconcilerError, SettingsError
from reconciler.live.interface import Record
from reconciler.plan.observed import ArtifactState
from tests.apply.kit import House, check_quiet, check_settled, jwt_token, login_token
from tests.records.kit import RUN, record

PATH = "artifacts/JWTToken/one.yaml"


@pytest.fixture
def publisher(tmp_path: Path) -> FolderPublisher:
    return FolderPublisher(tmp_path, "artifacts")


def first_record(run: str = "b1") -> Record:
    return record(replace(RUN, id=run), (), None)


def test_what_is_staged_is_out_of_sight_until_it_is_published(
    publisher: FolderPublisher, tmp_path: Path
) -> None:
    """And then it is in place, and nothing of the staging is left behind but folders."""
    publisher.stage("b1", PATH, b"sealed")
    assert publisher.published(PATH) is None
    publisher.publish(Publication("b1", [PATH], records=[first_record()]))
    assert publisher.published(PATH) == digest(b"sealed")
    assert (tmp_path / "artifacts/records/00000001-b1.json").read_text() == first_record().body
    publisher.discard()
    assert not (tmp_path / "artifacts/.staging").exists()


def test_what_is_removed_is_gone_and_what_was_gone_is_no_error(publisher: FolderPublisher) -> None:
    """A run that is gone on with removes again."""
    publisher.stage("b1", PATH, b"sealed")
    publisher.publish(Publication("b1", [PATH]))
    for _ in range(2):
        publisher.publish(Publication("b1", removed=[PATH, "artifacts/no/such.yaml"]))
        assert publisher.published(PATH) is None


def test_a_record_of_another_run_is_not_replaced(publisher: FolderPublisher, tmp_path: Path) -> None:
    """The store was restored: what the tree tells of another run stays."""
    publisher.publish(Publication("", records=[first_record("bad")]))
    with pytest.raises(PublishFailed, match="another record 1, of run bad"):
        publisher.publish(Publication("", records=[first_record("fade")]))
    names = [path.name for path in (tmp_path / "artifacts/records").iterdir()]
    assert names == ["00000001-bad.json"]


def test_an_artifact_that_no_longer_is_staged_cannot_be_published(publisher: FolderPublisher) -> None:
    """Another run took over and dropped it."""
    publisher.stage("b1", PATH, b"sealed")
    publisher.discard()
    with pytest.raises(PublishFailed, match=r"one\.yaml could not be written: No such file"):
        publisher.publish(Publication("b1", [PATH]))


def test_everything_is_on_disk_before_the_next_step(
    publisher: FolderPublisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes before the rename; the rename before an unlink; the unlink before the record."""
    steps: list[str] = []

    def noted(name: str) -> None:
        real: Callable[..., object] = getattr(os, name)

        def call(*arguments: object, **named: object) -> object:
            target = arguments[0]
            place = (
                Path(f"/proc/self/fd/{target}").readlink() if isinstance(target, int) else Path(str(target))
            )
            steps.append(f"{name} {place.relative_to(tmp_path).as_posix()}")
            return real(*arguments, **named)

        monkeypatch.setattr(os, name, call)

    old = tmp_path / "artifacts/JWTToken/old.yaml"
    publisher.stage("run-0", "artifacts/JWTToken/old.yaml", b"old")
    publisher.publish(Publication("run-0", ["artifacts/JWTToken/old.yaml"]))
    assert old.exists()
    for name in ("fsync", "replace", "unlink"):
        noted(name)
    publisher.stage("b1", PATH, b"sealed")
    publisher.publish(Publication("b1", [PATH], ["artifacts/JWTToken/old.yaml"], records=[first_record()]))
    folders = ["fsync artifacts/JWTToken", "fsync artifacts", "fsync ."]
    staged = "artifacts/.staging/b1/artifacts"
    entry = f"{staged}/records/00000001-b1.json"
    assert steps == [
        f"fsync {staged}/JWTToken/one.yaml", f"replace {staged}/JWTToken/one.yaml", *folders,
        "unlink artifacts/JWTToken/old.yaml", *folders,
        f"unlink {entry}", f"fsync {entry}", f"replace {entry}", "fsync artifacts/records", *folders[1:],
    ]  # fmt: skip


FAULTS = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO)


@pytest.mark.parametrize("fault", FAULTS, ids=errno.errorcode.__getitem__)
@pytest.mark.parametrize("function", ["mkdir", "fsync", "replace", "unlink"])
def test_on_a_bad_disk_what_takes_away_is_done_and_nothing_new_is_live(
    house: House, monkeypatch: pytest.MonkeyPatch, function: str, fault: int
) -> None:
    """It says what is wrong and with which file, and the next run with a good disk converges."""
    house.declare(jwt_token("old"), jwt_token("less", users=("u", "v")), login_token("turned"))
    house.apply()
    before = house.live()
    house.declare(jwt_token("less", users=("u",)), login_token("turned", shop="T"), jwt_token("new"))

    def fail(*_: object, **__: object) -> None:
        raise OSError(fault, os.strerror(fault))

    with monkeypatch.context() as patch:
        patch.setattr(os, function, fail)
        with pytest.raises(PartlyApplied) as raised:
            house.apply()
    assert f"could not be written: {os.strerror(fault)}" in str(raised.value)
    assert "run apply again" in raised.value.hint
    after = house.live()
    assert after.keys() == {"less", "turned"}
    assert after["less"].grants["users"] == ("u",)
    assert after["turned"].generation == before["turned"].generation
    house.apply()
    check_settled(house)
    check_quiet(house)


def test_records_and_removals_that_no_disk_took_go_out_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs settle over a bad disk, a name is used again meanwhile: no file is lost or left."""
    house.declare(jwt_token("back"), jwt_token("gone"), jwt_token("kept"))
    house.apply()
    house.declare(jwt_token("kept"))

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", fail)
        patch.setattr(os, "replace", fail)
        with pytest.raises(PartlyApplied):
            house.apply()
        house.apply()
        assert len(house.store().state().unpublished) == 1
        house.declare(jwt_token("kept"), jwt_token("back"))
        with pytest.raises(ReconcilerError):
            house.apply()
    assert (house.root / "artifacts/JWTToken/gone.yaml").exists()
    house.apply()
    check_settled(house)
    check_quiet(house)


def outside(tmp_path: Path) -> Path:
    """A folder of somebody else's, with things in it that an apply might want to touch."""
    folder = tmp_path / "outside"
    for name in ("JWTToken", "records", ".staging/run-0", "one.yaml"):
        (folder / name).mkdir(parents=True)
        (folder / name / "keep").write_text("keep")
    return folder


def tree(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize(
    "link", ["artifacts", "artifacts/JWTToken", "artifacts/.staging", "artifacts/records"]
)
def test_a_link_in_place_of_a_folder_is_not_followed(house: House, tmp_path: Path, link: str) -> None:
    """A pull request plants it; apply writes and removes nothing outside, and says what to mend."""
    elsewhere = outside(tmp_path)
    before = tree(elsewhere)
    house.declare(jwt_token("one"))
    place = house.root / link
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(elsewhere)
    with pytest.raises(ReconcilerError, match="is a link, or leads out of the workspace"):
        house.apply()
    assert tree(elsewhere) == before
    assert house.live() == {}
    place.unlink()
    house.apply()
    check_settled(house)
    check_quiet(house)


def test_a_link_in_place_of_an_artifact_is_replaced(house: House, tmp_path: Path) -> None:
    """By the artifact; what it led to is as it was."""
    elsewhere = tmp_path / "outside"
    elsewhere.write_text("keep")
    house.declare(jwt_token("one"))
    place = house.root / PATH
    place.parent.mkdir(parents=True)
    for _ in range(2):
        place.symlink_to(elsewhere)
        house.apply()
        assert elsewhere.read_text() == "keep"
        check_settled(house)
        place.unlink()
    house.apply()


def test_a_link_does_not_hide_what_is_to_be_removed(house: House, tmp_path: Path) -> None:
    """The token is deleted, its file stays until the link is gone, and then it goes."""
    elsewhere = outside(tmp_path)
    house.declare(jwt_token("one"), login_token("two"))
    house.apply()
    house.declare(login_token("two"))
    folder = house.root / "artifacts/JWTToken"
    folder.rename(house.root / "aside")
    folder.symlink_to(elsewhere)
    before = tree(elsewhere)
    with pytest.raises(PartlyApplied, match="is a link"):
        house.apply()
    assert "one" not in house.live()
    assert tree(elsewhere) == before
    folder.unlink()
    (house.root / "aside").rename(folder)
    house.apply()
    check_settled(house)


@pytest.mark.parametrize("path", ["../out.yaml", "artifacts/../../out.yaml", "/tmp/out.yaml"])
def test_a_path_that_leads_out_of_the_workspace_is_refused(publisher: FolderPublisher, path: str) -> None:
    """Whoever wrote it into the store."""
    with pytest.raises(PublishFailed, match="leads out"):
        publisher.publish(Publication("b1", removed=[path]))
    assert publisher.published(path) is None


def test_what_stands_in_the_place_of_an_artifact(house: House) -> None:
    """A folder, a pipe or a link is no artifact; a file that may not be read is an error."""
    house.declare(jwt_token("one"))
    house.apply()
    token = house.live()["one"]
    place = house.root / PATH
    publisher = FolderPublisher(house.root, "artifacts")
    assert Observer(house.root, house.workspace().specs.place).look(token).state is ArtifactState.SAME
    place.unlink()
    assert Observer(house.root, house.workspace().specs.place).look(token).state is ArtifactState.MISSING
    makers: list[Callable[[], object]] = [
        place.mkdir, lambda: os.mkfifo(place), lambda: place.symlink_to("/dev/zero"),
    ]  # fmt: skip
    for make in makers:
        make()
        assert Observer(house.root, house.workspace().specs.place).look(token).state is ArtifactState.BROKEN
        assert publisher.published(PATH) is None
        place.rmdir() if place.is_dir() else place.unlink()
    place.write_bytes(b"\0")
    assert Observer(house.root, house.workspace().specs.place).look(token).state is ArtifactState.BROKEN


def test_an_artifact_of_another_token_is_foreign(house: House) -> None:
    """Copied into this one's place."""
    house.declare(jwt_token("one"), jwt_token("two"))
    house.apply()
    other = (house.root / "artifacts/JWTToken/two.yaml").read_bytes()
    (house.root / PATH).write_bytes(other)
    assert (
        Observer(house.root, house.workspace().specs.place).look(house.live()["one"]).state
        is ArtifactState.FOREIGN
    )


def test_an_artifact_that_cannot_be_read_is_an_error(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never "it is not there"."""
    house.declare(jwt_token("one"))
    house.apply()
    real = os.open

    def deny(path: object, flags: int, *more: int, **named: int) -> int:
        if str(path).endswith("one.yaml"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(str(path), flags, *more, **named)

    monkeypatch.setattr(os, "open", deny)
    with pytest.raises(SettingsError, match=r"one\.yaml cannot be read: Permission denied"):
        house.plan()
    with pytest.raises(PublishFailed, match=r"one\.yaml could not be written"):
        FolderPublisher(house.root, "artifacts").published(PATH)
