"""Envoy, by `ext_authz` over HTTP."""

from __future__ import annotations

from reconciler.verify.gateways.envoyparts import LISTENER, clusters, values
from reconciler.verify.gateways.interface import ANSWER_SECONDS, CONNECT_SECONDS, Gateway, Setting, fill

HEAD = r"""# Envoy in front of <<upstream>>, asking the verifier at <<verifier>>.
# Printed by `reconcile gateway envoy`. Start: envoy --config-path THIS_FILE
#
# What is so, found by experiment on Envoy 1.40 and kept so by tests:
# - Every request is checked, and no verdict is cached. Only 200 lets it through; anything that is no clear
#   answer is 503 to the client (failure_mode_allow: false, status_on_error), without the verifier's body.
# - The check gets no body, and of the client's headers only Authorization. Two of them arrive as one,
#   `Bearer A,Bearer B`, which the verifier refuses.
# - Method and path are those of the check itself, after /verify/path. The upstream gets the same path, as
#   the client sent it. An encoded slash or backslash gets 400, and so does a `#`.
# - The verifier is told the address at the other end of the connection. Behind another proxy of yours, set
#   xff_num_trusted_hops and take out what removes and overwrites x-forwarded-for.
# - All x-reconciler-*, x-forwarded-* and x-envoy-* of the client are removed before anything looks at them,
#   and headers with an underscore are dropped.
# - The upstream gets no token. To hand it on, take `authorization` out of request_headers_to_remove.
# - There is no `admin` section, so no admin port.
# Change: the addresses; for TLS a transport_socket in the filter chain.

"""

FILTER = r"""
- name: envoy.filters.http.ext_authz
  typed_config:
    "@type": <<type>>.filters.http.ext_authz.v3.ExtAuthz
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
