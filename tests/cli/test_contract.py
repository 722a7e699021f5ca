"""What holds for every command: help, streams, exit codes, JSON."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

from reconciler.children import environment
from reconciler.cli.exits import CODES
from reconciler.cli.main import HELP, MODULES
from tests.cli.kit import AUTH, JWT, Shop, on_terminal, spawn


@pytest.mark.parametrize("name", MODULES)
def test_the_help_table_says_what_the_command_says(name: str) -> None:
    """The group's table of commands is written by hand, so that help imports nothing: it must not drift."""
    command: click.Command = import_module(MODULES[name]).command
    assert command.name == name
    assert " ".join((command.help or "").split()).startswith(HELP[name].removesuffix("."))


@pytest.mark.parametrize("name", MODULES)
def test_every_command_has_help_that_exits_0(name: str, shop: Shop) -> None:
    ran = shop.ok(name, "--help")
    assert "Usage: reconcile " + name in ran.out
    assert ran.err == ""


def test_help_imports_no_heavy_library() -> None:
    """`--help` is read often, so it must not wait for pydantic, SQLAlchemy or cryptography."""
    code = (
        "import sys; from reconciler.cli.exits import run; from reconciler.cli.main import cli;"
        "run(cli, ['--help']);"
        "print([name for name in ('pydantic', 'sqlalchemy', 'cryptography', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("plam",),
        ("plan", "--nonsense"),
        ("plan", "--max-delete", "-1"),
        ("new",),
        ("new", "NoSuchToken", "x"),
        ("set", "erp"),
        ("list", "--state", "asleep"),
        ("list", "--expiring", "soon"),
        ("apply", "--lock-timeout", "soon"),
        ("schema", "NoSuchToken"),
        ("catalog", "--section", "nothing"),
        ("completion", "tcsh"),
    ],
)
def test_wrong_usage_exits_64(arguments: tuple[str, ...], shop: Shop) -> None:
    shop.spec(AUTH)
    ran = shop.run(*arguments)
    assert ran.code == 64
    assert ran.out == ""


def test_an_unknown_command_gets_a_suggestion(shop: Shop) -> None:
    assert "did you mean plan?" in shop.run("plam").err


def test_no_arguments_show_the_help(shop: Shop) -> None:
    ran = shop.run()
    assert "Change what is live:" in ran.out + ran.err


def test_exit_codes_are_those_of_the_design() -> None:
    assert CODES == {
        "plan-blocked": 3,
        "plan-stale": 4,
        "locked": 5,
        "partly-applied": 6,
        "lease-lost": 6,
        "usage": 64,
    }


def test_apply_without_a_terminal_and_without_yes_refuses_to_ask(shop: Shop) -> None:
    shop.ok("keygen")
    shop.spec(AUTH)
    ran = shop.run("apply")
    assert ran.code == 64
    assert "nobody to ask" in ran.err
    assert not (shop.root / "artifacts").exists()


def test_on_a_terminal_apply_asks_and_no_is_no(shop: Shop) -> None:
    shop.ok("keygen")
    shop.spec(AUTH)
    code, shown = on_terminal(["apply"], answer="n\n")
    assert code == 130
    assert "Apply this plan?" in shown
    assert not (shop.root / "artifacts").exists()


def test_on_a_terminal_yes_applies_in_colour_and_no_color_takes_it_out(shop: Shop) -> None:
    shop.ok("keygen")
    shop.spec(AUTH)
    code, shown = on_terminal(["apply"], answer="y\n", environ={"NO_COLOR": "", "TERM": "xterm"})
    assert code == 0
    assert "\x1b[32m" in shown
    assert "1 change applied" in shown
    shop.spec(JWT, "more.yaml")
    code, shown = on_terminal(["apply", "--yes"], environ={"NO_COLOR": "1"})
    assert code == 0
    assert "\x1b[" not in shown


def test_results_go_to_stdout_and_everything_else_to_stderr(stocked: Shop) -> None:
    stocked.spec("kind: RSAToken\n", "broken.yaml")
    ran = stocked.run("plan")
    assert (ran.code, ran.out) == (1, "")
    assert "specs/broken.yaml:1:1: apiVersion is missing" in ran.err
    assert "error: the specs have" in ran.err
    assert "[specs-invalid, exit 1]" in ran.err
    assert "\x1b" not in ran.err


def test_a_traceback_comes_only_with_debug(shop: Shop) -> None:
    shop.spec("kind: [\n")
    assert "Traceback" not in shop.run("plan").err
    assert "load.py" not in shop.run("plan").err
    assert "load.py" in shop.run("--debug", "plan").err


def test_a_folder_that_is_not_there_is_a_clear_error(shop: Shop) -> None:
    ran = shop.run("-C", "nowhere", "plan")
    assert ran.code == 1
    assert "there is no folder nowhere" in ran.err


def test_the_workspace_is_found_from_a_folder_inside_it(
    stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = stocked.root / "specs" / "deep"
    below.mkdir()
    monkeypatch.chdir(below)
    assert "historian" in stocked.ok("list").out


def test_the_workspace_can_be_named_by_flag_and_by_environment(
    stocked: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "historian" in stocked.ok("-C", str(stocked.root), "list").out
    monkeypatch.setenv("RECONCILER_WORKSPACE", str(stocked.root))
    assert "historian" in stocked.ok("list").out


def test_a_reader_that_goes_away_is_no_error(shop: Shop) -> None:
    """`reconcile schema | head -1`."""
    command = f"{sys.executable} -m reconciler.cli schema | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "{\n", "")


def test_a_reader_that_goes_away_in_the_middle_is_no_error_either(shop: Shop) -> None:
    """What is printed is longer than what a pipe holds."""
    names = "".join(f"    - name-{number}\n" for number in range(9_000))
    shop.spec(f"apiVersion: reconciler/v1\nkind: Catalog\nmetadata: {{name: c}}\nspec:\n  apis:\n{names}")
    command = f"{sys.executable} -m reconciler.cli catalog --format json | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "{\n", "")


def unread(shop: Shop, command: str) -> int:
    """The exit code of a command whose output and errors nobody reads."""
    whole = f"{sys.executable} -m reconciler.cli {command} 2>&1 | true; exit ${{PIPESTATUS[0]}}"
    environ = {
        **os.environ,
        "HOME": str(shop.root / "home"),
        "RECONCILER_STORE": "sqlite:///.reconciler/live.db",
    }
    done = subprocess.run(["bash", "-c", whole], capture_output=True, env=environ, timeout=60, check=False)
    return done.returncode


def test_what_is_to_be_done_is_done_whoever_reads_and_the_exit_code_says_so(shop: Shop) -> None:
    """`reconcile apply --yes | grep -q issue`: grep leaves before anything is applied."""
    shop.spec(AUTH)
    assert unread(shop, "keygen") == 0
    assert unread(shop, "plan --detailed-exitcode") == 2
    assert unread(shop, "apply --yes") == 0
    assert len(list((shop.root / "artifacts").rglob("*.yaml"))) == 1
    assert unread(shop, "plan --detailed-exitcode") == 0
    (shop.root / "artifacts" / "stray.yaml").write_text("x: 1\n")
    assert unread(shop, "drift") == 2
    shop.spec(AUTH.replace("TokenAuth", "TokenOuth"))
    assert unread(shop, "validate") == 1
    assert unread(shop, "apply --yes") == 1


def test_the_version_is_the_packages() -> None:
    done = spawn(["--version"])
    assert done.stdout.strip().startswith("reconcile, version ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str, shop: Shop) -> None:
    assert "_RECONCILE_COMPLETE" in shop.ok("completion", shell).out


def test_a_shell_that_asks_for_completion_gets_commands() -> None:
    environ = {
        **os.environ,
        "_RECONCILE_COMPLETE": "bash_complete",
        "COMP_WORDS": "reconcile pl",
        "COMP_CWORD": "1",
    }
    assert "plain,plan" in spawn([], env=environ).stdout


def _break(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(_: Path) -> Path:
        raise error

    monkeypatch.setattr("reconciler.cli.context.find_root", broken)


def test_a_fault_that_was_not_foreseen_is_one_line_without_its_message(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    _break(monkeypatch, KeyError("hunter2"))
    ran = shop.run("validate")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: a fault that was not foreseen (KeyError)\nhint: ")
    assert "--debug" in ran.err
    assert "Traceback" not in ran.err
    debugged = shop.run("--debug", "validate")
    assert "in broken" in debugged.err
    assert "hunter2" not in ran.err + debugged.err
    _break(monkeypatch, OSError(28, "hunter2"))
    assert "(OSError)" in shop.run("validate").err


@pytest.mark.parametrize("redirect", [">&-", ">/dev/full", ">&- 2>&-"])
def test_output_that_goes_nowhere_is_an_error_and_no_traceback(redirect: str, shop: Shop) -> None:
    shop.spec(AUTH)
    command = f"'{sys.executable}' -m reconciler.cli validate {redirect}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == (0 if "2>" in redirect else 1)
    assert not done.stderr or done.stderr.startswith("error: ")


def test_what_the_terminal_cannot_encode_is_replaced(shop: Shop) -> None:
    shop.spec(AUTH.replace("ERP", "历史"))
    done = spawn(["validate"], env={**os.environ, "PYTHONIOENCODING": "latin-1"})
    assert done.returncode == 1
    assert "name: ??" in done.stdout


def test_programs_do_not_inherit_what_opens_artifacts_or_the_store() -> None:
    secret = (
        "SOPS_AGE_KEY",
        "SOPS_AGE_KEY_FILE",
        "SOPS_AGE_KEY_CMD",
        "RECONCILER_STORE",
        "PGPASSWORD",
        "PGPASSFILE",
    )
    assert environment({**dict.fromkeys(secret, "x"), "PATH": "/bin"}) == {"PATH": "/bin"}
