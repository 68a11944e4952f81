/* Options of postgres-cdc beside Debezium's own list of them (tests/golden/cdc/options.tsv, made
 * with Options.java), docs/DEBEZIUM.md beside the option table; and what settings are made of
 * options: names of topics, the Java driver's settings, limits. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fake_host.h"
#include "harness.h"
#include "plugin/host.h"
#include "settings.h"

extern const struct sluice_plugin *const *sluice_plugins_v1(void);

/* ---- Debezium's list ---- */

static const struct {
    const char *key, *fallback, *why;
} differs[] = {
    {"plugin.name", "pgoutput", "decoderbufs is no part of Postgres"},
    {"lsn.flush.mode", "connector", "what null means"},
    {"snapshot.fetch.size", "10240", "what null means"},
    {"signal.file", "file-signals.txt", "what null means"},
    {"custom.sanitize.pattern", NULL, "without effect"},
    {"internal.custom.retriable.exception", NULL, "false is no regular expression"},
};

/* Keys that are patterns, with an example in place of what varies. */
static const char *example(const char *key)
{
    if (!strcmp(key, "column.mask.hash.([^.]+).with.salt.(.+)"))
        return "column.mask.hash.SHA-256.with.salt.x";
    if (!strcmp(key, "column.mask.with.(d+).chars")) return "column.mask.with.5.chars";
    if (!strcmp(key, "column.truncate.to.(d+).chars")) return "column.truncate.to.5.chars";
    return key;
}

static bool has_word(const char *words, const char *word, size_t len)
{
    for (; words && *words; words += strcspn(words, "|"), words += *words == '|')
        if (strcspn(words, "|") == len && !strncasecmp(words, word, len)) return true;
    return false;
}

static void check_row(const char *name, const char *fallback, const char *words)
{
    const struct sluice_option *row =
        sluice_option_find(cdc_options, sizeof(*cdc_options), example(name));
    if (!row) FAIL("there is no option %s", name);
    if (strchr(row->key, '*') && row->flags & SLUICE_OPT_IGNORED) return;
    const char *wanted = strcmp(fallback, "-") ? fallback : NULL;
    for (size_t i = 0; i < sizeof(differs) / sizeof(*differs); i++)
        if (!strcmp(differs[i].key, name)) wanted = differs[i].fallback;
    bool same =
        wanted && row->fallback ? !strcasecmp(wanted, row->fallback) : wanted == row->fallback;
    if (!same)
        FAIL("%s: the default is %s here, and %s there", name,
             row->fallback ? row->fallback : "none", wanted ? wanted : "none");
    if (row->flags & SLUICE_OPT_IGNORED || !strcmp(words, "-")) return;
    for (const char *w = words; *w; w += strcspn(w, "|"), w += *w == '|')
        if (!has_word(row->valid, w, strcspn(w, "|")))
            FAIL("%s: %.*s is a valid word there, but not here", name, (int)strcspn(w, "|"), w);
}

static char *whole_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) FAIL("%s cannot be read", path);
    size_t cap = 1u << 20;
    char *text = malloc(cap);
    size_t n = fread(text, 1, cap - 1, file);
    fclose(file);
    text[n] = '\0';
    return text;
}

TEST(every_property_of_debezium_is_an_option)
{
    char *text = whole_file(SLUICE_TEST_DIR "/golden/cdc/options.tsv"), *save = NULL;
    int n = 0;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save), n++) {
        char *fields[4], *rest = line;
        for (int i = 0; i < 4; i++) fields[i] = strsep(&rest, "\t");
        CHECK(fields[3] && !rest);
        check_row(fields[0], fields[2], fields[3]);
    }
    CHECK(n > 150);
    free(text);
}

/* The page's tables of keys begin their lines with "| `key` |". */
static bool page_names(const char *page, const char *key)
{
    char line[200];
    snprintf(line, sizeof(line), "\n| `%s` |", key);
    return strstr(page, line) != NULL;
}

TEST(the_page_for_debezium_users_lists_what_has_no_effect)
{
    char *page = whole_file(SLUICE_TEST_DIR "/../docs/DEBEZIUM.md");
    for (const struct sluice_option *row = cdc_options; row->key; row++)
        if (row->flags & SLUICE_OPT_IGNORED && !page_names(page, row->key))
            FAIL("docs/DEBEZIUM.md does not say that %s has no effect", row->key);
    const char *p = strstr(page, "\n## Options without an effect");
    CHECK(p);
    const char *end = strstr(p + 1, "\n## ");
    while ((p = strstr(p, "\n| `")) && (!end || p < end)) {
        char key[128];
        p += 4;
        snprintf(key, sizeof(key), "%.*s", (int)strcspn(p, "`"), p);
        const struct sluice_option *row = cdc_options;
        while (row->key && strcmp(row->key, key) != 0) row++;
        if (!row->key || !(row->flags & SLUICE_OPT_IGNORED))
            FAIL("docs/DEBEZIUM.md says that %s has no effect, the option table does not", key);
    }
    free(page);
}

/* ---- settings ---- */

static struct cdc_settings settings;
static struct sluice_conf *conf;
static char found[8192];

static void complain(void *arg, const char *key, const char *why)
{
    size_t n = strlen(found);
    (void)arg;
    snprintf(found + n, sizeof(found) - n, "%s: %s\n", key, why);
}

/* Settings of these keys: key, value, ..., NULL, beside the required ones; findings in found. */
static __attribute__((sentinel)) bool read_settings(const char *first, ...)
{
    struct sluice_map config = {0};
    struct sluice_err err = {{0}};
    struct sluice_host host = sluice_host_base();
    va_list ap;
    sluice_map_set(&config, "database.hostname", "h");
    sluice_map_set(&config, "database.user", "u");
    sluice_map_set(&config, "database.dbname", "d");
    sluice_map_set(&config, "topic.prefix", "srv");
    va_start(ap, first);
    for (const char *key = first; key; key = va_arg(ap, const char *))
        sluice_map_set(&config, key, va_arg(ap, const char *));
    va_end(ap);
    found[0] = '\0';
    conf = sluice_conf_new(sluice_plugins_v1()[0], &config, "", &err);
    sluice_map_fini(&config);
    if (!conf) FAIL("%s", err.msg);
    return cdc_settings_read(&settings, &host, conf, complain, NULL);
}

static void done(void)
{
    cdc_settings_free(&settings);
    memset(&settings, 0, sizeof(settings));
    sluice_conf_free(conf);
}

static const char *param(const char *name)
{
    for (size_t i = 0; i < settings.driver.params_n; i++)
        if (!strcmp(settings.driver.params[i].key, name)) return settings.driver.params[i].value;
    return NULL;
}

TEST(settings_of_the_driver_become_parameters_of_libpq)
{
    CHECK(read_settings("driver.connectTimeout", "7", "database.socketTimeout", "30",
                        "driver.tcpKeepAlive", "false", "database.options", "-c work_mem=64kB",
                        "driver.currentSchema", "a, b", "driver.targetServerType",
                        "preferSecondary", "database.gssEncMode", "disable",
                        "driver.tcp_user_timeout", "5", "driver.sslcompression", "1", NULL));
    CHECK_STR(found, "");
    CHECK_INT(settings.connect_timeout_ms, 7000);
    CHECK_INT(settings.validation_timeout_ms, 60000);
    CHECK(!settings.tcp_keepalive);
    CHECK_STR(param("gssencmode"), "disable");
    CHECK_STR(param("target_session_attrs"), "prefer-standby");
    CHECK_STR(param("sslcompression"), "1");
    CHECK_HAS(settings.driver.options, "-c work_mem=64kB ");
    CHECK_HAS(settings.driver.options, "-c search_path=a,\\ b ");
    CHECK(!settings.driver.ignored);
    done();
}

TEST(settings_of_the_driver_that_libpq_lacks_are_told_of)
{
    CHECK(read_settings("driver.prepareThreshold", "0", "database.ApplicationName", "mine",
                        "driver.host", "elsewhere", "database.server.name", "old",
                        "database.sslfactory", "a.b.C", NULL));
    CHECK_HAS(settings.driver.ignored, "driver.prepareThreshold");
    CHECK_HAS(settings.driver.ignored, "database.ApplicationName");
    CHECK_HAS(settings.driver.ignored, "driver.host");
    CHECK_HAS(settings.driver.ignored, "database.server.name");
    CHECK(!strstr(settings.driver.ignored, "sslfactory")); /* its row says so already */
    CHECK_INT(settings.driver.params_n, 0);
    done();
    CHECK(!read_settings("driver.connectTimeout", "soon", "driver.socketTimeout", "-1", NULL));
    CHECK_HAS(found, "driver.connectTimeout: 'soon' is not a number of seconds");
    CHECK_HAS(found, "driver.socketTimeout: '-1' is not a number of seconds");
    done();
}

/* Topic and key field of s.t as this strategy names them, "topic key". */
static const char *named(const char *schema, const char *table)
{
    static char text[512];
    const char *key = cdc_key_of_table(&settings, &settings.pool, schema, table);
    snprintf(text, sizeof(text), "%s %s",
             cdc_topic_of_table(&settings, &settings.pool, schema, table), key ? key : "-");
    return text;
}

#define STRATEGY "topic.naming.strategy"

TEST(strategies_name_topics)
{
    CHECK(read_settings(NULL, NULL));
    CHECK_STR(named("s", "t x"), "srv.s.t_x -");
    CHECK_STR(named("s", "\xc3\xa9_\xf0\x9f\x98\x80"), "srv.s.____ -"); /* UTF-16 units */
    done();
    CHECK(read_settings(STRATEGY, "io.debezium.schema.DefaultTopicNamingStrategy", NULL));
    CHECK_STR(named("s", "t"), "srv.t -");
    done();
    CHECK(read_settings(STRATEGY, "io.debezium.schema.SchemaUnicodeTopicNamingStrategy", NULL));
    CHECK_STR(named("s", "a_\xc3\xa9\xe3\x83\x86"), "srv.s.a_u005f_u00e9_u30c6 -");
    done();
    CHECK(read_settings(STRATEGY, "io.debezium.schema.SchemaRegexTopicNamingStrategy",
                        "topic.regex", "srv\\.(?<schema>[^.]+)\\.(.*)_\\d+", "topic.replacement",
                        "${schema}.$2\\$1", NULL));
    CHECK_STR(named("s", "orders_12"), "s.orders$1 srv.s.orders_12");
    CHECK_STR(named("s", "others"), "srv.s.others srv.s.others");
    CHECK_STR(settings.naming.key_field, "__dbz__physicalTableIdentifier");
    done();
    CHECK(read_settings(STRATEGY, "io.debezium.schema.DefaultRegexTopicNamingStrategy",
                        "topic.regex", "srv\\.(.).*", "topic.replacement", "$11",
                        "topic.key.field.regex", "(.*)\\.(.*)", "topic.key.field.replacement", "$2",
                        "topic.key.field.name", "tab", NULL));
    CHECK_STR(named("s", "orders"), "o1 orders"); /* there is no group 11 */
    CHECK_STR(settings.naming.key_field, "tab");
    done();
    CHECK(read_settings(STRATEGY, "io.debezium.schema.SchemaRegexTopicNamingStrategy",
                        "topic.regex", ".*", "topic.replacement", "$0",
                        "topic.key.enforce.uniqueness", "false", NULL));
    CHECK_STR(named("s", "t"), "srv.s.t -");
    done();
}

TEST(wrong_names_are_found)
{
    CHECK(!read_settings(STRATEGY, "com.example.Mine", NULL));
    CHECK_HAS(found, STRATEGY ": com.example.Mine is a Java class that cannot run here");
    done();
    CHECK(!read_settings(STRATEGY, "io.debezium.schema.SchemaRegexTopicNamingStrategy", NULL));
    CHECK_HAS(found, "topic.regex: A value is required");
    done();
    CHECK(!read_settings(STRATEGY, "io.debezium.schema.SchemaRegexTopicNamingStrategy",
                         "topic.regex", "a", "topic.key.field.regex", "(",
                         "topic.key.field.replacement", "x", NULL));
    CHECK_HAS(found,
              "topic.replacement: topic.replacement must be non-empty if topic.regex is set.");
    CHECK_HAS(found, "topic.key.field.regex: regular expression '(' is wrong at character 1");
    done();
    const char *wrong[] = {"$1", "${name}", "${", "$x", "x\\"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        CHECK(!read_settings(STRATEGY, "io.debezium.schema.SchemaRegexTopicNamingStrategy",
                             "topic.regex", "a", "topic.replacement", wrong[i], NULL));
        CHECK_HAS(found, "topic.replacement: '");
        done();
    }
    CHECK(!read_settings("topic.prefix", "a b", "topic.heartbeat.name", "h/", NULL));
    CHECK_HAS(found, "topic.prefix: a b has invalid format (only the underscore, hyphen, dot and "
                     "alphanumeric characters are allowed)");
    CHECK_HAS(found, "topic.heartbeat.name: h/ has invalid format");
    done();
}

TEST(heartbeats_have_names)
{
    CHECK(read_settings(NULL, NULL));
    CHECK_STR(settings.heartbeat_topic, "__debezium-heartbeat.srv");
    CHECK_INT(settings.heartbeat_ms, 0);
    done();
    CHECK(read_settings("heartbeat.topics.prefix", "old", "topic.delimiter", "-", NULL));
    CHECK_STR(settings.heartbeat_topic, "old-srv");
    done();
    CHECK(read_settings("heartbeat.topics.prefix", "old", "topic.heartbeat.prefix", "new", NULL));
    CHECK_STR(settings.heartbeat_topic, "new.srv");
    done();
    CHECK(read_settings("topic.heartbeat.name", "beats", "lsn.flush.mode", "connector_and_driver",
                        NULL));
    CHECK_STR(settings.heartbeat_topic, "beats");
    CHECK_INT(settings.heartbeat_ms, 600000);
    done();
    CHECK(read_settings("lsn.flush.mode", "connector_and_driver", "provide.transaction.metadata",
                        "true", NULL));
    CHECK_INT(settings.heartbeat_ms, 0);
    done();
}

TEST(older_forms_of_options_count_where_the_newer_are_not_given)
{
    static const char old[] = "internal.slot.seek.to.known.offset.on.start";
    CHECK(read_settings(NULL, NULL));
    CHECK_INT(settings.mismatch, CDC_NO_VALIDATION);
    CHECK_INT(settings.processing_failure, CDC_FAILURE_FAIL);
    CHECK_INT(settings.slot_create_ms, 90000);
    CHECK(!settings.retriable.code);
    done();
    CHECK(read_settings(old, "true", "internal.custom.retriable.exception", ".*(?i:BUSY).*",
                        "event.processing.failure.handling.mode", "ignore", NULL));
    CHECK_INT(settings.mismatch, CDC_TRUST_OFFSET);
    CHECK_INT(settings.processing_failure, CDC_FAILURE_SKIP);
    CHECK(cdc_rewrite_matches(&settings.retriable, "the server is busy now"));
    CHECK(!cdc_rewrite_matches(&settings.retriable, "the server is well"));
    done();
    CHECK(read_settings(old, "true", "offset.mismatch.strategy", "trust_slot", NULL));
    CHECK_INT(settings.mismatch, CDC_TRUST_SLOT);
    done();
    CHECK(!read_settings("custom.retriable.exception", "*", NULL));
    CHECK_HAS(found, "custom.retriable.exception: regular expression '*' is wrong");
    done();
}

/* A backslash before a comma is the comma's; one that is escaped itself is not. */
TEST(lists_are_cut_at_commas_that_are_not_escaped)
{
    CHECK(read_settings("table.include.list", "s\\.a\\\\,s\\.b, s\\.c{1\\,2}", NULL));
    CHECK(cdc_captures_table(&settings, "s", "a\\"));
    CHECK(cdc_captures_table(&settings, "s", "b"));
    CHECK(cdc_captures_table(&settings, "s", "cc"));
    CHECK(!cdc_captures_table(&settings, "s", "a"));
    CHECK(!cdc_captures_table(&settings, "s", "ccc"));
    done();
}

/* As Debezium: "For single task connector only one signal data collection is permitted." */
TEST(there_is_one_signal_table)
{
    static const char *const lists[] = {"s.a,s.b", "s.a, ", "d.s.a,d.s.b", "s.a,s.a"};
    CHECK(read_settings("signal.data.collection", "d.s.signals", NULL));
    CHECK(cdc_signal_table(&settings, "s", "signals"));
    CHECK(!cdc_signal_table(&settings, "d", "s.signals"));
    done();
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        CHECK(!read_settings("signal.data.collection", lists[i], NULL));
        CHECK_HAS(found, "signal.data.collection: '");
        CHECK_HAS(found, "is a list of tables, but a connector with a single task has one");
        done();
    }
}

static int times_logged(const struct fake_host *fake, const char *piece)
{
    int n = 0;
    for (size_t i = 0; i < fake->logs_n; i++) n += strstr(fake->logs[i], piece) != NULL;
    return n;
}

TEST(channels_without_effect_are_told_of_once)
{
    static const char signals[] = "warn: jmx in signal.enabled.channels has no effect",
                      notices[] = "warn: jmx in notification.enabled.channels has no effect";
    for (int jmx = 0; jmx < 2; jmx++) {
        struct fake_host fake;
        fake_init(&fake, sluice_plugins_v1()[0], "database.hostname", "h", "database.user", "u",
                  "database.dbname", "d", "topic.prefix", "srv", "signal.enabled.channels",
                  jmx ? "source, JMX" : "source", "notification.enabled.channels",
                  jmx ? "jmx,log" : "log", NULL);
        CHECK_INT(fake_open(&fake), SLUICE_OK);
        CHECK_INT(times_logged(&fake, signals), jmx);
        CHECK_INT(times_logged(&fake, notices), jmx);
        fake_fini(&fake);
    }
    CHECK(!read_settings("signal.enabled.channels", "in-process,smoke", NULL));
    CHECK_HAS(found, "signal.enabled.channels: in-process signals come from Java code");
    CHECK_HAS(found, "signal.enabled.channels: 'smoke' is no channel");
    done();
}

TEST(java_classes_are_refused_with_a_way_out)
{
    CHECK(!read_settings("converters", "isbn", "isbn.type", "com.example.Isbn",
                         "snapshot.query.mode", "custom", "snapshot.mode", "custom",
                         "snapshot.locking.mode", "custom", NULL));
    CHECK_HAS(found,
              "converters: 'isbn': custom converters are Java classes, which cannot run here");
    CHECK_HAS(found, "have transforms (Cast, TimestampConverter, MaskField, ...)");
    CHECK_HAS(found, "snapshot.query.mode: custom names a Java class; use select_all");
    CHECK_HAS(found, "snapshot.mode: custom names a Java class");
    CHECK_HAS(found, "snapshot.locking.mode: custom is a Java class");
    done();
}
