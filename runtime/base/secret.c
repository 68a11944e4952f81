/* secret.c - see secret.h. A ring of the newest secrets, so that values that change for ever do not
 * fill the memory; one leaf mutex. */
#include "base/secret.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/thread.h"
#include "base/utf8.h"

#define SECRETS_MAX 1024
#define SHORT_BYTES 4
#define CUT_BYTES 16  /* so much of a secret at a text's end is one that was cut */
#define PART_BYTES 64 /* so much of one of several lines (a key in PEM) anywhere */

static const char mask[] = "[hidden]";

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char *secrets[SECRETS_MAX];
static size_t next;
static _Atomic size_t count;

static bool says_nothing(const char *value)
{
    static const char *const words[] = {"true", "false", "null", "none"};
    size_t len = strlen(value);
    if (len < SHORT_BYTES) return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(value, words[i]) == 0) return true;
    return len < 6 && value[strspn(value, "0123456789")] == '\0';
}

static void add_one(const char *value)
{
    if (says_nothing(value)) return;
    sluice_lock(&mutex);
    size_t n = atomic_load(&count);
    bool known = false;
    for (size_t i = 0; i < n && !known; i++) known = strcmp(secrets[i], value) == 0;
    if (!known) {
        free(secrets[next]);
        secrets[next] = sluice_xstrdup(value);
        next = (next + 1) % SECRETS_MAX;
        if (n < SECRETS_MAX) atomic_store(&count, n + 1);
    }
    sluice_unlock(&mutex);
}

void sluice_secret_add(const char *value)
{
    size_t len = strlen(value);
    const char *start = value;
    while (isspace((unsigned char)*start)) start++;
    while (len > (size_t)(start - value) && isspace((unsigned char)value[len - 1])) len--;
    char *trimmed = sluice_xstrndup(start, len - (size_t)(start - value));
    add_one(value);
    add_one(trimmed);
    free(trimmed);
}

/* How many bytes at text are a secret, or enough of one; the mutex is held. */
static size_t secret_at(const char *text)
{
    size_t longest = 0, n = atomic_load(&count);
    for (size_t i = 0; i < n; i++) {
        const char *s = secrets[i];
        size_t len = 0;
        while (s[len] && s[len] == text[len]) len++;
        bool part = len >= PART_BYTES && strchr(s, '\n');
        bool enough = !s[len] || part || (len >= CUT_BYTES && !text[len]);
        if (enough && len > longest) longest = len;
    }
    return longest;
}

/* False: there was none, and out is not filled. */
static bool hide(const char *text, struct sluice_buf *out)
{
    bool found = false;
    const char *from = text;
    sluice_lock(&mutex);
    for (const char *at = text; *at;) {
        size_t n = secret_at(at);
        if (n == 0) {
            at++;
            continue;
        }
        found = true;
        sluice_buf_add(out, from, (size_t)(at - from));
        sluice_buf_adds(out, mask);
        from = at += n;
    }
    sluice_unlock(&mutex);
    if (found) sluice_buf_adds(out, from);
    return found;
}

void sluice_secret_hide(char *text, size_t size)
{
    if (atomic_load_explicit(&count, memory_order_relaxed) == 0) return;
    struct sluice_buf out;
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    if (hide(text, &out)) {
        size_t len = sluice_utf8_cut(out.data, out.len, size - 1);
        memcpy(text, out.data, len);
        text[len] = '\0';
    }
    sluice_buf_fini(&out);
}

char *sluice_secret_hidden(const char *text)
{
    struct sluice_buf out;
    sluice_buf_init(&out, SLUICE_BUF_MAX);
    bool found = atomic_load_explicit(&count, memory_order_relaxed) > 0 && hide(text, &out);
    char *copy = sluice_xstrdup(found ? sluice_buf_str(&out) : text);
    sluice_buf_fini(&out);
    return copy;
}
