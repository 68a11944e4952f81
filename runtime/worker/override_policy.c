/* override_policy.c - see override_policy.h; words and rules are Connect's. */
#include "worker/override_policy.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"

static const char *const names[] = {"All", "None", "Principal"};

bool sluice_override_policy(const char *name, enum sluice_override_policy *out,
                            struct sluice_err *err)
{
    static const char suffix[] = "ConnectorClientConfigOverridePolicy";
    static const char package[] = "org.apache.kafka.connect.connector.policy.";
    const char *word = name;
    if (strncmp(word, package, sizeof package - 1) == 0) word += sizeof package - 1;
    size_t len = strlen(word), cut = sizeof suffix - 1;
    if (len > cut && strcmp(word + len - cut, suffix) == 0) len -= cut;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i]) != len || strncmp(names[i], word, len) != 0) continue;
        *out = (enum sluice_override_policy)i;
        return true;
    }
    return sluice_err_set(err,
                          "Invalid value %s for configuration "
                          "connector.client.config.override.policy: there are All, None and "
                          "Principal; policies that are Java classes of your own cannot be loaded",
                          name);
}

static bool allowed(enum sluice_override_policy policy, const char *property)
{
    if (policy == SLUICE_OVERRIDE_NONE) return false;
    return strcmp(property, "sasl.jaas.config") == 0 || strcmp(property, "sasl.mechanism") == 0 ||
           strcmp(property, "security.protocol") == 0;
}

void sluice_override_check(enum sluice_override_policy policy, enum sluice_kind kind,
                           const struct sluice_map *config, struct sluice_report *report)
{
    const char *letters = sluice_map_get(config, "errors.deadletterqueue.topic.name");
    bool source = kind == SLUICE_KIND_SOURCE, both = source || (letters && *letters);
    const struct {
        const char *prefix;
        bool used;
    } clients[] = {
        {"producer.override.", both}, {"admin.override.", both}, {"consumer.override.", !source}};
    if (policy == SLUICE_OVERRIDE_ALL) return;
    assert(policy <= SLUICE_OVERRIDE_PRINCIPAL);
    for (size_t i = 0; i < config->n; i++) {
        const char *key = config->items[i].key;
        for (size_t c = 0; c < sizeof clients / sizeof *clients; c++) {
            size_t n = strlen(clients[c].prefix);
            if (!clients[c].used || strncmp(key, clients[c].prefix, n) != 0) continue;
            if (!allowed(policy, key + n))
                sluice_report_add(report, key,
                                  "The '%s' policy does not allow '%s' to be overridden in the "
                                  "connector configuration.",
                                  names[policy], key + n);
        }
    }
}
