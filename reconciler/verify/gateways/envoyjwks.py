"""Envoy that checks by itself, by `jwt_authn` and the verifier's published keys."""

from __future__ import annotations

import json

from reconciler.verify.gateways.envoyparts import LISTENER, clusters, values
from reconciler.verify.gateways.interface import ANSWER_SECONDS, CONNECT_SECONDS, Gateway, Setting, fill

HEAD = r"""# Envoy in front of <<upstream>>, checking by itself with the keys that the verifier publishes.
# Printed by `reconcile gateway envoy-jwks`. Start: envoy --config-path THIS_FILE
#
# This takes the `at+jwt` tokens that <<verifier>>/oauth/token gives out, and no others. The verifier is
# asked for its keys every five minutes and for nothing else, so this works on while the verifier is away.
# What that gives up, against `reconcile gateway envoy`:
# - A token that was deleted, disabled, rotated or leaked goes on working until the `at+jwt` made from it
#   ends: up to 10 minutes. There is no way to end one sooner.
# - Grants are those of the moment at which it was given out. Which API may be called is not checked here
#   at all: the upstream finds the granted APIs in X-Reconciler-Scope, and has to look.
# - Projects, users, shops, apps, addresses (`ipm`) and devices (`dvm`) are not checked.
# - Tokens as their owners hold them (a JWT that the owner signs, a secret id, a login token) are refused:
#   they have to be exchanged first.
# - A signing key that is taken out of the verifier is believed for up to five minutes more.
# - Of the identity, the upstream gets X-Reconciler-Token, -Generation and -Scope; name, kind and owner are
#   not in the token.
# - The verifier's log and metrics do not see these calls. Refusals are Envoy's own, without a reason code.
# - Envoy reads JWTs less strictly: it knows nothing of `typ`, and of duplicate members. That the keys sign
#   nothing but `at+jwt` is what makes up for it: use them nowhere else.
# Two Authorization headers are refused, and the upstream gets no token (kept so by tests on Envoy 1.40).
# Change: the addresses; `iss` and `aud`, below; for TLS a transport_socket in the filter chain.

"""

FILTER = r"""
- name: envoy.filters.http.jwt_authn
  typed_config:
    "@type": <<type>>.filters.http.jwt_authn.v3.JwtAuthentication
    providers:
      reconciler:
        issuer: <<issuer>>
        audiences: [<<audience>>]
        from_headers: [{name: Authorization, value_prefix: "Bearer "}]
        forward: false
        require_expiration: true
        max_lifetime: 600s
        # Envoy's own default is 60 s.
        clock_skew_seconds: 5
        remote_jwks:
          http_uri:
            uri: <<verifier>>/.well-known/jwks.json
            cluster: reconciler_verifier
            timeout: <<answer>>s
          cache_duration: 300s
          # Nothing is listened to before the keys are there.
          async_fetch: {fast_listener: false, failed_refetch_duration: 1s}
        claim_to_headers:
          - {header_name: x-reconciler-token, claim_name: sub}
          - {header_name: x-reconciler-generation, claim_name: gen}
          - {header_name: x-reconciler-scope, claim_name: scope}
    rules:
      - match: {prefix: "/"}
        requires: {provider_name: reconciler}
"""


def render(setting: Setting) -> str:
    """The whole bootstrap file."""
    known = {
        **values(setting),
        "connect": str(CONNECT_SECONDS),
        "answer": str(ANSWER_SECONDS),
        "issuer": json.dumps(setting.issuer),
        "audience": json.dumps(setting.audience),
    }
    return fill(
        HEAD + LISTENER, **known, check=fill(FILTER.lstrip("\n"), **known), clusters=clusters(setting)
    )


GATEWAY = Gateway(
    "envoy-jwks", "Envoy, which checks offline, and gives up a good deal for it", render, offline=True
)
