"""Workspaces to measure on, made the same way every time: specs of all four kinds, mixed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.artifacts import identities
from reconciler.artifacts.rules import CONFIG
from reconciler.secret import Secret

PER_FOLDER = 1000
WORKSPACE = "apiVersion: reconciler/v1\nkind: Workspace\nmetadata:\n  name: bench\n"

HEAD = """\
apiVersion: reconciler/v1
kind: {kind}
metadata:
  name: {name}
  title: 工厂 {number} 历史库
  owner: team-{team}
  labels: {{env: prod, site: site-{team}}}
spec:
"""
LIFECYCLE = "lifecycle:\n  expires: 2099-06-30\n  rotate: {every: 90d, overlap: 7d}\n"
SPECS = {
    "RSAToken": "  apis: [device.read, device.list, telemetry.read]\n  projects: [plant-{team}]\n",
    "JWTToken": "  apis: [telemetry.write]\n  users: [svc-{team}, svc-mes]\n  algorithm: EdDSA\n",
    "LoginToken": '  aud: App{team}\n  sap: SvKerneL\n  jti: "{number:08d}"\n  ipm: [10.1.0.0/16]\n'
    '  api: "*"\n  shop: [shop-{team}, shop-main]\n  role: "*"\n  rule: [order.create]\n',
    "TokenAuth": "  name: ERP{number}\n  expire: 3600\n  fieldmap: {{username: loginname}}\n"
    "  initroles: [SYS_Reader]\n",
}
KINDS = tuple(SPECS)


@dataclass(frozen=True, slots=True)
class Tree:
    """A workspace on disk, and who can open what it seals."""

    root: Path
    recipient: str
    identity: Secret


def document(number: int) -> str:
    """The spec with this number: the kinds take turns."""
    kind, team = KINDS[number % len(KINDS)], number % 97
    text = HEAD + SPECS[kind]
    filled = text.format(kind=kind, name=f"token-{number:06d}", number=number, team=team)
    return filled + (LIFECYCLE if number % 3 == 0 else "")


def rsa_document(number: int, bits: int) -> str:
    """An RSAToken whose key has so many bits."""
    name = f"token-{number:06d}"
    filled = (HEAD + SPECS["RSAToken"]).format(kind="RSAToken", name=name, number=number, team=number % 97)
    return f"{filled}  keySize: {bits}\n"


def workspace(root: Path, count: int, *, per_file: int = 1, make: Callable[[int], str] = document) -> Tree:
    """A new workspace of so many specs, with a rule to seal to a new age key."""
    recipient, identity = identities.generate()
    (root / "specs").mkdir(parents=True)
    (root / CONFIG).write_text(f"creation_rules:\n  - path_regex: ^artifacts/\n    age: {recipient}\n")
    (root / "specs" / "workspace.yaml").write_text(WORKSPACE)
    for number, numbers in enumerate(chunks(range(count), per_file)):
        folder = root / "specs" / "tokens" / f"{number // PER_FOLDER:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        text = "---\n".join(map(make, numbers))
        (folder / f"tokens-{number:06d}.yaml").write_text(text, encoding="utf-8")
    return Tree(root, recipient, identity)


def zone(root: Path, count: int) -> Path:
    """A folder with an octoDNS configuration: so many A records, from YAML to an empty YAML folder."""
    for name in ("config", "out"):
        (root / name).mkdir(parents=True)
    provider = "{{class: octodns.provider.yaml.YamlProvider, directory: ./{}, enforce_order: false}}\n"
    (root / "config.yaml").write_text(
        f"providers:\n  from: {provider.format('config')}  to: {provider.format('out')}"
        "zones:\n  example.com.: {sources: [from], targets: [to]}\n"
    )
    addresses = (f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}" for number in range(count))
    records = (
        f"r{number:06d}:\n  type: A\n  ttl: 300\n  value: {address}\n"
        for number, address in enumerate(addresses)
    )
    (root / "config" / "example.com.yaml").write_text("---\n" + "".join(records))
    return root


def chunks(numbers: range, size: int) -> Iterator[Sequence[int]]:
    """A range in pieces of at most so many."""
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]
