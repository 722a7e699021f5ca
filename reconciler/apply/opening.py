"""How artifacts are published, as the settings of a workspace say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from reconciler.apply.interface import Publisher
from reconciler.errors import SettingsError
from reconciler.specs.settings import Settings

# Only who publishes by git, or looks for what was published so, needs what it takes.
if TYPE_CHECKING:
    from reconciler.apply.upstream import Upstream

VARIABLE = "RECONCILER_PUBLISH"
WAYS: tuple[str, ...] = get_args(Settings.model_fields["publish"].annotation)


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace as its publisher sees it."""

    root: Path
    settings: Settings
    environ: Mapping[str, str]

    @property
    def by_git(self) -> bool:
        """Whether artifacts are pushed: as the environment says, else the settings. Raises SettingsError.

        A pipeline says it in the environment: what stays in the folder of a runner is lost with it.
        """
        way = self.environ.get(VARIABLE) or self.settings.publish
        if way not in WAYS:
            raise SettingsError(
                f"{VARIABLE} is {way!r}", hint=f"set it to one of {', '.join(WAYS)}, or unset it"
            )
        return way == "git"

    def look(self) -> Upstream:
        """A new look at the branches that artifacts are pushed to, made when it is first asked about."""
        from reconciler.apply.upstream import Upstream
        from reconciler.git.repository import repository

        settings = self.settings
        return Upstream(lambda: repository(self.root, self.environ), settings.git, settings.artifacts)

    @contextmanager
    def looking(self) -> Iterator[Upstream | None]:
        """The same for the length of a block.

        None where artifacts are published to the folder: then what is in the work tree is all there is.
        """
        if not self.by_git:
            yield None
            return
        upstream = self.look()
        try:
            yield upstream
        finally:
            upstream.close()

    def publisher(self, sleep: Callable[[float], None], note: Callable[[str], None], now: int) -> Publisher:
        """The publisher of the workspace; `now` is epoch seconds.

        Raises GitFailed where artifacts are to be pushed, and there is no repository or no such remote.
        """
        from reconciler.apply.folder import FolderPublisher

        folder = FolderPublisher(self.root, self.settings.artifacts)
        if not self.by_git:
            return folder
        from reconciler.apply.git import GitPublisher, Habits

        self.look().remote.check()
        return GitPublisher(folder, Habits(self.look, sleep, note, now))
