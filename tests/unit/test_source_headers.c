/* Headers of a source's messages: which are kept, lent and made anew. librdkafka's, no broker. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "data/builtins.h"
#include "worker/source_run.h"

#include "../harness.h"

struct bench {
    struct sluice_task task;
    struct sluice_source_headers *headers;
};

static void set_up(struct bench *b, const struct sluice_plugin *converter)
{
    memset(b, 0, sizeof *b);
    b->task.window = sluice_window_new(16, 1000);
    b->task.pipe.header.plugin = converter;
    sluice_buf_init(&b->task.pipe.header_bytes, SLUICE_BUF_MAX);
    b->headers = sluice_source_headers_new(&b->task);
}

static void tear_down(struct bench *b)
{
    sluice_source_headers_free(b->headers);
    sluice_window_detach(b->task.window);
    sluice_buf_fini(&b->task.pipe.header_bytes);
}

/* A message with these headers: {key, text, ..., NULL}. */
struct sent {
    struct rd_kafka_headers_s *handle; /* as it was sent */
    bool lent;
    struct sluice_slot *slot;
};

static struct sent send(struct bench *b, const char *const *words)
{
    struct sluice_header headers[16] = {0};
    struct sluice_record rec = {.topic = "t", .headers = headers};
    for (; words[2 * rec.headers_len]; rec.headers_len++) {
        struct sluice_header *h = &headers[rec.headers_len];
        h->key = words[2 * rec.headers_len];
        /* A copy: what counts is what the text says, not where it stands. */
        const char *text = words[2 * rec.headers_len + 1];
        h->value = text ? sluice_string(strdup(text), strlen(text)) : sluice_null();
    }
    struct sluice_message message;
    struct sluice_lent_headers *lent;
    struct sluice_failure failure = {0};
    CHECK(sluice_source_headers_make(b->headers, &rec, &message, &lent, &failure));
    CHECK_INT(message.headers_lent, lent != NULL);
    for (uint32_t i = 0; i < rec.headers_len; i++)
        if (headers[i].value.type == SLUICE_STRING) free((void *)(uintptr_t)headers[i].value.u.s);
    struct sent sent = {message.headers, message.headers_lent,
                        sluice_window_enter(b->task.window, 0, 1, NULL, 0, -1, NULL)};
    sluice_slot_share(sent.slot);
    if (lent) sluice_slot_lend(sent.slot, lent);
    return sent;
}

/* As producer.c does it: headers that are not lent are librdkafka's to free. */
static void report(struct bench *b, const struct sent *sent)
{
    if (!sent->lent) sluice_headers_free(sent->handle);
    sluice_slot_finish(sent->slot, 0, true);
    sluice_window_advance(b->task.window, NULL, NULL);
}

static const char *const first[] = {"name", "one", "task", "0", NULL};
static const char *const second[] = {"name", "two", "task", "0", NULL};

TEST(headers_that_come_again_are_lent_and_used_again)
{
    struct bench b;
    set_up(&b, &sluice_simple_header_converter);
    struct sent x = send(&b, first);
    CHECK(x.handle && !x.lent); /* nobody knows yet that they come again */
    report(&b, &x);
    struct sent y = send(&b, first), z = send(&b, first);
    CHECK(y.lent && z.lent);
    CHECK(y.handle != z.handle); /* both are under way */
    struct rd_kafka_headers_s *used = y.handle;
    report(&b, &y);
    struct sent again = send(&b, first);
    CHECK(again.lent && again.handle == used);
    report(&b, &z);
    report(&b, &again);
    tear_down(&b);
}

TEST(headers_of_another_text_are_not_those_that_are_kept)
{
    struct bench b;
    set_up(&b, &sluice_simple_header_converter);
    struct sent x = send(&b, first), y = send(&b, first);
    report(&b, &x);
    report(&b, &y);
    CHECK(y.lent);
    struct sent odd = send(&b, second); /* once: those that are kept stay */
    CHECK(!odd.lent && odd.handle != y.handle);
    struct sent back = send(&b, first);
    CHECK(back.lent && back.handle == y.handle);
    struct sent odd2 = send(&b, second); /* twice, if not in a row: they are kept from now on */
    CHECK(odd2.lent && odd2.handle != back.handle);
    report(&b, &odd);
    report(&b, &back); /* of a set that is not kept any more: freed */
    struct sent last = send(&b, first);
    CHECK(!last.lent);
    report(&b, &odd2);
    report(&b, &last);
    tear_down(&b);
}

TEST(headers_differ_by_key_number_and_length)
{
    static const char *const others[][5] = {{"name", "on", "task", "0", NULL},
                                            {"name", "onetask", "0", "", NULL},
                                            {"nam", "eone", "task", "0", NULL},
                                            {"name", "one", NULL},
                                            {"name", "one", "tasks", "0", NULL}};
    struct bench b;
    set_up(&b, &sluice_simple_header_converter);
    struct sent x = send(&b, first), y = send(&b, first);
    report(&b, &x);
    report(&b, &y);
    CHECK(y.lent);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct sent other = send(&b, others[i]);
        CHECK(other.handle && !other.lent);
        report(&b, &other);
    }
    tear_down(&b);
}

TEST(headers_that_are_no_plain_texts_are_made_each_time)
{
    static const char *const null[] = {"name", NULL, NULL};
    static const char *const none[] = {NULL};
    struct bench b;
    set_up(&b, &sluice_simple_header_converter);
    for (int i = 0; i < 3; i++) {
        struct sent sent = send(&b, null);
        CHECK(sent.handle && !sent.lent);
        report(&b, &sent);
        sent = send(&b, none);
        CHECK(!sent.handle && !sent.lent);
        report(&b, &sent);
    }
    tear_down(&b);
}

TEST(headers_too_long_or_too_many_to_be_kept_are_made_each_time)
{
    char text[700];
    const char *const longer[] = {"name", text, NULL};
    const char *many[20] = {NULL};
    struct bench b;
    set_up(&b, &sluice_simple_header_converter);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 9; i++) many[2 * i] = many[2 * i + 1] = "k";
    for (int i = 0; i < 3; i++) {
        struct sent sent = send(&b, longer);
        CHECK(sent.handle && !sent.lent);
        report(&b, &sent);
        sent = send(&b, many);
        CHECK(sent.handle && !sent.lent);
        report(&b, &sent);
    }
    tear_down(&b);
}

/* Leaks show under AddressSanitizer. */
TEST(headers_that_were_not_sent_or_are_spare_are_let_go)
{
    struct bench b;
    set_up(&b, &sluice_simple_header_converter);
    struct sent x = send(&b, first), y = send(&b, first), z = send(&b, first);
    report(&b, &x);
    report(&b, &y);
    sluice_source_headers_rest(b.headers);
    struct sent fresh = send(&b, first);
    CHECK(fresh.lent);
    report(&b, &z);
    struct sluice_header header = {.key = "k", .value = sluice_string("v", 1)};
    struct sluice_record rec = {.topic = "t", .headers = &header, .headers_len = 1};
    for (int i = 0; i < 3; i++) {
        struct sluice_message message;
        struct sluice_lent_headers *lent;
        struct sluice_failure failure = {0};
        CHECK(sluice_source_headers_make(b.headers, &rec, &message, &lent, &failure));
        sluice_source_headers_unsent(b.headers, &message, lent);
        CHECK(!message.headers);
    }
    sluice_source_headers_free(b.headers); /* the report comes later */
    sluice_slot_finish(fresh.slot, 0, true);
    sluice_window_advance(b.task.window, NULL, NULL);
    sluice_window_detach(b.task.window);
    sluice_buf_fini(&b.task.pipe.header_bytes);
}
