/* answer.c - filling in answers. Owner: the thread that serves the request. */
#include "herder/answer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

json_t *sluice_json_safe(const char *text)
{
    json_t *string = json_string(text);
    if (string) return string;
    char *copy = sluice_xstrdup(text); /* a message that quotes raw bytes of somebody's input */
    for (char *c = copy; *c; c++) {
        if ((unsigned char)*c >= 0x80) *c = '?';
    }
    string = json_string(copy);
    free(copy);
    assert(string);
    return string;
}

void sluice_answer_json(struct sluice_answer *answer, int status, json_t *body)
{
    assert(status >= 100 && status < 600);
    sluice_answer_fini(answer);
    answer->status = status;
    answer->body = body;
}

void sluice_answer_error(struct sluice_answer *answer, int status, const char *fmt, ...)
{
    assert(status >= 400);
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    assert(n >= 0);
    char *shown = sluice_secret_hidden(text);
    json_t *body = json_object();
    json_object_set_new(body, "error_code", json_integer(status));
    json_object_set_new(body, "message", sluice_json_safe(shown));
    free(shown);
    free(text);
    sluice_answer_json(answer, status, body);
}

void sluice_answer_text(struct sluice_answer *answer, int status, const char *type, char *text)
{
    assert(type && text);
    sluice_answer_fini(answer);
    answer->status = status;
    answer->text = text;
    answer->type = type;
}

void sluice_answer_fini(struct sluice_answer *answer)
{
    json_decref(answer->body);
    free(answer->text);
    free(answer->created);
    free(answer->forward);
    memset(answer, 0, sizeof *answer);
}
