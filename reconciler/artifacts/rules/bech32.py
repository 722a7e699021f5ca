"""Whether a text in Bech32 is whole: what age keys are written in (BIP 173, without its limit of length)."""

from __future__ import annotations

_LETTERS = {letter: value for value, letter in enumerate("qpzry9x8gf2tvdw0s3jn54khce6mua7l")}
_POWERS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = 6


def is_whole(text: str) -> bool:
    """Whether the checksum at the end of a lower-case text is that of the rest."""
    head, _, data = text.rpartition("1")
    if not head or len(data) < _CHECKSUM or not (text.isascii() and text.islower() and text.isprintable()):
        return False
    if any(letter not in _LETTERS for letter in data):
        return False
    spread = [*(ord(letter) >> 5 for letter in head), 0, *(ord(letter) & 31 for letter in head)]
    return _folded([*spread, *(_LETTERS[letter] for letter in data)]) == 1


def _folded(values: list[int]) -> int:
    folded = 1
    for value in values:
        top = folded >> 25
        folded = (folded & 0x1FFFFFF) << 5 ^ value
        for bit, power in enumerate(_POWERS):
            folded ^= power if top >> bit & 1 else 0
    return folded
