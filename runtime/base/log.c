/* log.c - logfmt lines on stderr, one write(2) each, so that threads and processes that share the
 * pipe do not mix theirs. A line is built on the stack and cut at 4 KiB. Any thread. */
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loggers.h"
#include "base/secret.h"
#include "base/utf8.h"

#define LINE_BYTES 4096
/* A character takes at most 4 bytes escaped ("\xHH"); behind it stand a quote and the newline. */
#define TAIL_BYTES 2

struct line {
    char text[LINE_BYTES];
    size_t len;
};

static _Thread_local const char *thread_plugin;

void sluice_log_plugin(const char *class_name) { thread_plugin = class_name; }

static bool add(struct line *line, const char *s, size_t n)
{
    if (n > LINE_BYTES - TAIL_BYTES - line->len) return false;
    memcpy(line->text + line->len, s, n);
    line->len += n;
    return true;
}

/* One character of a quoted text; *n: the bytes that it takes in the source. */
static bool add_char(struct line *line, const char *s, size_t rest, size_t *n)
{
    unsigned char c = (unsigned char)*s;
    char escaped[8];
    *n = 1;
    if (c == '"' || c == '\\') {
        escaped[0] = '\\';
        escaped[1] = (char)c;
        return add(line, escaped, 2);
    }
    if (c == '\n') return add(line, "\\n", 2);
    if (c == '\t') return add(line, "\\t", 2);
    if (c == '\r') return add(line, "\\r", 2);
    size_t len = sluice_utf8_char(s, rest);
    /* C1 controls (U+0080 to U+009F) move terminals about just as the ASCII ones do. */
    bool control = c < 0x20 || c == 0x7F || (len == 2 && c == 0xC2 && (unsigned char)s[1] < 0xA0);
    if (len && !control) {
        *n = len;
        return add(line, s, len);
    }
    snprintf(escaped, sizeof(escaped), "\\x%02x", c);
    return add(line, escaped, 4);
}

static void add_quoted(struct line *line, const char *s)
{
    size_t rest = strlen(s);
    if (!add(line, "\"", 1)) return;
    while (rest) {
        size_t n;
        if (!add_char(line, s, rest, &n)) break;
        s += n;
        rest -= n;
    }
    line->text[line->len++] = '"'; /* TAIL_BYTES keeps room */
}

/* logfmt needs quotes around what is not a plain word. */
static void add_word(struct line *line, const char *s)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-_.:/";
    if (*s && s[strspn(s, plain)] == '\0' && add(line, s, strlen(s))) return;
    add_quoted(line, s);
}

static void write_line(const struct line *line)
{
    int saved = errno; /* callers may log between a call and the look at errno */
    ssize_t n;
    do {
        n = write(STDERR_FILENO, line->text, line->len);
    } while (n < 0 && errno == EINTR);
    errno = saved;
}

static void write_message(enum sluice_level level, const char *connector, int task, const char *fmt,
                          va_list ap)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    assert(level >= SLUICE_ERROR && level <= SLUICE_DEBUG);
    char msg[LINE_BYTES];
    if (vsnprintf(msg, sizeof(msg), fmt, ap) < 0) return;
    if (strlen(msg) == sizeof(msg) - 1)
        msg[sluice_utf8_cut(msg, sizeof(msg) - 1, sizeof(msg) - 5)] = '\0';
    sluice_secret_hide(msg, sizeof(msg));
    char ts[25], head[96];
    sluice_wall_text(sluice_wall_ms(), ts);
    struct line line;
    line.len = 0;
    int n = snprintf(head, sizeof(head), "ts=%s level=%s", ts, names[level]);
    add(&line, head, (size_t)n);
    if (connector) {
        /* A name may be as long as a topic's; the message must still find room. */
        char name[256];
        snprintf(name, sizeof(name), "%s", connector);
        add(&line, " connector=", 11);
        add_word(&line, name);
    }
    if (task >= 0) {
        n = snprintf(head, sizeof(head), " task=%d", task);
        add(&line, head, (size_t)n);
    }
    add(&line, " msg=", 5);
    add_quoted(&line, msg);
    line.text[line.len++] = '\n';
    assert(line.len <= sizeof(line.text));
    write_line(&line);
}

void sluice_vlog(enum sluice_level level, const char *connector, int task, const char *fmt,
                 va_list ap)
{
    if (sluice_loggers_allow(level, "sluice.plugin", connector, thread_plugin))
        write_message(level, connector, task, fmt, ap);
}

void sluice_log_at(const char *area, enum sluice_level level, const char *connector, int task,
                   const char *fmt, ...)
{
    if (!sluice_loggers_allow(level, area, connector, thread_plugin)) return;
    va_list ap;
    va_start(ap, fmt);
    write_message(level, connector, task, fmt, ap);
    va_end(ap);
}
