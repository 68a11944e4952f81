/* text.h - schemas and values as one line of text, for golden files: the twin of java/Text.java.
 *
 *     ?STRUCT["a":INT32=i5,"b":MAP[STRING,?INT8]]@"name"#version!"doc"%{"k"="v"}=default
 *     y1 h1 i1 l1: integers; f, d: bits in hex; "text"; b0aff: octets; [list], {k:v}, (struct),
 *     null, true, false
 *
 * Headers only, because a test is one file. */
#ifndef SLUICE_TESTS_GOLDEN_TEXT_H
#define SLUICE_TESTS_GOLDEN_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/props.h"
#include "golden/text_read.h"
#include "golden/text_write.h"
#include "harness.h"

/* ---- octets: "-" is null, "=" comes before the rest ---- */

__attribute__((unused)) static void text_octets(struct sluice_buf *out, const char *data,
                                                size_t len)
{
    sluice_buf_adds(out, "=");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c == '\\') sluice_buf_adds(out, "\\\\");
        else if (c < 0x20 || c > 0x7e) sluice_buf_addf(out, "\\x%02x", c);
        else sluice_buf_addf(out, "%c", c);
    }
}

/* NULL for "-". The copy is exactly as long, so that reading behind it is seen. */
__attribute__((unused)) static char *text_read_octets(const char *text, size_t *len)
{
    if (*text != '=') return NULL;
    char *out = malloc(strlen(text)), *to = out;
    for (text++; *text; text++) {
        unsigned x;
        if (*text == '\\' && text[1] == 'x' && sscanf(text + 2, "%2x", &x) == 1) {
            *to++ = (char)x;
            text += 3;
        } else {
            if (*text == '\\') text++;
            *to++ = *text;
        }
    }
    *len = (size_t)(to - out);
    char *exact = malloc(*len ? *len : 1);
    memcpy(exact, out, *len);
    free(out);
    return exact;
}

/* ---- files ---- */

/* Calls row() for each line of a file below tests/, cut at its tabs; absent columns are "". */
__attribute__((unused)) static size_t text_rows(const char *path,
                                                void (*row)(char **cols, int line))
{
    struct sluice_err err;
    char full[512];
    snprintf(full, sizeof full, "%s/%s", SLUICE_TEST_DIR, path);
    char *text = sluice_file_read(full, (size_t)8 << 20, NULL, &err);
    if (!text) FAIL("%s", err.msg);
    size_t n = 0;
    char *next;
    for (char *at = text; *at; at = next) {
        char *cols[16];
        next = at + strcspn(at, "\n");
        if (*next) *next++ = '\0';
        for (int i = 0; i < 16; i++) {
            cols[i] = at;
            at += strcspn(at, "\t");
            if (*at) *at++ = '\0';
        }
        row(cols, (int)++n);
    }
    free(text);
    return n;
}

#endif
