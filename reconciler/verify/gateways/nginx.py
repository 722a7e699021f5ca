"""nginx, by `auth_request`."""

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
from reconciler.verify.gateways.places import Endpoint

TEMPLATE = r"""# nginx in front of <<upstream>>, asking the verifier at <<verifier>>.
# Printed by `reconcile gateway nginx`. Start: nginx -c THIS_FILE -e stderr
#
# What is so, and is kept so by tests on nginx 1.31:
# - Every request is checked, and no verdict is cached: do not add proxy_cache to the check.
# - The check gets no body, and of the client's headers only Authorization. nginx itself answers 400 to
#   two Authorization headers, and to Transfer-Encoding beside Content-Length.
# - Verifier and upstream get the path as the client sent it ($request_uri, and proxy_pass without a path).
# - auth_request drops the body of a refusal, so one is made below from the verifier's headers: the error,
#   and the reason where the verifier sends X-Reconciler-Reason.
# - auth_request makes 500 of everything but 2xx, 401 and 403; here that is told as 503.
# - The upstream gets no token. To hand it on, take out the line `proxy_set_header Authorization "";`.
# - Headers with an underscore in their name are dropped by nginx: leave underscores_in_headers off.
# - X-Reconciler-* beyond the eight that are set below reach the upstream as the client sent them.
# - Where a server fails, nginx's error_log names the request with its query, and never its headers.
# - The client is who is at the other end of the connection. Behind another proxy of yours, set_real_ip_from
#   and real_ip_header tell nginx whom that speaks for.
# - Names of servers are looked up once, at the start.
# Change: the addresses; where the log goes; `listen … ssl` with ssl_certificate and ssl_certificate_key.

worker_processes auto;
events {
    worker_connections 4096;
}

http {
    server_tokens off;

    # Neither token nor query stands in the log; both could hold a secret.
    log_format reconciler escape=json '{"at":"$time_iso8601","client":"$remote_addr",'
        '"method":"$request_method","path":"$uri","status":$status,"token":"$reconciler_token","reason":"$reconciler_reason"}';
    access_log /dev/stdout reconciler;

    upstream reconciler_verifier {
        server <<verifier_at>> max_fails=0;
        keepalive 64;
    }
    upstream reconciler_upstream {
        server <<upstream_at>> max_fails=0;
        keepalive 64;
    }
    map $http_upgrade $reconciler_connection {
        default upgrade;
        ""      "";
    }
    map $reconciler_challenge $reconciler_error {
        default                           unauthorized;
        '~[ ,]error="(?<named>[a-z_]+)"' $named;
    }

    # nginx hands the challenge of a 401 on by itself, and that of a 403 not.
    map $status $reconciler_denied {
        403     $reconciler_challenge;
        default "";
    }
    map $reconciler_reason $reconciler_body {
        default '{"error": "$reconciler_error", "reason": "$reconciler_reason"}';
        ""      '{"error": "$reconciler_error"}';
    }

    server {
        listen <<listen>>;
        # The path that is matched below is no other than the one that is checked and handed on.
        merge_slashes off;
        # How much a body may hold is the upstream's to say.
        client_max_body_size 0;

        location / {
            auth_request /.reconciler/verify;
            auth_request_set $reconciler_challenge $upstream_http_www_authenticate;
            auth_request_set $reconciler_reason $upstream_http_x_reconciler_reason;
            <<take>>
            error_page 401 =401 @refused;
            error_page 403 =403 @refused;
            error_page 500 =503 @unavailable;

            proxy_pass <<upstream_scheme>>://reconciler_upstream;
            <<upstream_tls>>
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $reconciler_connection;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
            # Who it is, in place of whatever the client sent under these names.
            <<identity>>
            proxy_set_header Authorization "";
            # What would tell the upstream of another request than the one that was checked.
            <<misleading>>
            # Streams flow as they come; a web socket that is silent for an hour is closed.
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_read_timeout 3600s;
            proxy_send_timeout 3600s;
        }

        location = /.reconciler/verify {
            internal;
            proxy_pass <<verifier_scheme>>://reconciler_verifier<<verifier_path>>/verify;
            <<verifier_tls>>
            proxy_method GET;
            proxy_http_version 1.1;
            proxy_pass_request_body off;
            proxy_pass_request_headers off;
            proxy_set_header Host <<verifier_at>>;
            proxy_set_header Connection "";
            proxy_set_header Content-Length "";
            proxy_set_header Authorization $http_authorization;
            proxy_set_header X-Forwarded-Method $request_method;
            proxy_set_header X-Forwarded-Uri $request_uri;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_connect_timeout <<connect>>s;
            proxy_send_timeout <<answer>>s;
            proxy_read_timeout <<answer>>s;
        }

        location @refused {
            internal;
            default_type application/json;
            add_header WWW-Authenticate $reconciler_denied always;
            add_header Cache-Control no-store always;
            return 403 $reconciler_body;
        }

        location @unavailable {
            internal;
            default_type application/json;
            add_header Cache-Control no-store always;
            return 503 '{"error": "temporarily_unavailable"}';
        }
    }
}
"""

TLS = """\
proxy_ssl_server_name on;
proxy_ssl_name {host};
proxy_ssl_verify on;
proxy_ssl_verify_depth 3;
proxy_ssl_trusted_certificate {authorities};"""


def render(setting: Setting) -> str:
    """The whole nginx.conf."""
    verifier, upstream = setting.verifier, setting.upstream
    return fill(
        TEMPLATE,
        verifier=verifier.url,
        verifier_at=verifier.at,
        verifier_scheme=verifier.scheme,
        verifier_path=verifier.path,
        verifier_tls=_tls(verifier, setting),
        upstream=upstream.origin,
        upstream_at=upstream.at,
        upstream_scheme=upstream.scheme,
        upstream_tls=_tls(upstream, setting),
        listen=setting.listen.at,
        take=each("auth_request_set ${var} $upstream_http_{var};", IDENTITY).replace(
            "$x_reconciler", "$reconciler"
        ),
        identity=each("proxy_set_header {} ${var};", IDENTITY).replace("$x_reconciler", "$reconciler"),
        misleading=each('proxy_set_header {} "";', MISLEADING),
        connect=str(CONNECT_SECONDS),
        answer=str(ANSWER_SECONDS),
    )


def _tls(endpoint: Endpoint, setting: Setting) -> str:
    return TLS.format(host=endpoint.host, authorities=setting.authorities) if endpoint.tls else ""


GATEWAY = Gateway("nginx", "nginx, which asks by auth_request", render)
