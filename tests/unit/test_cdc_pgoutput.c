/* pgoutput's bytes: what a server sent, and what none should send. Also filters. */
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "harness.h"
#include "pgoutput.h"

static struct cdc_cell before[CDC_COLUMNS_MAX], after[CDC_COLUMNS_MAX];
static struct cdc_relation_column columns[CDC_COLUMNS_MAX];

/* The bytes of one message of Postgres 15, behind its type byte. */
static const char relation[] = "\0\0\x40\x01public\0k\0d\0\2\1id\0\0\0\0\x17\xff\xff\xff\xff"
                               "\0w\0\0\0\0\x19\xff\xff\xff\xff";
static const char update[] = "\0\0\x40\x01K\0\2t\0\0\0\1"
                             "1n"
                             "N\0\2t\0\0\0\1"
                             "2u";
static const char commit[] =
    "\0\0\0\0\0\1\x99\x30\x08\0\0\0\0\1\x99\x30\x38\0\2\xb5\x34\x2f\x8d\x10\x01";
static const char logical[] = "\1\0\0\0\0\1\x99\x32\x08prefix\0\0\0\0\5hello";

TEST(relation_message)
{
    struct cdc_cursor c;
    struct cdc_relation_message m = {.columns = columns};
    cdc_cursor_init(&c, relation, sizeof(relation) - 1);
    CHECK(cdc_read_relation(&c, &m));
    CHECK_INT(m.oid, 0x4001);
    CHECK_STR(m.schema, "public");
    CHECK_STR(m.table, "k");
    CHECK_INT(m.identity, 'd');
    CHECK_INT(m.n, 2);
    CHECK(m.columns[0].key && !m.columns[1].key);
    CHECK_STR(m.columns[1].name, "w");
    CHECK_INT(m.columns[1].oid, 25);
    CHECK_INT(m.columns[1].typmod, -1);
}

TEST(update_message)
{
    struct cdc_cursor c;
    struct cdc_change m = {.before.cells = before, .after.cells = after};
    cdc_cursor_init(&c, update, sizeof(update) - 1);
    CHECK(cdc_read_change(&c, 'U', &m));
    CHECK_INT(m.old, 'K');
    CHECK_INT(m.before.n, 2);
    CHECK_MEM(before[0].s, before[0].len, "1", 1);
    CHECK_INT(before[1].kind, 'n');
    CHECK_MEM(after[0].s, after[0].len, "2", 1);
    CHECK_INT(after[1].kind, 'u');
    CHECK(c.p == c.end);
}

TEST(commit_and_logical_message)
{
    struct cdc_cursor c;
    struct cdc_commit m;
    cdc_cursor_init(&c, commit, sizeof(commit) - 1);
    CHECK(cdc_read_commit(&c, &m));
    CHECK_INT(m.commit_lsn, 0x1993008);
    CHECK_INT(m.end_lsn, 0x1993038);
    CHECK(m.commit_us > CDC_EPOCH_US);
    struct cdc_logical_message l;
    cdc_cursor_init(&c, logical, sizeof(logical) - 1);
    CHECK(cdc_read_logical_message(&c, &l));
    CHECK_STR(l.prefix, "prefix");
    CHECK_MEM(l.content, l.content_len, "hello", 5);
    CHECK(l.transactional);
}

/* Reads the bytes as every kind of message, from memory of exactly their size. */
static int read_all(const unsigned char *bytes, size_t len)
{
    int fine = 0;
    unsigned char *copy = malloc(len ? len : 1);
    memcpy(copy, bytes, len);
    static const char ops[] = "IUD";
    for (int i = 0; i < 3; i++) {
        struct cdc_cursor c;
        struct cdc_change change = {.before.cells = before, .after.cells = after};
        cdc_cursor_init(&c, copy, len);
        fine += cdc_read_change(&c, ops[i], &change);
    }
    struct cdc_cursor c;
    struct cdc_relation_message r = {.columns = columns};
    cdc_cursor_init(&c, copy, len);
    fine += cdc_read_relation(&c, &r);
    struct cdc_logical_message l;
    cdc_cursor_init(&c, copy, len);
    fine += cdc_read_logical_message(&c, &l);
    struct cdc_begin b;
    cdc_cursor_init(&c, copy, len);
    fine += cdc_read_begin(&c, &b);
    free(copy);
    return fine;
}

TEST(cut_and_changed_bytes_are_refused_or_read_within_bounds)
{
    const struct {
        const char *bytes;
        size_t len;
    } messages[] = {{relation, sizeof(relation) - 1},
                    {update, sizeof(update) - 1},
                    {logical, sizeof(logical) - 1}};
    for (size_t m = 0; m < 3; m++) {
        unsigned char bytes[128];
        size_t len = messages[m].len;
        for (size_t cut = 0; cut < len; cut++)
            read_all((const unsigned char *)messages[m].bytes, cut);
        for (size_t at = 0; at < len; at++)
            for (int v = 0; v < 256; v += 5) {
                memcpy(bytes, messages[m].bytes, len);
                bytes[at] = (unsigned char)v;
                read_all(bytes, len);
            }
    }
    struct cdc_cursor c;
    struct cdc_change change = {.before.cells = before, .after.cells = after};
    cdc_cursor_init(&c, update, sizeof(update) - 2);
    CHECK(!cdc_read_change(&c, 'U', &change));
    static const char huge[] = "\0\0\x40\x01N\xff\xff";
    cdc_cursor_init(&c, huge, sizeof(huge) - 1);
    CHECK(!cdc_read_change(&c, 'I', &change));
    static const char long_cell[] = "\0\0\x40\x01N\0\1t\xff\xff\xff\xffx";
    cdc_cursor_init(&c, long_cell, sizeof(long_cell) - 1);
    CHECK(!cdc_read_change(&c, 'I', &change));
}

TEST(lists_of_regular_expressions)
{
    struct sluice_err err = {""};
    struct cdc_patterns p = {0};
    CHECK(cdc_patterns_parse(&p, " s1\\.a , public.* ,s\\,x", &err));
    CHECK_INT(p.n, 3);
    CHECK_INT(cdc_patterns_match(&p, "S1.A"), 0);
    CHECK_INT(cdc_patterns_match(&p, "s1.ab"), -1);
    CHECK_INT(cdc_patterns_match(&p, "public.t"), 1);
    CHECK_INT(cdc_patterns_match(&p, "s,x"), 2);
    cdc_patterns_free(&p);
    CHECK(!cdc_patterns_parse(&p, "a(", &err));
    CHECK_HAS(err.msg, "regular expression 'a(' is wrong");
    cdc_patterns_free(&p);

    struct cdc_key_rules rules = {0};
    CHECK(cdc_key_rules_parse(&rules, "(.*)1.a:pk, aa;s2.(?:b):c", &err));
    CHECK_INT(cdc_key_rules_find(&rules, "s1.a")->columns_n, 2);
    CHECK_STR(cdc_key_rules_find(&rules, "s1.a")->columns[1], "aa");
    CHECK_STR(cdc_key_rules_find(&rules, "s2.b")->columns[0], "c");
    CHECK(cdc_key_rules_find(&rules, "s3.a") == NULL);
    cdc_key_rules_free(&rules);
    CHECK(!cdc_key_rules_parse(&rules, "nocolumns", &err));
    cdc_key_rules_free(&rules);
}
