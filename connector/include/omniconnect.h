/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OMNICONNECT_H
#define OMNICONNECT_H

/*
 * The Yuanrong connector as an installed library: pkg-config omniconnect, or
 * find_package(omniconnect) and omniconnect::omniconnect.
 *
 *   omni_blocking.h         put, get, health, close for programs with threads (start here)
 *   omni_value.h            the data that stages exchange, and memory for it
 *   omni_blocking_set.h     all connectors of a transfer configuration, in one step
 *   omni_transfer_config.h  transfer configurations themselves
 *   omni_serializer.h       values to MessagePack and back
 *   omni_metrics_text.h     counters and histograms as JSON and as Prometheus text
 *   ds_blocking.h           the Datasystem's own calls: set, get, exist, delete, expire, ...
 *   ds_discovery.h          a worker of the Datasystem, found through etcd
 *   omni_connector.h        the same connector on an event loop of yours (runtime/loop.h)
 *   omni_factory.h          connector types of your own
 *
 * and, to be included by themselves as connector/NAME:
 *
 *   omni_connector_set.h    all connectors of a transfer configuration, on a loop of yours
 *   omni_notation.h         values as JSON text and back
 *
 * For C11 and later. Whoever returns an enum rt_status (runtime/status.h) has written its out_
 * arguments only when that is RT_OK, unless it says otherwise; destroying NULL does nothing. What
 * the connector does, and where each rule comes from, is in docs/reference/connector.md of the
 * sources.
 *
 * Functions, types and numbers named here keep their meaning within one major version; while that
 * is 0, within one minor version. What has two underscores behind its prefix is not for you, and
 * the shared library does not export it.
 */
#include "connector/ds_blocking.h"
#include "connector/omni_blocking.h"
#include "connector/omni_blocking_set.h"
#include "connector/omni_factory.h"
#include "connector/omni_metrics_text.h"
#include "connector/omni_serializer.h"
#include "connector/omni_transfer_config.h"

/* Of these headers. A test compares them with the project's version. */
#define OMNI_VERSION_MAJOR 0
#define OMNI_VERSION_MINOR 1
#define OMNI_VERSION_PATCH 0
#define OMNI_VERSION       "0.1.0"

/* At least this version? For #if. */
#define OMNI_VERSION_AT_LEAST(major, minor)                                                        \
    (OMNI_VERSION_MAJOR > (major) ||                                                               \
     (OMNI_VERSION_MAJOR == (major) && OMNI_VERSION_MINOR >= (minor)))

/* Of the library that is linked: "0.1.0". Static text, any thread. */
const char *omni_version(void);

#endif
