/* Offsets: Java's file in and out, look-up by meaning, all or nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/props.h"
#include "data/json_text.h"
#include "data/values.h"
#include "store/offset_entries.h"
#include "store/offset_store.h"

#include "../harness.h"

/* A copy of a golden file that the test may write to. */
static char *copy_golden(const char *name)
{
    char golden[128];
    size_t len;
    snprintf(golden, sizeof golden, "golden/offsets/%s", name);
    char *data = harness_file(golden, &len);
    char *path = sluice_xasprintf("%s/%s", harness_dir(), name);
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(data, 1, len, file) == len && fclose(file) == 0);
    free(data);
    return path;
}

static struct sluice_value parse(struct sluice_batch *batch, const char *json)
{
    struct sluice_value v;
    struct sluice_err err;
    CHECK(sluice_json_parse(batch, json, strlen(json), &v, NULL, &err));
    return v;
}

/* The stored offset as JSON, "none" when there is none. */
static char *get(struct sluice_offset_store *store, const char *connector, const char *partition)
{
    struct sluice_batch batch;
    struct sluice_value offset;
    struct sluice_err err;
    struct sluice_buf buf = {.max = 4096};
    bool found;
    sluice_batch_init(&batch);
    struct sluice_value p = parse(&batch, partition);
    CHECK(sluice_offset_get(store, connector, &p, &batch, &offset, &found, &err));
    char *text = sluice_xstrdup("none");
    if (found) {
        free(text);
        CHECK(sluice_json_value(&buf, &offset, &err));
        text = sluice_xstrndup(buf.data, buf.len);
    }
    free(buf.data);
    sluice_batch_fini(&batch);
    return text;
}

static bool put(struct sluice_offset_store *store, const char *connector, const char *partition,
                const char *offset, struct sluice_err *err)
{
    struct sluice_batch batch;
    sluice_batch_init(&batch);
    struct sluice_value p = parse(&batch, partition), o = {0};
    if (offset) o = parse(&batch, offset);
    struct sluice_offset_entry entry = {&p, offset ? &o : NULL};
    bool ok = sluice_offset_put(store, connector, &entry, 1, err);
    sluice_batch_fini(&batch);
    return ok;
}

#define CHECK_OFFSET(store, connector, partition, want)                                            \
    do {                                                                                           \
        char *got_ = get(store, connector, partition);                                             \
        CHECK_STR(got_, want);                                                                     \
        free(got_);                                                                                \
    } while (0)

TEST(offset_file_of_java_is_read)
{
    struct sluice_err err;
    char *path = copy_golden("two.offsets");
    struct sluice_offset_store *store = sluice_offset_file_new(path, &err);
    CHECK(store);
    CHECK_OFFSET(store, "file-source", "{\"filename\":\"/tmp/a\"}", "{\"position\":8}");
    CHECK_OFFSET(store, "cdc", "{\"server\":\"t\"}",
                 "{\"lsn_proc\":24023400,\"messageType\":\"INSERT\",\"lsn_commit\":24023128,"
                 "\"lsn\":24023400,\"txId\":555,\"ts_usec\":1785000000123456}");
    CHECK_OFFSET(store, "cdc", "{\"server\":\"u\"}", "none");
    CHECK_OFFSET(store, "other", "{\"server\":\"t\"}", "none");
    sluice_offset_store_free(store);
    free(path);
}

TEST(offset_file_is_rewritten_with_javas_bytes)
{
    struct sluice_err err;
    size_t before_len, after_len;
    char *path = copy_golden("two.offsets");
    char *before = sluice_file_read(path, 1 << 20, &before_len, &err);
    struct sluice_offset_store *store = sluice_offset_file_new(path, &err);
    CHECK(put(store, "file-source", "{\"filename\":\"/tmp/a\"}", "{\"position\":9}", &err));
    CHECK(put(store, "file-source", "{\"filename\":\"/tmp/a\"}", "{\"position\":8}", &err));
    char *after = sluice_file_read(path, 1 << 20, &after_len, &err);
    CHECK_MEM(after, after_len, before, before_len);
    free(before);
    free(after);
    sluice_offset_store_free(store);
    free(path);
}

TEST(offset_file_with_many_entries_and_a_null_one)
{
    struct sluice_err err;
    struct sluice_batch batch;
    struct sluice_offset_entry *entries;
    size_t n;
    char *path = copy_golden("twenty.offsets");
    struct sluice_offset_store *store = sluice_offset_file_new(path, &err);
    CHECK(store);
    CHECK_OFFSET(store, "dg", "{\"task.id\":20}",
                 "{\"task.generation\":20,\"current.iteration\":200,\"random.seed\":-20}");
    CHECK_OFFSET(store, "gone", "{\"a\":1}", "none");
    sluice_batch_init(&batch);
    CHECK(sluice_offset_list(store, "dg", &batch, &entries, &n, &err));
    CHECK_INT(n, 20);
    sluice_batch_fini(&batch);
    sluice_offset_store_free(store);
    free(path);
}

TEST(offset_file_forms_of_a_key_never_disagree)
{
    struct sluice_err err;
    char ab[] = "[\"a\",{\"a\":1,\"b\":2}]", ba[] = "[\"a\",{\"b\":2,\"a\":1}]";
    char one[] = "{\"pos\":1}", two[] = "{\"pos\":2}";
    const struct sluice_offset_item items[] = {
        {.key = ab, .key_len = strlen(ab), .value = one, .value_len = strlen(one)},
        {.key = ba, .key_len = strlen(ba), .value = two, .value_len = strlen(two)}};
    char *path = copy_golden("two.offsets");
    CHECK(sluice_offset_file_save(path, items, 2, &err));
    const char *const offsets[] = {"{\"pos\":3}", NULL};
    for (int i = 0; i < 2; i++) {
        struct sluice_offset_store *store = sluice_offset_file_new(path, &err);
        CHECK(put(store, "a", "{\"a\":1,\"b\":2}", offsets[i], &err));
        sluice_offset_store_free(store);
        size_t len;
        char *text = sluice_file_read(path, 1 << 20, &len, &err);
        CHECK(!memmem(text, len, one, strlen(one)) && !memmem(text, len, two, strlen(two)));
        free(text);
        store = sluice_offset_file_new(path, &err); /* the other one does not come up */
        CHECK_OFFSET(store, "a", "{\"a\":1,\"b\":2}", offsets[i] ? offsets[i] : "none");
        sluice_offset_store_free(store);
    }
    free(path);
}

TEST(offset_partition_is_found_in_any_order_and_keeps_its_key)
{
    struct sluice_err err;
    struct sluice_offset_store *store = sluice_offset_memory_new();
    CHECK(put(store, "c", "{\"a\":1,\"b\":\"x\"}", "{\"n\":1}", &err));
    CHECK(put(store, "c", "{\"b\":\"x\",\"a\":1}", "{\"n\":2}", &err));
    CHECK_OFFSET(store, "c", "{\"a\":1,\"b\":\"x\"}", "{\"n\":2}");
    CHECK(put(store, "c", "{\"b\":\"x\",\"a\":1}", NULL, &err));
    CHECK_OFFSET(store, "c", "{\"a\":1,\"b\":\"x\"}", "none");
    sluice_offset_store_free(store);
}

TEST(offset_file_missing_or_empty_is_an_empty_store)
{
    struct sluice_err err;
    char *path = sluice_xasprintf("%s/none.offsets", harness_dir());
    struct sluice_offset_store *store = sluice_offset_file_new(path, &err);
    CHECK(store);
    CHECK_OFFSET(store, "c", "{\"a\":1}", "none");
    CHECK(put(store, "c", "{\"a\":1}", "{\"n\":1}", &err));
    sluice_offset_store_free(store);
    store = sluice_offset_file_new(path, &err);
    CHECK_OFFSET(store, "c", "{\"a\":1}", "{\"n\":1}");
    sluice_offset_store_free(store);
    free(path);
    path = copy_golden("empty.offsets");
    store = sluice_offset_file_new(path, &err);
    CHECK(store);
    sluice_offset_store_free(store);
    free(path);
}

/* Every truncation and every flipped byte either loads or is refused with the way out; none
 * crashes, and a refused one is left as it is. */
TEST(offset_file_corrupt_is_refused_and_left_alone)
{
    struct sluice_err err;
    size_t len;
    size_t refused = 0;
    char *path = copy_golden("two.offsets");
    char *data = sluice_file_read(path, 1 << 20, &len, &err);
    for (size_t cut = 1; cut < len; cut++) {
        CHECK(truncate(path, 0) == 0);
        FILE *file = fopen(path, "wb");
        CHECK(file && fwrite(data, 1, cut, file) == cut && fclose(file) == 0);
        CHECK(!sluice_offset_file_new(path, &err));
        CHECK_HAS(err.msg, "is corrupt");
        CHECK_HAS(err.msg, "move it away");
        CHECK_HAS(err.msg, path);
    }
    for (size_t at = 0; at < len; at++) {
        data[at] ^= 0x55;
        FILE *file = fopen(path, "wb");
        CHECK(file && fwrite(data, 1, len, file) == len && fclose(file) == 0);
        struct sluice_offset_store *store = sluice_offset_file_new(path, &err);
        refused += store == NULL;
        sluice_offset_store_free(store);
        data[at] ^= 0x55;
    }
    CHECK(refused > 80); /* all of the framing */
    free(data);
    free(path);
}

TEST(offset_put_that_cannot_be_saved_changes_nothing)
{
    struct sluice_err err;
    char *folder = sluice_xasprintf("%s/sub", harness_dir());
    char *path = sluice_xasprintf("%s/o.offsets", folder);
    CHECK(mkdir(folder, 0755) == 0);
    struct sluice_offset_store *store = sluice_offset_file_new(path, &err);
    CHECK(put(store, "c", "{\"a\":1}", "{\"n\":1}", &err));
    CHECK(unlink(path) == 0 && rmdir(folder) == 0);
    CHECK(!put(store, "c", "{\"a\":1}", "{\"n\":2}", &err));
    CHECK_HAS(err.msg, path);
    CHECK_OFFSET(store, "c", "{\"a\":1}", "{\"n\":1}");
    CHECK(!put(store, "c", "{\"a\":2}", "{\"n\":3}", &err));
    CHECK_OFFSET(store, "c", "{\"a\":2}", "none");
    sluice_offset_store_free(store);
    free(folder);
    free(path);
}
