/* types.c - plain values: numbers, booleans, texts, bytes: see types.h. */
#include "types.h"

#include <stdlib.h>
#include <string.h>

#define FLOAT_TEXT_MAX 64

static bool bad(struct cdc_memory *memory, const char *why)
{
    memory->why = why;
    return false;
}

bool cdc_to_int(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                uint32_t len, struct sluice_value *out)
{
    static const int64_t max[] = {
        [SLUICE_INT16] = INT16_MAX, [SLUICE_INT32] = INT32_MAX, [SLUICE_INT64] = INT64_MAX};
    uint32_t i = len && *text == '-';
    uint64_t v = 0;
    if (i == len || len - i > 19) return bad(memory, "not an integer");
    for (uint32_t at = i; at < len; at++) {
        unsigned digit = (unsigned)(text[at] - '0');
        if (digit > 9) return bad(memory, "not an integer");
        v = v * 10 + digit;
    }
    if (v > (uint64_t)max[binding->schema.type] + i) return bad(memory, "out of the type's range");
    *out = sluice_int((enum sluice_type)binding->schema.type, (int64_t)(i ? 0 - v : v));
    return true;
}

bool cdc_to_bool(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                 uint32_t len, struct sluice_value *out)
{
    (void)binding;
    if (!len || (*text != 't' && *text != 'f')) return bad(memory, "not a boolean");
    *out = sluice_bool(*text == 't');
    return true;
}

bool cdc_to_string(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                   uint32_t len, struct sluice_value *out)
{
    (void)binding;
    (void)memory;
    *out = sluice_string(text, len);
    return true;
}

bool cdc_to_float(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                  uint32_t len, struct sluice_value *out)
{
    char copy[FLOAT_TEXT_MAX];
    if (!len || len >= sizeof(copy)) return bad(memory, "not a floating point number");
    memcpy(copy, text, len);
    copy[len] = 0;
    char *end;
    *out = sluice_float64(binding->schema.type == SLUICE_FLOAT32 ? (double)strtof(copy, &end)
                                                                 : strtod(copy, &end));
    out->type = binding->schema.type;
    return end == copy + len ? true : bad(memory, "not a floating point number");
}

bool cdc_to_bit(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                uint32_t len, struct sluice_value *out)
{
    (void)binding;
    if (len > 1 || (len && *text != '0' && *text != '1')) return bad(memory, "not a bit");
    *out = sluice_bool(len && *text == '1');
    return true;
}

/* Little-endian, as few bytes as the highest set bit needs: java.util.BitSet's form. */
bool cdc_to_bits(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                 uint32_t len, struct sluice_value *out)
{
    (void)binding;
    uint32_t zeros = 0;
    while (zeros < len && text[zeros] == '0') zeros++;
    uint32_t bits = len - zeros, bytes = (bits + 7) / 8;
    unsigned char *p = cdc_take(memory, bytes + 1);
    memset(p, 0, bytes);
    for (uint32_t i = 0; i < bits; i++) {
        char c = text[len - 1 - i];
        if (c != '0' && c != '1') return bad(memory, "not a bit string");
        p[i / 8] |= (unsigned char)((c == '1') << (i % 8));
    }
    *out = sluice_bytes(p, bytes);
    return true;
}

/* ---- binary ---- */

static struct sluice_value base64(struct cdc_memory *memory, const char *bytes, size_t len,
                                  bool url)
{
    static const char common[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    char alphabet[65];
    memcpy(alphabet, common, 62);
    alphabet[62] = url ? '-' : '+';
    alphabet[63] = url ? '_' : '/';
    const unsigned char *in = (const unsigned char *)bytes;
    char *start = cdc_take(memory, (len + 2) / 3 * 4 + 1), *p = start;
    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)in[i] << 16;
        v |= i + 1 < len ? (uint32_t)in[i + 1] << 8 : 0;
        v |= i + 2 < len ? in[i + 2] : 0;
        *p++ = alphabet[v >> 18];
        *p++ = alphabet[v >> 12 & 63];
        *p++ = i + 1 < len ? alphabet[v >> 6 & 63] : '=';
        *p++ = i + 2 < len ? alphabet[v & 63] : '=';
    }
    return sluice_string(start, (size_t)(p - start));
}

static struct sluice_value hex(struct cdc_memory *memory, const char *bytes, size_t len)
{
    char *p = cdc_take(memory, len * 2 + 1);
    for (size_t i = 0; i < len; i++) {
        p[2 * i] = "0123456789abcdef"[(unsigned char)bytes[i] >> 4];
        p[2 * i + 1] = "0123456789abcdef"[(unsigned char)bytes[i] & 15];
    }
    return sluice_string(p, len * 2);
}

struct sluice_value cdc_binary_value(const struct cdc_settings *settings, struct cdc_memory *memory,
                                     const char *bytes, size_t len)
{
    switch (settings->binary) {
    case CDC_BINARY_BASE64: return base64(memory, bytes, len, false);
    case CDC_BINARY_BASE64_URL: return base64(memory, bytes, len, true);
    case CDC_BINARY_HEX: return hex(memory, bytes, len);
    case CDC_BINARY_BYTES: break;
    }
    return sluice_bytes(bytes, len);
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Bytes of len hex digits, NULL when it is no hexadecimal text. */
static char *unhex(struct cdc_memory *memory, const char *text, uint32_t len)
{
    if (len % 2) return NULL;
    char *p = cdc_take(memory, len / 2 + 1);
    for (uint32_t i = 0; i < len; i += 2) {
        int hi = nibble(text[i]), lo = nibble(text[i + 1]);
        if (hi < 0 || lo < 0) return NULL;
        p[i / 2] = (char)(hi << 4 | lo);
    }
    return p;
}

bool cdc_to_binary(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                   uint32_t len, struct sluice_value *out)
{
    if (len < 2 || text[0] != '\\' || text[1] != 'x') return bad(memory, "not bytea in hex form");
    if (binding->settings->binary == CDC_BINARY_HEX) {
        *out = sluice_string(text + 2, len - 2);
        return true;
    }
    char *bytes = unhex(memory, text + 2, len - 2);
    if (!bytes) return bad(memory, "not bytea in hex form");
    *out = cdc_binary_value(binding->settings, memory, bytes, (len - 2) / 2);
    return true;
}

bool cdc_to_raw(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                uint32_t len, struct sluice_value *out)
{
    *out = cdc_binary_value(binding->settings, memory, text, len);
    return true;
}

/* PostGIS sends EWKB as hex; the record carries these bytes and the SRID that they hold. */
bool cdc_to_geometry(const struct cdc_binding *binding, struct cdc_memory *memory, const char *text,
                     uint32_t len, struct sluice_value *out)
{
    (void)binding;
    unsigned char *wkb = (unsigned char *)unhex(memory, text, len);
    if (!wkb || len < 10 || wkb[0] > 1) return bad(memory, "not EWKB in hex form");
    bool little = wkb[0] == 1;
    bool has_srid = (little ? wkb[4] : wkb[1]) & 0x20;
    struct sluice_value *fields = cdc_take(memory, 2 * sizeof(*fields));
    fields[0] = sluice_bytes(wkb, len / 2);
    fields[1] = sluice_null();
    if (has_srid && len >= 18) {
        uint32_t srid = 0;
        for (int i = 0; i < 4; i++) srid = srid << 8 | wkb[5 + (little ? 3 - i : i)];
        fields[1] = sluice_int32((int32_t)srid);
    }
    *out = sluice_nested(SLUICE_STRUCT, fields, 2);
    return true;
}
