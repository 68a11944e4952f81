/* debezium.c - see debezium.h. */
#include "data/transforms/debezium.h"

#include <assert.h>
#include <strings.h>

#include "base/utf8.h"

char dbz_op(const struct sluice_record *rec, int index)
{
    if (index < 0 || rec->value.type != SLUICE_STRUCT || (uint32_t)index >= rec->value.len)
        return 0;
    const struct sluice_value *op = &rec->value.u.v[index];
    return op->type == SLUICE_STRING && op->len == 1 ? *op->u.s : 0;
}

const struct sluice_value *dbz_get(const struct sluice_schema *schema,
                                   const struct sluice_value *of, int index)
{
    assert(index >= 0 && (uint32_t)index < of->len);
    const struct sluice_value *v = &of->u.v[index];
    const struct sluice_schema *field = schema->fields[index].schema;
    return v->type == SLUICE_NULL && field->has_dflt ? &field->dflt : v;
}

struct sluice_header *dbz_more_headers(struct sluice_batch *batch, struct sluice_record *rec,
                                       size_t more)
{
    size_t n = rec->headers_len;
    struct sluice_header *headers = sluice_batch_alloc(batch, (n + more) * sizeof *headers);
    if (n) memcpy(headers, rec->headers, n * sizeof *headers);
    rec->headers = headers;
    return headers + n;
}

/* ---- names ---- */

enum dbz_adjust dbz_adjust_of(const char *mode)
{
    if (mode && strcasecmp(mode, "avro") == 0) return DBZ_ADJUST_AVRO;
    if (mode && strcasecmp(mode, "avro_unicode") == 0) return DBZ_ADJUST_UNICODE;
    return DBZ_ADJUST_NONE;
}

static bool allowed(char c, enum dbz_adjust mode, bool field, bool first)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
    if (c == '_') return mode == DBZ_ADJUST_AVRO;
    return !first && ((c >= '0' && c <= '9') || (c == '.' && !field));
}

static uint32_t code_point(const char *s, size_t n)
{
    uint32_t code = (unsigned char)*s;
    if (n > 1) code &= 0xffu >> (n + 1);
    for (size_t i = 1; i < n; i++) code = code << 6 | ((unsigned char)s[i] & 0x3f);
    return code;
}

static bool put_unit(struct sluice_buf *buf, enum dbz_adjust mode, uint32_t unit)
{
    if (mode == DBZ_ADJUST_AVRO) return sluice_buf_adds(buf, "_");
    /* as many digits as Integer.toHexString() gives, with "00" before one or two of them */
    return sluice_buf_addf(buf, unit > 0xff ? "_u%x" : "_u00%x", unit);
}

bool dbz_adjust_name(struct sluice_buf *buf, enum dbz_adjust mode, bool field, const char *name,
                     size_t len)
{
    if (mode == DBZ_ADJUST_NONE) return sluice_buf_add(buf, name, len);
    for (size_t i = 0; i < len;) {
        size_t n = sluice_utf8_char(name + i, len - i);
        if (n == 0) n = 1;
        uint32_t code = code_point(name + i, n);
        bool ok = true;
        if (n == 1 && allowed(name[i], mode, field, i == 0)) {
            ok = sluice_buf_add(buf, name + i, 1);
        } else if (code > 0xffff) {
            ok = put_unit(buf, mode, 0xd800 + ((code - 0x10000) >> 10)) &&
                 put_unit(buf, mode, 0xdc00 + ((code - 0x10000) & 0x3ff));
        } else {
            ok = put_unit(buf, mode, code);
            /* a first digit stays behind its replacement, so that a1 and 1 do not meet */
            if (ok && mode == DBZ_ADJUST_AVRO && i == 0 && name[0] >= '0' && name[0] <= '9') {
                ok = sluice_buf_add(buf, name, 1);
            }
        }
        if (!ok) return false;
        i += n;
    }
    return true;
}
