"""One spec of each kind that says all it can, and the least that each can say."""

from __future__ import annotations

from typing import Any

Tree = dict[str, Any]

HEAD = "apiVersion: reconciler/v1\n"

FULL = {
    "RSAToken": """\
apiVersion: reconciler/v1
kind: RSAToken
metadata:
  name: plant-a-historian
  title: 工厂 A 历史库
  owner: team-historian
  labels: {env: prod, example.com/site: a}
spec:
  apis: [device.read, device.list]
  projects: [plant-a]
  algorithm: PS384
  keySize: 4096
lifecycle:
  enabled: false
  expires: 2027-06-30
  rotate: {every: 90d, overlap: 3d}
  protect: true
deliver:
  format: kubernetes
  kubernetes: {name: historian, namespace: plant-a, labels: {app: historian}, type: Opaque}
""",
    "JWTToken": """\
apiVersion: reconciler/v1
kind: JWTToken
metadata:
  name: mes-bridge
  title: MES bridge
  owner: team-mes
  labels: {env: prod}
spec:
  apis: [telemetry.write]
  users: [svc-mes, svc-b]
  algorithm: ES384
  lifetime: 30d
lifecycle:
  enabled: true
  expires: 180d
  rotate: {every: 20d}
deliver: {format: json}
""",
    "LoginToken": """\
apiVersion: reconciler/v1
kind: LoginToken
metadata: {name: kiosk, owner: team-shop}
spec:
  typ: L
  aud: AdmManHu
  sap: SvKerneL
  jti: "12345678"
  ipm: [10.1.0.0/16, "2001:db8::1"]
  dvm: [d1, d2]
  tag: Primary
  api: "*"
  bug: "*"
  shop: [EldrCaRE, Other]
  role: "*"
  rule: [a.read]
deliver: {format: dotenv}
""",
    "TokenAuth": """\
apiVersion: reconciler/v1
kind: TokenAuth
metadata: {name: erp}
spec:
  name: ERP_1
  token_name: jwt
  expire: 3600
  fieldmap: {username: loginname, name: display, email: mail}
  algorithm: HS512
  enable: "1"
  inituser: "0"
  initroles: [SYS_Reader]
  initpwd: vault://secret/erp#password
""",
}

LEAST: dict[str, Tree] = {
    "RSAToken": {"apis": ["*"], "projects": ["*"]},
    "JWTToken": {"apis": ["a"], "users": ["u"]},
    "LoginToken": {"aud": "A", "sap": "*", "jti": "1a", "api": "*", "shop": "*", "role": "*", "rule": "*"},
    "TokenAuth": {"name": "ERP"},
}


def least(kind: str, name: str = "x", **fields: object) -> Tree:
    """The shortest spec of a kind as values, with some fields of `spec` set."""
    return {
        "apiVersion": "reconciler/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {**LEAST[kind], **fields},
    }


def text_of(kind: str, name: str = "x") -> str:
    """The shortest spec of a kind as a file."""
    fields = "".join(
        f"  {field}: {value if isinstance(value, str) and value.isalnum() else _quoted(value)}\n"
        for field, value in LEAST[kind].items()
    )
    return f"{HEAD}kind: {kind}\nmetadata:\n  name: {name}\nspec:\n{fields}"


def _quoted(value: object) -> str:
    return str(value).replace("'", '"') if isinstance(value, list) else f'"{value}"'
