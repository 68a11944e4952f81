/* readers.c - helper threads of the snapshot: see readers.h. */
#include "readers.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BLOCK_BYTES ((size_t)256 << 10)
#define BLOCKS_PER_THREAD 4
#define TURN_MS 1000 /* between looks at whether to stop, should the event be missed */

struct cdc_readers {
    const struct cdc_settings *settings;
    char *snapshot;
    int stop_fd, ready_fd; /* events: all shall stop; there is something for the task */
    pthread_t *threads;
    int threads_n;

    pthread_mutex_t lock; /* of all below; a leaf */
    pthread_cond_t work, room;
    bool stopping, failed, fatal;
    struct sluice_err err;
    char **statements; /* of the table under way */
    size_t statements_n, next;
    char *what;
    int busy; /* threads that have a statement */
    struct cdc_block *first, **last;
    int blocks, blocks_max;
};

void cdc_block_free(struct cdc_block *block)
{
    if (!block) return;
    for (uint32_t i = block->at; i < block->n; i++) PQfreemem(block->rows[i].s);
    free(block);
}

static void tell(int fd)
{
    uint64_t one = 1;
    while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR) continue;
}

/* ---- a thread ---- */

static void give_up(struct cdc_readers *r, const struct sluice_err *err, bool fatal)
{
    pthread_mutex_lock(&r->lock);
    if (!r->failed && !r->stopping) {
        r->failed = true;
        r->fatal = fatal;
        r->err = *err;
    }
    pthread_mutex_unlock(&r->lock);
    tell(r->ready_fd);
}

static bool stopping(struct cdc_readers *r)
{
    pthread_mutex_lock(&r->lock);
    bool stop = r->stopping;
    pthread_mutex_unlock(&r->lock);
    return stop;
}

/* Until it is done; CDC_WAIT: to be stopped. */
static enum cdc_step query(struct cdc_readers *r, struct cdc_conn *conn, const char *sql,
                           const char *what, struct sluice_err *err)
{
    enum cdc_step step;
    do {
        struct cdc_wait wait = {r->stop_fd, cdc_now_ms() + TURN_MS};
        step = cdc_conn_query(conn, r->settings, sql, what, &wait, err);
    } while (step == CDC_WAIT && !stopping(r));
    return step;
}

static enum cdc_step begin(struct cdc_readers *r, struct cdc_conn *conn, struct sluice_err *err)
{
    enum cdc_step step;
    do {
        struct cdc_wait wait = {r->stop_fd, cdc_now_ms() + TURN_MS};
        step = cdc_conn_open(conn, r->settings, "Debezium Snapshot", false, &wait, err);
    } while (step == CDC_WAIT && !stopping(r));
    if (step != CDC_DONE) return step;
    struct cdc_text sql = {0};
    cdc_text_adds(&sql,
                  "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; SET TRANSACTION SNAPSHOT ");
    cdc_text_literal(&sql, r->snapshot);
    cdc_text_adds(&sql, "; " CDC_NO_TIMEOUTS);
    step = query(r, conn, sql.s, "joining the snapshot", err);
    cdc_text_free(&sql);
    return step;
}

/* Waits for room; false: to be stopped, the block is gone. */
static bool hand_over(struct cdc_readers *r, struct cdc_block *block)
{
    pthread_mutex_lock(&r->lock);
    while (r->blocks == r->blocks_max && !r->stopping) pthread_cond_wait(&r->room, &r->lock);
    bool ok = !r->stopping, was_empty = !r->first;
    if (ok) {
        *r->last = block;
        r->last = &block->next;
        r->blocks++;
    }
    pthread_mutex_unlock(&r->lock);
    if (!ok) cdc_block_free(block);
    else if (was_empty) tell(r->ready_fd);
    return ok;
}

static struct cdc_block *block_new(uint32_t statement, bool begins)
{
    struct cdc_block *block = cdc_realloc(NULL, sizeof(*block));
    block->next = NULL;
    block->n = block->at = 0;
    block->statement = statement;
    block->begins = begins;
    block->ends = false;
    block->bytes = 0;
    return block;
}

static enum cdc_step end_of_copy(struct cdc_readers *r, struct cdc_conn *conn, const char *what,
                                 struct sluice_err *err)
{
    enum cdc_step step = CDC_DONE;
    PGresult *result;
    while ((result = PQgetResult(conn->pg))) {
        if (PQresultStatus(result) == PGRES_FATAL_ERROR && step == CDC_DONE)
            step = cdc_conn_refused(conn, r->settings, result, what, err);
        PQclear(result);
    }
    return step;
}

/* One statement; CDC_WAIT: to be stopped. */
static enum cdc_step copy(struct cdc_readers *r, struct cdc_conn *conn, uint32_t number,
                          const char *sql, const char *what, struct sluice_err *err)
{
    enum cdc_step step = query(r, conn, sql, what, err);
    struct cdc_block *block = block_new(number, true);
    while (step == CDC_DONE) {
        char *line;
        int n = PQgetCopyData(conn->pg, &line, 1);
        if (n > 0) {
            block->rows[block->n].s = line;
            block->rows[block->n++].len = n;
            block->bytes += (size_t)n;
            if (block->n < CDC_BLOCK_ROWS && block->bytes < BLOCK_BYTES) continue;
            bool ok = hand_over(r, block);
            block = ok ? block_new(number, false) : NULL;
            if (!ok) return CDC_WAIT;
        } else if (n == 0) {
            struct cdc_wait wait = {r->stop_fd, cdc_now_ms() + TURN_MS};
            cdc_conn_wait(conn, POLLIN, &wait);
            if (stopping(r)) step = CDC_WAIT;
            else if (!PQconsumeInput(conn->pg))
                step = cdc_conn_broken(conn, r->settings, what, err);
        } else {
            step = n == -1 ? end_of_copy(r, conn, what, err)
                           : cdc_conn_broken(conn, r->settings, what, err);
            break;
        }
    }
    block->ends = true;
    if (step != CDC_DONE) cdc_block_free(block);
    else if (!hand_over(r, block)) return CDC_WAIT;
    return step;
}

static void *reader(void *arg)
{
    struct cdc_readers *r = arg;
    struct cdc_conn conn = {0};
    struct sluice_err err = {{0}};
    enum cdc_step step = begin(r, &conn, &err);
    pthread_mutex_lock(&r->lock);
    while (step == CDC_DONE && !r->stopping) {
        if (r->next == r->statements_n) {
            pthread_cond_wait(&r->work, &r->lock);
            continue;
        }
        uint32_t number = (uint32_t)r->next;
        const char *sql = r->statements[r->next++], *what = r->what;
        r->busy++;
        pthread_mutex_unlock(&r->lock);
        step = copy(r, &conn, number, sql, what, &err);
        pthread_mutex_lock(&r->lock);
        r->busy -= step == CDC_DONE; /* else the table is not read */
        if (!r->busy && r->next == r->statements_n) tell(r->ready_fd);
    }
    pthread_mutex_unlock(&r->lock);
    if (step == CDC_ERROR) give_up(r, &err, conn.fatal);
    cdc_conn_close(&conn);
    return NULL;
}

/* ---- the task's side ---- */

struct cdc_readers *cdc_readers_start(const struct cdc_settings *settings, const char *snapshot,
                                      int threads, struct sluice_err *err)
{
    struct cdc_readers *r = cdc_alloc(sizeof(*r));
    r->settings = settings;
    r->snapshot = cdc_strdup(snapshot);
    r->last = &r->first;
    r->blocks_max = threads * BLOCKS_PER_THREAD;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->work, NULL);
    pthread_cond_init(&r->room, NULL);
    r->threads = cdc_alloc((size_t)threads * sizeof(*r->threads));
    r->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    r->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int code = r->stop_fd < 0 || r->ready_fd < 0 ? errno : 0;
    for (; !code && r->threads_n < threads; r->threads_n += !code)
        code = pthread_create(&r->threads[r->threads_n], NULL, reader, r);
    if (!code || r->threads_n) return r; /* fewer will do */
    cdc_readers_stop(r);
    cdc_error(err, "starting %d threads for the snapshot: %s; lower snapshot.max.threads", threads,
              strerror(code));
    return NULL;
}

static void forget_table(struct cdc_readers *r)
{
    for (size_t i = 0; i < r->statements_n; i++) free(r->statements[i]);
    free(r->statements);
    free(r->what);
    r->statements = NULL;
    r->what = NULL;
    r->statements_n = r->next = 0;
}

void cdc_readers_table(struct cdc_readers *readers, char **statements, size_t n, char *what)
{
    pthread_mutex_lock(&readers->lock);
    assert(!readers->busy && readers->next == readers->statements_n);
    forget_table(readers);
    readers->statements = statements;
    readers->statements_n = n;
    readers->what = what;
    pthread_cond_broadcast(&readers->work);
    pthread_mutex_unlock(&readers->lock);
}

enum cdc_taken cdc_readers_take(struct cdc_readers *readers, struct cdc_block **out, bool *fatal,
                                struct sluice_err *err)
{
    enum cdc_taken taken = CDC_NONE_YET;
    pthread_mutex_lock(&readers->lock);
    if (readers->failed) {
        *err = readers->err;
        *fatal = readers->fatal;
        taken = CDC_READ_FAILED;
    } else if (readers->first) {
        struct cdc_block *block = *out = readers->first;
        readers->first = block->next;
        if (!readers->first) readers->last = &readers->first;
        readers->blocks--;
        pthread_cond_signal(&readers->room);
        taken = CDC_TAKEN;
    } else if (!readers->busy && readers->next == readers->statements_n) {
        taken = CDC_TABLE_READ;
    }
    pthread_mutex_unlock(&readers->lock);
    return taken;
}

bool cdc_readers_wait(struct cdc_readers *readers, const struct cdc_wait *wait)
{
    struct pollfd fds[2] = {{readers->ready_fd, POLLIN, 0}, {wait->wake_fd, POLLIN, 0}};
    int64_t left = wait->until_ms - cdc_now_ms();
    int n = poll(fds, wait->wake_fd >= 0 ? 2 : 1, left > 0 ? (int)left : 0);
    if (n <= 0 || !fds[0].revents) return false;
    uint64_t count;
    while (read(readers->ready_fd, &count, sizeof(count)) < 0 && errno == EINTR) continue;
    return true;
}

void cdc_readers_stop(struct cdc_readers *readers)
{
    if (!readers) return;
    pthread_mutex_lock(&readers->lock);
    readers->stopping = true;
    pthread_cond_broadcast(&readers->work);
    pthread_cond_broadcast(&readers->room);
    pthread_mutex_unlock(&readers->lock);
    tell(readers->stop_fd);
    for (int i = 0; i < readers->threads_n; i++) pthread_join(readers->threads[i], NULL);
    while (readers->first) {
        struct cdc_block *block = readers->first;
        readers->first = block->next;
        cdc_block_free(block);
    }
    forget_table(readers);
    if (readers->stop_fd >= 0) close(readers->stop_fd);
    if (readers->ready_fd >= 0) close(readers->ready_fd);
    pthread_mutex_destroy(&readers->lock);
    pthread_cond_destroy(&readers->work);
    pthread_cond_destroy(&readers->room);
    free(readers->threads);
    free(readers->snapshot);
    free(readers);
}
