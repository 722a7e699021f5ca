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
# What is so, found by experiment on Traefik 3.7 and kept so by tests:
# - Every request is checked, and no verdict is cached. Only 2xx lets it through; a verifier that is away is
#   500 to the client. How long it waits for a slow one is fixed in Traefik: 30 s, and then it is 500.
# - The check gets no body, and of the client's headers only Authorization. Two of them arrive as two, which
#   the verifier refuses. authRequestHeaders must not be empty: that means all.
# - Traefik sets X-Forwarded-Method, -Uri and -For for the check itself. trustForwardHeader would let the
#   client set them: leave it false, and name a proxy of yours in front in forwardedHeaders.trustedIPs.
# - Traefik decodes needless escapes (%2e, %41), writes the others in capitals, and makes `&` of `;` in a
#   query, before both the check and the upstream: they get the same. sanitizePath=false leaves dots and
#   doubled slashes for the verifier to refuse; with true it would resolve them, for both.
# - authResponseHeadersRegex takes every X-Reconciler-* of the client out before it sets the verifier's;
#   underscoreHeadersStrategy is for servers that take _ for -.
# - Of Transfer-Encoding beside Content-Length, Traefik drops the latter and hands on chunks.
# - Streams of no set length and web sockets flow as they come.
# - The upstream gets no token. To hand it on, take reconciler-token out of `middlewares`.
# - No dashboard, no API, no access log: --accesslog=true would write the query, which may hold a token.
# Change: the addresses; for TLS --entryPoints.api.http.tls=true and a certificate under `tls`.
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
        <<verifier_tls>>
    reconciler-token:
      headers:
        customRequestHeaders:
          Authorization: ""
  services:
    upstream:
      loadBalancer:
        passHostHeader: true
        servers:
          - url: <<upstream>>
        <<transport>>
  <<transports>>
"""


def render(setting: Setting) -> str:
    """The dynamic configuration, with the start command in its comments."""
    ca = setting.authorities
    return fill(
        TEMPLATE,
        verifier=setting.verifier.url,
        upstream=setting.upstream.origin,
        listen=setting.listen.at,
        verifier_tls=f"tls: {{ca: {ca}}}" if setting.verifier.tls else "",
        transport="serversTransport: upstream" if setting.upstream.tls else "",
        transports=f"serversTransports:\n  upstream: {{rootCAs: [{ca}]}}" if setting.upstream.tls else "",
        misleading=each('{}: ""', (*MISLEADING, *IDENTITY)),
    )


GATEWAY = Gateway("traefik", "Traefik, which asks by forwardAuth", render)
