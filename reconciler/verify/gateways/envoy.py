"""Envoy, by `ext_authz` over HTTP."""

from __future__ import annotations

from reconciler.verify.gateways.interface import ANSWER_SECONDS, CONNECT_SECONDS, Gateway, Setting, fill
from reconciler.verify.gateways.envoyparts import LISTENER, clusters, values

HEAD = r"""# Envoy in front of <<upstream>>, asking the verifier at <<verifier>>.
# Printed by `reconcile gateway envoy`. Start: envoy --config-path THIS_FILE
#
"""

FILTER = r"""
- name: envoy.filters.http.ext_authz
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
    transport_api_version: V3
    failure_mode_allow: false
    status_on_error: {code: ServiceUnavailable}
    # No with_request_body: the check gets no body.
    allowed_headers:
      patterns:
        - {exact: authorization}
        - {exact: x-forwarded-for}
    http_service:
      server_uri:
        uri: <<verifier_origin>>
        cluster: reconciler_verifier
        timeout: <<answer>>s
      # The method and the path are those of the request itself, after this prefix.
      path_prefix: <<verifier_path>>/verify/path
      authorization_response:
        allowed_upstream_headers:
          patterns: [{prefix: x-reconciler-, ignore_case: true}]
        allowed_client_headers:
          patterns:
            - {exact: www-authenticate, ignore_case: true}
            - {exact: content-type, ignore_case: true}
            - {exact: cache-control, ignore_case: true}
            - {exact: retry-after, ignore_case: true}
"""


def render(setting: Setting) -> str:
    """The whole bootstrap file."""
    known = {**values(setting), "connect": str(CONNECT_SECONDS), "answer": str(ANSWER_SECONDS)}
    return fill(HEAD + LISTENER, **known, check=fill(FILTER, **known), clusters=clusters(setting))


GATEWAY = Gateway("envoy", "Envoy, which asks by ext_authz", render)
