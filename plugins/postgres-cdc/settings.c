/* settings.c - from checked options to plain fields, and what one option alone cannot tell. */
#include "settings.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mapping.h"
#include "reselect.h"

#define DRIVER_HEARTBEAT_MS 600000

struct reader {
    struct cdc_settings *out;
    const struct sluice_host *host;
    const struct sluice_conf *conf;
    cdc_complain *complain;
    void *arg;
    bool ok;
};

__attribute__((format(printf, 3, 4))) static void wrong(struct reader *r, const char *key,
                                                        const char *fmt, ...)
{
    char why[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    r->complain(r->arg, key, why);
    r->ok = false;
}

static const char *text(struct reader *r, const char *key)
{
    const char *s = r->host->str(r->conf, key);
    return s && *s ? cdc_pool_strdup(&r->out->pool, s) : NULL;
}

static int number(struct reader *r, const char *key)
{
    int64_t n = r->host->num(r->conf, key);
    return n > INT32_MAX ? INT32_MAX : (int)n;
}

static bool given(const struct reader *r, const char *wanted)
{
    const char *key, *value;
    for (size_t i = 0; r->host->entry(r->conf, i, &key, &value); i++)
        if (!strcmp(key, wanted)) return true;
    return false;
}

/* Index of the option's word in a |-separated list; the option table has checked it. */
static int word(struct reader *r, const char *key, const char *words)
{
    const char *value = r->host->str(r->conf, key);
    size_t len = value ? strlen(value) : 0;
    int i = 0;
    for (const char *w = words; *w; i++) {
        size_t n = strcspn(w, "|");
        if (n == len && !strncasecmp(w, value, n)) return i;
        w += n + (w[n] == '|');
    }
    wrong(r, key, "is not one of %s", words);
    return 0;
}

static void refuse_unsupported(struct reader *r)
{
    const char *converters = r->host->str(r->conf, "converters");
    if (converters && *converters)
        wrong(r, "converters",
              "'%s': custom converters are Java classes, which cannot run here; remove the option, "
              "and have transforms (Cast, TimestampConverter, MaskField, ...) or the options of "
              "types (decimal.handling.mode, time.precision.mode, binary.handling.mode) do their "
              "work",
              converters);
    if (!strcasecmp(r->host->str(r->conf, "snapshot.query.mode"), "custom"))
        wrong(r, "snapshot.query.mode",
              "custom names a Java class; use select_all, and "
              "snapshot.select.statement.overrides for the tables that are to be read otherwise");
}

static void read_connection(struct reader *r)
{
    struct cdc_settings *s = r->out;
    s->host = text(r, "database.hostname");
    s->port = number(r, "database.port");
    s->user = text(r, "database.user");
    s->password = text(r, "database.password");
    s->dbname = text(r, "database.dbname");
    s->sslmode = text(r, "database.sslmode");
    s->sslrootcert = text(r, "database.sslrootcert");
    s->sslcert = text(r, "database.sslcert");
    s->sslkey = text(r, "database.sslkey");
    s->sslpassword = text(r, "database.sslpassword");
    s->tcp_keepalive = r->host->flag(r->conf, "database.tcpKeepAlive");
    s->query_timeout_ms = number(r, "database.query.timeout.ms");
    s->connect_timeout_ms = s->validation_timeout_ms =
        number(r, "connection.validation.timeout.ms");
    s->max_retries = number(r, "errors.max.retries");
    s->retry_wait_ms = number(r, "retriable.restart.connector.wait.ms");
    r->ok &= cdc_driver_read(s, r->host, r->conf, r->complain, r->arg);
    const char *host = s->host ? s->host : "";
    if (host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:")])
        wrong(r, "database.hostname",
              "'%s' has invalid characters (only letters, digits, '-', '_', '.' and ':' are "
              "allowed)",
              host);
}

/* ';' separates statements, ';;' stands for one semicolon. */
static void read_statements(struct reader *r)
{
    struct cdc_settings *s = r->out;
    struct cdc_text one = {0};
    const char *p = text(r, "database.initial.statements");
    for (; p; p++) {
        if (*p && *p != ';') {
            cdc_text_add(&one, p, 1);
            continue;
        }
        if (*p && p[1] == ';') {
            cdc_text_add(&one, p++, 1);
            continue;
        }
        if (one.s && one.s[strspn(one.s, " \t\r\n")]) {
            s->statements = cdc_realloc(s->statements, (s->statements_n + 1) * sizeof(char *));
            s->statements[s->statements_n++] = cdc_pool_strdup(&s->pool, one.s);
        }
        if (one.s) one.s[one.len = 0] = 0;
        if (!*p) break;
    }
    cdc_text_free(&one);
}

static void check_stream_params(struct reader *r)
{
    static const char *const owned[] = {"proto_version", "publication_names", "streaming",
                                        "binary",        "two_phase",         "messages"};
    const char *s = r->out->stream_params;
    while (s && *s) {
        size_t len = strcspn(s, ";"), key = strcspn(s, "=;");
        if (len && (key == 0 || key >= len))
            wrong(r, "slot.stream.params", "'%.*s' is not of the form key=value", (int)len, s);
        for (size_t i = 0; i < sizeof(owned) / sizeof(*owned); i++)
            if (key == strlen(owned[i]) && !strncmp(s, owned[i], key))
                wrong(r, "slot.stream.params", "%s is set by the connector itself", owned[i]);
        s += len + (s[len] == ';');
    }
}

/* regex:WORD,regex:INDEX name */
static void read_identities(struct reader *r)
{
    static const char key[] = "replica.identity.autoset.values";
    struct cdc_settings *s = r->out;
    char *list = cdc_strdup(r->host->str(r->conf, key));
    for (char *p = list; p && *p; p++) {
        if (*p == '\\' && p[1] == ',') memmove(p, p + 1, strlen(p));
        else if (*p == ',') *p = ';';
    }
    struct sluice_err err;
    if (!cdc_key_rules_parse(&s->identities, list, &err)) wrong(r, key, "%s", err.msg);
    for (size_t i = 0; i < s->identities.n; i++) {
        const struct cdc_key_rule *rule = &s->identities.items[i];
        const char *w = rule->columns_n == 1 ? rule->columns[0] : "";
        if (strcasecmp(w, "DEFAULT") && strcasecmp(w, "FULL") && strcasecmp(w, "NOTHING") &&
            (strncasecmp(w, "INDEX ", 6) || !w[6 + strspn(w + 6, " ")]))
            wrong(r, key, "'%s': give DEFAULT, FULL, NOTHING or INDEX <name> for each table", w);
    }
    free(list);
}

static void read_replication(struct reader *r)
{
    struct cdc_settings *s = r->out;
    read_identities(r);
    if (word(r, "plugin.name", "pgoutput|decoderbufs"))
        wrong(r, "plugin.name",
              "decoderbufs is not supported; leave the option out or set it to pgoutput, which is "
              "part of Postgres, and use a new slot.name");
    s->slot = text(r, "slot.name");
    if (s->slot &&
        (strlen(s->slot) > 63 || s->slot[strspn(s->slot, "abcdefghijklmnopqrstuvwxyz0123456789_")]))
        wrong(r, "slot.name",
              "'%s': a slot's name is made of at most 63 of the characters a-z, 0-9 and _",
              s->slot);
    s->slot_drop_on_stop = r->host->flag(r->conf, "slot.drop.on.stop");
    s->slot_failover = r->host->flag(r->conf, "slot.failover");
    s->stream_params = text(r, "slot.stream.params");
    check_stream_params(r);
    s->in_progress = (enum cdc_in_progress)word(r, "stream.in.progress", "off|on|parallel");
    s->spill_directory = text(r, "stream.spill.directory");
    const char *tmp = getenv("TMPDIR");
    if (!s->spill_directory) s->spill_directory = tmp && *tmp ? tmp : "/tmp";
    s->slot_retries = number(r, "slot.max.retries");
    s->slot_retry_ms = number(r, "slot.retry.delay.ms");
    s->xmin_ms = number(r, "xmin.fetch.interval.ms");
    s->wal_warn_bytes = (uint64_t)r->host->num(r->conf, "slot.wal.warn.bytes");
    int create_s = number(r, "internal.create.slot.command.timeout");
    s->slot_create_ms = create_s < INT32_MAX / 1000 ? create_s * 1000 : INT32_MAX;
    /* Debezium does not quote the name, so Postgres folds it. */
    char *publication = cdc_pool_strdup(&s->pool, r->host->str(r->conf, "publication.name"));
    for (char *p = publication; p && *p; p++) *p = (char)(isascii(*p) ? tolower(*p) : *p);
    s->publication = publication;
    s->autocreate = (enum cdc_autocreate)word(r, "publication.autocreate.mode",
                                              "all_tables|disabled|filtered|no_tables");
    s->via_root = r->host->flag(r->conf, "publish.via.partition.root");
    s->status_interval_ms = number(r, "status.update.interval.ms");
    s->flush_mode =
        (enum cdc_flush_mode)word(r, "lsn.flush.mode", "connector|manual|connector_and_driver");
    if (!r->host->flag(r->conf, "flush.lsn.source")) s->flush_mode = CDC_FLUSH_MANUAL;
    s->flush_timeout_ms = number(r, "lsn.flush.timeout.ms");
    s->flush_action =
        (enum cdc_flush_action)word(r, "lsn.flush.timeout.action", "fail|warn|ignore");
    s->mismatch = (enum cdc_mismatch)word(r, "offset.mismatch.strategy",
                                          "no_validation|trust_offset|trust_slot|"
                                          "trust_greater_lsn");
    if (!given(r, "offset.mismatch.strategy") &&
        r->host->flag(r->conf, "internal.slot.seek.to.known.offset.on.start"))
        s->mismatch = CDC_TRUST_OFFSET;
}

static void patterns(struct reader *r, struct cdc_patterns *out, const char *key)
{
    struct sluice_err err;
    if (!cdc_patterns_parse(out, r->host->str(r->conf, key), &err)) wrong(r, key, "%s", err.msg);
}

static void filter(struct reader *r, struct cdc_filter *out, const char *include,
                   const char *exclude)
{
    patterns(r, &out->include, include);
    patterns(r, &out->exclude, exclude);
    if (out->include.n && out->exclude.n)
        wrong(r, exclude, "\"%s\" is already specified: give one of the two", include);
}

static void read_filters(struct reader *r)
{
    struct cdc_settings *s = r->out;
    filter(r, &s->schemas, "schema.include.list", "schema.exclude.list");
    filter(r, &s->tables, "table.include.list", "table.exclude.list");
    filter(r, &s->columns, "column.include.list", "column.exclude.list");
    filter(r, &s->message_prefixes, "message.prefix.include.list", "message.prefix.exclude.list");
    s->ignore_builtin = r->host->flag(r->conf, "table.ignore.builtin");
    struct sluice_err err;
    if (!cdc_key_rules_parse(&s->keys, r->host->str(r->conf, "message.key.columns"), &err))
        wrong(r, "message.key.columns", "%s", err.msg);
    s->tombstones = r->host->flag(r->conf, "tombstones.on.delete");
    s->skip_unchanged = r->host->flag(r->conf, "skip.messages.without.change");
    const char *ops = r->host->str(r->conf, "skipped.operations");
    s->skipped_given = given(r, "skipped.operations");
    if (!ops || !strcasecmp(ops, "none")) return;
    static const char letters[] = "cudtr"; /* r: snapshots have their rows all the same */
    for (; *ops; ops++) {
        const char *letter = strchr(letters, tolower((unsigned char)*ops));
        if (letter && (!ops[1] || strchr(", ", ops[1])))
            s->skipped |= *letter == 'r' ? 0 : 1u << (letter - letters);
        else if (!strchr(", ", *ops)) {
            wrong(r, "skipped.operations", "'%s': give any of c, u, d, t, r, or none", ops);
            return;
        }
    }
}

static void add_mapping(struct reader *r, const char *key, const char *list)
{
    struct sluice_err err;
    if (!cdc_mappings_add(r->out->mappings, &r->out->pool, key, list, &err))
        wrong(r, key, "%s", err.msg);
}

static void read_mappings(struct reader *r)
{
    static const char *const propagate[] = {"column.propagate.source.type",
                                            "datatype.propagate.source.type"};
    r->out->mappings = cdc_alloc(sizeof(*r->out->mappings));
    const char *key, *value;
    for (size_t i = 0; r->host->entry(r->conf, i, &key, &value); i++)
        if (cdc_mapping_key(key)) add_mapping(r, key, value);
    for (size_t i = 0; i < 2; i++)
        if ((value = text(r, propagate[i]))) add_mapping(r, propagate[i], value);
    cdc_mappings_sort(r->out->mappings);
}

static void read_types(struct reader *r)
{
    struct cdc_settings *s = r->out;
    static const char adjustments[] = "none|avro|avro_unicode";
    static const enum cdc_failure_mode processing[] = {CDC_FAILURE_FAIL, CDC_FAILURE_WARN,
                                                       CDC_FAILURE_SKIP, CDC_FAILURE_SKIP};
    s->schema_names = (enum cdc_adjustment)word(r, "schema.name.adjustment.mode", adjustments);
    s->field_names = (enum cdc_adjustment)word(r, "field.name.adjustment.mode", adjustments);
    s->decimal = (enum cdc_decimal_mode)word(r, "decimal.handling.mode", "precise|string|double");
    s->time = (enum cdc_time_mode)word(r, "time.precision.mode",
                                       "adaptive|adaptive_time_microseconds|connect|isostring|"
                                       "microseconds|nanoseconds");
    s->binary =
        (enum cdc_binary_mode)word(r, "binary.handling.mode", "bytes|base64|base64-url-safe|hex");
    s->hstore_map = word(r, "hstore.handling.mode", "json|map") == 1;
    s->interval_string = word(r, "interval.handling.mode", "numeric|string") == 1;
    s->unknown_types = r->host->flag(r->conf, "include.unknown.datatypes");
    s->money_digits = number(r, "money.fraction.digits");
    s->converting_failure =
        (enum cdc_failure_mode)word(r, "event.converting.failure.handling.mode", "warn|fail|skip");
    s->processing_failure =
        processing[word(r, "event.processing.failure.handling.mode", "fail|warn|skip|ignore")];
    const char *p = r->host->str(r->conf, "unavailable.value.placeholder");
    p = p ? p : "";
    if (strncmp(p, "hex:", 4)) {
        s->placeholder = cdc_pool_strdup(&s->pool, p);
        s->placeholder_len = strlen(p);
        return;
    }
    size_t n = strlen(p + 4) / 2;
    char *bytes = cdc_pool_alloc(&s->pool, n + 1);
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        if (!isxdigit((unsigned char)p[4 + 2 * i]) || sscanf(p + 4 + 2 * i, "%2x", &byte) != 1)
            wrong(r, "unavailable.value.placeholder", "'%s' is not hexadecimal after hex:", p);
        else bytes[i] = (char)byte;
    }
    s->placeholder = bytes;
    s->placeholder_len = n;
}

static void read_overrides(struct reader *r)
{
    static const char base[] = "snapshot.select.statement.overrides";
    struct cdc_settings *s = r->out;
    const char *list = text(r, base);
    while (list && *list) {
        size_t len = strcspn(list, ",");
        const char *table = list + strspn(list, " ");
        size_t n = len > (size_t)(table - list) ? len - (size_t)(table - list) : 0;
        while (n && table[n - 1] == ' ') n--;
        list += len + (list[len] == ',');
        if (!n) continue;
        char *name = cdc_pool_strndup(&s->pool, table, n);
        char *key = cdc_pool_format(&s->pool, "%s.%s", base, name);
        const char *sql = NULL, *k, *v;
        for (size_t i = 0; r->host->entry(r->conf, i, &k, &v); i++)
            if (!strcmp(k, key)) sql = v;
        if (!sql || !*sql) {
            wrong(r, base, "%s is listed, but %s gives no statement for it", name, key);
            continue;
        }
        s->overrides = cdc_realloc(s->overrides, (s->overrides_n + 1) * sizeof(*s->overrides));
        s->overrides[s->overrides_n].table = name;
        s->overrides[s->overrides_n++].sql = cdc_pool_strdup(&s->pool, sql);
    }
}

static bool flagged(struct reader *r, const char *group, const char *name)
{
    char key[128];
    snprintf(key, sizeof(key), "%s.%s", group, name);
    return r->host->flag(r->conf, key);
}

static void read_snapshot(struct reader *r)
{
    static const enum cdc_snapshot_mode modes[] = {CDC_INITIAL,     CDC_INITIAL_ONLY, CDC_ALWAYS,
                                                   CDC_NO_DATA,     CDC_NO_DATA,      CDC_NO_DATA,
                                                   CDC_WHEN_NEEDED, CDC_CONFIGURED};
    static const char *const isolations[] = {"SERIALIZABLE, READ ONLY, DEFERRABLE",
                                             "REPEATABLE READ", "READ COMMITTED",
                                             "READ UNCOMMITTED"};
    struct cdc_settings *s = r->out;
    int mode = word(r, "snapshot.mode",
                    "initial|initial_only|always|no_data|never|schema_only|when_needed|"
                    "configuration_based|custom");
    if (mode > 7)
        wrong(r, "snapshot.mode",
              "custom names a Java class; valid are initial, initial_only, always, no_data, "
              "when_needed and configuration_based");
    s->snapshot_mode = modes[mode > 7 ? 0 : mode];
    static const char flags[] = "snapshot.mode.configuration.based";
    bool configured = s->snapshot_mode == CDC_CONFIGURED;
    s->takes_data = configured && flagged(r, flags, "snapshot.data");
    s->streams =
        configured ? flagged(r, flags, "start.stream") : s->snapshot_mode != CDC_INITIAL_ONLY;
    s->mends_offset = configured ? flagged(r, flags, "snapshot.on.data.error")
                                 : s->snapshot_mode == CDC_WHEN_NEEDED;
    s->row_order = (enum cdc_row_order)word(r, "snapshot.tables.order.by.row.count",
                                            "disabled|ascending|descending");
    s->isolation = isolations[word(r, "snapshot.isolation.mode",
                                   "serializable|repeatable_read|read_committed|"
                                   "read_uncommitted")];
    int locking = word(r, "snapshot.locking.mode", "none|shared|custom");
    if (locking == 2)
        wrong(r, "snapshot.locking.mode", "custom is a Java class; valid are none and shared");
    s->lock_shared = locking == 1;
    s->lock_timeout_ms = number(r, "snapshot.lock.timeout.ms");
    s->snapshot_threads = number(r, "snapshot.max.threads");
    s->snapshot_delay_ms = number(r, "snapshot.delay.ms");
    s->streaming_delay_ms = number(r, "streaming.delay.ms");
    patterns(r, &s->snapshot_include, "snapshot.include.collection.list");
    read_overrides(r);
}

static void add_pair(struct reader *r, struct sluice_label **list, size_t *n, const char *key,
                     const char *value)
{
    struct cdc_settings *s = r->out;
    *list = cdc_realloc(*list, (*n + 1) * sizeof(**list));
    (*list)[*n].key = cdc_pool_strdup(&s->pool, key);
    (*list)[(*n)++].value = cdc_pool_strdup(&s->pool, value);
}

static void read_signal_topic(struct reader *r)
{
    static const char prefix[] = "signal.consumer.";
    struct cdc_settings *s = r->out;
    s->signal_topic = text(r, "signal.kafka.topic");
    if (!s->signal_topic)
        s->signal_topic =
            cdc_pool_format(&s->pool, "%s-signal", r->host->str(r->conf, "topic.prefix"));
    struct sluice_label **props = &s->signal_props;
    size_t *n = &s->signal_props_n;
    const char *servers = text(r, "signal.kafka.bootstrap.servers"), *key, *value;
    for (size_t i = 0; r->host->entry(r->conf, i, &key, &value); i++)
        if (!strncmp(key, prefix, strlen(prefix)) && value)
            add_pair(r, props, n, key + strlen(prefix), value);
    if (servers) add_pair(r, props, n, "bootstrap.servers", servers);
    add_pair(r, props, n, "group.id", r->host->str(r->conf, "signal.kafka.groupId"));
}

/* What is left out would lose signals, so it is refused; but jmx, which nobody can use here, and
 * which is told of. */
static void read_signal_channels(struct reader *r)
{
    struct cdc_settings *s = r->out;
    const char *const *list = r->host->list(r->conf, "signal.enabled.channels");
    for (; *list; list++) {
        if (!strcasecmp(*list, "source")) s->signal_source = true;
        else if (!strcasecmp(*list, "file")) s->signal_file = text(r, "signal.file");
        else if (!strcasecmp(*list, "kafka")) read_signal_topic(r);
        else if (!strcasecmp(*list, "in-process"))
            wrong(r, "signal.enabled.channels",
                  "in-process signals come from Java code; use source, kafka or file");
        else if (!strcasecmp(*list, "jmx")) s->signal_jmx = true;
        else
            wrong(r, "signal.enabled.channels",
                  "'%s' is no channel: give any of source, kafka and file", *list);
    }
}

static void read_signals(struct reader *r)
{
    struct cdc_settings *s = r->out;
    const char *name = text(r, "signal.data.collection");
    const char *point = name ? strchr(name, '.') : NULL;
    if (name && !point)
        wrong(r, "signal.data.collection", "'%s' is not of the form schema.table", name);
    else if (name && strchr(name, ',')) /* a list is for Debezium's connectors of several tasks */
        wrong(r, "signal.data.collection",
              "'%s' is a list of tables, but a connector with a single task has one: give the one "
              "table that signals are written to",
              name);
    if (point && strchr(point + 1, '.')) name = point + 1; /* database.schema.table */
    s->signal_table = name;
    s->chunk_size = number(r, "incremental.snapshot.chunk.size");
    s->watermark_delete =
        word(r, "incremental.snapshot.watermarking.strategy", "insert_insert|insert_delete") == 1;
    s->read_only = r->host->flag(r->conf, "read.only");
    s->signal_poll_ms = number(r, "signal.poll.interval.ms");
    read_signal_channels(r);
}

static void read_notifications(struct reader *r)
{
    struct cdc_settings *s = r->out;
    const char *topic = text(r, "notification.sink.topic.name");
    const char *const *list = r->host->list(r->conf, "notification.enabled.channels");
    for (; *list; list++) {
        if (!strcasecmp(*list, "sink")) s->notify_topic = topic;
        else if (!strcasecmp(*list, "log")) s->notify_log = true;
        else if (!strcasecmp(*list, "jmx")) s->notify_jmx = true;
        else
            wrong(r, "notification.enabled.channels",
                  "'%s' is no channel: give any of sink and log", *list);
        if (!strcasecmp(*list, "sink") && !topic)
            wrong(r, "notification.sink.topic.name",
                  "Notification topic name must be provided when kafka notification channel is "
                  "enabled");
    }
}

/* "k=v,k2=v2" */
static void read_metric_tags(struct reader *r)
{
    struct cdc_settings *s = r->out;
    const char *const *list = r->host->list(r->conf, "custom.metric.tags");
    for (; *list; list++) {
        const char *equals = strchr(*list, '=');
        if (!equals || equals == *list) {
            wrong(r, "custom.metric.tags", "'%s' is not of the form name=value", *list);
            continue;
        }
        add_pair(r, &s->metric_tags, &s->metric_tags_n,
                 cdc_pool_strndup(&s->pool, *list, (size_t)(equals - *list)), equals + 1);
    }
}

/* When to give up. */
static void read_limits(struct reader *r)
{
    static const char *const keys[] = {"internal.custom.retriable.exception",
                                       "custom.retriable.exception"};
    struct cdc_settings *s = r->out;
    struct sluice_err err;
    bool replacement;
    s->tables_max = number(r, "guardrail.collections.max");
    s->tables_max_fails = word(r, "guardrail.collections.limit.action", "warn|fail") == 1;
    for (size_t i = 0; i < 2; i++) {
        const char *regex = text(r, keys[i]);
        if (!regex || s->retriable.code) continue;
        if (!cdc_rewrite_init(&s->retriable, regex, NULL, &replacement, &err))
            wrong(r, keys[i], "%s", err.msg);
    }
}

bool cdc_settings_read(struct cdc_settings *settings, const struct sluice_host *host,
                       const struct sluice_conf *conf, cdc_complain *complain, void *arg)
{
    struct reader r = {settings, host, conf, complain, arg, true};
    read_connection(&r);
    read_statements(&r);
    read_replication(&r);
    read_filters(&r);
    read_mappings(&r);
    read_types(&r);
    read_snapshot(&r);
    read_signals(&r);
    read_notifications(&r);
    read_metric_tags(&r);
    read_limits(&r);
    r.ok &= cdc_naming_read(settings, host, conf, complain, arg);
    settings->heartbeat_ms = number(&r, "heartbeat.interval.ms");
    /* Debezium's: so that what the server has passed is stored from time to time. */
    if (!settings->heartbeat_ms && settings->flush_mode == CDC_FLUSH_DRIVER &&
        !settings->transaction_topic)
        settings->heartbeat_ms = DRIVER_HEARTBEAT_MS;
    settings->heartbeat_query = text(&r, "heartbeat.action.query");
    settings->extended_headers = host->flag(conf, "extended.headers.enabled");
    refuse_unsupported(&r);
    return cdc_reselectors_read(settings, host, conf, complain, arg) && r.ok;
}

void cdc_settings_free(struct cdc_settings *settings)
{
    cdc_filter_free(&settings->schemas);
    cdc_filter_free(&settings->tables);
    cdc_filter_free(&settings->columns);
    cdc_filter_free(&settings->message_prefixes);
    cdc_patterns_free(&settings->snapshot_include);
    cdc_driver_fini(&settings->driver);
    cdc_naming_fini(&settings->naming);
    cdc_rewrite_fini(&settings->retriable);
    cdc_key_rules_free(&settings->keys);
    cdc_key_rules_free(&settings->identities);
    if (settings->mappings) cdc_mappings_free(settings->mappings);
    free(settings->mappings);
    cdc_reselectors_free(settings);
    free(settings->statements);
    free(settings->overrides);
    free(settings->signal_props);
    free(settings->metric_tags);
    cdc_pool_free(&settings->pool);
}

static bool builtin(const char *schema, const char *table)
{
    return !strcmp(schema, "pg_catalog") || !strcmp(schema, "information_schema") ||
           !strncmp(schema, "pg_temp", 7) || !strncmp(schema, "pg_toast", 8) ||
           !strcmp(table, "spatial_ref_sys");
}

bool cdc_signal_table(const struct cdc_settings *settings, const char *schema, const char *table)
{
    const char *name = settings->signal_table;
    size_t n = strlen(schema);
    return name && !strncmp(name, schema, n) && name[n] == '.' && !strcmp(name + n + 1, table);
}

bool cdc_captures_table(const struct cdc_settings *settings, const char *schema, const char *table)
{
    return cdc_signal_table(settings, schema, table) || cdc_filters_pass(settings, schema, table);
}

bool cdc_filters_pass(const struct cdc_settings *settings, const char *schema, const char *table)
{
    if (settings->ignore_builtin && builtin(schema, table)) return false;
    if (!cdc_filter_passes(&settings->schemas, schema)) return false;
    if (!settings->tables.include.n && !settings->tables.exclude.n) return true;
    char *name = cdc_format("%s.%s", schema, table);
    bool passes = cdc_filter_passes(&settings->tables, name);
    free(name);
    return passes;
}

bool cdc_captures_column(const struct cdc_settings *settings, const char *schema, const char *table,
                         const char *column)
{
    if (!settings->columns.include.n && !settings->columns.exclude.n) return true;
    char *name = cdc_format("%s.%s.%s", schema, table, column);
    bool passes = cdc_filter_passes(&settings->columns, name);
    free(name);
    return passes;
}
