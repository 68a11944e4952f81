/* tail.c - see tail.h.
 *
 * Positions are counted in UTF-16 units, as FileStreamSource counts characters, so that offsets can
 * be taken over in both directions. To resume, that many units are read and thrown away: a byte
 * position could not be stored where Kafka looks for it. */
#include "tail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

#define READ_BYTES ((size_t)64 * 1024)
#define LINE_MAX_BYTES ((size_t)64 * 1024 * 1024)

void tail_init(struct tail *tail, const char *path, int64_t position)
{
    memset(tail, 0, sizeof(*tail));
    tail->path = path;
    tail->fd = -1;
    tail->position = tail->skip = position;
}

static void forget(struct tail *tail)
{
    if (tail->fd >= 0 && tail->path) close(tail->fd);
    tail->fd = -1;
    tail->text.len = tail->start = tail->scanned = 0;
    tail->read_bytes = tail->skip = tail->position = 0;
}

void tail_fini(struct tail *tail)
{
    forget(tail);
    text_fini(&tail->text);
}

static enum tail_state open_file(struct tail *tail, struct sluice_err *err)
{
    struct stat st;
    tail->fd = tail->path ? open(tail->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : STDIN_FILENO;
    if (tail->fd < 0 && errno == ENOENT) return TAIL_MISSING;
    if (tail->fd < 0) {
        file_fail(err, "cannot open %s: %s; correct the option file or its permissions", tail->path,
                  strerror(errno));
        return TAIL_ERROR;
    }
    if (fstat(tail->fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        file_fail(err, "cannot read %s: it is a directory; set the option file to a text file",
                  tail->path);
        return TAIL_ERROR;
    }
    return TAIL_END;
}

/* Whether what stands at the path is no longer what was read so far. */
static bool was_replaced(const struct tail *tail)
{
    struct stat mine, there;
    if (!tail->path || fstat(tail->fd, &mine) != 0 || !S_ISREG(mine.st_mode)) return false;
    if (mine.st_size < tail->read_bytes) return true;
    /* Renamed away with nothing new in its place: there may be more to come from the writer. */
    if (stat(tail->path, &there) != 0) return false;
    return mine.st_dev != there.st_dev || mine.st_ino != there.st_ino;
}

/* Moves what is left to the front, so that the buffer stays as small as a line. */
static void compact(struct tail *tail)
{
    size_t left = tail->text.len - tail->start;
    if (left) memmove(tail->text.data, tail->text.data + tail->start, left);
    tail->text.len = left;
    tail->scanned -= tail->start;
    tail->start = 0;
}

/* Takes skipped units away from the front of what was read. A character that is cut by the end of
 * the buffer waits for its rest. */
static void skip_units(struct tail *tail)
{
    while (tail->skip > 0 && tail->start < tail->text.len) {
        const char *s = tail->text.data + tail->start;
        size_t left = tail->text.len - tail->start;
        unsigned units;
        bool valid;
        size_t n = text_char(s, left, &units, &valid);
        if (!valid && left < 4 && (unsigned char)*s >= 0xC2) break;
        tail->start += n;
        tail->skip -= units;
    }
    tail->scanned = tail->start;
}

/* A line's end from scanned on; its length and where the next begins. A \r at the very end may be
 * half of \r\n. */
static bool find_end(struct tail *tail, size_t *end, size_t *next)
{
    const struct text *text = &tail->text;
    for (size_t i = tail->scanned; i < text->len; i++) {
        if (text->data[i] == '\n') {
            *end = i;
            *next = i + 1;
            return true;
        }
        if (text->data[i] != '\r') continue;
        if (i + 1 == text->len) {
            tail->scanned = i;
            return false;
        }
        *end = i;
        *next = text->data[i + 1] == '\n' ? i + 2 : i + 1;
        return true;
    }
    tail->scanned = text->len;
    return false;
}

/* Reads once. TAIL_LINE: there is more to look at. */
static enum tail_state fill(struct tail *tail, struct sluice_err *err)
{
    compact(tail);
    if (tail->text.len > LINE_MAX_BYTES) {
        file_fail(err, "a line of %s is longer than %zu bytes; is it a text file?",
                  tail->path ? tail->path : "standard input", LINE_MAX_BYTES);
        return TAIL_ERROR;
    }
    if (!text_reserve(&tail->text, READ_BYTES)) {
        file_fail(err, "out of memory while reading a line of %zu bytes", tail->text.len);
        return TAIL_ERROR;
    }
    struct pollfd pfd = {.fd = tail->fd, .events = POLLIN};
    if (!tail->path && poll(&pfd, 1, 0) <= 0) return TAIL_END; /* a terminal would block */
    ssize_t n = read(tail->fd, tail->text.data + tail->text.len, READ_BYTES);
    if (n > 0) {
        tail->text.len += (size_t)n;
        tail->read_bytes += n;
        return TAIL_LINE;
    }
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        file_fail(err, "cannot read %s: %s", tail->path ? tail->path : "standard input",
                  strerror(errno));
        return TAIL_ERROR;
    }
    return TAIL_END;
}

enum tail_state tail_next(struct tail *tail, const char **line, size_t *len, struct sluice_err *err)
{
    if (tail->fd < 0) {
        enum tail_state state = open_file(tail, err);
        if (tail->fd < 0 || state != TAIL_END) return state;
    }
    for (;;) {
        size_t end, next;
        if (tail->skip > 0) skip_units(tail);
        if (tail->skip <= 0 && find_end(tail, &end, &next)) {
            *line = tail->text.data + tail->start;
            *len = end - tail->start;
            tail->position += text_units(*line, next - tail->start);
            tail->start = tail->scanned = next;
            return TAIL_LINE;
        }
        enum tail_state state = fill(tail, err);
        if (state == TAIL_LINE) continue;
        /* Shorter than the position to resume at: it is another file than the one of that time. */
        bool shrunk = tail->path && tail->skip > 0;
        if (state == TAIL_END && (shrunk || was_replaced(tail))) {
            forget(tail);
            return TAIL_NEW;
        }
        return state;
    }
}
