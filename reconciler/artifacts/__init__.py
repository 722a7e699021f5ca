"""Sealed artifacts: SOPS v3 files that carry a secret to its owner.

Down the page: `interface` (the ports), `formats` (what a file looks like), `sops` (the encryption),
`binding` and `contents` (what SOPS does not check), `rules` (to whom), `age` and `program` (who seals),
`opener`, `resealing`.
"""
