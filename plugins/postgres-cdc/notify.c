/* notify.c - see notify.h. */
#include "notify.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cdc.h"

#define PAIRS_MAX 8

struct cdc_notice {
    struct cdc_notice *next;
    const char *aggregate; /* constants */
    const char *type;
    char *id;
    int64_t ts_ms;
    uint32_t n;
    char *keys[PAIRS_MAX], *values[PAIRS_MAX];
};

static const struct sluice_schema string_desc = {.type = SLUICE_STRING};
static const struct sluice_schema int64_desc = {.type = SLUICE_INT64};
static const struct sluice_schema map_desc = {
    .type = SLUICE_MAP, .optional = true, .key = &string_desc, .elem = &string_desc};
static const struct sluice_field key_fields[] = {{"id", &string_desc}};
static const struct sluice_field value_fields[] = {{"id", &string_desc},
                                                   {"type", &string_desc},
                                                   {"aggregate_type", &string_desc},
                                                   {"additional_data", &map_desc},
                                                   {"timestamp", &int64_desc}};
enum { VALUE_FIELDS = 5 };

void cdc_uuid(char out[37])
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
        uint64_t mixed = (uint64_t)cdc_wall_ns() * UINT64_C(0x9e3779b97f4a7c15);
        memcpy(bytes, &mixed, 8);
        mixed ^= (uint64_t)(uintptr_t)out;
        memcpy(bytes + 8, &mixed, 8);
    }
    bytes[6] = (unsigned char)((bytes[6] & 15) | 0x40);
    bytes[8] = (unsigned char)((bytes[8] & 63) | 0x80);
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
        *out++ = "0123456789abcdef"[bytes[i] >> 4];
        *out++ = "0123456789abcdef"[bytes[i] & 15];
    }
    *out = 0;
}

void cdc_notify_init(struct cdc *cdc)
{
    cdc->notices_end = &cdc->notices;
    if (!cdc->settings.notify_topic) return;
    const struct sluice_schema key = {.type = SLUICE_STRUCT,
                                      .name = "io.debezium.connector.common.NotificationKey",
                                      .has_version = true,
                                      .version = 1,
                                      .fields = key_fields,
                                      .fields_len = 1};
    const struct sluice_schema value = {.type = SLUICE_STRUCT,
                                        .name = "io.debezium.connector.common.Notification",
                                        .has_version = true,
                                        .version = 1,
                                        .fields = value_fields,
                                        .fields_len = VALUE_FIELDS};
    cdc->notice_key = cdc->host->schema(&key);
    cdc->notice_value = cdc->host->schema(&value);
}

static void free_notice(struct cdc_notice *notice)
{
    for (uint32_t i = 0; i < notice->n; i++) {
        free(notice->keys[i]);
        free(notice->values[i]);
    }
    free(notice->id);
    free(notice);
}

void cdc_notify_fini(struct cdc *cdc)
{
    while (cdc->notices) {
        struct cdc_notice *notice = cdc->notices;
        cdc->notices = notice->next;
        free_notice(notice);
    }
    cdc->host->schema_free(cdc->notice_key);
    cdc->host->schema_free(cdc->notice_value);
}

static void log_notice(struct cdc *cdc, const struct cdc_notice *notice)
{
    struct cdc_text text = {0};
    for (uint32_t i = 0; i < notice->n; i++)
        cdc_text_addf(&text, "%s%s=%s", i ? ", " : "", notice->keys[i], notice->values[i]);
    cdc->host->log(cdc->task, SLUICE_INFO, "notification '%s': %s %s {%s}", notice->id,
                   notice->aggregate, notice->type, text.s);
    cdc_text_free(&text);
}

void cdc_notify(struct cdc *cdc, const char *aggregate, const char *id, const char *type, ...)
{
    const struct cdc_settings *s = &cdc->settings;
    cdc_meter_notice(cdc, aggregate, type);
    if (!s->notify_topic && !s->notify_log) return;
    struct cdc_notice *notice = cdc_alloc(sizeof(*notice));
    char uuid[37];
    if (!id) cdc_uuid(uuid);
    notice->aggregate = aggregate;
    notice->type = type;
    notice->id = cdc_strdup(id ? id : uuid);
    notice->ts_ms = cdc_wall_ns() / 1000000;
    va_list ap;
    va_start(ap, type);
    for (const char *key; (key = va_arg(ap, const char *));) {
        assert(notice->n < PAIRS_MAX - 1);
        notice->keys[notice->n] = cdc_strdup(key);
        notice->values[notice->n++] = cdc_strdup(va_arg(ap, const char *));
    }
    va_end(ap);
    notice->keys[notice->n] = cdc_strdup("connector_name");
    notice->values[notice->n++] = cdc_strdup(s->prefix);
    if (s->notify_log) log_notice(cdc, notice);
    if (s->notify_topic) {
        *cdc->notices_end = notice;
        cdc->notices_end = &notice->next;
    } else {
        free_notice(notice);
    }
}

static struct sluice_value copied(struct cdc *cdc, const char *text)
{
    size_t len = strlen(text);
    char *copy = cdc_take(&cdc->memory, len + 1);
    memcpy(copy, text, len + 1);
    return sluice_string(copy, len);
}

static void emit(struct cdc *cdc, const struct cdc_notice *notice)
{
    struct sluice_value *v =
        cdc_take(&cdc->memory, (VALUE_FIELDS + 1 + 2 * (size_t)notice->n) * sizeof(*v));
    struct sluice_value *pairs = v + VALUE_FIELDS + 1;
    for (uint32_t i = 0; i < notice->n; i++) {
        pairs[2 * i] = copied(cdc, notice->keys[i]);
        pairs[2 * i + 1] = copied(cdc, notice->values[i]);
    }
    v[0] = v[VALUE_FIELDS] = copied(cdc, notice->id);
    v[1] = sluice_string(notice->type, strlen(notice->type));
    v[2] = sluice_string(notice->aggregate, strlen(notice->aggregate));
    v[3] = sluice_nested(SLUICE_MAP, pairs, notice->n);
    v[4] = sluice_int64(notice->ts_ms);
    struct sluice_record *record = cdc_append(cdc, cdc->settings.notify_topic, &cdc->position);
    record->key_schema = cdc->notice_key;
    record->key = sluice_nested(SLUICE_STRUCT, v + VALUE_FIELDS, 1);
    record->value_schema = cdc->notice_value;
    record->value = sluice_nested(SLUICE_STRUCT, v, VALUE_FIELDS);
}

void cdc_notify_flush(struct cdc *cdc)
{
    /* Not amid a message; and a position is needed, which a stream that begins gives. */
    while (cdc->notices && !cdc->message && cdc->has_position && cdc_has_room(cdc)) {
        struct cdc_notice *notice = cdc->notices;
        emit(cdc, notice);
        cdc->notices = notice->next;
        if (!cdc->notices) cdc->notices_end = &cdc->notices;
        free_notice(notice);
    }
}
