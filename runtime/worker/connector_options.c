/* connector_options.c - the keys that every connector config may have (Kafka Connect's
 * ConnectorConfig, SourceConnectorConfig, SinkConnectorConfig), and ours, marked as such. */
#include <string.h>

#include "worker/auto_restart.h"
#include "worker/worker.h"

#define COMMON                                                                                     \
    {"name",      SLUICE_OPT_STRING,                                                               \
     SLUICE_HIGH, SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY,                                       \
     NULL,        NULL,                                                                            \
     "Common",    "Globally unique name of this connector."},                                      \
        {"connector.class",                                                                        \
         SLUICE_OPT_STRING,                                                                        \
         SLUICE_HIGH,                                                                              \
         SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY,                                                \
         NULL,                                                                                     \
         NULL,                                                                                     \
         "Common",                                                                                 \
         "The connector: short name, Java class (full or simple), or Confluent Cloud name."},      \
        {"connector.plugin.version",                                                               \
         SLUICE_OPT_STRING,                                                                        \
         SLUICE_MEDIUM,                                                                            \
         0,                                                                                        \
         NULL,                                                                                     \
         NULL,                                                                                     \
         "Common",                                                                                 \
         "Version of the connector that is wanted, or a range such as [1.0,2.0)."},                \
        {"tasks.max", SLUICE_OPT_INT, SLUICE_HIGH, 0,                                              \
         "1",         "1..",          "Common",    "Most tasks that may run for this connector."}, \
        {"tasks.max.enforce",                                                                      \
         SLUICE_OPT_BOOLEAN,                                                                       \
         SLUICE_LOW,                                                                               \
         0,                                                                                        \
         "true",                                                                                   \
         NULL,                                                                                     \
         "Common",                                                                                 \
         "Whether a connector that wants more tasks than tasks.max fails."},                       \
        {"key.converter",                                                                          \
         SLUICE_OPT_CLASS,                                                                         \
         SLUICE_LOW,                                                                               \
         0,                                                                                        \
         NULL,                                                                                     \
         NULL,                                                                                     \
         "Common",                                                                                 \
         "Converter of keys; with it only this connector's key.converter.* keys count. Unset: "    \
         "the "                                                                                    \
         "worker's."},                                                                             \
        {"key.converter.plugin.version",                                                           \
         SLUICE_OPT_STRING,                                                                        \
         SLUICE_MEDIUM,                                                                            \
         0,                                                                                        \
         NULL,                                                                                     \
         NULL,                                                                                     \
         "Common",                                                                                 \
         "Version of that converter, or a range."},                                                \
        {"value.converter",                                                                        \
         SLUICE_OPT_CLASS,                                                                         \
         SLUICE_LOW,                                                                               \
         0,                                                                                        \
         NULL,                                                                                     \
         NULL,                                                                                     \
         "Common",                                                                                 \
         "Converter of values; with it only this connector's value.converter.* keys count. "       \
         "Unset: "                                                                                 \
         "the worker's."},                                                                         \
        {"value.converter.plugin.version",                                                         \
         SLUICE_OPT_STRING,                                                                        \
         SLUICE_MEDIUM,                                                                            \
         0,                                                                                        \
         NULL,                                                                                     \
         NULL,                                                                                     \
         "Common",                                                                                 \
         "Version of that converter, or a range."},                                                \
        {"header.converter",                                                                       \
         SLUICE_OPT_CLASS,                                                                         \
         SLUICE_LOW,                                                                               \
         0,                                                                                        \
         NULL,                                                                                     \
         NULL,                                                                                     \
         "Common",                                                                                 \
         "Converter of headers. Unset: the worker's."},                                            \
        {"header.converter.plugin.version",                                                        \
         SLUICE_OPT_STRING,                                                                        \
         SLUICE_MEDIUM,                                                                            \
         0,                                                                                        \
         NULL,                                                                                     \
         NULL,                                                                                     \
         "Common",                                                                                 \
         "Version of that converter, or a range."},                                                \
        {"transforms", SLUICE_OPT_LIST,                                                            \
         SLUICE_LOW,   0,                                                                          \
         "",           NULL,                                                                       \
         "Transforms", "Aliases of the transforms that records pass, in order."},                  \
        {"transforms.*", SLUICE_OPT_STRING,                                                        \
         SLUICE_LOW,     0,                                                                        \
         NULL,           NULL,                                                                     \
         "Transforms",   "Type, predicate, negate and options of one transform."},                 \
        {"predicates", SLUICE_OPT_LIST,                                                            \
         SLUICE_LOW,   0,                                                                          \
         "",           NULL,                                                                       \
         "Predicates", "Aliases of the predicates that transforms may name."},                     \
        {"predicates.*", SLUICE_OPT_STRING,                                                        \
         SLUICE_LOW,     0,                                                                        \
         NULL,           NULL,                                                                     \
         "Predicates",   "Type and options of one predicate."},                                    \
        {"config.action.reload",                                                                   \
         SLUICE_OPT_STRING,                                                                        \
         SLUICE_LOW,                                                                               \
         SLUICE_OPT_IGNORED,                                                                       \
         "restart",                                                                                \
         "none|restart",                                                                           \
         "Common",                                                                                 \
         "What a changed external secret does."},                                                  \
        {"errors.retry.timeout",                                                                   \
         SLUICE_OPT_LONG,                                                                          \
         SLUICE_MEDIUM,                                                                            \
         0,                                                                                        \
         "0",                                                                                      \
         "-1..",                                                                                   \
         "Error Handling",                                                                         \
         "Longest that a failed operation is tried again, in ms; 0: not, -1: without end."},       \
        {"errors.retry.delay.max.ms",                                                              \
         SLUICE_OPT_LONG,                                                                          \
         SLUICE_MEDIUM,                                                                            \
         0,                                                                                        \
         "60000",                                                                                  \
         "1..",                                                                                    \
         "Error Handling",                                                                         \
         "Longest wait between two tries, in ms."},                                                \
        {"errors.tolerance",                                                                       \
         SLUICE_OPT_STRING,                                                                        \
         SLUICE_MEDIUM,                                                                            \
         SLUICE_OPT_NOCASE,                                                                        \
         "none",                                                                                   \
         "none|all",                                                                               \
         "Error Handling",                                                                         \
         "none: a record that fails ends the task; all: it is skipped."},                          \
        {"errors.log.enable",                                                                      \
         SLUICE_OPT_BOOLEAN,                                                                       \
         SLUICE_MEDIUM,                                                                            \
         0,                                                                                        \
         "false",                                                                                  \
         NULL,                                                                                     \
         "Error Handling",                                                                         \
         "Whether each failed record is logged."},                                                 \
        {"errors.log.include.messages",                                                            \
         SLUICE_OPT_BOOLEAN,                                                                       \
         SLUICE_MEDIUM,                                                                            \
         0,                                                                                        \
         "false",                                                                                  \
         NULL,                                                                                     \
         "Error Handling",                                                                         \
         "Whether that log line names the record's topic, partition and offset."},                 \
        {"inflight.max.records",                                                                   \
         SLUICE_OPT_INT,                                                                           \
         SLUICE_LOW,                                                                               \
         0,                                                                                        \
         NULL,                                                                                     \
         "16..4194304",                                                                            \
         "sluice",                                                                                 \
         "Records under way in each task. Unset: the worker's. (sluice's own key)"},               \
        {"auto.restart.enabled",                                                                   \
         SLUICE_OPT_BOOLEAN,                                                                       \
         SLUICE_LOW,                                                                               \
         0,                                                                                        \
         "false",                                                                                  \
         NULL,                                                                                     \
         "sluice",                                                                                 \
         "Whether a FAILED task is started again by itself. (sluice's own key)"},                  \
        {"auto.restart.max.attempts",                                                              \
         SLUICE_OPT_INT,                                                                           \
         SLUICE_LOW,                                                                               \
         0,                                                                                        \
         SLUICE_AUTO_RESTART_MAX_ATTEMPTS,                                                         \
         "-1..",                                                                                   \
         "sluice",                                                                                 \
         "Most automatic restarts in a row, after which the task stays FAILED; -1: without end. "  \
         "(sluice's own key)"},                                                                    \
        {"auto.restart.initial.delay.ms",                                                          \
         SLUICE_OPT_LONG,                                                                          \
         SLUICE_LOW,                                                                               \
         0,                                                                                        \
         SLUICE_AUTO_RESTART_INITIAL_DELAY_MS,                                                     \
         "1..",                                                                                    \
         "sluice",                                                                                 \
         "Wait before the first automatic restart, in ms; it doubles with each one. (sluice's own" \
         " key)"},                                                                                 \
        {"auto.restart.max.delay.ms",                                                              \
         SLUICE_OPT_LONG,                                                                          \
         SLUICE_LOW,                                                                               \
         0,                                                                                        \
         SLUICE_AUTO_RESTART_MAX_DELAY_MS,                                                         \
         "1..",                                                                                    \
         "sluice",                                                                                 \
         "Longest wait before an automatic restart, in ms. (sluice's own key)"},                   \
        {"auto.restart.reset.after.ms",                                                            \
         SLUICE_OPT_LONG,                                                                          \
         SLUICE_LOW,                                                                               \
         0,                                                                                        \
         SLUICE_AUTO_RESTART_RESET_AFTER_MS,                                                       \
         "0..",                                                                                    \
         "sluice",                                                                                 \
         "A task that ran for so long, in ms, begins anew with its attempts and waits. (sluice's " \
         "own key)"},                                                                              \
    {                                                                                              \
        "inflight.max.bytes", SLUICE_OPT_LONG, SLUICE_LOW, 0, NULL, "65536..", "sluice",           \
            "Bytes under way in each task. Unset: the worker's. (sluice's own key)"                \
    }

static const struct sluice_option source_options[] = {
    COMMON,
    {"topic.creation.groups", SLUICE_OPT_LIST, SLUICE_LOW, 0, "", NULL, "Topic Creation",
     "Groups of topics that are created with settings of their own."},
    {"topic.creation.*", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, NULL, "Topic Creation",
     "replication.factor, partitions and topic settings of a group or of default."},
    {"exactly.once.support", SLUICE_OPT_STRING, SLUICE_MEDIUM, SLUICE_OPT_NOCASE, "requested",
     "requested|required", "Exactly Once Support",
     "Whether the connector may run without exactly-once guarantees."},
    {"transaction.boundary", SLUICE_OPT_STRING, SLUICE_MEDIUM, SLUICE_OPT_NOCASE, "poll",
     "poll|interval|connector", "Exactly Once Support", "What ends a transaction."},
    {"transaction.boundary.interval.ms", SLUICE_OPT_LONG, SLUICE_LOW, 0, NULL, "0..",
     "Exactly Once Support", "Length of transactions with transaction.boundary=interval, in ms."},
    {"offsets.storage.topic", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, NULL, "offsets.topic",
     "A topic of its own for this connector's offsets (distributed workers)."},
    {0},
};

static const struct sluice_option sink_options[] = {
    COMMON,
    {"topics", SLUICE_OPT_LIST, SLUICE_HIGH, 0, "", NULL, "Common",
     "Topics to consume, comma separated; this or topics.regex."},
    {"topics.regex", SLUICE_OPT_STRING, SLUICE_HIGH, 0, "", NULL, "Common",
     "Regular expression that the names of the topics to consume match as a whole."},
    {"errors.deadletterqueue.topic.name", SLUICE_OPT_STRING, SLUICE_MEDIUM, 0, "", NULL,
     "Error Handling", "Topic for the records that cannot be delivered; empty: none."},
    {"errors.deadletterqueue.topic.replication.factor", SLUICE_OPT_SHORT, SLUICE_MEDIUM, 0, "3",
     NULL, "Error Handling", "Replication factor of that topic when it has to be made."},
    {"errors.deadletterqueue.context.headers.enable", SLUICE_OPT_BOOLEAN, SLUICE_MEDIUM, 0, "false",
     NULL, "Error Handling", "Whether its records carry __connect.errors.* headers."},
    {0},
};

const struct sluice_option *sluice_connector_options(enum sluice_kind kind)
{
    return kind == SLUICE_KIND_SINK ? sink_options : source_options;
}

bool sluice_connector_key(const char *key)
{
    static const char *const prefixes[] = {"key.converter.",     "value.converter.",
                                           "header.converter.",  "producer.override.",
                                           "consumer.override.", "admin.override."};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (strncmp(key, prefixes[i], strlen(prefixes[i])) == 0) return true;
    return sluice_option_find(source_options, sizeof *source_options, key) ||
           sluice_option_find(sink_options, sizeof *sink_options, key);
}
