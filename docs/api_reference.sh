#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints docs/reference/api.md from the headers that are installed; run it by ./dev docs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cat <<'END'
# API reference

Printed from the installed headers by `./dev docs`; change the headers, not this page. Start with
[omni_blocking.h](#connectoromni_blockingh); the programs in `examples/` show it in use.

END
headers=(connector/include/omniconnect.h
    connector/omni_blocking.h connector/omni_value.h connector/omni_blocking_set.h
    connector/omni_transfer_config.h connector/omni_serializer.h connector/omni_metrics_text.h
    connector/omni_notation.h connector/omni_connector.h connector/omni_factory.h
    connector/omni_connector_set.h connector/ds_blocking.h connector/ds_client.h
    connector/ds_discovery.h connector/ds_status.h connector/ds_binding.h wire/dsrpc/dsrpc_code.h runtime/slice.h runtime/blob.h
    runtime/status.h runtime/loop.h runtime/network.h fakeds/include/fakeds.h)
[[ ! -e fakeetcd/include/fakeetcd.h ]] || headers+=(fakeetcd/include/fakeetcd.h)
awk -f docs/api_reference.awk "${headers[@]}" | cat -s
