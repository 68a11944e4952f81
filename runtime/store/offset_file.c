/* offset_file.c - Java Connect's offset file: a serialised java.util.HashMap<byte[], byte[]>.
 *
 * Format: Java Object Serialization Stream Protocol, version 5 (spec: connect.md section 3, read
 * off a 4.1.0 worker). The reader takes that one class with byte arrays in it, also by back
 * reference, and nothing else; the writer gives the bytes that Java would, entries in our order.
 * A user can switch between the Java worker and this one in both directions. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/props.h"
#include "store/offset_entries.h"

#define FILE_MAX_BYTES ((size_t)256 << 20)
#define ENTRIES_MAX 10000000u

enum { TC_NULL = 0x70, TC_REFERENCE = 0x71, TC_CLASSDESC = 0x72, TC_ARRAY = 0x75, TC_END = 0x78 };

/* stream magic and version, TC_OBJECT, class java.util.HashMap with its two fields */
static const uint8_t map_head[] = {
    0xac, 0xed, 0x00, 0x05, 0x73, 0x72, 0x00, 0x11, 'j', 'a',  'v',  'a',  '.',  'u',  't',  'i',
    'l',  '.',  'H',  'a',  's',  'h',  'M',  'a',  'p', 0x05, 0x07, 0xda, 0xc1, 0xc3, 0x16, 0x60,
    0xd1, 0x03, 0x00, 0x02, 'F',  0x00, 0x0a, 'l',  'o', 'a',  'd',  'F',  'a',  'c',  't',  'o',
    'r',  'I',  0x00, 0x09, 't',  'h',  'r',  'e',  's', 'h',  'o',  'l',  'd',  0x78, 0x70};
/* class of byte[], in full, as the first array names it */
static const uint8_t bytes_class[] = {0x72, 0x00, 0x02, '[',  'B',  0xac, 0xf3, 0x17, 0xf8,
                                      0x06, 0x08, 0x54, 0xe0, 0x02, 0x00, 0x00, 0x78, 0x70};
#define BYTES_CLASS_HANDLE 0x7e0002u /* handle 0: class HashMap, 1: the map, 2: class byte[] */
#define FIRST_ARRAY_HANDLE 0x7e0003u

struct cursor {
    const uint8_t *data;
    size_t len, at;
    const char *why; /* what was expected where reading stopped */
    struct span {
        const char *data;
        size_t len;
    } * arrays; /* by handle, for back references */
    size_t n, cap;
};

static bool expect(struct cursor *c, const uint8_t *bytes, size_t n, const char *what)
{
    assert(c->at <= c->len);
    c->why = what;
    if (c->len - c->at < n || memcmp(c->data + c->at, bytes, n) != 0) return false;
    c->at += n;
    return true;
}

static bool read_u32(struct cursor *c, uint32_t *out, const char *what)
{
    c->why = what;
    if (c->len - c->at < 4) return false;
    const uint8_t *p = c->data + c->at;
    *out = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    c->at += 4;
    return true;
}

static bool read_array(struct cursor *c, struct span *out)
{
    uint32_t handle, len;
    if (c->at < c->len && c->data[c->at] == TC_CLASSDESC) {
        if (!expect(c, bytes_class, sizeof bytes_class, "the class byte[]")) return false;
    } else {
        const uint8_t reference = TC_REFERENCE;
        if (!expect(c, &reference, 1, "the class byte[]")) return false;
        if (!read_u32(c, &handle, "a class handle")) return false;
        if (handle != BYTES_CLASS_HANDLE) return false;
    }
    if (!read_u32(c, &len, "an array length")) return false;
    c->why = "an array's bytes";
    if (len > c->len - c->at) return false;
    *out = (struct span){(const char *)c->data + c->at, len};
    c->at += len;
    c->arrays = sluice_xgrow(c->arrays, c->n, &c->cap, sizeof *c->arrays);
    c->arrays[c->n++] = *out;
    return true;
}

/* A byte[] or null (data NULL). */
static bool read_object(struct cursor *c, struct span *out)
{
    uint32_t handle;
    c->why = "a byte array";
    if (c->at >= c->len) return false;
    switch (c->data[c->at++]) {
    case TC_NULL: *out = (struct span){NULL, 0}; return true;
    case TC_ARRAY: return read_array(c, out);
    case TC_REFERENCE:
        if (!read_u32(c, &handle, "an object handle")) return false;
        c->why = "a handle of an earlier array";
        if (handle < FIRST_ARRAY_HANDLE || handle - FIRST_ARRAY_HANDLE >= c->n) return false;
        *out = c->arrays[handle - FIRST_ARRAY_HANDLE];
        return true;
    default: c->at--; return false;
    }
}

static bool read_map(struct cursor *c,
                     void (*add)(void *, const char *, size_t, const char *, size_t), void *arg)
{
    static const uint8_t block[] = {0x77, 0x08}, end = TC_END;
    uint32_t word, size;
    struct span key, value;
    if (!expect(c, map_head, sizeof map_head, "a serialised java.util.HashMap")) return false;
    if (!read_u32(c, &word, "the load factor")) return false;
    if (!read_u32(c, &word, "the threshold")) return false;
    if (!expect(c, block, sizeof block, "the block with the map's size")) return false;
    if (!read_u32(c, &word, "the number of buckets")) return false;
    if (!read_u32(c, &size, "the number of entries") || size > ENTRIES_MAX) return false;
    for (uint32_t i = 0; i < size; i++) {
        if (!read_object(c, &key) || !read_object(c, &value)) return false;
        if (key.data && value.data) add(arg, key.data, key.len, value.data, value.len);
    }
    return expect(c, &end, 1, "the end of the map") &&
           (c->why = "the end of the file", c->at == c->len);
}

/* The file is parsed once without effect, so that a broken one adds nothing. */
static void ignore(void *arg, const char *key, size_t key_len, const char *value, size_t value_len)
{
    (void)arg, (void)key, (void)key_len, (void)value, (void)value_len;
}

bool sluice_offset_file_load(const char *path,
                             void (*add)(void *, const char *, size_t, const char *, size_t),
                             void *arg, struct sluice_err *err)
{
    size_t len = 0;
    if (access(path, F_OK) != 0 && errno == ENOENT) return true;
    char *data = sluice_file_read(path, FILE_MAX_BYTES, &len, err);
    if (!data) return sluice_err_wrap(err, "cannot read the offset file");
    struct cursor c = {.data = (const uint8_t *)data, .len = len};
    bool ok = len == 0 || read_map(&c, ignore, NULL);
    if (!ok) {
        sluice_err_set(err,
                       "offset file %s is corrupt: at byte %zu of %zu there is not %s. Nothing was "
                       "changed. Restore the file from a backup, or move it away to let every "
                       "source start from the beginning (records will be sent again)",
                       path, c.at, len, c.why);
    } else if (len > 0) {
        struct cursor again = {.data = (const uint8_t *)data, .len = len};
        bool same = read_map(&again, add, arg);
        assert(same && again.at == len);
        free(again.arrays);
    }
    free(c.arrays);
    free(data);
    return ok;
}

static void add_u32(struct sluice_buf *buf, uint32_t v)
{
    uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
    sluice_buf_add(buf, b, 4);
}

static void add_array(struct sluice_buf *buf, bool first, const char *data, size_t len)
{
    static const uint8_t array = TC_ARRAY, reference = TC_REFERENCE;
    sluice_buf_add(buf, &array, 1);
    if (first) {
        sluice_buf_add(buf, bytes_class, sizeof bytes_class);
    } else {
        sluice_buf_add(buf, &reference, 1);
        add_u32(buf, BYTES_CLASS_HANDLE);
    }
    assert(data && len <= INT32_MAX); /* Java's arrays have no more */
    add_u32(buf, (uint32_t)len);
    sluice_buf_add(buf, data, len);
}

static bool render(struct sluice_buf *buf, const struct sluice_offset_item *items, size_t n)
{
    static const uint8_t load_factor[] = {0x3f, 0x40, 0, 0}, block[] = {0x77, 0x08}, end = TC_END;
    uint32_t live = 0, buckets = 16;
    for (size_t i = 0; i < n; i++) live += items[i].value != NULL;
    while (buckets * 3 / 4 < live) buckets *= 2;
    sluice_buf_add(buf, map_head, sizeof map_head);
    sluice_buf_add(buf, load_factor, sizeof load_factor);
    add_u32(buf, buckets * 3 / 4);
    sluice_buf_add(buf, block, sizeof block);
    add_u32(buf, buckets);
    add_u32(buf, live);
    assert(live <= buckets * 3 / 4); /* Java would make room at once otherwise */
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        if (!items[i].value) continue;
        add_array(buf, first, items[i].key, items[i].key_len);
        add_array(buf, false, items[i].value, items[i].value_len);
        first = false;
    }
    return sluice_buf_add(buf, &end, 1);
}

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* The rename itself is durable only when the folder is. */
static bool sync_folder(const char *path)
{
    char *folder = sluice_xstrdup(path);
    char *slash = strrchr(folder, '/');
    if (slash) slash[slash == folder] = '\0';
    int fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0) return false;
    bool ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

bool sluice_offset_file_save(const char *path, const struct sluice_offset_item *items, size_t n,
                             struct sluice_err *err)
{
    struct sluice_buf buf;
    char *temp = sluice_xasprintf("%s.tmp", path);
    bool ok = false;
    sluice_buf_init(&buf, FILE_MAX_BYTES);
    int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0) {
        ok = render(&buf, items, n) && write_all(fd, buf.data, buf.len) && fsync(fd) == 0;
        ok = close(fd) == 0 && ok;
    }
    ok = ok && rename(temp, path) == 0 && sync_folder(path);
    if (!ok)
        sluice_err_set(
            err,
            "writing offsets to %s failed: %s; the offsets stay as they were: free space "
            "or mend the permissions, the worker tries again",
            path, strerror(errno));
    sluice_buf_fini(&buf);
    free(temp);
    return ok;
}
