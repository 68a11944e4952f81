/* worker_options.c - the worker's own keys: Kafka Connect's (spec: connect.md section 2) with their
 * defaults, and ours, marked as such. */
#include "worker/worker.h"

#define CLIENT(key, doc)                                                                           \
    {                                                                                              \
        key, SLUICE_OPT_STRING, SLUICE_MEDIUM, 0, NULL, NULL, "Kafka client", doc                  \
    }
#define NOTHING(key, type, fallback)                                                               \
    {                                                                                              \
        key, type, SLUICE_LOW, SLUICE_OPT_IGNORED, fallback, NULL, "Ignored",                      \
            "Accepted for Kafka Connect's sake; has no meaning here."                              \
    }

static const struct sluice_option options[] = {
    {"bootstrap.servers", SLUICE_OPT_LIST, SLUICE_HIGH, SLUICE_OPT_NONEMPTY, "localhost:9092", NULL,
     "Kafka client", "Brokers to start from, host:port, comma separated."},
    {"key.converter", SLUICE_OPT_CLASS, SLUICE_HIGH, SLUICE_OPT_REQUIRED, NULL, NULL, "Converters",
     "Converter of keys, for connectors that name none; its options stand under key.converter."},
    {"value.converter", SLUICE_OPT_CLASS, SLUICE_HIGH, SLUICE_OPT_REQUIRED, NULL, NULL,
     "Converters", "Converter of values; its options stand under value.converter."},
    {"header.converter", SLUICE_OPT_CLASS, SLUICE_LOW, 0,
     "org.apache.kafka.connect.storage.SimpleHeaderConverter", NULL, "Converters",
     "Converter of headers; its options stand under header.converter."},
    {"key.converter.*", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, NULL, "Converters",
     "Options of the key converter."},
    {"value.converter.*", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, NULL, "Converters",
     "Options of the value converter."},
    {"header.converter.*", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, NULL, "Converters",
     "Options of the header converter."},
    {"offset.storage.file.filename", SLUICE_OPT_STRING, SLUICE_HIGH, 0, NULL, NULL, "Standalone",
     "File for the source offsets, in Java Connect's own format. A standalone worker needs it."},
    {"offset.flush.interval.ms", SLUICE_OPT_LONG, SLUICE_LOW, 0, "1000", "1..", "Offsets",
     "How often tasks commit offsets, in ms. Java's default is 60000; a short one keeps what is "
     "sent twice after a crash to about the last window, and costs one small write."},
    {"offset.flush.timeout.ms", SLUICE_OPT_LONG, SLUICE_LOW, SLUICE_OPT_IGNORED, "5000", "1..",
     "Offsets", "Accepted; committing waits for nothing here."},
    {"task.shutdown.graceful.timeout.ms", SLUICE_OPT_LONG, SLUICE_LOW, 0, "5000", "1..", "Tasks",
     "How long tasks may take to finish what is under way when they are stopped, in ms."},
    {"inflight.max.records", SLUICE_OPT_INT, SLUICE_LOW, 0, "16384", "16..4194304", "Tasks",
     "Records under way in each task: not yet acknowledged by Kafka, or by a sink's system. "
     "(sluice's own key)"},
    {"inflight.max.bytes", SLUICE_OPT_LONG, SLUICE_LOW, 0, "8388608", "65536..", "Tasks",
     "Bytes of keys and values under way in each task. (sluice's own key)"},
    {"plugin.path", SLUICE_OPT_LIST, SLUICE_LOW, 0, NULL, NULL, "Plugins",
     "Files and folders with plugins (.so), comma separated. Unset: plugins/ beside the program, "
     "or lib/sluice/plugins of its prefix."},
    {"config.providers", SLUICE_OPT_LIST, SLUICE_LOW, 0, "", NULL, "Config providers",
     "Names of the providers that ${name:path:key} in configs may ask."},
    {"config.providers.*", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, NULL, "Config providers",
     "<name>.class is the provider (FileConfigProvider, DirectoryConfigProvider, "
     "EnvVarConfigProvider, or a plugin's), <name>.param.* are its options."},
    {"listeners", SLUICE_OPT_LIST, SLUICE_LOW, SLUICE_OPT_NONEMPTY, "http://:8083", NULL, "REST",
     "Where the REST API listens; port 0 takes a free one and logs it."},
    {"rest.advertised.host.name", SLUICE_OPT_STRING, SLUICE_LOW, 0, NULL, NULL, "REST",
     "Host in worker_id, when it is not the listener's."},
    {"rest.advertised.port", SLUICE_OPT_INT, SLUICE_LOW, 0, NULL, "0..65535", "REST",
     "Port in worker_id, when it is not the listener's."},
    {"topic.creation.enable", SLUICE_OPT_BOOLEAN, SLUICE_LOW, 0, "true", NULL, "Topics",
     "Whether source connectors with topic.creation.* keys make their topics."},
    {"topic.tracking.enable", SLUICE_OPT_BOOLEAN, SLUICE_LOW, 0, "true", NULL, "Topics",
     "Whether the topics that connectors use are kept track of."},
    {"topic.tracking.allow.reset", SLUICE_OPT_BOOLEAN, SLUICE_LOW, 0, "true", NULL, "Topics",
     "Whether that may be reset over REST."},
    {"producer.*", SLUICE_OPT_STRING, SLUICE_MEDIUM, 0, NULL, NULL, "Kafka client",
     "Client properties of all source tasks' producers. Security has to be repeated here."},
    {"consumer.*", SLUICE_OPT_STRING, SLUICE_MEDIUM, 0, NULL, NULL, "Kafka client",
     "Client properties of all sink tasks' consumers. Security has to be repeated here."},
    {"admin.*", SLUICE_OPT_STRING, SLUICE_MEDIUM, 0, NULL, NULL, "Kafka client",
     "Client properties of admin clients."},
    {"connector.client.config.override.policy", SLUICE_OPT_STRING, SLUICE_MEDIUM,
     SLUICE_OPT_NONEMPTY, "All", NULL, "Kafka client",
     "Which client properties connectors may override: All, None, or Principal (sasl.jaas.config, "
     "sasl.mechanism and security.protocol)."},
    CLIENT("security.protocol", "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, for the worker."),
    CLIENT("sasl.*", "SASL settings of the worker's own clients."),
    CLIENT("ssl.*", "TLS settings of the worker's own clients."),
    CLIENT("client.id", "Name of the worker's own clients."),
    CLIENT("request.timeout.ms", "Longest wait for a broker's answer."),
    CLIENT("retry.backoff.ms", "Wait before a request is sent again."),
    CLIENT("metadata.max.age.ms", "How often metadata is refreshed."),
    NOTHING("client.dns.lookup", SLUICE_OPT_STRING, "use_all_dns_ips"),
    NOTHING("plugin.discovery", SLUICE_OPT_STRING, "hybrid_warn"),
    NOTHING("internal.key.converter", SLUICE_OPT_STRING, NULL),
    NOTHING("internal.value.converter", SLUICE_OPT_STRING, NULL),
    NOTHING("internal.key.converter.schemas.enable", SLUICE_OPT_STRING, NULL),
    NOTHING("internal.value.converter.schemas.enable", SLUICE_OPT_STRING, NULL),
    NOTHING("metric.reporters", SLUICE_OPT_LIST, NULL),
    NOTHING("metrics.num.samples", SLUICE_OPT_INT, "2"),
    NOTHING("metrics.recording.level", SLUICE_OPT_STRING, "INFO"),
    NOTHING("metrics.sample.window.ms", SLUICE_OPT_LONG, "30000"),
    NOTHING("rest.extension.classes", SLUICE_OPT_LIST, NULL),
    {0},
};

const struct sluice_option *sluice_worker_options(void) { return options; }
