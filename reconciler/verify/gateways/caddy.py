"""Caddy, by `forward_auth`."""

from __future__ import annotations

from reconciler.verify.gateways.interface import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    IDENTITY,
    MISLEADING,
    Gateway,
    Setting,
    each,
    fill,
)

TEMPLATE = r"""# Caddy in front of <<upstream>>, asking the verifier at <<verifier>>.
# Printed by `reconcile gateway caddy`. Start: caddy run --adapter caddyfile --config THIS_FILE
#
# What is so, found by experiment on Caddy 2.11 and kept so by tests:
# - Every request is checked, and no verdict is cached. Only 2xx lets it through; a verifier that is away or
#   slow is 502 or 504 to the client.
# - `uri /verify?` ends in a question mark for a reason: without it the client's query would be appended, and
#   parameters there are the gateway's own words (`?api=…`) to the verifier.
# - forward_auth by itself sends all headers of the client to the check. `header_up -*` takes them out; a
#   header that the verifier is to trust (--device-header) is set after that line, from what Caddy knows.
# - Two Authorization headers arrive as one, `Bearer A,Bearer B`, which the verifier refuses.
# - {http.request.uri} is the path as the upstream gets it: dots, doubled and encoded slashes stay, and what
#   may not stand in a path (`|`, `"`, `#`) is percent-encoded for both. orig_uri would differ from that.
# - copy_headers leaves a client's own header where the verifier sends none (GHSA-7r4p-vjf4-gxv4); the two
#   request_header lines make that harmless, and the second is for servers that take _ for -.
# - Of Transfer-Encoding beside Content-Length, Caddy drops the latter and hands on chunks.
# - Streams of no set length and web sockets flow as they come. `flush_interval -1` is not needed for that,
#   and would have Caddy go on reading from the upstream after the client is gone.
# - The upstream gets no token. To hand it on, take out the line `header_up -Authorization`.
# - Caddy warns that `header_up X-Forwarded-For` is not needed; it is, after `header_up -*`.
# Change: the addresses; for TLS the site's address to your host name, and take out `auto_https off`.
{
	# No interface by which this could be changed at run time, and nothing fetched by itself.
	admin off
	persist_config off
	auto_https off
	servers {
		protocols h1 h2
	}
}

http://:<<listen_port>> {
	bind <<listen_host>>
	# Neither token nor query stands in the log; both could hold a secret.
	log {
		output stdout
		format filter {
			request>headers delete
			resp_headers delete
			request>uri regexp "\?.*" ""
		}
	}
	# `route` keeps this order; without it Caddy has one of its own, in which forward_auth comes first.
	route {
		@other method CONNECT TRACE
		respond @other 405
		# `Connection: X-Reconciler-Owner` would have Caddy take that header out, as one for this hop only.
		@upgrade header Upgrade *
		request_header -Connection
		request_header @upgrade Connection Upgrade
		request_header -X-Reconciler*
		request_header -X_Reconciler*
		<<misleading>>
		forward_auth <<verifier_origin>> {
			uri <<verifier_path>>/verify?
			header_up -*
			header_up Host {http.reverse_proxy.upstream.hostport}
			header_up Authorization {http.request.header.Authorization}
			header_up X-Forwarded-Method {http.request.method}
			header_up X-Forwarded-Uri {http.request.uri}
			header_up X-Forwarded-For {http.request.remote.host}
			copy_headers <<identity>>
			transport http {
				dial_timeout <<connect>>s
				response_header_timeout <<answer>>s
				<<verifier_tls>>
			}
		}
		reverse_proxy <<upstream>> {
			header_up -Authorization
			<<upstream_tls>>
		}
	}
}
"""


def render(setting: Setting) -> str:
    """The whole Caddyfile."""
    trust = f"tls_trust_pool file {setting.authorities}"
    return fill(
        TEMPLATE,
        verifier=setting.verifier.url,
        verifier_origin=setting.verifier.origin,
        verifier_path=setting.verifier.path,
        upstream=setting.upstream.origin,
        listen_host=setting.listen.host,
        listen_port=str(setting.listen.port),
        identity=" ".join(IDENTITY),
        misleading=each("request_header -{}", MISLEADING),
        verifier_tls=trust if setting.verifier.tls else "",
        upstream_tls=f"transport http {{\n\t{trust}\n}}" if setting.upstream.tls else "",
        connect=str(CONNECT_SECONDS),
        answer=str(ANSWER_SECONDS),
    )


GATEWAY = Gateway("caddy", "Caddy, which asks by forward_auth", render)
