/* test_base_text.c - utf8, map, json, props, files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/props.h"
#include "base/utf8.h"
#include "harness.h"

TEST(utf8_accepts_and_refuses)
{
    CHECK(sluice_utf8_valid("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 10));
    CHECK(sluice_utf8_valid("", 0));
    static const char *const bad[] = {
        "\x80",         "\xC0\x80",         "\xC1\xBF",         "\xE0\x9F\xBF",
        "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xC3",         "\xE2\x82"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!sluice_utf8_valid(bad[i], strlen(bad[i])));
    }
    char out[4];
    CHECK_MEM(out, sluice_utf8_put(0x20AC, out), "\xE2\x82\xAC", 3);
    CHECK_MEM(out, sluice_utf8_put(0x1F600, out), "\xF0\x9F\x98\x80", 4);
    CHECK_MEM(out, sluice_utf8_put(0xD800, out), "\xEF\xBF\xBD", 3);
    CHECK_INT(sluice_utf8_cut("a\xE2\x82\xAC", 4, 3), 1);
    CHECK_INT(sluice_utf8_cut("a\xE2\x82\xAC", 4, 4), 4);
    CHECK_INT(sluice_utf8_cut("a\xE2\x82\xACz", 5, 4), 4);
}

TEST(map_keeps_order_and_tells_null_from_absent)
{
    struct sluice_map map = {0}, copy = {0};
    sluice_map_set(&map, "b", "1");
    sluice_map_set(&map, "a", NULL);
    sluice_map_set(&map, "c", "3");
    sluice_map_set(&map, "b", "2");
    sluice_map_set(&map, "c", sluice_map_get(&map, "c")); /* its own value */
    CHECK_INT(map.n, 3);
    CHECK_STR(map.items[0].key, "b");
    CHECK_STR(sluice_map_get(&map, "b"), "2");
    CHECK_STR(sluice_map_get(&map, "c"), "3");
    CHECK(sluice_map_get(&map, "a") == NULL && sluice_map_has(&map, "a"));
    CHECK(!sluice_map_has(&map, "d"));

    sluice_map_copy(&copy, &map);
    CHECK(sluice_map_equal(&map, &copy));
    sluice_map_set(&copy, "a", "");
    CHECK(!sluice_map_equal(&map, &copy));
    CHECK(sluice_map_del(&copy, "a") && !sluice_map_del(&copy, "a"));
    CHECK(!sluice_map_equal(&map, &copy));
    sluice_map_set(&copy, "a", NULL); /* last now: order does not count */
    CHECK(sluice_map_equal(&map, &copy));
    sluice_map_fini(&map);
    sluice_map_fini(&copy);
    sluice_map_copy(&copy, &map);
    CHECK_INT(copy.n, 0);
}

static bool to_map(const char *text, struct sluice_map *map, struct sluice_err *err)
{
    json_t *json = json_loads(text, JSON_ALLOW_NUL | JSON_DECODE_ANY, NULL);
    CHECK(json != NULL);
    bool ok = sluice_json_to_map(json, map, err);
    json_decref(json);
    return ok;
}

TEST(json_config_values_become_texts)
{
    struct sluice_map map = {0};
    struct sluice_err err = {0};
    CHECK(to_map("{\"s\":\" x \",\"i\":12,\"n\":null,\"t\":true,\"f\":false,\"d\":0.1,"
                 "\"e\":1e300,\"w\":2.0}",
                 &map, &err));
    CHECK_STR(sluice_map_get(&map, "s"), " x ");
    CHECK_STR(sluice_map_get(&map, "i"), "12");
    CHECK_STR(sluice_map_get(&map, "t"), "true");
    CHECK_STR(sluice_map_get(&map, "f"), "false");
    CHECK_STR(sluice_map_get(&map, "d"), "0.1");
    CHECK_STR(sluice_map_get(&map, "w"), "2.0");
    CHECK_DOUBLE(strtod(sluice_map_get(&map, "e"), NULL), 1e300);
    CHECK(sluice_map_has(&map, "n") && !sluice_map_get(&map, "n"));

    json_t *json = sluice_json_from_map(&map);
    char *text = sluice_json_text(json);
    CHECK_HAS(text, "{\"s\":\" x \",\"i\":\"12\",\"n\":null,\"t\":\"true\"");
    free(text);
    json_decref(json);
    sluice_map_fini(&map);
}

TEST(json_config_refuses_nested_values)
{
    struct sluice_map map = {0};
    struct sluice_err err = {0};
    CHECK(!to_map("{\"a.b\":{}}", &map, &err));
    CHECK_HAS(err.msg, "\"a.b\" is a JSON object");
    CHECK(!to_map("{\"l\":[1]}", &map, &err));
    CHECK_HAS(err.msg, "array");
    CHECK(!to_map("[]", &map, &err));
    CHECK(!to_map("{\"z\":\"a\\u0000b\"}", &map, &err));
    CHECK_HAS(err.msg, "\"z\"");
    sluice_map_fini(&map);
}

TEST(json_from_map_survives_bytes_that_are_not_utf8)
{
    struct sluice_map map = {0};
    sluice_map_set(&map, "k\xFF", "a\x80z");
    json_t *json = sluice_json_from_map(&map);
    char *text = sluice_json_text(json);
    CHECK_STR(text, "{\"k\xEF\xBF\xBD\":\"a\xEF\xBF\xBDz\"}");
    free(text);
    json_decref(json);
    sluice_map_fini(&map);
}

static void check_props(const char *text, const char *want)
{
    struct sluice_map map = {0};
    struct sluice_err err = {0};
    bool ok = sluice_props_parse(&map, text, strlen(text), &err);
    if (!ok) FAIL("%s: %s", text, err.msg);
    char *got = sluice_xstrdup("");
    for (size_t i = 0; i < map.n; i++) {
        char *longer = sluice_xasprintf("%s<%s>=<%s>", got, map.items[i].key, map.items[i].value);
        free(got);
        got = longer;
    }
    CHECK_STR(got, want);
    free(got);
    sluice_map_fini(&map);
}

TEST(props_as_java_reads_them)
{
    check_props("a=1\nb:2\nc 3\n d\t=\t4 \n", "<a>=<1><b>=<2><c>=<3><d>=<4 >");
    check_props("# c\n  ! c = 1\n\n\r\n\ra=1", "<a>=<1>");
    check_props("a=1\r\nb=2\rc=3", "<a>=<1><b>=<2><c>=<3>");
    check_props("k=x,\\\n    y,\\\r\n\tz\n", "<k>=<x,y,z>");
    check_props("k=a\\\n# no comment\n", "<k>=<a# no comment>");
    check_props("# comments do not continue \\\na=1\n", "<a>=<1>");
    check_props("a\\ b\\=c\\:d = e\\\\f\n", "<a b=c:d>=<e\\f>");
    check_props("t=\\t\\n\\r\\f\\q\\\"\n", "<t>=<\t\n\r\fq\">");
    check_props("u=\\u00e9\\u20AC\\ud83d\\ude00", "<u>=<\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80>");
    check_props("u=\xC3\xA9", "<u>=<\xC3\xA9>");
    check_props("empty\nalso=\n=value\n", "<empty>=<><also>=<><>=<value>");
    check_props("a==1\nb = = 2\nc : = 3", "<a>=<=1><b>=<= 2><c>=<= 3>");
    check_props("a=1\na=2", "<a>=<2>");
    check_props("end=x\\", "<end>=<x>");
    check_props("\\\n\\\n a=1", "<a>=<1>");
    check_props("\\", "");
    check_props("", "");
    check_props("\xEF\xBB\xBFname=x", "<name>=<x>");
    check_props("p=C:\\\\x=y:z # no comment", "<p>=<C:\\x=y:z # no comment>");
}

static void check_bad_props(const char *text, size_t len, const char *piece)
{
    struct sluice_map map = {0};
    struct sluice_err err = {0};
    CHECK(!sluice_props_parse(&map, text, len, &err));
    CHECK_HAS(err.msg, piece);
    sluice_map_fini(&map);
}

#define CHECK_BAD_PROPS(text, piece) check_bad_props(text, sizeof(text) - 1, piece)

TEST(props_errors_name_line_and_reason)
{
    CHECK_BAD_PROPS("a=1\nb=\\u12x4", "line 2: \\u is not followed by four");
    CHECK_BAD_PROPS("a=\\u12", "line 1: \\u");
    CHECK_BAD_PROPS("\n\na=\\ud800", "line 3: \\u names half a surrogate pair");
    CHECK_BAD_PROPS("a=\\u0000", "line 1: \\u0000");
    CHECK_BAD_PROPS("a=\xE9", "line 1: bytes that are not UTF-8");
    CHECK_BAD_PROPS("a=x\0y", "line 1: a NUL byte");
    CHECK_BAD_PROPS("a=1\\\n2\nb=\xFF", "line 3");
}

/* Whatever the bytes: an answer or an error, no fault, nothing read past the end. */
TEST(props_survive_random_bytes)
{
    static const char pieces[][8] = {"\\",       "\n",   "\r",     "=",       ":",   " ",
                                     "#",        "!",    "\\u00e", "\\ud83d", "key", "\f",
                                     "\xC3\xA9", "\xFF", "a",      "\\\r\n"};
    uint64_t state = 88172645463325252u;
    for (int round = 0; round < 20000; round++) {
        char text[256];
        size_t len = 0;
        for (int i = 0; i < 20; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            const char *piece = pieces[state >> 60];
            memcpy(text + len, piece, strlen(piece));
            len += strlen(piece);
        }
        char *exact = sluice_xmalloc(len); /* the sanitizer watches its end */
        memcpy(exact, text, len);
        struct sluice_map map = {0};
        struct sluice_err err = {0};
        bool ok = sluice_props_parse(&map, exact, len, &err);
        CHECK(ok || strncmp(err.msg, "line ", 5) == 0);
        for (size_t i = 0; i < map.n; i++) {
            CHECK(sluice_utf8_valid(map.items[i].key, strlen(map.items[i].key)));
            CHECK(sluice_utf8_valid(map.items[i].value, strlen(map.items[i].value)));
        }
        sluice_map_fini(&map);
        free(exact);
    }
}

TEST(props_load_names_the_file)
{
    struct sluice_map map = {0};
    struct sluice_err err = {0};
    char *path = sluice_xasprintf("%s/w.properties", harness_dir());
    CHECK(!sluice_props_load(&map, path, &err));
    CHECK_HAS(err.msg, path);
    CHECK_HAS(err.msg, "No such file");
    CHECK(!sluice_props_load(&map, harness_dir(), &err));
    CHECK_HAS(err.msg, "Is a directory");
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    fputs("group.id=x\n", file);
    fclose(file);
    CHECK(sluice_props_load(&map, path, &err));
    CHECK_STR(sluice_map_get(&map, "group.id"), "x");
    file = fopen(path, "w");
    CHECK(file != NULL);
    fputs("a=\\u1", file);
    fclose(file);
    CHECK(!sluice_props_load(&map, path, &err));
    CHECK_HAS(err.msg, path);
    CHECK_HAS(err.msg, "line 1");
    sluice_map_fini(&map);
    free(path);
}

TEST(file_read_keeps_its_limit)
{
    char *path = sluice_xasprintf("%s/f", harness_dir());
    struct sluice_err err = {0};
    size_t len = 0;
    FILE *file = fopen(path, "w");
    CHECK(file != NULL);
    for (int i = 0; i < 1000; i++) fputc('x', file);
    fclose(file);
    char *text = sluice_file_read(path, 1000, &len, &err);
    CHECK(text != NULL);
    CHECK_INT(len, 1000);
    CHECK_INT(strlen(text), 1000);
    free(text);
    CHECK(sluice_file_read(path, 999, &len, &err) == NULL);
    CHECK_HAS(err.msg, "limit of 999 bytes");
    file = fopen(path, "w");
    CHECK(file != NULL);
    fclose(file);
    text = sluice_file_read(path, 10, NULL, &err);
    CHECK_STR(text, "");
    free(text);
    free(path);
}
