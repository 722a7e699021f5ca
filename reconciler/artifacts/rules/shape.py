"""Which fields a `.sops.yaml` has, and what each takes, as the sops program reads it.

The program reads the whole file into these fields before it looks for a rule, so a field of the wrong
type is a fault even in a rule that matches nothing.
"""

from __future__ import annotations

from reconciler.artifacts.rules.goyaml import Shape, anything, boolean, fields, integer, listed, text, texts
from reconciler.artifacts.tree import Node

SELECTIONS = (
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
)
"""What a rule may say about which leaves are encrypted: one of these."""

_MEMBERS: dict[str, Shape] = {
    "kms": listed(fields({"arn": text, "role": text, "context": texts, "aws_profile": text})),
    "gcp_kms": listed(fields({"resource_id": text})),
    "hckms": listed(fields({"key_id": text})),
    "azure_keyvault": listed(fields({"vaultUrl": text, "key": text, "version": text})),
    "hc_vault": listed(text),
    "age": listed(text),
    "pgp": listed(text),
}


def _group(node: Node, where: str) -> Node:
    """A key group. Groups that are merged into it are such groups themselves."""
    return fields({**_MEMBERS, "merge": listed(_group)})(node, where)


RULE = fields(
    {
        "path_regex": text,
        "kms": anything,
        "aws_profile": text,
        "age": anything,
        "pgp": anything,
        "gcp_kms": anything,
        "hckms": listed(text),
        "azure_keyvault": anything,
        "hc_vault_transit_uri": anything,
        "key_groups": listed(_group),
        "shamir_threshold": integer,
        "mac_only_encrypted": boolean,
        **dict.fromkeys(SELECTIONS, text),
    }
)
"""One creation rule."""

_DESTINATION = fields(
    {
        **dict.fromkeys(
            (
                "path_regex",
                "s3_bucket",
                "s3_prefix",
                "gcs_bucket",
                "gcs_prefix",
                "vault_path",
                "vault_address",
                "vault_kv_mount_name",
            ),
            text,
        ),
        "vault_kv_version": integer,
        "recreation_rule": RULE,
        "omit_extensions": boolean,
    }
)
_INDENTED = fields({"indent": integer})

CONFIG = fields(
    {
        "creation_rules": listed(RULE),
        "destination_rules": listed(_DESTINATION),
        "stores": fields(
            {
                "dotenv": fields({}),
                "ini": fields({}),
                "json": _INDENTED,
                "json_binary": _INDENTED,
                "yaml": _INDENTED,
            }
        ),
    }
)
"""The whole file."""
