/* props.c - java.util.Properties.load, over UTF-8 text.
 *
 * Two steps as in the Java documentation: natural lines become logical ones (comments and blank
 * lines out, continuations joined without their leading blanks), then a logical line becomes key
 * and value. Unlike Java, bytes are UTF-8 and what is not valid is refused, because it could not be
 * shown or sent anywhere. Any thread. */
#include "base/props.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"

#define PROPS_MAX_BYTES ((size_t)1 << 20)

struct reader {
    const char *p, *end;
    size_t line; /* of p, from 1 */
};

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f'; }
static bool is_newline(char c) { return c == '\n' || c == '\r'; }

static void skip_newline(struct reader *in)
{
    if (in->p < in->end && *in->p == '\r' && in->p + 1 < in->end && in->p[1] == '\n') in->p++;
    in->p++;
    in->line++;
}

static void skip_blanks(struct reader *in)
{
    while (in->p < in->end && is_blank(*in->p)) in->p++;
}

/* The next logical line into line, raw (escapes still in it); *at: where it starts. False: end. */
static bool next_logical(struct reader *in, struct sluice_buf *line, size_t *at)
{
    for (;;) {
        skip_blanks(in);
        if (in->p == in->end) return false;
        if (is_newline(*in->p)) {
            skip_newline(in);
        } else if (*in->p == '#' || *in->p == '!') {
            while (in->p < in->end && !is_newline(*in->p)) in->p++;
        } else {
            break;
        }
    }
    sluice_buf_clear(line);
    *at = in->line;
    while (in->p < in->end && !is_newline(*in->p)) {
        if (*in->p != '\\' || in->p + 1 == in->end) {
            /* Java drops a backslash at the end of the file. */
            if (*in->p != '\\') sluice_buf_add(line, in->p, 1);
            in->p++;
        } else if (is_newline(in->p[1])) {
            in->p++;
            skip_newline(in);
            skip_blanks(in);
        } else {
            sluice_buf_add(line, in->p, 2);
            in->p += 2;
        }
    }
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool read_u(const char *s, const char *end, uint32_t *unit)
{
    if (end - s < 4) return false;
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(s[i]);
        if (digit < 0) return false;
        *unit = *unit * 16 + (uint32_t)digit;
    }
    return true;
}

/* \uXXXX at s (behind the u), with the low surrogate that may follow; s behind it. False: wrong. */
static bool read_escape_u(const char **s, const char *end, struct sluice_buf *out, const char **why)
{
    uint32_t c, low;
    if (!read_u(*s, end, &c)) {
        *why = "\\u is not followed by four hexadecimal digits";
        return false;
    }
    *s += 4;
    if (c >= 0xD800 && c <= 0xDBFF && end - *s >= 6 && (*s)[0] == '\\' && (*s)[1] == 'u' &&
        read_u(*s + 2, end, &low) && low >= 0xDC00 && low <= 0xDFFF) {
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        *s += 6;
    }
    if (c == 0 || (c >= 0xD800 && c <= 0xDFFF)) {
        *why = c ? "\\u names half a surrogate pair" : "\\u0000 cannot stand in a config";
        return false;
    }
    char bytes[4];
    return sluice_buf_add(out, bytes, sluice_utf8_put(c, bytes));
}

/* [s, end) without its escapes into out. */
static bool unescape(const char *s, const char *end, struct sluice_buf *out, const char **why)
{
    sluice_buf_clear(out);
    while (s < end) {
        if (*s != '\\') {
            sluice_buf_add(out, s++, 1);
            continue;
        }
        s++;
        assert(s < end); /* next_logical() leaves no single backslash at the end */
        char c = *s++;
        if (c == 'u') {
            if (!read_escape_u(&s, end, out, why)) return false;
            continue;
        }
        if (c == 't') c = '\t';
        else if (c == 'n') c = '\n';
        else if (c == 'r') c = '\r';
        else if (c == 'f') c = '\f';
        sluice_buf_add(out, &c, 1);
    }
    return true;
}

/* Key: up to the first blank, '=' or ':' that is not escaped. */
static void split(const struct sluice_buf *line, const char **key_end, const char **value)
{
    const char *p = line->data, *end = line->data + line->len;
    while (p < end && !is_blank(*p) && *p != '=' && *p != ':') p += *p == '\\' ? 2 : 1;
    *key_end = p;
    while (p < end && is_blank(*p)) p++;
    if (p < end && (*p == '=' || *p == ':')) {
        p++;
        while (p < end && is_blank(*p)) p++;
    }
    *value = p;
}

bool sluice_props_parse(struct sluice_map *map, const char *text, size_t len,
                        struct sluice_err *err)
{
    struct reader in = {text, text + len, 1};
    struct sluice_buf line, key, value;
    sluice_buf_init(&line, len + 1);
    sluice_buf_init(&key, len + 1);
    sluice_buf_init(&value, len + 1);
    /* Escapes and joins only shrink, so nothing here can pass these limits. */
    bool ok = false;
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) in.p += 3; /* editors' mark */
    size_t at = 1;
    while (next_logical(&in, &line, &at)) {
        if (!line.len) continue; /* nothing but a continuation */
        const char *why = NULL, *key_end, *start;
        if (memchr(line.data, '\0', line.len)) why = "a NUL byte; this is not a text file";
        else if (!sluice_utf8_valid(line.data, line.len))
            why = "bytes that are not UTF-8; save the file as UTF-8 or write \\uXXXX";
        if (!why) {
            split(&line, &key_end, &start);
            if (unescape(line.data, key_end, &key, &why) &&
                unescape(start, line.data + line.len, &value, &why)) {
                sluice_map_set(map, sluice_buf_str(&key), sluice_buf_str(&value));
                continue;
            }
        }
        sluice_err_set(err, "line %zu: %s", at, why);
        goto out;
    }
    ok = true;
out:
    sluice_buf_fini(&line);
    sluice_buf_fini(&key);
    sluice_buf_fini(&value);
    return ok;
}

/* Everything up to max bytes; a pipe or /dev/stdin has no size to ask for. */
static bool read_all(int fd, size_t max, struct sluice_buf *buf, struct sluice_err *err)
{
    for (;;) {
        if (!sluice_buf_reserve(buf, 1, NULL)) {
            return sluice_err_set(err, "it is larger than the limit of %zu bytes", max);
        }
        ssize_t n = read(fd, buf->data + buf->len, buf->cap - buf->len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return sluice_err_set(err, "%s", strerror(errno));
        if (n == 0) return true;
        buf->len += (size_t)n;
        if (buf->len > max) {
            return sluice_err_set(err, "it is larger than the limit of %zu bytes", max);
        }
    }
}

char *sluice_file_read(const char *path, size_t max, size_t *len, struct sluice_err *err)
{
    assert(max < SIZE_MAX);
    struct sluice_buf buf;
    sluice_buf_init(&buf, max + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        sluice_err_set(err, "cannot open %s: %s", path, strerror(errno));
        return NULL;
    }
    char *text = NULL;
    if (read_all(fd, max, &buf, err)) {
        if (len) *len = buf.len;
        text = sluice_xstrndup(buf.data, buf.len);
    } else {
        sluice_err_wrap(err, "cannot read %s", path);
    }
    close(fd);
    sluice_buf_fini(&buf);
    return text;
}

bool sluice_props_load(struct sluice_map *map, const char *path, struct sluice_err *err)
{
    size_t len;
    char *text = sluice_file_read(path, PROPS_MAX_BYTES, &len, err);
    if (!text) return false;
    bool ok = sluice_props_parse(map, text, len, err);
    if (!ok) sluice_err_wrap(err, "cannot read properties from %s", path);
    free(text);
    return ok;
}
