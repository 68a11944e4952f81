/* topic.creation.*: which group a topic falls in, and what is said of keys that are wrong. */
#include "worker/topic_creation.h"

#include <string.h>

#include "harness.h"

static void put(struct sluice_map *map, const char *const *pairs)
{
    for (size_t i = 0; pairs[i]; i += 2) sluice_map_set(map, pairs[i], pairs[i + 1]);
}

static const char *const groups[] = {"topic.creation.groups",
                                     " logs , keyed",
                                     "topic.creation.default.partitions",
                                     "-1",
                                     "topic.creation.default.replication.factor",
                                     "1",
                                     "topic.creation.default.compression.type",
                                     "lz4",
                                     "topic.creation.logs.include",
                                     "log, .*\\.log",
                                     "topic.creation.logs.exclude",
                                     "old\\..*",
                                     "topic.creation.logs.partitions",
                                     "5",
                                     "topic.creation.logs.retention.ms",
                                     "1000",
                                     "topic.creation.keyed.include",
                                     ".*log.*|state",
                                     "topic.creation.keyed.replication.factor",
                                     "2",
                                     "topic.creation.keyed.cleanup.policy",
                                     "compact",
                                     NULL};

TEST(the_first_group_that_fits_decides)
{
    static const struct {
        const char *topic, *group;
        int partitions, replication;
    } rows[] = {
        {"log", "logs", 5, 1},       {"a.log", "logs", 5, 1},   {"old.log", "keyed", -1, 2},
        {"logbook", "keyed", -1, 2}, {"state", "keyed", -1, 2}, {"states", "default", -1, 1},
        {"a.logs", "keyed", -1, 2},  {"", "default", -1, 1},
    };
    struct sluice_map config = {0};
    struct sluice_err err = {{0}};
    struct sluice_new_topic out;
    put(&config, groups);
    struct sluice_topic_creation *creation = sluice_topic_creation_new(&config, &err);
    CHECK_STR(err.msg, "");
    CHECK(creation != NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_STR(sluice_topic_creation_find(creation, rows[i].topic, &out), rows[i].group);
        CHECK_INT(out.partitions, rows[i].partitions);
        CHECK_INT(out.replication_factor, rows[i].replication);
        CHECK_STR(out.name, rows[i].topic);
    }
    sluice_topic_creation_find(creation, "log", &out);
    CHECK_INT(out.config->n, 1);
    CHECK_STR(sluice_map_get(out.config, "retention.ms"), "1000");
    sluice_topic_creation_find(creation, "other", &out);
    CHECK_INT(out.config->n, 1);
    CHECK_STR(sluice_map_get(out.config, "compression.type"), "lz4");
    sluice_topic_creation_free(creation);
    sluice_map_fini(&config);
}

TEST(wrong_keys_are_named)
{
    static const char *const rows[][4] = {
        /* key, value (NULL: taken out), the key found, a piece of the message */
        {"topic.creation.default.partitions", NULL, "topic.creation.default.partitions",
         "Missing required configuration \"topic.creation.default.partitions\""},
        {"topic.creation.default.replication.factor", "0",
         "topic.creation.default.replication.factor", "Invalid value 0 "},
        {"topic.creation.logs.partitions", "-2", "topic.creation.logs.partitions",
         "Invalid value -2 "},
        {"topic.creation.logs.partitions", "many", "topic.creation.logs.partitions",
         "Invalid value many "},
        {"topic.creation.keyed.replication.factor", "99999999999",
         "topic.creation.keyed.replication.factor", "Invalid value 99999999999 "},
        {"topic.creation.logs.include", "a(", "topic.creation.logs.include",
         "not a regular expression"},
        {"topic.creation.logs.include", NULL, "topic.creation.logs.include", "Missing required"},
        {"topic.creation.groups", "logs,logs", "topic.creation.groups", "Duplicate alias"},
        {"topic.creation.groups", "logs,default", "topic.creation.groups", "default is there"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sluice_map config = {0};
        struct sluice_report report = {0};
        put(&config, groups);
        if (rows[i][1]) sluice_map_set(&config, rows[i][0], rows[i][1]);
        else sluice_map_del(&config, rows[i][0]);
        sluice_topic_creation_check(&config, &report);
        CHECK_INT(report.n, 1);
        CHECK_STR(report.items[0].key, rows[i][2]);
        if (!strstr(report.items[0].message, rows[i][3]))
            CHECK_STR(report.items[0].message, rows[i][3]);
        sluice_report_fini(&report);
        sluice_map_fini(&config);
    }
}

TEST(without_its_keys_nothing_is_made)
{
    struct sluice_map config = {0};
    struct sluice_report report = {0};
    sluice_map_set(&config, "topics", "topic.creation.default");
    CHECK(!sluice_topic_creation_used(&config));
    sluice_topic_creation_check(&config, &report);
    CHECK_INT(report.n, 0);
    sluice_map_set(&config, "topic.creation.default.partitions", "1");
    CHECK(sluice_topic_creation_used(&config));
    sluice_map_fini(&config);
}
