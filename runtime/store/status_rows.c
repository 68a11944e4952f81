/* status_rows.c - see status_rows.h: sorted arrays, looked up by halving. */
#include "store/status_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define CONNECTORS_MAX ((size_t)100000)
#define ROWS_MAX ((size_t)200000) /* of one connector */

void sluice_status_write_fini(struct sluice_status_write *write)
{
    free(write->value);
    memset(write, 0, sizeof *write);
}

static void row_free(struct sluice_status_row *row)
{
    sluice_status_write_fini(&row->next);
    sluice_status_write_fini(&row->sent);
    free(row->status.trace);
    free(row->topic);
    free(row);
}

void sluice_status_rows_fini(struct sluice_status_rows *rows)
{
    for (size_t i = 0; i < rows->n; i++) {
        for (size_t k = 0; k < rows->connectors[i].n; k++) row_free(rows->connectors[i].rows[k]);
        free(rows->connectors[i].rows);
        free(rows->connectors[i].name);
    }
    free(rows->connectors);
    *rows = (struct sluice_status_rows){0};
}

static size_t place_of(const struct sluice_status_rows *rows, const char *name, bool *there)
{
    size_t low = 0, high = rows->n;
    *there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(rows->connectors[middle].name, name);
        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static size_t place_of_row(const struct sluice_status_connector *connector, int task,
                           const char *topic, bool *there)
{
    size_t low = 0, high = connector->n;
    *there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct sluice_status_row *row = connector->rows[middle];
        int order = (row->task > task) - (row->task < task);
        if (order == 0 && topic) order = strcmp(row->topic, topic);
        if (order == 0) {
            *there = true;
            return middle;
        }
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

const struct sluice_status_connector *sluice_status_rows_connector(
    const struct sluice_status_rows *rows, const char *connector)
{
    bool there;
    size_t i = place_of(rows, connector, &there);
    return there ? &rows->connectors[i] : NULL;
}

struct sluice_status_row *sluice_status_rows_find(const struct sluice_status_rows *rows,
                                                  const char *connector, int task,
                                                  const char *topic)
{
    bool there;
    assert((task == SLUICE_STATUS_TOPIC) == (topic != NULL));
    const struct sluice_status_connector *found = sluice_status_rows_connector(rows, connector);
    if (!found) return NULL;
    size_t i = place_of_row(found, task, topic, &there);
    return there ? found->rows[i] : NULL;
}

struct sluice_status_row *sluice_status_rows_add(struct sluice_status_rows *rows,
                                                 const char *connector, int task, const char *topic)
{
    bool there;
    size_t i = place_of(rows, connector, &there);
    assert((task == SLUICE_STATUS_TOPIC) == (topic != NULL));
    if (!there) {
        if (rows->n >= CONNECTORS_MAX) return NULL;
        rows->connectors =
            sluice_xgrow(rows->connectors, rows->n, &rows->cap, sizeof *rows->connectors);
        memmove(&rows->connectors[i + 1], &rows->connectors[i],
                (rows->n - i) * sizeof *rows->connectors);
        rows->connectors[i] = (struct sluice_status_connector){.name = sluice_xstrdup(connector)};
        rows->n++;
    }
    struct sluice_status_connector *to = &rows->connectors[i];
    i = place_of_row(to, task, topic, &there);
    if (there) return to->rows[i];
    if (to->n >= ROWS_MAX) return NULL;
    struct sluice_status_row *row = sluice_xcalloc(1, sizeof *row);
    row->task = task;
    row->topic = sluice_xstrdup(topic);
    to->rows = sluice_xgrow(to->rows, to->n, &to->cap, sizeof *to->rows);
    memmove(&to->rows[i + 1], &to->rows[i], (to->n - i) * sizeof *to->rows);
    to->rows[i] = row;
    to->n++;
    return row;
}

void sluice_status_rows_prune(struct sluice_status_rows *rows, const char *connector, int task,
                              const char *topic)
{
    bool there;
    size_t i = place_of(rows, connector, &there);
    if (!there) return;
    struct sluice_status_connector *from = &rows->connectors[i];
    size_t k = place_of_row(from, task, topic, &there);
    if (!there) return;
    struct sluice_status_row *row = from->rows[k];
    if (row->there || row->next.waiting || row->sent.waiting) return;
    row_free(row);
    from->n--;
    memmove(&from->rows[k], &from->rows[k + 1], (from->n - k) * sizeof *from->rows);
    if (from->n > 0) return;
    free(from->rows);
    free(from->name);
    rows->n--;
    memmove(from, from + 1, (rows->n - i) * sizeof *from);
}
