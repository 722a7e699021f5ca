"""Every error that reconciler raises on purpose, drawn as one tree.

    ReconcilerError                     error
    ├── UsageError                      usage               the command line was not understood
    ├── SpecsInvalid                    specs-invalid       faults in spec files, each with its place
    ├── SettingsError                   settings            a setting cannot be used as it is
    ├── StoreError                      store               the live store
    │   ├── StoreLocked                 locked              another apply holds the lease
    │   ├── LeaseLost                   lease-lost          somebody took the lease over meanwhile
    │   ├── StoreNewer                  store-newer         made by a newer version of this tool
    │   └── StoreUnreadable             store-unreadable    corrupt, unreachable, or a read broke off
    ├── PlanError                       plan
    │   ├── PlanUnreadable              plan-unreadable     not a plan, or edited since it was written
    │   ├── PlanForeign                 plan-foreign        made for another workspace or store
    │   ├── PlanStale                   plan-stale          the world moved since it was made
    │   └── PlanBlocked                 plan-blocked        a brake, a protection or a policy says no
    ├── ApplyError                      apply
    │   ├── PartlyApplied               partly-applied      something was done; run again to finish
    │   └── PublishFailed               publish-failed      artifacts could not be made durable
    ├── GitFailed                       git-failed          git could not do what it was asked
    ├── ForgeFailed                     forge-failed        the forge did not take what it was sent
    ├── ExchangeFailed                  exchange-failed     the verifier gave no token for a credential
    ├── RecordError                     record
    │   ├── RecordUnreadable            record-unreadable   it is not a record, or was edited
    │   └── SignFailed                  sign-failed         a record could not be signed
    └── ArtifactError                   artifact
        ├── NoRecipients                no-recipients       no rule says to whom it is sealed
        ├── SealFailed                  seal-failed         sealing did not work
        ├── CannotOpen                  cannot-open         it cannot be read, or what opens it does not work
        │   └── NoKey                   no-key              no identity at hand opens it
        └── ArtifactTampered            artifact-tampered   it is not what was sealed

An error carries one sentence on what is wrong (`str(error)`) and one on what to do (`error.hint`).
Its `code` is stable, for machines. No error exits: the command line turns codes into exit codes.
No error text holds a secret.
"""

from __future__ import annotations

from typing import ClassVar


class ReconcilerError(Exception):
    """What is wrong in one sentence, with what to do in `hint`."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ReconcilerError):
    """The command line was not understood."""

    code = "usage"


class SpecsInvalid(ReconcilerError):
    """Spec files have faults. `faults` holds every one of them, in file order."""

    code = "specs-invalid"

    def __init__(self, message: str, *, hint: str = "", faults: tuple[object, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.faults = faults


class SettingsError(ReconcilerError):
    """A setting, from a flag, the environment or the Workspace document, cannot be used."""

    code = "settings"


class StoreError(ReconcilerError):
    """The live store refused, or could not be used."""

    code = "store"


class StoreLocked(StoreError):
    """Another apply holds the lease on this workspace."""

    code = "locked"


class LeaseLost(StoreError):
    """The lease ended and somebody else took it: this run may write no more."""

    code = "lease-lost"


class StoreNewer(StoreError):
    """The store was made by a newer version of this tool."""

    code = "store-newer"


class StoreUnreadable(StoreError):
    """The store is corrupt, unreachable, or a read of it broke off."""

    code = "store-unreadable"


class PlanError(ReconcilerError):
    """A plan cannot be used."""

    code = "plan"


class PlanUnreadable(PlanError):
    """The file is not a plan, or its bytes are not those that were written."""

    code = "plan-unreadable"


class PlanForeign(PlanError):
    """The plan was made for another workspace or another live store."""

    code = "plan-foreign"


class PlanStale(PlanError):
    """Specs, live store, policy, tool or time moved since the plan was made."""

    code = "plan-stale"


class PlanBlocked(PlanError):
    """A brake, a protection or a policy blocks the plan."""

    code = "plan-blocked"


class ApplyError(ReconcilerError):
    """An apply could not be carried out."""

    code = "apply"


class PartlyApplied(ApplyError):
    """Some of the plan was done and some was not; the next run finishes it."""

    code = "partly-applied"


class PublishFailed(ApplyError):
    """Artifacts could not be made durable, so nothing became live."""

    code = "publish-failed"


class GitFailed(ReconcilerError):
    """git is not there, or could not do what it was asked."""

    code = "git-failed"


class ForgeFailed(ReconcilerError):
    """The forge was not reached, or did not take what it was sent."""

    code = "forge-failed"


class ExchangeFailed(ReconcilerError):
    """The verifier was not reached, or gave no token for a credential."""

    code = "exchange-failed"


class RecordError(ReconcilerError):
    """A record of what was applied."""

    code = "record"


class RecordUnreadable(RecordError):
    """It is not a record, or was edited since it was written."""

    code = "record-unreadable"


class SignFailed(RecordError):
    """A record could not be signed."""

    code = "sign-failed"


class ArtifactError(ReconcilerError):
    """A sealed artifact could not be made or read."""

    code = "artifact"


class NoRecipients(ArtifactError):
    """No creation rule says to whom an artifact is sealed."""

    code = "no-recipients"


class SealFailed(ArtifactError):
    """Sealing an artifact did not work."""

    code = "seal-failed"


class CannotOpen(ArtifactError):
    """The artifact cannot be read, or what it takes to open it does not work."""

    code = "cannot-open"


class NoKey(CannotOpen):
    """No identity at hand opens the artifact: it is somebody else's."""

    code = "no-key"


class ArtifactTampered(ArtifactError):
    """The artifact is not what was sealed for this token and generation."""

    code = "artifact-tampered"

    def __init__(self, message: str, *, hint: str = "restore the file from git, or rotate the token") -> None:
        super().__init__(message, hint=hint)
