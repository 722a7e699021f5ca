"""What the configurations of Envoy have in common: the listener, and where the servers are."""

from __future__ import annotations

from reconciler.verify.gateways.interface import CONNECT_SECONDS, MISLEADING, Setting, each, fill
from reconciler.verify.gateways.places import Endpoint

LISTENER = r"""static_resources:
  listeners:
    - name: api
      address:
        socket_address: {address: "<<listen_host>>", port_value: <<listen_port>>}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": <<type>>.filters.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: api
                # The client is who is at the other end of the connection; what it says of itself goes.
                # Envoy's own way of adding it would, for a client on loopback, add an address of Envoy's.
                use_remote_address: true
                skip_xff_append: true
                early_header_mutation_extensions:
                  - name: envoy.http.early_header_mutation.header_mutation
                    typed_config:
                      "@type": <<type>>.http.early_header_mutation.header_mutation.v3.HeaderMutation
                      mutations:
                        - remove_on_match: {key_matcher: {prefix: x-reconciler, ignore_case: true}}
                        - remove_on_match: {key_matcher: {prefix: x-forwarded-, ignore_case: true}}
                        - remove_on_match: {key_matcher: {prefix: x-envoy-, ignore_case: true}}
                        <<misleading>>
                        - append:
                            header:
                              key: x-forwarded-for
                              value: "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"
                            append_action: OVERWRITE_IF_EXISTS_OR_ADD
                # Verifier and upstream get the path as the client sent it.
                normalize_path: false
                merge_slashes: false
                path_with_escaped_slashes_action: REJECT_REQUEST
                common_http_protocol_options:
                  idle_timeout: 3600s
                  # An application server may take X_Reconciler_Token for X-Reconciler-Token.
                  headers_with_underscores_action: DROP_HEADER
                http_protocol_options:
                  allow_chunked_length: false
                request_headers_timeout: 10s
                stream_idle_timeout: 3600s
                server_header_transformation: PASS_THROUGH
                upgrade_configs: [{upgrade_type: websocket}]
                # Neither token nor query stands in the log; both could hold a secret.
                access_log:
                  - name: envoy.access_loggers.stdout
                    typed_config:
                      "@type": <<type>>.access_loggers.stream.v3.StdoutAccessLog
                      log_format:
                        json_format:
                          at: "%START_TIME%"
                          client: "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"
                          method: "%REQ(:METHOD)%"
                          path: "%PATH(NQ:PATH)%"
                          status: "%RESPONSE_CODE%"
                          token: "%REQ(X-RECONCILER-TOKEN)%"
                          details: "%RESPONSE_CODE_DETAILS%"
                http_filters:
                  <<check>>
                  - name: envoy.filters.http.router
                    typed_config:
                      "@type": <<type>>.filters.http.router.v3.Router
                      suppress_envoy_headers: true
                route_config:
                  virtual_hosts:
                    - name: api
                      domains: ["*"]
                      request_headers_to_remove: [authorization, x-envoy-internal]
                      routes:
                        - match: {prefix: "/"}
                          route: {cluster: upstream, timeout: 0s}
  clusters:
    <<clusters>>
"""

CLUSTER = r"""
- name: <<name>>
  type: <<type>>
  connect_timeout: <<connect>>s
  load_assignment:
    cluster_name: <<name>>
    endpoints:
      - lb_endpoints:
          - endpoint:
              address:
                socket_address: {address: "<<host>>", port_value: <<port>>}
  <<tls>>
"""

TLS = r"""
transport_socket:
  name: envoy.transport_sockets.tls
  typed_config:
    "@type": <<type>>.transport_sockets.tls.v3.UpstreamTlsContext
    <<sni>>
    common_tls_context:
      validation_context:
        trusted_ca: {filename: "<<authorities>>"}
        match_typed_subject_alt_names:
          - san_type: <<san>>
            matcher: {exact: "<<host>>"}
"""


TYPE = "type.googleapis.com/envoy.extensions"


def values(setting: Setting) -> dict[str, str]:
    """What the holes of a head, the listener and a filter are filled with."""
    return {
        "type": TYPE,
        "verifier": setting.verifier.url,
        "verifier_origin": setting.verifier.origin,
        "verifier_path": setting.verifier.path,
        "upstream": setting.upstream.origin,
        "listen_host": setting.listen.host,
        "listen_port": str(setting.listen.port),
        "misleading": each(
            "- remove: {}", [name.lower() for name in MISLEADING if not name.startswith("X-Forwarded-")]
        ),
    }


def clusters(setting: Setting) -> str:
    """The verifier and the upstream."""
    return _cluster("reconciler_verifier", setting.verifier, setting) + _cluster(
        "upstream", setting.upstream, setting
    )


def _cluster(name: str, endpoint: Endpoint, setting: Setting) -> str:
    return fill(
        CLUSTER.lstrip("\n"),
        name=name,
        type="STATIC" if endpoint.is_address else "STRICT_DNS",
        connect=str(CONNECT_SECONDS),
        host=endpoint.host,
        port=str(endpoint.port),
        tls=_tls(endpoint, setting) if endpoint.tls else "",
    )


def _tls(endpoint: Endpoint, setting: Setting) -> str:
    return fill(
        TLS,
        type=TYPE,
        sni="" if endpoint.is_address else f"sni: {endpoint.host}",
        san="IP_ADDRESS" if endpoint.is_address else "DNS",
        host=endpoint.host,
        authorities=setting.authorities,
    )
