/* reply.c - see reply.h. */
#include "reply.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* What a body that is no error envelope says, as far as people can read it. */
static void quote_body(const char *body, size_t len, struct bq_reply *reply)
{
    size_t n = 0;
    for (size_t i = 0; i < len && n < 200; i++) {
        unsigned char c = (unsigned char)body[i];
        bool blank = c <= ' ' || c == 0x7f;
        if (blank && (n == 0 || reply->message[n - 1] == ' ')) continue;
        reply->message[n++] = blank ? ' ' : (char)c;
    }
    reply->message[n] = '\0';
    if (n == 0) snprintf(reply->message, sizeof reply->message, "no further word");
}

static void read_envelope(const char *body, size_t len, struct bq_reply *reply, bool *found)
{
    const json_t *error = json_object_get(reply->root, "error");
    const json_t *first = json_array_get(json_object_get(error, "errors"), 0);
    *found = json_is_object(error);
    if (!*found) {
        quote_body(body, len, reply);
        return;
    }
    snprintf(reply->reason, sizeof reply->reason, "%s", text_of(first, "reason"));
    const char *message = text_of(error, "message");
    if (!*message) message = text_of(first, "message");
    snprintf(reply->message, sizeof reply->message, "%s", *message ? message : "no further word");
}

static bool is_too_large(const struct bq_reply *reply)
{
    return reply->status == 413 ||
           strstr(reply->message, "Request payload size exceeds the limit") ||
           strstr(reply->message, "Request size is too big") ||
           strstr(reply->message, "too many rows present in the request");
}

static enum bq_kind classify_403(const struct bq_reply *reply)
{
    bool quota = strcmp(reply->reason, "quotaExceeded") == 0 ||
                 strcmp(reply->reason, "rateLimitExceeded") == 0 ||
                 strcmp(reply->reason, "jobRateLimitExceeded") == 0;
    return quota ? BQ_QUOTA : BQ_DENIED;
}

static enum bq_kind classify_404(const struct bq_reply *reply)
{
    if (starts(reply->message, "Not found: Dataset ")) return BQ_NO_DATASET;
    if (starts(reply->message, "Not found: Table ") || strstr(reply->message, "Table is deleted: "))
        return BQ_NO_TABLE;
    return BQ_REFUSED;
}

static enum bq_kind classify(const struct bq_reply *reply, bool envelope)
{
    switch (reply->status) {
    case 401: return BQ_AUTH;
    case 403: return classify_403(reply);
    case 404: return classify_404(reply);
    case 409: return BQ_DUPLICATE;
    case 412: return BQ_CHANGED;
    case 413: return BQ_TOO_LARGE;
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504: return BQ_BACKEND;
    case 400: break;
    default: return reply->status >= 500 ? BQ_BACKEND : BQ_REFUSED;
    }
    if (!envelope || is_too_large(reply)) return BQ_TOO_LARGE;
    if (strcmp(reply->reason, "jobRateLimitExceeded") == 0) return BQ_QUOTA;
    if (strstr(reply->message, "The destination table has no schema")) return BQ_NO_SCHEMA;
    return BQ_REFUSED;
}

void bq_reply_parse(long status, const char *body, size_t len, struct bq_reply *reply)
{
    bool envelope;
    *reply = (struct bq_reply){.status = status};
    reply->root = json_loadb(body, len, 0, NULL);
    if (!json_is_object(reply->root)) {
        json_decref(reply->root);
        reply->root = NULL;
    }
    if (status < 200 || status > 299) {
        read_envelope(body, len, reply, &envelope);
        reply->kind = classify(reply, envelope);
        return;
    }
    const json_t *errors = json_object_get(reply->root, "insertErrors");
    if (!reply->root || (errors && !json_is_array(errors))) {
        /* A proxy's or portal's page: says nothing about the rows. */
        quote_body(body, len, reply);
        reply->kind = BQ_BACKEND;
        return;
    }
    reply->kind = json_array_size(errors) > 0 ? BQ_ROW_ERRORS : BQ_OK;
    if (reply->kind == BQ_ROW_ERRORS)
        snprintf(reply->message, sizeof reply->message, "rows were not taken");
}

void bq_reply_fini(struct bq_reply *reply)
{
    json_decref(reply->root);
    reply->root = NULL;
}

static enum bq_row_kind row_kind(const char *reason, const char *message)
{
    if (strcmp(reason, "stopped") == 0) return BQ_ROW_STOPPED;
    if (strcmp(reason, "invalid") == 0)
        return strncasecmp(message, "no such field", 13) == 0 ||
                       strncasecmp(message, "missing required field", 22) == 0
                   ? BQ_ROW_SCHEMA
                   : BQ_ROW_INVALID;
    static const char *const passing[] = {"backendError",  "timeout",           "internalError",
                                          "quotaExceeded", "rateLimitExceeded", "badGateway"};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (strcmp(reason, passing[i]) == 0) return BQ_ROW_PASSING;
    return BQ_ROW_UNKNOWN;
}

bool bq_reply_row(const json_t *root, size_t i, struct bq_row_error *row)
{
    const json_t *all = json_object_get(root, "insertErrors");
    if (i >= json_array_size(all)) return false;
    const json_t *item = json_array_get(all, i), *index = json_object_get(item, "index");
    *row = (struct bq_row_error){.index = SIZE_MAX, .kind = BQ_ROW_STOPPED};
    row->errors = json_object_get(item, "errors");
    if (!index) row->index = 0; /* protobuf's JSON leaves out zeros */
    else if (json_is_integer(index) && json_integer_value(index) >= 0)
        row->index = (size_t)json_integer_value(index);
    else if (json_is_string(index)) sscanf(json_string_value(index), "%zu", &row->index);
    if (json_array_size(row->errors) == 0) row->kind = BQ_ROW_UNKNOWN;
    /* The worst of its errors counts: invalid before schema, so that an update is not tried for a
     * row that will not be taken anyway. */
    static const int weight[] = {[BQ_ROW_STOPPED] = 0,
                                 [BQ_ROW_PASSING] = 1,
                                 [BQ_ROW_UNKNOWN] = 2,
                                 [BQ_ROW_SCHEMA] = 3,
                                 [BQ_ROW_INVALID] = 4};
    for (size_t n = 0; n < json_array_size(row->errors); n++) {
        const json_t *error = json_array_get(row->errors, n);
        enum bq_row_kind kind = row_kind(text_of(error, "reason"), text_of(error, "message"));
        if (weight[kind] > weight[row->kind]) row->kind = kind;
    }
    return true;
}

void bq_row_error_text(const struct bq_row_error *row, char *text, size_t size)
{
    size_t n = json_array_size(row->errors), len = 0;
    text[0] = '\0';
    if (n == 0) snprintf(text, size, "(no reason given)");
    for (size_t i = 0; i < n && len < size; i++) {
        const json_t *error = json_array_get(row->errors, i);
        len += (size_t)snprintf(text + len, size - len, "%s(location %s, reason: %s): %s",
                                i ? "; " : "", text_of(error, "location"), text_of(error, "reason"),
                                text_of(error, "message"));
    }
}
