/* json.c - config-sized JSON over jansson. Any thread. */
#include "base/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"

/* The shortest digits that read back as the same number: 0.1, not 0.10000000000000001. */
static char *real_text(const json_t *value)
{
    for (size_t digits = 15;; digits++) {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
        assert(text);
        if (digits == 17 || strtod(text, NULL) == json_real_value(value)) return text;
        free(text);
    }
}

/* New text of a scalar as Connect stores it; NULL with *is_null for null; NULL for the rest. */
static char *scalar_text(const json_t *value, bool *is_null)
{
    *is_null = json_is_null(value);
    switch (json_typeof(value)) {
    case JSON_STRING: return sluice_xstrndup(json_string_value(value), json_string_length(value));
    case JSON_TRUE: return sluice_xstrdup("true");
    case JSON_FALSE: return sluice_xstrdup("false");
    case JSON_INTEGER: return sluice_xasprintf("%lld", (long long)json_integer_value(value));
    case JSON_REAL: return real_text(value);
    default: return NULL;
    }
}

bool sluice_json_to_map(const json_t *object, struct sluice_map *map, struct sluice_err *err)
{
    if (!json_is_object(object)) {
        return sluice_err_set(err, "a config must be a JSON object of keys and values");
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (json_is_string(value) &&
            strlen(json_string_value(value)) != json_string_length(value)) {
            return sluice_err_set(err,
                                  "value of \"%s\" holds the character \\u0000, which no "
                                  "config value may; take it out",
                                  key);
        }
        bool is_null;
        char *text = scalar_text(value, &is_null);
        if (!text && !is_null) {
            return sluice_err_set(err,
                                  "value of \"%s\" is a JSON %s, but a config value must be "
                                  "a string, number, boolean or null; write it as a string",
                                  key, json_is_object(value) ? "object" : "array");
        }
        sluice_map_set(map, key, text);
        free(text);
    }
    return true;
}

/* Copy with U+FFFD for every byte that is not UTF-8, as JSON has no place for those. */
static char *valid_text(const char *s)
{
    size_t rest = strlen(s);
    if (sluice_utf8_valid(s, rest)) return sluice_xstrdup(s);
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    while (rest) {
        size_t n = sluice_utf8_char(s, rest);
        if (n) sluice_buf_add(&buf, s, n);
        else sluice_buf_adds(&buf, "\xEF\xBF\xBD");
        n = n ? n : 1;
        s += n;
        rest -= n;
    }
    char *text = sluice_xstrdup(sluice_buf_str(&buf));
    sluice_buf_fini(&buf);
    return text;
}

json_t *sluice_json_from_map(const struct sluice_map *map)
{
    json_t *object = json_object();
    assert(object);
    for (size_t i = 0; i < map->n; i++) {
        const struct sluice_map_entry *entry = &map->items[i];
        char *key = valid_text(entry->key);
        char *text = entry->value ? valid_text(entry->value) : NULL;
        int rc = json_object_set_new(object, key, text ? json_string(text) : json_null());
        assert(rc == 0);
        free(key);
        free(text);
    }
    return object;
}

char *sluice_json_text(const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    assert(text);
    return text;
}
