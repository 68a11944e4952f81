/* datagen_test.h - what the tests of datagen's expressions share: values as the JSON that node
 * writes. Included by one file of a test program. */
#ifndef SLUICE_TESTS_DATAGEN_TEST_H
#define SLUICE_TESTS_DATAGEN_TEST_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_host.h"
#include "harness.h"
#include "js.h"

extern const struct sluice_plugin *const *sluice_plugins_v1(void);

/* As JSON.stringify writes it. */
static void put_json(FILE *out, const struct sluice_value *v)
{
    char text[64];
    json_t *string;
    switch (v->type) {
    case SLUICE_BOOLEAN: (void)fputs(v->u.i ? "true" : "false", out); return;
    case SLUICE_INT64: (void)fprintf(out, "%lld", (long long)v->u.i); return;
    case SLUICE_FLOAT64:
        (void)fprintf(out, "%.*s", (int)js_number_text(text, v->u.d), text);
        return;
    case SLUICE_STRING:
        string = json_stringn(v->u.s, v->len);
        CHECK(string != NULL);
        CHECK(json_dumpf(string, out, JSON_ENCODE_ANY) == 0);
        json_decref(string);
        return;
    case SLUICE_ARRAY:
    case SLUICE_MAP:
        (void)fputc(v->type == SLUICE_ARRAY ? '[' : '{', out);
        for (uint32_t i = 0; i < v->len; i++) {
            if (i) (void)fputc(',', out);
            if (v->type == SLUICE_MAP) {
                put_json(out, &v->u.v[2 * i]);
                (void)fputc(':', out);
            }
            put_json(out, &v->u.v[v->type == SLUICE_MAP ? 2 * i + 1 : i]);
        }
        (void)fputc(v->type == SLUICE_ARRAY ? ']' : '}', out);
        return;
    default: CHECK_INT(v->type, SLUICE_NULL); (void)fputs("null", out);
    }
}

#endif
