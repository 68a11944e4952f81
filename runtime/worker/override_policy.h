/* override_policy.h - connector.client.config.override.policy: which client properties a connector
 * may set by its <client>.override.* keys. */
#ifndef SLUICE_WORKER_OVERRIDE_POLICY_H
#define SLUICE_WORKER_OVERRIDE_POLICY_H

#include "base/map.h"
#include "plugin/options.h"

enum sluice_override_policy {
    SLUICE_OVERRIDE_ALL,
    SLUICE_OVERRIDE_NONE,
    SLUICE_OVERRIDE_PRINCIPAL
};

/* Connect's short name, simple or full class name. False: err says what there is. */
bool sluice_override_policy(const char *name, enum sluice_override_policy *out,
                            struct sluice_err *err);
/* Findings for what the policy forbids, of the clients that such a connector has: a source's
 * producer and, for its topics, admin; a sink's consumer, and both others with a dead-letter
 * topic. */
void sluice_override_check(enum sluice_override_policy policy, enum sluice_kind kind,
                           const struct sluice_map *config, struct sluice_report *report);

#endif
