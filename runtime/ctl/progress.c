/* progress.c - how far a task is with long work, as text. The figures are those of
 * GET /connectors/{name}/tasks/{n}/progress (docs/REST.md); any of them may be null. */
#include <assert.h>
#include <string.h>

#include "ctl/internal.h"

static const char *str(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* False: nobody knows it. */
static bool number(const json_t *object, const char *key, double *out)
{
    const json_t *value = json_object_get(object, key);
    *out = json_number_value(value);
    return json_is_number(value);
}

static void add_duration(struct sluice_buf *buf, double seconds)
{
    static const struct {
        const char *unit;
        double seconds, below;
    } units[] = {{"s", 1, 90}, {"min", 60, 90 * 60.0}, {"h", 3600, 48 * 3600.0}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (seconds >= units[i].below) continue;
        sluice_buf_addf(buf, "%.0f %s", seconds / units[i].seconds, units[i].unit);
        return;
    }
    sluice_buf_addf(buf, "%.0f d", seconds / 86400);
}

static const char *comma(const struct sluice_buf *buf, size_t from)
{
    return buf->len > from ? ", " : "";
}

static void add_what(struct sluice_buf *buf, const json_t *work)
{
    double done, parts;
    const char *what = str(work, "what"), *part = str(work, "part");
    sluice_buf_addf(buf, "%s%s", json_is_true(json_object_get(work, "paused")) ? "paused " : "",
                    what ? what : "work");
    if (part) sluice_buf_addf(buf, " of %s", part);
    if (part && number(work, "parts_done", &done) && number(work, "parts", &parts) && parts > 1)
        sluice_buf_addf(buf, " (%.0f of %.0f)", done < parts ? done + 1 : parts, parts);
}

void ctl_progress_text(struct sluice_buf *buf, const json_t *work)
{
    double percent, done, expected, rate, left;
    const char *unit = str(work, "unit");
    assert(json_is_object(work));
    if (!unit) unit = "done";
    add_what(buf, work);
    sluice_buf_adds(buf, ": ");
    size_t from = buf->len;
    if (number(work, "percent", &percent)) sluice_buf_addf(buf, "about %.1f %%", percent);
    if (number(work, "done", &done)) {
        sluice_buf_addf(buf, "%s%.0f ", comma(buf, from), done);
        if (number(work, "expected", &expected)) sluice_buf_addf(buf, "of %.0f ", expected);
        sluice_buf_adds(buf, unit);
    }
    if (number(work, "per_second", &rate)) sluice_buf_addf(buf, "%s%.0f/s", comma(buf, from), rate);
    if (number(work, "remaining_seconds", &left)) {
        sluice_buf_addf(buf, "%sabout ", comma(buf, from));
        add_duration(buf, left);
        sluice_buf_adds(buf, " to go");
    }
    if (buf->len == from) sluice_buf_adds(buf, "under way");
    if (str(work, "started_at")) sluice_buf_addf(buf, ", since %s", str(work, "started_at"));
}

void ctl_progress_brief(struct sluice_buf *buf, const json_t *work)
{
    double value;
    assert(json_is_object(work));
    size_t from = buf->len;
    if (number(work, "percent", &value)) sluice_buf_addf(buf, "%.1f %%", value);
    else if (number(work, "done", &value))
        sluice_buf_addf(buf, "%.0f %s", value, str(work, "unit") ? str(work, "unit") : "done");
    if (json_is_true(json_object_get(work, "paused"))) {
        sluice_buf_addf(buf, "%spaused", comma(buf, from));
    } else if (number(work, "remaining_seconds", &value)) {
        sluice_buf_adds(buf, comma(buf, from));
        add_duration(buf, value);
    }
    if (buf->len == from) sluice_buf_adds(buf, "under way");
}
