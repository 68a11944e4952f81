/* test_file_sink.c - file-sink against the fake host. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "base/props.h"
#include "fake_host.h"
#include "file.h"
#include "harness.h"

static void check_file(const char *path, const char *want)
{
    struct sluice_err err = {0};
    size_t len;
    char *text = sluice_file_read(path, 1 << 20, &len, &err);
    CHECK(text != NULL);
    CHECK_MEM(text, len, want, strlen(want));
    free(text);
}

static void give_text(struct fake_host *fake, int64_t offset, const char *s)
{
    struct sluice_record *rec = fake_give(fake, "t", 0, offset);
    char *copy = sluice_batch_alloc(&fake->input, strlen(s));
    memcpy(copy, s, strlen(s));
    rec->value = sluice_string(copy, strlen(s));
}

TEST(values_are_appended_as_lines)
{
    char *path = sluice_xasprintf("%s/out.txt", harness_dir());
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    fputs("was there\n", file);
    fclose(file);
    struct fake_host fake;
    fake_init(&fake, &file_sink_plugin, "file", path, NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    give_text(&fake, 0, "one");
    give_text(&fake, 1, "");
    CHECK_INT(fake_put(&fake), SLUICE_OK);
    give_text(&fake, 2, "two");
    CHECK_INT(fake_put(&fake), SLUICE_OK);
    CHECK_INT(fake_flush(&fake, 1000), SLUICE_OK);
    CHECK(fake_is_done(&fake, 1) && fake_is_done(&fake, 3));
    check_file(path, "was there\none\n\ntwo\n");
    fake_close(&fake);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    give_text(&fake, 3, "three");
    CHECK_INT(fake_put(&fake), SLUICE_OK);
    CHECK_INT(fake_flush(&fake, 1000), SLUICE_OK);
    check_file(path, "was there\none\n\ntwo\nthree\n");
    fake_fini(&fake);
    free(path);
}

/* Puts one value with its schema and compares the line. */
static void check_line(const struct sluice_schema *schema, struct sluice_value value,
                       const char *want)
{
    char *path = sluice_xasprintf("%s/line.txt", harness_dir());
    remove(path);
    struct fake_host fake;
    fake_init(&fake, &file_sink_plugin, "file", path, NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    struct sluice_record *rec = fake_give(&fake, "t", 0, 0);
    rec->value_schema = schema;
    rec->value = value;
    CHECK_INT(fake_put(&fake), SLUICE_OK);
    CHECK_INT(fake_flush(&fake, 1000), SLUICE_OK);
    check_file(path, want);
    fake_fini(&fake);
    free(path);
}

TEST(values_look_as_java_prints_them)
{
    static const struct sluice_schema int64 = {.type = SLUICE_INT64};
    static const struct sluice_schema text = {.type = SLUICE_STRING, .optional = true};
    static const struct sluice_field fields[] = {{"id", &int64}, {"gone", &text}, {"name", &text}};
    static const struct sluice_schema row = {
        .type = SLUICE_STRUCT, .fields_len = 3, .fields = fields};
    const struct sluice_value values[3] = {sluice_int64(7), sluice_null(), sluice_string("x", 1)};
    check_line(&row, sluice_nested(SLUICE_STRUCT, values, 3), "Struct{id=7,name=x}\n");
    check_line(NULL, sluice_nested(SLUICE_ARRAY, values, 3), "[7, null, x]\n");
    const struct sluice_value map[4] = {sluice_string("a", 1), sluice_bool(true),
                                        sluice_string("b", 1), sluice_float64(2)};
    check_line(NULL, sluice_nested(SLUICE_MAP, map, 2), "{a=true, b=2.0}\n");
    check_line(NULL, sluice_null(), "null\n");
    check_line(NULL, sluice_float64(0.1), "0.1\n");
    check_line(NULL, sluice_float64(-1.0 / 0.0), "-Infinity\n");
    check_line(NULL, sluice_bytes("raw", 3), "raw\n");
    check_line(&int64, sluice_int64(INT64_MIN), "-9223372036854775808\n");
}

TEST(large_puts_are_written_at_once_and_nothing_is_lost)
{
    char *path = sluice_xasprintf("%s/out.txt", harness_dir());
    struct fake_host fake;
    struct sluice_err err = {0};
    fake_init(&fake, &file_sink_plugin, "file", path, NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    for (int i = 0; i < 20000; i++) {
        char line[40];
        snprintf(line, sizeof(line), "this is line %d of many", i);
        give_text(&fake, i, line);
        if (i % 1000 == 999) CHECK_INT(fake_put(&fake), SLUICE_OK);
    }
    CHECK_INT(fake_flush(&fake, 1000), SLUICE_OK);
    size_t len;
    char *text = sluice_file_read(path, 1 << 20, &len, &err);
    CHECK(text != NULL);
    char *at = text;
    for (int i = 0; i < 20000; i++) {
        char line[40];
        int n = snprintf(line, sizeof(line), "this is line %d of many\n", i);
        CHECK(strncmp(at, line, (size_t)n) == 0);
        at += n;
    }
    CHECK_INT(*at, '\0');
    free(text);
    fake_fini(&fake);
    free(path);
}

TEST(a_full_device_is_trouble_that_is_retried)
{
    struct fake_host fake;
    fake_init(&fake, &file_sink_plugin, "file", "/dev/full", NULL);
    CHECK_INT(fake_open(&fake), SLUICE_OK);
    give_text(&fake, 0, "x");
    CHECK_INT(fake_put(&fake), SLUICE_OK);
    CHECK_INT(fake_flush(&fake, 0), SLUICE_RETRY);
    CHECK_HAS(fake.trouble, "cannot write to /dev/full: No space left on device");
    CHECK(!fake_is_done(&fake, 1));
    char *large = sluice_xmalloc(9 * 1024 * 1024);
    memset(large, 'x', 9 * 1024 * 1024);
    struct sluice_record *rec = fake_give(&fake, "t", 0, 1);
    rec->value = sluice_string(large, 9 * 1024 * 1024);
    CHECK_INT(fake_put(&fake), SLUICE_OK);
    give_text(&fake, 2, "one too many");
    CHECK_INT(fake_put(&fake), SLUICE_RETRY); /* bounded */
    free(large);
    fake_fini(&fake);
}

TEST(a_file_that_cannot_be_opened_fails)
{
    struct fake_host fake;
    char *path = sluice_xasprintf("%s/no/such/dir/out.txt", harness_dir());
    fake_init(&fake, &file_sink_plugin, "file", path, NULL);
    CHECK_INT(fake_open(&fake), SLUICE_FAIL);
    CHECK_HAS(fake.err.msg, path);
    CHECK_HAS(fake.err.msg, "No such file or directory");
    fake_fini(&fake);
    free(path);
}
