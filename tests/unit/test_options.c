/* test_options.c - option tables: findings, confs, warnings, nearest names. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "harness.h"
#include "plugin/options.h"

static const struct sluice_option table[] = {
    {.key = "topic",
     .type = SLUICE_OPT_STRING,
     .flags = SLUICE_OPT_REQUIRED | SLUICE_OPT_NONEMPTY,
     .doc = "Where to."},
    {.key = "batch.size",
     .type = SLUICE_OPT_INT,
     .fallback = "2000",
     .valid = "1..",
     .importance = SLUICE_LOW,
     .group = "Tuning",
     .doc = "How many."},
    {.key = "port", .type = SLUICE_OPT_INT, .fallback = "5432", .valid = "0..65535", .doc = "P."},
    {.key = "small", .type = SLUICE_OPT_SHORT, .fallback = "3", .doc = "S."},
    {.key = "big", .type = SLUICE_OPT_LONG, .fallback = "-1", .doc = "L."},
    {.key = "ratio", .type = SLUICE_OPT_DOUBLE, .fallback = "0.5", .valid = "0..1", .doc = "D."},
    {.key = "on", .type = SLUICE_OPT_BOOLEAN, .fallback = "true", .doc = "B."},
    {.key = "mode",
     .type = SLUICE_OPT_STRING,
     .fallback = "initial",
     .valid = "always|initial|no_data",
     .doc = "M."},
    {.key = "case",
     .type = SLUICE_OPT_STRING,
     .fallback = "none",
     .valid = "none|all",
     .flags = SLUICE_OPT_NOCASE,
     .doc = "C."},
    {.key = "list", .type = SLUICE_OPT_LIST, .fallback = "", .doc = "I."},
    {.key = "colours",
     .type = SLUICE_OPT_LIST,
     .fallback = "red",
     .valid = "red|green",
     .doc = "W."},
    {.key = "password", .type = SLUICE_OPT_PASSWORD, .flags = SLUICE_OPT_NONEMPTY, .doc = "Pw."},
    {.key = "null", .type = SLUICE_OPT_STRING, .doc = "No default."},
    {.key = "mask.*.chars", .type = SLUICE_OPT_INT, .valid = "1..", .doc = "Mask."},
    {.key = "mask.fixed.chars", .type = SLUICE_OPT_STRING, .doc = "Exact before pattern."},
    {.key = "old", .type = SLUICE_OPT_INT, .flags = SLUICE_OPT_IGNORED, .doc = "Nothing to do."},
    {.key = NULL},
};

static const struct sluice_plugin plugin = {
    SLUICE_PLUGIN_HEAD, .kind = SLUICE_KIND_SOURCE, .name = "toy", .version = "1", .options = table,
};

/* The findings for topic=t and one more key. */
static void check_finding(const char *key, const char *value, const char *want)
{
    struct sluice_map map = {0};
    struct sluice_report report = {0};
    sluice_map_set(&map, "topic", "t");
    sluice_map_set(&map, key, value);
    sluice_options_check(table, sizeof(table[0]), &map, &report);
    CHECK_INT(report.n, want ? 1 : 0);
    if (want) {
        CHECK_STR(report.items[0].key, key);
        CHECK_STR(report.items[0].message, want);
    }
    sluice_report_fini(&report);
    sluice_map_fini(&map);
}

TEST(findings_speak_connects_words)
{
    check_finding("batch.size", "0",
                  "Invalid value 0 for configuration batch.size: Value must be at least 1");
    check_finding("batch.size", "x1",
                  "Invalid value x1 for configuration batch.size: Not a number of type INT; valid: "
                  "1 and above");
    check_finding("batch.size", "2147483648",
                  "Invalid value 2147483648 for configuration batch.size: Not a number of type "
                  "INT; valid: 1 and above");
    check_finding("batch.size", " 7 ", NULL);
    check_finding("batch.size", "+7", NULL);
    check_finding("batch.size", "",
                  "Invalid value  for configuration batch.size: Not a number of "
                  "type INT; valid: 1 and above");
    check_finding("port", "65536",
                  "Invalid value 65536 for configuration port: Value must be no "
                  "more than 65535; valid: 0 to 65535");
    check_finding("port", "-1",
                  "Invalid value -1 for configuration port: Value must be at least "
                  "0; valid: 0 to 65535");
    check_finding("small", "40000",
                  "Invalid value 40000 for configuration small: Not a number of type SHORT");
    check_finding("big", "9223372036854775807", NULL);
    check_finding("big", "9223372036854775808",
                  "Invalid value 9223372036854775808 for "
                  "configuration big: Not a number of type LONG");
    check_finding("big", "1e3",
                  "Invalid value 1e3 for configuration big: Not a number of type "
                  "LONG");
    check_finding("ratio", "1e-1", NULL);
    check_finding("ratio", "0x",
                  "Invalid value 0x for configuration ratio: Not a number of type "
                  "DOUBLE; valid: 0 to 1");
    check_finding("ratio", "inf",
                  "Invalid value inf for configuration ratio: Not a number of "
                  "type DOUBLE; valid: 0 to 1");
    check_finding("ratio", "NaN",
                  "Invalid value NaN for configuration ratio: Value must be at "
                  "least 0; valid: 0 to 1");
    check_finding("on", "TRUE", NULL);
    check_finding("on", "yes",
                  "Invalid value yes for configuration on: Expected value to be "
                  "either true or false");
    check_finding("mode", "bogus",
                  "Invalid value bogus for configuration mode: String must be "
                  "one of: always, initial, no_data");
    check_finding("mode", "inital",
                  "Invalid value inital for configuration mode: String must be "
                  "one of: always, initial, no_data; did you mean initial?");
    check_finding("mode", "INITIAL",
                  "Invalid value INITIAL for configuration mode: String must "
                  "be one of: always, initial, no_data; did you mean initial?");
    check_finding("case", "NONE", NULL);
    check_finding("case", "no",
                  "Invalid value no for configuration case: String must be one of "
                  "(case insensitive): none, all");
    check_finding("colours", "red, green", NULL);
    check_finding("colours", "red,gren",
                  "Invalid value red,gren for configuration colours: "
                  "String must be one of: red, green; did you mean green?");
    check_finding("topic", " ", "Invalid value   for configuration topic: String may not be empty");
    check_finding("topic", NULL,
                  "Invalid value null for configuration topic: Null value can not "
                  "be supplied as the configuration value.");
    check_finding("mask.a.b.chars", "0",
                  "Invalid value 0 for configuration mask.a.b.chars: Value "
                  "must be at least 1");
    check_finding("mask.fixed.chars", "x", NULL);
    check_finding("old", "not a number", NULL);
    check_finding("unheard.of", "x", NULL);
}

TEST(findings_hide_secrets_and_name_what_is_missing)
{
    struct sluice_map map = {0};
    struct sluice_report report = {0};
    sluice_options_check(table, sizeof(table[0]), &map, &report);
    CHECK_INT(report.n, 1);
    CHECK_STR(report.items[0].message,
              "Missing required configuration \"topic\" which has no default value.");
    sluice_report_fini(&report);
    check_finding("password", " ",
                  "Invalid value [hidden] for configuration password: String may "
                  "not be empty");
}

static struct sluice_conf *make(const char *key, const char *value, struct sluice_err *err)
{
    struct sluice_map map = {0};
    sluice_map_set(&map, "topic", " t ");
    if (key) sluice_map_set(&map, key, value);
    struct sluice_conf *conf = sluice_conf_new(&plugin, &map, "", err);
    sluice_map_fini(&map);
    return conf;
}

TEST(conf_fills_in_defaults)
{
    struct sluice_err err = {0};
    struct sluice_conf *conf = make("list", " a, b ,,c ", &err);
    CHECK(conf != NULL);
    CHECK_STR(sluice_conf_str(conf, "topic"), "t");
    CHECK_INT(sluice_conf_num(conf, "batch.size"), 2000);
    CHECK_INT(sluice_conf_num(conf, "big"), -1);
    CHECK_DOUBLE(sluice_conf_real(conf, "ratio"), 0.5);
    CHECK(sluice_conf_flag(conf, "on"));
    CHECK(sluice_conf_str(conf, "null") == NULL);
    CHECK(sluice_conf_str(conf, "password") == NULL);
    const char *const *list = sluice_conf_list(conf, "list");
    CHECK_STR(list[0], "a");
    CHECK_STR(list[1], "b");
    CHECK_STR(list[2], "");
    CHECK_STR(list[3], "c");
    CHECK(list[4] == NULL);
    CHECK_STR(sluice_conf_list(conf, "colours")[0], "red");
    const char *key, *value;
    CHECK(sluice_conf_entry(conf, 0, &key, &value));
    CHECK_STR(key, "topic");
    CHECK_STR(value, " t "); /* as given */
    CHECK(sluice_conf_entry(conf, 1, &key, &value));
    CHECK(!sluice_conf_entry(conf, 2, &key, &value));
    sluice_conf_free(conf);
    sluice_conf_free(NULL);
}

TEST(conf_takes_patterns_and_ignored_keys)
{
    struct sluice_err err = {0};
    struct sluice_conf *conf = make("mask.s.t.chars", "5", &err);
    CHECK_INT(sluice_conf_num(conf, "mask.s.t.chars"), 5);
    CHECK_INT(sluice_conf_num(conf, "mask.none.chars"), 0);
    CHECK_STR(sluice_conf_list(conf, "topic")[0], NULL);
    sluice_conf_free(conf);
    conf = make("old", "text", &err);
    CHECK_STR(sluice_conf_str(conf, "old"), "text");
    sluice_conf_free(conf);
}

TEST(conf_errors_name_the_prefixed_key)
{
    struct sluice_map map = {0};
    struct sluice_err err = {0};
    sluice_map_set(&map, "value.converter.port", "x");
    sluice_map_set(&map, "value.converter", "Json");
    sluice_map_set(&map, "value.converter.", "no key");
    sluice_map_set(&map, "port", "y");
    CHECK(sluice_conf_new(&plugin, &map, "value.converter.", &err) == NULL);
    CHECK_STR(err.msg, "Missing required configuration \"value.converter.topic\" which has no "
                       "default value.; Invalid value x for configuration value.converter.port: "
                       "Not a number of type INT; valid: 0 to 65535");
    sluice_map_set(&map, "value.converter.topic", "t");
    sluice_map_set(&map, "value.converter.port", "1");
    struct sluice_conf *conf = sluice_conf_new(&plugin, &map, "value.converter.", &err);
    CHECK_INT(sluice_conf_num(conf, "port"), 1);
    const char *key, *value;
    CHECK(sluice_conf_entry(conf, 0, &key, &value));
    CHECK_STR(key, "port");
    sluice_conf_free(conf);
    sluice_map_fini(&map);
}

static bool framework_knows(const char *key) { return strcmp(key, "tasks.max") == 0; }

static void warn(void *conf) { sluice_conf_warn(conf, "c1", framework_knows); }

TEST(conf_warns_of_unknown_and_ignored_keys)
{
    struct sluice_map map = {0};
    struct sluice_err err = {0};
    sluice_map_set(&map, "topic", "t");
    sluice_map_set(&map, "tasks.max", "1");
    sluice_map_set(&map, "batch.sizes", "1");
    sluice_map_set(&map, "something.else", "1");
    sluice_map_set(&map, "old", "1");
    sluice_map_set(&map, "mask.x.chars", "1");
    struct sluice_conf *conf = sluice_conf_new(&plugin, &map, "", &err);
    CHECK(conf != NULL);
    char *text = harness_stderr(warn, conf);
    CHECK_HAS(text, "level=warn connector=c1 msg=\"unknown option batch.sizes has no effect; did "
                    "you mean batch.size?\"");
    CHECK_HAS(text, "unknown option something.else has no effect; toy does not know it");
    CHECK_HAS(text, "option old is accepted but has no effect: Nothing to do.");
    size_t lines = 0;
    for (char *p = text; (p = strchr(p, '\n')); p++) lines++;
    CHECK_INT(lines, 3);
    free(text);
    sluice_conf_free(conf);
    sluice_map_fini(&map);
}

static void read_undeclared(void *conf) { CHECK(sluice_conf_str(conf, "nobody.told") == NULL); }

TEST(conf_reports_a_plugin_that_reads_what_it_does_not_declare)
{
    struct sluice_err err = {0};
    struct sluice_conf *conf = make(NULL, NULL, &err);
    char *text = harness_stderr(read_undeclared, conf);
    CHECK_HAS(text, "plugin toy reads the option nobody.told");
    free(text);
    sluice_conf_free(conf);
}

/* A row of a later minor version is longer. */
struct long_option {
    struct sluice_option option;
    const char *added;
};

TEST(table_is_walked_with_its_own_stride)
{
    static const struct long_option rows[] = {
        {{.key = "a", .type = SLUICE_OPT_INT, .fallback = "1", .doc = "A."}, "x"},
        {{.key = "b", .type = SLUICE_OPT_INT, .fallback = "2", .doc = "B."}, "y"},
        {{.key = NULL}, NULL},
    };
    struct sluice_plugin newer = plugin;
    struct sluice_map map = {0};
    struct sluice_err err = {0};
    newer.options = &rows[0].option;
    newer.option_size = sizeof(rows[0]);
    sluice_map_set(&map, "a", "10");
    struct sluice_conf *conf = sluice_conf_new(&newer, &map, "", &err);
    CHECK_INT(sluice_conf_num(conf, "a"), 10);
    CHECK_INT(sluice_conf_num(conf, "b"), 2);
    CHECK(sluice_option_find(&rows[0].option, sizeof(rows[0]), "b") == &rows[1].option);
    sluice_conf_free(conf);
    sluice_map_fini(&map);
}

TEST(nearest_finds_typing_errors_only)
{
    static const char *const names[] = {"snapshot.mode", "slot.name", "table.include.list", "a"};
    CHECK_STR(sluice_nearest("snapshot.mod", names, 4), "snapshot.mode");
    CHECK_STR(sluice_nearest("Slot.Name", names, 4), "slot.name");
    CHECK_STR(sluice_nearest("solt.name", names, 4), "slot.name");
    CHECK_STR(sluice_nearest("table.includes.lst", names, 4), "table.include.list");
    CHECK(sluice_nearest("completely.other", names, 4) == NULL);
    CHECK(sluice_nearest("b", names, 4) == NULL);
    CHECK(sluice_nearest("", names, 4) == NULL);
    char longer[300];
    memset(longer, 'x', sizeof(longer));
    longer[299] = '\0';
    CHECK(sluice_nearest(longer, names, 4) == NULL);
}

TEST(option_as_json_definition)
{
    json_t *json = sluice_option_json(&table[1]);
    char *text = json_dumps(json, JSON_COMPACT);
    CHECK_STR(text, "{\"name\":\"batch.size\",\"type\":\"INT\",\"required\":false,"
                    "\"default_value\":\"2000\",\"importance\":\"LOW\",\"documentation\":\"How "
                    "many.\",\"group\":\"Tuning\",\"width\":\"NONE\",\"display_name\":"
                    "\"batch.size\",\"dependents\":[],\"order\":-1}");
    free(text);
    json_decref(json);
    json = sluice_option_json(&table[0]);
    CHECK(json_is_null(json_object_get(json, "default_value")));
    CHECK(json_is_null(json_object_get(json, "group")));
    CHECK(json_is_true(json_object_get(json, "required")));
    json_decref(json);
}
