/* test_file_source.c - file-source against the fake host. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "data/json_text.h"
#include "fake_host.h"
#include "file.h"
#include "harness.h"

static char *path_of(const char *name) { return sluice_xasprintf("%s/%s", harness_dir(), name); }

static void write_file(const char *path, const char *mode, const char *text)
{
    FILE *file = fopen(path, mode);
    CHECK(file != NULL);
    fputs(text, file);
    fclose(file);
}

static void check_value(struct fake_host *fake, size_t i, const char *want)
{
    CHECK(i < fake->n);
    CHECK_MEM(fake->records[i].value.u.s, fake->records[i].value.len, want, strlen(want));
}

TEST(lines_become_records_with_kafkas_offsets)
{
    struct fake_host fake;
    char *path = path_of("in.txt");
    write_file(path, "w",
               "one\ntwo\r\n\nthr\xC3\xA9"
               "e\rfour \xF0\x9F\x98\x80\nunfinished");
    fake_init(&fake, &file_source_plugin, "file", path, "topic", "lines", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    CHECK_INT(fake.n, 5);
    check_value(&fake, 0, "one");
    check_value(&fake, 1, "two");
    check_value(&fake, 2, "");
    check_value(&fake, 3,
                "thr\xC3\xA9"
                "e");
    check_value(&fake, 4, "four \xF0\x9F\x98\x80");
    const struct sluice_record *rec = &fake.records[0];
    CHECK_STR(rec->topic, "lines");
    CHECK_INT(rec->partition, SLUICE_ANY_PARTITION);
    CHECK_INT(rec->key.type, SLUICE_NULL);
    CHECK_INT(rec->value_schema->type, SLUICE_STRING);
    CHECK(!rec->value_schema->optional);
    CHECK(rec->timestamp_ms > 1700000000000);
    CHECK_STR(fake_offset(&fake, &fake.records[0]), "{\"position\":4}");
    CHECK_STR(fake_offset(&fake, &fake.records[1]), "{\"position\":9}");
    CHECK_STR(fake_offset(&fake, &fake.records[2]), "{\"position\":10}");
    CHECK_STR(fake_offset(&fake, &fake.records[3]), "{\"position\":16}");
    CHECK_STR(fake_offset(&fake, &fake.records[4]), "{\"position\":24}"); /* a pair counts two */
    char *map = sluice_xasprintf("{\"filename\":\"%s\"}", path);
    CHECK_STR(fake_text(&fake, NULL, &fake.partitions[rec->source_partition].map), map);

    write_file(path, "a", " line\n");
    CHECK(fake_poll_until(&fake, 6, 10000));
    check_value(&fake, 5, "unfinished line");
    fake_fini(&fake);
    free(map);
    free(path);
}

TEST(goes_on_where_the_offset_says)
{
    char *path = path_of("in.txt");
    write_file(path, "w", "\xC3\xA9\xF0\x9F\x98\x80\nsecond\nthird\n");
    struct fake_host fake;
    fake_init(&fake, &file_source_plugin, "file", path, "topic", "t", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK(fake_poll_until(&fake, 3, 10000));
    CHECK_INT(fake_ack(&fake, &fake.records[0]), SLUICE_OK);
    fake_close(&fake);
    fake_clear(&fake);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK(fake_poll_until(&fake, 2, 10000));
    check_value(&fake, 0, "second");
    CHECK_STR(fake_offset(&fake, &fake.records[1]), "{\"position\":17}");
    fake_fini(&fake);
    free(path);
}

TEST(waits_for_a_missing_file_and_says_so)
{
    char *path = path_of("later.txt");
    struct fake_host fake;
    fake_init(&fake, &file_source_plugin, "file", path, "topic", "t", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    CHECK_INT(fake.n, 0);
    CHECK_HAS(fake.trouble, "waiting for the file");
    CHECK_HAS(fake.trouble, path);
    write_file(path, "w", "here\n");
    CHECK(fake_poll_until(&fake, 1, 10000));
    CHECK(fake.trouble == NULL);
    CHECK_INT(fake.troubles, 1);
    fake_fini(&fake);
    free(path);
}

TEST(truncated_and_replaced_files_are_read_from_their_start)
{
    char *path = path_of("in.txt"), *other = path_of("other.txt");
    struct fake_host fake;
    write_file(path, "w", "a long first line\n");
    fake_init(&fake, &file_source_plugin, "file", path, "topic", "t", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK(fake_poll_until(&fake, 1, 10000));
    write_file(path, "w", "short\n");
    CHECK(fake_poll_until(&fake, 2, 10000));
    check_value(&fake, 1, "short");
    CHECK_STR(fake_offset(&fake, &fake.records[1]), "{\"position\":6}");
    CHECK(fake_logged(&fake, "was truncated or replaced"));
    write_file(other, "w", "from another file\n");
    CHECK_INT(rename(other, path), 0);
    CHECK(fake_poll_until(&fake, 3, 10000));
    check_value(&fake, 2, "from another file");

    /* A stored position beyond the end. */
    fake_close(&fake);
    char *map = sluice_xasprintf("{\"filename\":\"%s\"}", path);
    fake_resume(&fake, map, "{\"position\":1000}");
    fake_clear(&fake);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK(fake_poll_until(&fake, 1, 10000));
    check_value(&fake, 0, "from another file");
    fake_fini(&fake);
    free(map);
    free(path);
    free(other);
}

TEST(keeps_its_room)
{
    char *path = path_of("in.txt");
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    for (int i = 0; i < 5000; i++) fprintf(file, "line %d\n", i);
    fclose(file);
    struct fake_host fake;
    fake_init(&fake, &file_source_plugin, "file", path, "topic", "t", "batch.size", "700", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    CHECK_INT(fake.n, 700);
    fake.room_records = 10;
    CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    CHECK_INT(fake.n, 710);
    fake.room_bytes = 1;
    CHECK_INT(fake_poll(&fake, 0), SLUICE_OK);
    CHECK_INT(fake.n, 711);
    fake.room_records = 10000;
    fake.room_bytes = 1000000;
    CHECK(fake_poll_until(&fake, 5000, 10000));
    check_value(&fake, 4999, "line 4999");
    fake_fini(&fake);
    free(path);
}

TEST(bytes_that_are_not_utf8_are_replaced)
{
    char *path = path_of("in.txt");
    struct fake_host fake;
    write_file(path, "w", "caf\xE9\n\xED\xA0\x80\n");
    fake_init(&fake, &file_source_plugin, "file", path, "topic", "t", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK(fake_poll_until(&fake, 2, 10000));
    check_value(&fake, 0, "caf\xEF\xBF\xBD");
    check_value(&fake, 1, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    CHECK_STR(fake_offset(&fake, &fake.records[0]), "{\"position\":5}");
    fake_fini(&fake);
    free(path);
}

TEST(bad_configs_and_offsets_fail_with_a_reason)
{
    struct fake_host fake;
    fake_init(&fake, &file_source_plugin, "file", harness_dir(), "topic", "t", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK_INT(fake_poll(&fake, 0), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, "it is a directory");
    fake_fini(&fake);

    fake_init(&fake, &file_source_plugin, "file", "/x", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, "Missing required configuration \"topic\"");
    fake_fini(&fake);

    fake_init(&fake, &file_source_plugin, "file", "/x", "topic", "t", NULL);
    fake_resume(&fake, "{\"filename\":\"/x\"}", "{\"position\":\"9\"}");
    CHECK_INT(fake_open(&fake), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, "the stored offset of /x");
    fake_fini(&fake);
}

/* What the plugin says of one change; texts NULL: none was given. */
static enum sluice_verdict judged(struct fake_host *fake, const char *partition, const char *offset)
{
    struct sluice_value maps[2];
    const char *texts[2] = {partition, offset};
    for (int i = 0; i < 2; i++)
        if (texts[i])
            CHECK(sluice_json_parse(&fake->batch, texts[i], strlen(texts[i]), &maps[i], NULL,
                                    &fake->err));
    const struct sluice_offset_change change = {partition ? &maps[0] : NULL,
                                                offset ? &maps[1] : NULL};
    return file_source_plugin.alter_offsets(&fake->host, fake->conf, &change, 1, &fake->err);
}

TEST(altered_offsets_are_positions_of_files)
{
    struct fake_host fake;
    fake_init(&fake, &file_source_plugin, "file", "/x", "topic", "t", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    const char *file = "{\"filename\":\"/other\"}", *position = "{\"position\":7}";
    CHECK_INT(judged(&fake, file, position), SLUICE_OK);
    CHECK_INT(judged(&fake, file, "{\"position\":0,\"more\":null}"), SLUICE_OK);
    CHECK_INT(judged(&fake, file, NULL), SLUICE_OK); /* anything may be forgotten */
    CHECK_INT(judged(&fake, "{}", NULL), SLUICE_OK);
    CHECK_INT(judged(&fake, NULL, NULL), SLUICE_OK);
    CHECK_INT(judged(&fake, file, "{}"), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, "contain the key 'position'");
    CHECK_INT(judged(&fake, file, "{\"position\":\"7\"}"), SLUICE_FAIL);
    CHECK_INT(judged(&fake, file, "{\"position\":7.5}"), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, "expected to be a Long value");
    CHECK_INT(judged(&fake, file, "{\"position\":-1}"), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, "non-negative");
    CHECK_INT(judged(&fake, NULL, position), SLUICE_FAIL);
    CHECK_INT(judged(&fake, "{\"file\":\"/x\"}", position), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, "contain the key 'filename'");
    fake_fini(&fake);
    fake_init(&fake, &file_source_plugin, "topic", "t", NULL); /* standard input */
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK_INT(judged(&fake, file, position), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, "standard input");
    fake_fini(&fake);
}

TEST(a_waiting_poll_ends_when_woken)
{
    char *path = path_of("never.txt");
    struct fake_host fake;
    pthread_t thread;
    fake_init(&fake, &file_source_plugin, "file", path, "topic", "t", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    fake_wake_after(&fake, 20, &thread);
    CHECK_INT(fake_poll(&fake, 3600 * 1000), SLUICE_OK); /* ctest's time-out would end it */
    fake_wake_join(&fake, thread);
    fake_fini(&fake);
    free(path);
}

TEST(standard_input_is_read_without_a_file)
{
    int ends[2];
    int saved = dup(STDIN_FILENO);
    CHECK(saved >= 0 && pipe(ends) == 0);
    CHECK(dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
    close(ends[0]);
    CHECK_INT(write(ends[1], "from a pipe\n", 12), 12);
    struct fake_host fake;
    fake_init(&fake, &file_source_plugin, "topic", "t", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    CHECK(fake_poll_until(&fake, 1, 10000));
    check_value(&fake, 0, "from a pipe");
    CHECK_STR(fake_offset(&fake, &fake.records[0]), "{\"position\":null}");
    close(ends[1]);
    CHECK_INT(fake_poll(&fake, 1), SLUICE_OK);
    fake_fini(&fake);
    CHECK(dup2(saved, STDIN_FILENO) == STDIN_FILENO);
    close(saved);
}
