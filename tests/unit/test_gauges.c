/* Metrics that plugins tell: names grouped, labels escaped, sets replaced and dropped. */
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/gauges.h"
#include "harness.h"

static const char *written(struct sluice_buf *buf)
{
    sluice_buf_clear(buf);
    sluice_gauges_write(buf);
    return sluice_buf_str(buf);
}

TEST(gauges_are_grouped_by_name_and_replaced_as_a_set)
{
    int a, b;
    struct sluice_buf buf;
    sluice_buf_init(&buf, SLUICE_BUF_MAX);
    const struct sluice_label table = {"table", "s.\"t\"\n"};
    const struct sluice_metric first[] = {
        {.size = sizeof *first,
         .name = "x_rows",
         .help = "Rows.",
         .labels = &table,
         .labels_n = 1,
         .value = 3,
         .counter = true},
        {.size = sizeof *first, .name = "x_lag", .value = 0.5},
    };
    const struct sluice_metric second[] = {
        {.size = sizeof *second, .name = "x_rows", .help = "Rows.", .value = 4, .counter = true},
        {.size = sizeof *second, .name = "x_nan", .value = NAN},
        {.size = sizeof *second, .name = "1x", .value = 1},
        {.size = sizeof *second, .name = "x y", .value = 1},
        {.size = sizeof *second, .name = "x_inf", .value = -INFINITY},
    };
    sluice_gauges_set(&a, "c1", 0, first, 2);
    sluice_gauges_set(&b, "c2", 1, second, 5);
    CHECK_STR(written(&buf), "# TYPE x_inf gauge\n"
                             "x_inf{connector=\"c2\",task=\"1\"} -Inf\n"
                             "# TYPE x_lag gauge\n"
                             "x_lag{connector=\"c1\",task=\"0\"} 0.5\n"
                             "# HELP x_rows Rows.\n# TYPE x_rows counter\n"
                             "x_rows{connector=\"c1\",task=\"0\",table=\"s.\\\"t\\\"\\n\"} 3\n"
                             "x_rows{connector=\"c2\",task=\"1\"} 4\n");
    sluice_gauges_set(&a, "c1", 0, first + 1, 1);
    sluice_gauges_drop(&b);
    CHECK_STR(written(&buf), "# TYPE x_lag gauge\nx_lag{connector=\"c1\",task=\"0\"} 0.5\n");
    sluice_gauges_drop(&a);
    sluice_gauges_drop(&a);
    CHECK_STR(written(&buf), "");
    sluice_buf_fini(&buf);
}
