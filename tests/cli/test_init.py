"""reconcile init: a workspace that works at once, and nothing that was there is touched."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from reconciler.artifacts import identities
from reconciler.kinds import all_kinds
from reconciler.kinds.interface import AnyKind
from reconciler.starting import all_pipelines
from reconciler.starting.examples import documents, example_name
from tests.cli.kit import AUTH, Shop, asked_on_terminal, spawn

CHOICES = [*all_pipelines(), "none"]
FROM = "reconciler[postgres,sops] @ git+https://git.example/reconciler@0123abc"
PACKAGE = ("--package", FROM)


@pytest.fixture
def age() -> str:
    """A recipient."""
    return identities.generate()[0]


def git(folder: Path, *arguments: str) -> str:
    """What git says."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("ci", CHOICES)
def test_what_it_makes_validates_plans_and_applies_at_once(ci: str, shop: Shop, age: str) -> None:
    git(shop.root, "init", "--quiet")
    ran = shop.ok("init", "--ci", ci, "--age", age, *PACKAGE, "--org", "acme")
    assert "Next:\n  reconcile plan\n" in ran.out
    assert (
        len([line for line in ran.out.partition("Next:")[2].splitlines()[1:4] if line.startswith("  ")]) == 3
    )
    assert shop.ok("validate").out == f"{len(all_kinds())} specs, no faults.\n"
    shop.ok("fmt", "--check")
    assert [change["action"] for change in shop.ok("plan", "--format", "json").json["changes"]] == [
        "issue"
    ] * len(all_kinds())
    assert (".github/CODEOWNERS" in shop.tree(), ".gitlab/CODEOWNERS" in shop.tree()) == (
        ci == "github",
        ci == "gitlab",
    )
    if ci == "none":
        shop.ok("apply", "--yes")
        shop.ok("drift")
    else:
        shop.ok("owners", "--check")


@pytest.mark.parametrize("ci", CHOICES)
def test_a_second_time_changes_nothing_and_says_so(ci: str, shop: Shop, age: str) -> None:
    git(shop.root, "init", "--quiet")
    shop.ok("init", "--ci", ci, "--age", age, *PACKAGE, "--org", "acme")
    before = shop.tree()
    ran = shop.ok("init", "--ci", ci, "--name", "other", "--owner", "team-other", "--org", "other")
    assert ran.out.endswith("Everything is there already: nothing was written.\n")
    assert "new" not in ran.out
    assert shop.tree() == before


def test_a_dry_run_names_the_same_files_and_makes_none(shop: Shop, age: str) -> None:
    ran = shop.ok(
        "init", "--ci", "github", "--age", age, *PACKAGE, "--org", "acme", "--dry-run", "--format", "json"
    )
    assert shop.tree() == {}
    assert list(shop.root.iterdir()) == []
    made = shop.ok("init", "--ci", "github", "--age", age, *PACKAGE, "--org", "acme", "--format", "json")
    assert made.json == ran.json
    assert sorted(made.json["new"]) == sorted(shop.tree())


def test_every_file_that_is_there_stays_and_is_named(shop: Shop, age: str) -> None:
    shop.ok("init", "--ci", "github", "--age", age, *PACKAGE, "--org", "acme")
    wanted = {path: b"mine\n" for path in shop.tree() if not path.startswith("specs/")}
    for path in wanted:
        shop.write(path, "mine\n")
    shop.spec(AUTH)
    before = shop.tree()
    ran = shop.ok("init", "--ci", "github", "--age", age, *PACKAGE, "--org", "acme")
    assert {line.split()[1] for line in ran.out.splitlines() if line.startswith("kept")} >= {*wanted} - {
        ".gitignore"
    }
    assert shop.tree() == {**before, ".gitignore": b"mine\n.reconciler/\n"}
    assert "edited .gitignore" in ran.out
    assert ".pre-commit-config.yaml is there already" in ran.err


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ".reconciler/\n"),
        ("a", "a\n.reconciler/\n"),
        ("/.reconciler/\n", None),
        ("a\n.reconciler/\nb\n", None),
    ],
)
def test_gitignore_gets_one_line_and_loses_none(before: str, after: str | None, shop: Shop, age: str) -> None:
    shop.write(".gitignore", before)
    shop.ok("init", "--ci", "none", "--age", age)
    shop.ok("init", "--ci", "none", "--age", age)
    assert (shop.root / ".gitignore").read_text() == (before if after is None else after)


def test_specs_of_somebody_get_no_examples(shop: Shop, age: str) -> None:
    shop.spec(AUTH)
    ran = shop.ok("init", "--ci", "none", "--age", age)
    assert "kept   specs\n" in ran.out
    assert sorted(path for path in shop.tree() if path.startswith("specs/")) == [
        "specs/.schema.json",
        "specs/tokens.yaml",
    ]


def test_an_example_that_was_given_up_does_not_come_back(shop: Shop, age: str) -> None:
    shop.ok("init", "--ci", "none", "--age", age)
    name = example_name(all_kinds()["RSAToken"])
    shop.ok("remove", name)
    shop.ok("init", "--ci", "none")
    assert f"specs/tokens/{name}.yaml" not in shop.tree()


def test_a_kind_that_is_added_comes_with_its_example(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    kinds: dict[str, AnyKind] = dict(all_kinds())
    kinds["CardToken"] = replace(kinds["RSAToken"], name="CardToken", summary="a card")
    monkeypatch.setattr("reconciler.starting.examples.all_kinds", lambda: kinds)
    made = dict(documents("acme", "team-a", {"publish": "git"}))
    assert "kind: CardToken\n" in made["tokens/example-card-token.yaml"]
    assert list(made)[-1] == "workspace.yaml"


NO_PIPELINE = "note: no pipeline is written: for one, run reconcile init --ci github or --ci gitlab\n"
TO_PUSH = "write publish: git in specs/workspace.yaml\n"


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_is_not_set_up_is_said_in_a_line_each_with_how_to_change_it(
    form: str, shop: Shop, age: str
) -> None:
    """That there is no pipeline, and that nothing pushes artifacts; and nothing, where neither is so."""
    for more in (("--dry-run",), (), ()):
        ran = shop.ok("init", "--ci", "none", "--age", age, "--format", form, *more)
        first, second = ran.err.splitlines(keepends=True)
        assert first == NO_PIPELINE
        assert second.startswith(
            "note: an apply leaves artifacts in the work tree for you to commit (publish"
        )
        assert second.endswith(TO_PUSH)
    joined = shop.ok("init", "--ci", "github", *PACKAGE, "--org", "acme", "--format", form).err
    assert joined.startswith("note: an apply on this machine leaves artifacts")
    assert joined.endswith(TO_PUSH)
    settings = shop.root / "specs/workspace.yaml"
    settings.write_text(settings.read_text().replace("publish: folder", "publish: git"))
    assert shop.ok("init", "--ci", "github", "--format", form).err == ""
    shop.spec("kind: 1\n", "broken.yaml")
    assert shop.ok("init", "--ci", "none", "--format", form).err == NO_PIPELINE


def test_where_nobody_can_be_asked_the_flag_is_named(shop: Shop) -> None:
    ran = shop.run("init")
    assert (ran.code, ran.out) == (64, "")
    assert "--age RECIPIENT" in ran.err
    assert list(shop.root.iterdir()) == []


@pytest.mark.parametrize("ci", CHOICES)
def test_no_package_is_guessed(ci: str, shop: Shop, age: str) -> None:
    """On a public index the name may be a stranger's, whose code would run beside the secrets."""
    flags = ("init", "--ci", ci, "--age", age, "--org", "acme")
    ran = shop.run(*flags)
    if ci == "none":
        assert ran.code == 0
        assert ".pre-commit-config.yaml" not in shop.tree()
    else:
        assert (ran.code, ran.out, shop.tree()) == (64, "", {})
        assert "beside the secrets" in ran.err
        assert "--package" in ran.err
        assert "git+https://HOST/OWNER/reconciler@COMMIT" in ran.err
        assert ".whl#sha256=HASH" in ran.err
        shop.ok(*flags, "--package", FROM)
        shop.ok(*flags)
    texts = b"\n".join(shop.tree().values()).decode().replace(FROM, "")
    assert not re.search(r"reconciler *(==|\[)", texts)


@pytest.mark.parametrize("ci", CHOICES)
@pytest.mark.parametrize(
    "package",
    [
        FROM,
        "reconciler",
        "reconciler==0.1.0",
        f"reconciler[sops] @ https://h.example/r.whl#sha256={'0' * 64}",
    ],
)
def test_a_package_that_is_given_is_what_every_file_installs(
    package: str, ci: str, shop: Shop, age: str
) -> None:
    shop.ok("init", "--ci", ci, "--age", age, "--package", package)
    hooks = YAML(typ="safe").load((shop.root / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["additional_dependencies"] for hook in hooks] == [[package]] * len(hooks)
    if ci == "github":
        action = YAML(typ="safe").load((shop.root / ".github/actions/reconcile/action.yml").read_text())
        assert action["inputs"]["package"]["default"] == package
    if ci == "gitlab":
        jobs = YAML(typ="safe").load((shop.root / ".gitlab/reconciler.yml").read_text())
        assert jobs[".reconcile"]["variables"]["RECONCILER_PACKAGE"] == package


def test_rules_that_are_there_ask_for_no_recipient(shop: Shop) -> None:
    shop.ok("keygen")
    shop.ok("init")
    assert "age1" in (shop.root / ".sops.yaml").read_text()
    shop.ok("apply", "--yes")


@pytest.mark.parametrize(
    "flags",
    [
        ("--age", "age1x"),
        ("--age", "AGE-SECRET-KEY-1QQQ"),
        ("--age", "age1x\n  - path_regex: x"),
        ("--name", "Acme"),
        ("--name", "a\nb"),
        ("--owner", " "),
        ("--owner", "a\nb"),
        ("--branch", "a b"),
        ("--branch", "../x"),
        ("--package", 'x"; rm'),
        ("--package", "-r x"),
        ("--package", "x\ny"),
        ("--ci", "jenkins"),
        ("--org", "a b"),
    ],
)
def test_a_flag_that_cannot_be_is_wrong_usage_and_nothing_is_made(
    flags: tuple[str, str], shop: Shop, age: str
) -> None:
    ran = shop.run("init", "--ci", "github", "--age", age, *PACKAGE, *flags)
    assert ran.code == 64 or (flags[0] == "--org" and "no CODEOWNERS is written" in ran.err)
    assert ran.code == 0 or list(shop.root.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "ci", "owners"),
    [
        ("git@github.com:acme/tokens.git", "github", "@acme/team-platform"),
        ("https://user@gitlab.example.org/group/sub/tokens.git", "gitlab", "@group/sub/team-platform"),
        ("ssh://git@gitlab.example.org:2222/group/tokens", "gitlab", "@group/team-platform"),
        ("https://git.example.org/acme/tokens.git", None, None),
        ("/srv/github/acme/tokens.git", None, None),
    ],
)
def test_the_pipeline_is_guessed_from_the_remote(
    address: str, ci: str | None, owners: str | None, shop: Shop, age: str
) -> None:
    git(shop.root, "init", "--quiet")
    git(shop.root, "remote", "add", "origin", address)
    shop.ok("init", "--age", age, *PACKAGE)
    made = [path for path in shop.tree() if path.endswith("CODEOWNERS")]
    assert made == ([f".{ci}/CODEOWNERS"] if ci else [])
    assert not owners or owners in (shop.root / made[0]).read_text()


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("git@github.com:acme/tokens.git", "$/"),
        ("ssh://git@ssh.github.com:443/acme/tokens.git", "$/"),
        ("https://github.example.org/acme/tokens.git", "./"),
        ("git@code.example.org:acme/tokens.git", "./"),
        ("/srv/tokens.git", "$/"),
    ],
)
def test_a_server_of_ones_own_takes_the_action_from_what_is_checked_out(
    address: str, place: str, shop: Shop, age: str
) -> None:
    """Such a server does not know `$/`. Each job checks out first."""
    git(shop.root, "init", "--quiet")
    git(shop.root, "remote", "add", "origin", address)
    shop.ok("init", "--ci", "github", "--age", age, *PACKAGE)
    for file in (shop.root / ".github/workflows").iterdir():
        for job in YAML(typ="safe").load(file.read_text())["jobs"].values():
            used = [step["uses"] for step in job["steps"]]
            assert used[0].startswith("actions/checkout@")
            ours = [one for one in used if one.endswith("/.github/actions/reconcile")]
            assert ours
            assert {one[:2] for one in ours} == {place}


def test_without_an_organisation_no_codeowners_is_made_and_it_says_so(shop: Shop, age: str) -> None:
    ran = shop.ok("init", "--ci", "github", "--age", age, *PACKAGE)
    assert "no CODEOWNERS is written" in ran.err
    assert ".github/CODEOWNERS" not in shop.tree()


def test_the_branch_is_that_which_is_checked_out(shop: Shop, age: str) -> None:
    git(shop.root, "init", "--quiet", "--initial-branch", "trunk")
    shop.ok("init", "--ci", "github", "--age", age, *PACKAGE)
    assert 'branches: ["trunk"]' in (shop.root / ".github/workflows/tokens-apply.yaml").read_text()


def test_a_workspace_below_the_top_has_its_pipeline_at_the_top(
    shop: Shop, age: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(shop.root, "init", "--quiet")
    below = shop.root / "ops" / "tokens.d"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    shop.ok("init", "--ci", "github", "--age", age, *PACKAGE, "--org", "acme")
    text = (shop.root / ".github/workflows/tokens-review.yaml").read_text()
    assert YAML(typ="safe").load(text)["env"] == {"RECONCILER_WORKSPACE": "ops/tokens.d"}
    hooks = YAML(typ="safe").load((shop.root / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert {hook["entry"] for hook in hooks} == {
        "reconcile -C ops/tokens.d validate",
        "reconcile -C ops/tokens.d fmt --check",
        "reconcile -C ops/tokens.d reseal --check",
    }
    assert all(hook["files"].startswith(r"^ops/tokens\.d/") for hook in hooks if "files" in hook)
    assert (below / ".gitignore").exists()
    assert "/ops/tokens.d/specs/tokens/ @acme/team-platform" in (shop.root / ".github/CODEOWNERS").read_text()
    shop.ok("owners", "--check")


def test_a_folder_that_no_pipeline_can_name_is_wrong_usage(
    shop: Shop, age: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(shop.root, "init", "--quiet")
    below = shop.root / 'a "b'
    below.mkdir()
    monkeypatch.chdir(below)
    assert shop.run("init", "--ci", "github", "--age", age, *PACKAGE).code == 64
    shop.ok("init", "--ci", "none", "--age", age)


@pytest.mark.parametrize("broken", ["link", "mkstemp", "fsync"])
@pytest.mark.parametrize("after", [0, 1, 7, 12])
def test_a_disk_that_is_full_in_the_middle_leaves_nothing_behind(
    broken: str, after: int, shop: Shop, age: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write(".gitignore", "mine\n")
    before = shop.tree()
    module = tempfile if broken == "mkstemp" else os
    real, count = getattr(module, broken), [0]

    def full(*arguments: object, **named: object) -> object:
        count[0] += 1
        if count[0] > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(module, broken, full)
        ran = shop.run("init", "--ci", "github", "--age", age, *PACKAGE, "--org", "acme")
    assert (ran.code, ran.out) == (1, "")
    assert "cannot be written: No space left on device, so nothing was" in ran.err
    assert shop.tree() == before
    assert [path.name for path in shop.root.iterdir()] == [".gitignore"]
    shop.ok("init", "--ci", "github", "--age", age, *PACKAGE, "--org", "acme")


def test_a_run_that_was_killed_between_any_two_files_is_gone_on_with(shop: Shop, age: str) -> None:
    flags = ("init", "--ci", "github", "--age", age, *PACKAGE, "--org", "acme")
    shop.ok(*flags)
    whole = shop.tree()
    program = (
        "import os, sys; real = os.link; left = int(sys.argv.pop(1))\n"
        "def link(*a, **k):\n"
        "    global left; left -= 1\n"
        "    os._exit(9) if left < 0 else real(*a, **k)\n"
        "os.link = link\n"
        "from reconciler.cli.main import main; main()"
    )
    for files in range(len(whole)):
        for path in shop.tree():
            (shop.root / path).unlink()
        done = subprocess.run([sys.executable, "-c", program, str(files), *flags], check=False)
        assert done.returncode == 9
        shop.ok(*flags)
        assert {path: text for path, text in shop.tree().items() if not _aside(path)} == whole


def _aside(path: str) -> bool:
    """Whether it is what a killed process wrote aside, and never put in place."""
    name = path.rpartition("/")[2]
    return name.startswith(".") and name.count(".") > 1 and len(name.rpartition(".")[2]) == 8


@pytest.mark.parametrize("folder", ["specs", ".github"])
def test_a_folder_that_leads_out_is_not_written_to(folder: str, shop: Shop, age: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (shop.root / folder).symlink_to(tmp_path / "out")
    ran = shop.run("init", "--ci", "github", "--age", age, *PACKAGE, "--org", "acme")
    assert ran.code == 1
    assert list((tmp_path / "out").iterdir()) == []


def test_something_in_the_place_of_a_folder_is_a_clear_error(shop: Shop, age: str) -> None:
    shop.write(".github", "")
    ran = shop.run("init", "--ci", "github", "--age", age, *PACKAGE)
    assert ran.code == 1
    assert "stands in its place" in ran.err
    assert sorted(shop.tree()) == [".github"]


def test_on_a_terminal_it_asks_and_makes_an_identity(shop: Shop) -> None:
    git(shop.root, "init", "--quiet")
    code, shown = asked_on_terminal(
        ["init"],
        [
            ("Pipeline", "github\r"),
            ("Name", "water\r"),
            ("Package", f"{FROM}\r"),
            ("Organisation", "acme\r"),
            ("Recipient", "\r"),
        ],
    )
    assert code == 0, shown
    assert "  name: water\n" in (shop.root / "specs/workspace.yaml").read_text()
    assert "@acme/team-platform" in (shop.root / ".github/CODEOWNERS").read_text()
    keys = Path(os.environ["HOME"]) / ".config/sops/age/keys.txt"
    assert "AGE-SECRET-KEY-1" in keys.read_text()
    assert "AGE-SECRET-KEY" not in shown
    (shop.root / "specs/workspace.yaml").write_text(
        (shop.root / "specs/workspace.yaml").read_text().replace("publish: git", "publish: folder")
    )
    shop.ok("apply", "--yes")
    shop.ok("download", example_name(all_kinds()["RSAToken"]), "--stdout")


def test_on_a_terminal_flags_are_not_asked_for(shop: Shop, age: str) -> None:
    flags = ["--ci", "none", "--name", "water", "--age", age]
    code, shown = asked_on_terminal(["init", *flags], [])
    assert code == 0
    assert "]: " not in shown


def test_two_at_once_make_one_workspace(shop: Shop, age: str) -> None:
    """Whoever comes second finds a file in the way, takes back what is its own, and says so."""
    flags = [
        sys.executable,
        "-m",
        "reconciler.cli",
        "init",
        "--ci",
        "github",
        "--age",
        age,
        *PACKAGE,
        "--org",
        "acme",
    ]
    both = [subprocess.Popen(flags, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    codes = sorted(process.wait(60) for process in both)
    for process in both:
        process.communicate()
    assert codes in ([0, 0], [0, 1], [1, 1])
    spawn(["init", "--ci", "github", "--age", age, *PACKAGE, "--org", "acme"])
    shop.ok("validate")
    shop.ok("owners", "--check")
