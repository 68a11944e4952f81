/* connector.client.config.override.policy: names, and what each forbids, in Connect's words. */
#include "worker/override_policy.h"

#include <string.h>

#include "../harness.h"

TEST(policy_answers_to_connects_names)
{
    static const struct {
        const char *name;
        int policy; /* -1: there is none */
    } rows[] = {
        {"All", SLUICE_OVERRIDE_ALL},
        {"NoneConnectorClientConfigOverridePolicy", SLUICE_OVERRIDE_NONE},
        {"org.apache.kafka.connect.connector.policy.PrincipalConnectorClientConfigOverridePolicy",
         SLUICE_OVERRIDE_PRINCIPAL},
        {"all", -1},
        {"com.example.MyPolicy", -1},
        {"", -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum sluice_override_policy policy;
        struct sluice_err err = {{0}};
        bool ok = sluice_override_policy(rows[i].name, &policy, &err);
        CHECK_INT(ok ? (int)policy : -1, rows[i].policy);
        if (!ok) CHECK_HAS(err.msg, "there are All, None and Principal");
    }
}

/* The keys that a policy finds fault with, "a b "; in the order of the config. */
static const char *forbidden(enum sluice_override_policy policy, enum sluice_kind kind,
                             bool letters)
{
    static const char *const keys[] = {
        "producer.override.acks",        "producer.override.sasl.jaas.config",
        "consumer.override.client.id",   "consumer.override.security.protocol",
        "admin.override.sasl.mechanism", "admin.override.retries"};
    static char text[512];
    struct sluice_map config = {0};
    struct sluice_report report = {0};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) sluice_map_set(&config, keys[i], "x");
    if (letters) sluice_map_set(&config, "errors.deadletterqueue.topic.name", "l");
    sluice_override_check(policy, kind, &config, &report);
    text[0] = '\0';
    for (size_t i = 0; i < report.n; i++) {
        strncat(text, report.items[i].key, sizeof text - strlen(text) - 1);
        strncat(text, " ", sizeof text - strlen(text) - 1);
    }
    sluice_map_fini(&config);
    sluice_report_fini(&report);
    return text;
}

TEST(policy_forbids_what_a_connector_would_use)
{
    CHECK_STR(forbidden(SLUICE_OVERRIDE_ALL, SLUICE_KIND_SINK, true), "");
    CHECK_STR(forbidden(SLUICE_OVERRIDE_PRINCIPAL, SLUICE_KIND_SOURCE, false),
              "producer.override.acks admin.override.retries ");
    CHECK_STR(forbidden(SLUICE_OVERRIDE_PRINCIPAL, SLUICE_KIND_SINK, false),
              "consumer.override.client.id ");
    CHECK_STR(forbidden(SLUICE_OVERRIDE_PRINCIPAL, SLUICE_KIND_SINK, true),
              "producer.override.acks consumer.override.client.id admin.override.retries ");
    CHECK_STR(forbidden(SLUICE_OVERRIDE_NONE, SLUICE_KIND_SINK, false),
              "consumer.override.client.id consumer.override.security.protocol ");
}

TEST(policy_speaks_as_connect_does)
{
    struct sluice_map config = {0};
    struct sluice_report report = {0};
    sluice_map_set(&config, "consumer.override.client.id", "x");
    sluice_override_check(SLUICE_OVERRIDE_NONE, SLUICE_KIND_SINK, &config, &report);
    CHECK_INT(report.n, 1);
    CHECK_STR(report.items[0].message, "The 'None' policy does not allow 'client.id' to be "
                                       "overridden in the connector configuration.");
    sluice_map_fini(&config);
    sluice_report_fini(&report);
}
