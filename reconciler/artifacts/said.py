"""What the `sops` program says when it fails, as our errors: who, why, and what to do.

It writes many lines, and the cause stands last. What it says may repeat what it was given, so nothing
is quoted in which a piece of a secret stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from reconciler.artifacts.process import Ended
from reconciler.errors import CannotOpen, NoKey, SealFailed

_NO_FILE, _NO_KEY, _ALREADY = 100, 128, 203
_CHECK_ACCESS = "check that the rule's keys can be used from here (credentials, keyring, network)"
_AGAIN = "run this again; if it happens again, see whether the machine has memory enough"

_SAID = 300
"""Characters of a message of the program's that are quoted, and half of it of the reason for one key."""
_TELLING = 16
"""Characters of a secret that are too many to stand in a message by chance."""
_REFUSED = re.compile(r'failed to encrypt new data key with master key "([^"]*)": ')
_GROUP = re.compile(r"^Group \d+: (?:SUCCESS|FAILED)$", re.MULTILINE)
_FAILED = re.compile(r"^  (\S.*): FAILED$", re.MULTILINE)
_MARGIN = re.compile(r"^ +(?:- )?\|", re.MULTILINE)
_RECOVERY = "\nRecovery failed"
_THRESHOLD = re.compile(r"at least (\d+) groups have to be successful")
_NO_GPG = "GnuPG gave no answer"
_WORDY = (
    (r"^.*GnuPG binary error: failed to \w+ sops data key with pgp:(?:.*gpg:)?(?: \[stdin\]:)? ?", ""),
    (r"^$", _NO_GPG),
    (r"^failed to \w+ sops data key (?:to|from) Vault transit backend '[^']*': ", ""),
    (
        r"^Error making API request\. URL: \S+ \S+ Code: (\d+)\. Errors: (?:\* )?(?:1 error occurred: \* )?",
        r"HTTP \1: ",
    ),
    (r"\.? Did not find keys in locations .*$", ""),
    (r"^failed to load age identities$", "no age identity was found"),
)
"""What stands around the reason why one key cannot be used, and what is written instead."""
_NO_PROGRAM = r"with pgp: ?(?:\]|$|failed|Recovery|Group)"
_SEALED = r"(?:Vault|Bao) is sealed"
_NETWORK = r"connection refused|no such host|timeout|deadline exceeded|unreachable"
_OUTAGE = re.compile(f"{_NO_PROGRAM}|{_SEALED}|{_NETWORK}")
_REMEDIES = (
    (_NO_PROGRAM, "install gpg, or name it in SOPS_GPG_EXEC"),
    (
        r"No public key|not a valid long keyID|Unusable public key",
        "bring the public key into the keyring with gpg --import, or correct the fingerprint in .sops.yaml",
    ),
    (
        r"No secret key",
        "bring the secret key into the keyring with gpg --import, or name the keyring in GNUPGHOME",
    ),
    (_SEALED, "have the key server unsealed, and run this again"),
    (
        r"Code: 403\.",
        "set VAULT_TOKEN to a token that may use the key: update encrypt/KEY to seal, decrypt/KEY to open",
    ),
    (
        _NETWORK,
        "see that the key service runs and can be reached from here, and run this again",
    ),
)
"""What to do, by what the program said."""


def not_sealed(ended: Ended, secrets: Sequence[str]) -> SealFailed:
    """Why it did not seal. `secrets` are the texts that it was given."""
    reasons = {
        _NO_FILE: "the sops program found no file to read",
        _ALREADY: "the sops program takes the file for one that is sealed already",
    }
    reason = reasons.get(ended.code) or f"the sops program {ended.how}"
    # The program does not repeat values, but its messages are not ours to promise for.
    said = "" if _repeats(ended.said, secrets) else _on_one_line(ended.said)
    if refused := _refusals(said):
        return SealFailed(
            f"the sops program cannot seal to {', '.join(refused)}", hint=_remedy(said) or _CHECK_ACCESS
        )
    hint = _AGAIN if ended.code < 0 else _CHECK_ACCESS
    return SealFailed(f"{reason}: {_end(said, _SAID)}" if said else reason, hint=hint)


def _repeats(said: str, secrets: Sequence[str]) -> bool:
    """Whether a message has a secret in it, or so much of one that it is not chance."""
    pieces = {said[start : start + _TELLING] for start in range(len(said))}
    return any(
        text[start : start + _TELLING] in pieces if len(text) > _TELLING else text in said
        for text in filter(None, secrets)
        for start in range(max(1, len(text) - _TELLING + 1))
    )


def _refusals(said: str) -> list[str]:
    """Each recipient that cannot be sealed to, and why. `said` is on one line."""
    _, *found = _REFUSED.split(said.removesuffix("]"))
    return [f"{key} ({_reason(why)})" for key, why in zip(found[::2], found[1::2], strict=True)]


def _groups(said: str) -> list[list[str]]:
    """Of each key group, the keys that did not open and why; empty for one that was opened."""
    _, *bodies = _GROUP.split(said.partition(_RECOVERY)[0])
    found: list[list[str]] = []
    for body in bodies:
        _, *parts = _FAILED.split(body)
        reasons = (_reason(_on_one_line(_MARGIN.sub("", why))) for why in parts[1::2])
        found.append([f"{key} ({why})" for key, why in zip(parts[::2], reasons, strict=True)])
    return found


def _reason(text: str) -> str:
    """Why a key cannot be used: the programs wrap each other's errors, the cause comes last."""
    text = text.strip()
    for wordy, short in _WORDY:
        text = re.sub(wordy, short, text)
    return _end(text, _SAID // 2)


def _remedy(said: str) -> str | None:
    return next((remedy for pattern, remedy in _REMEDIES if re.search(pattern, said)), None)


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _end(text: str, longest: int) -> str:
    """The end of a text: there the cause stands."""
    return text if len(text) <= longest else "… " + text[-longest:].partition(" ")[2]


def not_opened(ended: Ended, path: str) -> CannotOpen:
    """Why it did not open the file at a path."""
    if ended.code == _NO_KEY:
        return _no_key(ended.said, path)
    # Past the data key, a message could quote what was decrypted: the code must do.
    return CannotOpen(
        f"the sops program {ended.how} and did not decrypt {path}",
        hint=_AGAIN if ended.code < 0 else "run sops decrypt on the file to see why",
    )


def _no_key(said: str, path: str) -> CannotOpen:
    """Which keys were tried and why none opens, out of a report of many lines."""
    flat, groups = _on_one_line(_MARGIN.sub("", said)), _groups(said)
    missing = ", ".join(" or ".join(group) for group in groups if group)
    threshold = _THRESHOLD.search(flat)
    # What does not answer might open it: then it is not told that nobody here can.
    error = CannotOpen if _OUTAGE.search(flat) else NoKey
    if not missing or threshold is None:
        return error(
            f"the sops program found no key that opens {path}: {missing or _end(flat, _SAID)}",
            hint=_remedy(flat) or "check the identities, the keyring and the cloud credentials it needs",
        )
    needed, found = int(threshold[1]), sum(not group for group in groups)
    return error(
        f"{path} opens with keys of {needed} of its {len(groups)} key groups, and there are keys here of "
        f"{found or 'none'}; no key for {missing}",
        hint=f"bring keys of {needed - found} more: age identity, secret PGP key, or access to a key service",
    )
