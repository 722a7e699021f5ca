"""Traefik, by `forwardAuth`."""

from __future__ import annotations

from reconciler.verify.gateways.interface import IDENTITY, MISLEADING, Gateway, Setting, each, fill

TEMPLATE = r"""# Traefik in front of <<upstream>>, asking the verifier at <<verifier>>.
# Printed by `reconcile gateway traefik`: the dynamic configuration. The rest is in how it is started:
#
#   traefik
#     --entryPoints.api.address=<<listen>>
#     --entryPoints.api.http.sanitizePath=false
#     --entryPoints.api.http.underscoreHeadersStrategy=delete
#     --entryPoints.api.forwardedHeaders.insecure=false
#     --providers.file.filename=THIS_FILE
#     --global.checkNewVersion=false
#     --global.sendAnonymousUsage=false
#
http:
  routers:
    api:
      entryPoints: [api]
      rule: PathPrefix(`/`)
      middlewares: [reconciler-strip, reconciler-verify, reconciler-token]
      service: upstream
  middlewares:
    reconciler-strip:
      headers:
        customRequestHeaders:
          <<misleading>>
    reconciler-verify:
      forwardAuth:
        address: <<verifier>>/verify
        trustForwardHeader: false
        authRequestHeaders: [Authorization]
        authResponseHeadersRegex: ^X-Reconciler-
        forwardBody: false
        maxResponseBodySize: 65536
    reconciler-token:
      headers:
        customRequestHeaders:
          Authorization: ""
  services:
    upstream:
      loadBalancer:
        passHostHeader: true
        responseForwarding:
          flushInterval: -1ms
        servers:
          - url: <<upstream>>
"""


def render(setting: Setting) -> str:
    """The dynamic configuration, with the start command in its comments."""
    return fill(
        TEMPLATE,
        verifier=setting.verifier.url,
        upstream=setting.upstream.origin,
        listen=setting.listen.at,
        misleading=each('{}: ""', (*MISLEADING, *IDENTITY)),
    )


GATEWAY = Gateway("traefik", "Traefik, which asks by forwardAuth", render)
