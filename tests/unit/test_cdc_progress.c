/* postgres-cdc's progress, metrics, and what is said of the slot: without Postgres. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdc.h"
#include "fake_host.h"
#include "harness.h"
#include "watch.h"

struct fixture {
    struct fake_host fake;
    struct cdc cdc;
    struct sluice_room room;
    struct sluice_batch batch;
};

static void begin(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    extern const struct sluice_plugin *const *sluice_plugins_v1(void);
    fake_init(&f->fake, sluice_plugins_v1()[0], NULL);
    sluice_batch_init(&f->batch);
    f->room = (struct sluice_room){.size = sizeof(f->room), .records = 100, .bytes = 1 << 20};
    f->cdc.host = &f->fake.host;
    f->cdc.task = (struct sluice_task *)&f->fake;
    f->cdc.room = &f->room;
    f->cdc.memory = (struct cdc_memory){.host = &f->fake.host, .batch = &f->batch};
    f->cdc.phase = CDC_STREAM;
    f->cdc.settings.prefix = "srv";
    f->cdc.settings.slot = "slot";
    f->cdc.now_ns = INT64_C(1700000000000000000);
}

static void end(struct fixture *f)
{
    cdc_meters_fini(&f->cdc);
    sluice_batch_fini(&f->batch);
    fake_fini(&f->fake);
}

/* ---- the pace ---- */

TEST(pace_is_that_of_the_last_minute)
{
    struct cdc_pace pace;
    memset(&pace, 0, sizeof(pace));
    CHECK(cdc_pace_rate(&pace, 1000, 5) < 0);
    CHECK(cdc_pace_rest(&pace, 1000, 0.5) < 0);
    cdc_pace_start(&pace, 1000);
    CHECK(cdc_pace_rate(&pace, 1000, 0) < 0); /* no time has passed */
    CHECK(cdc_pace_rest(&pace, 2000, 0) < 0); /* and nothing was done */
    CHECK(cdc_pace_rate(&pace, 3000, 200) == 100);
    CHECK(cdc_pace_rest(&pace, 3000, 0.25) == 6);
    CHECK(cdc_pace_rest(&pace, 3000, -1) < 0);
    /* An hour at 10 rows a second, then 100 a second. */
    uint64_t rows = 0;
    int64_t now_ms = 1000;
    for (int i = 0; i < 3600; i++) cdc_pace_note(&pace, now_ms += 1000, rows += 10, 0.5);
    CHECK(cdc_pace_rate(&pace, now_ms, rows) == 10);
    CHECK(cdc_pace_rest(&pace, now_ms, 0.5) < 0); /* it stands still */
    for (int i = 0; i < 70; i++) cdc_pace_note(&pace, now_ms += 1000, rows += 100, 0.5 + i * 0.001);
    CHECK(cdc_pace_rate(&pace, now_ms, rows) == 100);
    double rest_s = cdc_pace_rest(&pace, now_ms, 0.569);
    CHECK(rest_s > 425 && rest_s < 435); /* 0.431 at 0.001 a second */
    CHECK(cdc_pace_rate(&pace, now_ms, 1) < 0);
}

TEST(rows_are_expected_as_the_statistics_say)
{
    CHECK(cdc_expected_rows(12, 8192) == 12);
    CHECK(cdc_expected_rows(12, 0) == 0);
    CHECK(cdc_expected_rows(-1, 8192) < 0);
    CHECK(cdc_expected_rows(0, 8192) < 0); /* before 14: never looked at */
}

/* ---- a snapshot's progress ---- */

static struct sluice_progress shown(struct fixture *f)
{
    struct sluice_progress out;
    char *part;
    CHECK(cdc_progress_snapshot(&f->cdc, &out, &part));
    free(part);
    return out;
}

static void reads(struct fixture *f, size_t table, uint64_t rows, uint64_t bytes)
{
    f->cdc.phase = CDC_SNAPSHOT_COPY;
    f->cdc.table_at = table;
    f->cdc.table_rows = rows;
    f->cdc.bytes_copied = bytes;
}

TEST(progress_of_a_snapshot_goes_by_rows_or_bytes_and_by_what_threads_have_read)
{
    struct fixture f;
    begin(&f);
    struct cdc_table tables[] = {
        {.schema = (char *)"s", .name = (char *)"a", .bytes = 1000, .rows = 100},
        {.schema = (char *)"s", .name = (char *)"b", .bytes = 3000, .rows = -1},
    };
    struct sluice_progress out;
    char *part;
    CHECK(!cdc_progress_snapshot(&f.cdc, &out, &part));
    f.cdc.tables = tables;
    f.cdc.tables_n = f.cdc.meters.tables = f.cdc.meters.remaining = 2;
    f.cdc.bytes_total = 4000;
    f.cdc.snapshot_told = true;
    cdc_progress_begin(&f.cdc, -1);
    reads(&f, 0, 0, 0);
    cdc_progress_table(&f.cdc, 0, 0);
    reads(&f, 0, 50, 5);
    out = shown(&f);
    CHECK(out.percent == 12.5 && out.expected < 0);
    CHECK_STR(out.what, "initial snapshot");
    reads(&f, 0, 5000, 5); /* more than was promised: but it is not at its end */
    CHECK(shown(&f).percent < 25 && shown(&f).percent > 24);
    cdc_progress_table_done(&f.cdc);
    f.cdc.meters.remaining = 1;
    f.cdc.bytes_done = 1000;
    reads(&f, 1, 7, 1500); /* nobody knows its rows */
    cdc_progress_table(&f.cdc, 0, 0);
    out = shown(&f);
    CHECK(out.percent == 62.5);
    CHECK_INT(out.done, 5007);
    CHECK_INT(out.parts_done, 1);
    /* Ten ranges, two threads: neither less than what is done, nor more than what may be. */
    cdc_progress_table(&f.cdc, 10, 2);
    CHECK(shown(&f).percent > 39.9 && shown(&f).percent < 40.1); /* 25 + 75 * 2 / 10 */
    f.cdc.meters.progress.chunks_done = 8;
    CHECK(shown(&f).percent == 85);
    f.cdc.tables = NULL;
    f.cdc.tables_n = 0;
    end(&f);
}

TEST(progress_goes_to_the_host_once_more_when_nothing_is_under_way)
{
    struct fixture f;
    begin(&f);
    struct cdc_table tables[] = {{.schema = (char *)"s", .name = (char *)"a"}};
    cdc_progress_tell(&f.cdc);
    f.fake.progress_n = 77; /* not told */
    cdc_progress_tell(&f.cdc);
    CHECK_INT(f.fake.progress_n, 77);
    f.cdc.tables = tables;
    f.cdc.tables_n = f.cdc.meters.tables = f.cdc.meters.remaining = 1;
    f.cdc.snapshot_told = f.cdc.blocking = true;
    cdc_progress_begin(&f.cdc, 0);
    cdc_progress_tell(&f.cdc);
    CHECK_INT(f.fake.progress_n, 1);
    CHECK_STR(f.fake.progress[0].what, "blocking snapshot");
    CHECK(f.fake.progress[0].percent == 0);
    f.cdc.snapshot_told = false;
    cdc_progress_tell(&f.cdc);
    CHECK_INT(f.fake.progress_n, 0);
    f.cdc.tables = NULL;
    f.cdc.tables_n = 0;
    end(&f);
}

/* ---- metrics ---- */

static double metric(const struct fixture *f, const char *name, const char *labels)
{
    char full[200];
    snprintf(full, sizeof(full), "debezium_metrics_%s{plugin=postgres,name=srv,context=%s}", name,
             labels);
    return fake_metric(&f->fake, full);
}

TEST(metrics_by_table_have_an_end)
{
    struct fixture f;
    begin(&f);
    char names[CDC_METER_TABLES + 20][16];
    struct cdc_relation relations[CDC_METER_TABLES + 20] = {{0}};
    for (uint32_t i = 0; i < CDC_METER_TABLES + 20; i++) {
        snprintf(names[i], sizeof(names[i]), "t%u", i);
        relations[i].oid = i + 1;
        relations[i].schema = (char *)"s";
        relations[i].table = names[i];
        cdc_meter_event(&f.cdc, &relations[i], 'c', false);
        cdc_meter_event(&f.cdc, &relations[i], 'd', false);
    }
    cdc_meter_event(&f.cdc, &relations[3], 't', false);
    cdc_meters_tell(&f.cdc);
    CHECK(metric(&f, "NumberOfCreateEventsSeen", "streaming,table=s.t99") == 1);
    CHECK(metric(&f, "NumberOfCreateEventsSeen", "streaming,table=s.t100") == -1);
    CHECK(metric(&f, "NumberOfTruncateEventsSeen", "streaming,table=s.t3") == 1);
    CHECK(metric(&f, "TotalNumberOfDeleteEventsSeen", "streaming") == CDC_METER_TABLES + 20);
    CHECK(metric(&f, "LastEvent", "streaming,table=s.t3,operation=TRUNCATE") == 0);
    end(&f);
}

TEST(a_renamed_table_has_figures_of_its_own)
{
    struct fixture f;
    begin(&f);
    struct cdc_relation before = {.oid = 7, .schema = (char *)"s", .table = (char *)"old"};
    struct cdc_relation after = {.oid = 7, .schema = (char *)"s", .table = (char *)"new"};
    cdc_meter_event(&f.cdc, &before, 'u', false);
    cdc_meter_event(&f.cdc, &after, 'u', false);
    cdc_meter_event(&f.cdc, &after, 'r', true);
    cdc_meters_tell(&f.cdc);
    CHECK(metric(&f, "NumberOfUpdateEventsSeen", "streaming,table=s.old") == 1);
    CHECK(metric(&f, "NumberOfUpdateEventsSeen", "streaming,table=s.new") == 1);
    CHECK(metric(&f, "TotalNumberOfEventsSeen", "snapshot") == 1);
    end(&f);
}

TEST(notices_are_counted_though_no_channel_wants_them)
{
    struct fixture f;
    begin(&f);
    cdc_notify(&f.cdc, CDC_INITIAL_SNAPSHOT, NULL, "STARTED", NULL);
    cdc_notify(&f.cdc, CDC_INITIAL_SNAPSHOT, NULL, "STARTED", NULL);
    cdc_notify(&f.cdc, CDC_INCREMENTAL_SNAPSHOT, NULL, "STARTED", NULL);
    cdc_meters_tell(&f.cdc);
    CHECK(metric(&f, "Notifications",
                 "notifications,aggregate_type=Initial Snapshot,type=STARTED") == 2);
    CHECK(metric(&f, "Notifications",
                 "notifications,aggregate_type=Incremental Snapshot,type=STARTED") == 1);
    end(&f);
}

/* ---- the slot's WAL ---- */

#define MB ((uint64_t)1 << 20)

static size_t looks(struct fixture *f, const char *status, uint64_t retained, uint64_t behind)
{
    const struct cdc_slot_look look = {.status = status,
                                       .retained = retained,
                                       .behind = behind,
                                       .safe = strcmp(status, "reserved") ? 5 * (int64_t)MB : -1,
                                       .limit = "1GB",
                                       .holder = "that of somebody"};
    size_t before = f->fake.logs_n;
    cdc_watch_look(&f->cdc, &look);
    return f->fake.logs_n - before;
}

TEST(retained_wal_is_warned_of_when_it_lasts_and_when_it_doubles)
{
    struct fixture f;
    begin(&f);
    f.cdc.settings.wal_warn_bytes = 100 * MB;
    CHECK_INT(looks(&f, "reserved", 99 * MB, 0), 0);
    CHECK_INT(looks(&f, "reserved", 150 * MB, 150 * MB), 0); /* a burst? */
    CHECK_INT(looks(&f, "reserved", 20 * MB, 0), 0);         /* it was */
    CHECK_INT(looks(&f, "reserved", 150 * MB, 150 * MB), 0);
    CHECK_INT(looks(&f, "reserved", 151 * MB, 151 * MB), 1);
    CHECK(fake_logged(&f.fake, "warn: replication slot \"slot\" holds back 151 MB of WAL "
                               "(max_slot_wal_keep_size is 1GB): 151 MB of it is not confirmed"));
    CHECK_INT(looks(&f, "reserved", 290 * MB, 290 * MB), 0);
    CHECK_INT(looks(&f, "reserved", 302 * MB, 302 * MB), 1);
    CHECK_INT(looks(&f, "reserved", 310 * MB, 1 * MB), 0);
    CHECK_INT(looks(&f, "reserved", 311 * MB, 1 * MB), 1); /* another cause */
    CHECK(fake_logged(&f.fake, "open transactions to end; the oldest is that of somebody"));
    CHECK_INT(looks(&f, "reserved", 312 * MB, 312 * MB), 0); /* known by now */
    CHECK_INT(looks(&f, "reserved", 313 * MB, 313 * MB), 0);
    CHECK_INT(looks(&f, "reserved", 60 * MB, 0), 0);
    CHECK_INT(looks(&f, "reserved", 40 * MB, 0), 1);
    CHECK(fake_logged(&f.fake, "holds back 40 MB of WAL again, which is no concern"));
    CHECK_INT(looks(&f, "reserved", 40 * MB, 0), 0);
    end(&f);
}

TEST(a_slot_in_danger_is_warned_of_at_once)
{
    struct fixture f;
    begin(&f);
    f.cdc.settings.flush_mode = CDC_FLUSH_MANUAL;
    CHECK_INT(looks(&f, "reserved", 5000 * MB, 5000 * MB), 0); /* no limit is set */
    CHECK_INT(looks(&f, "extended", 5000 * MB, 5000 * MB), 1);
    CHECK(fake_logged(&f.fake, "more than the server keeps by itself (max_wal_size) "
                               "(max_slot_wal_keep_size is 1GB; 5120 kB more, and the slot may be "
                               "lost): 5000 MB of it was never confirmed, as lsn.flush.mode"));
    CHECK_INT(looks(&f, "extended", 5000 * MB, 5000 * MB), 0);
    CHECK_INT(looks(&f, "unreserved", 9000 * MB, 5000 * MB), 1);
    CHECK(fake_logged(&f.fake, "which the server may remove at its next checkpoint"));
    CHECK_INT(looks(&f, "extended", 9000 * MB, 5000 * MB), 0);
    CHECK_INT(looks(&f, "reserved", 9000 * MB, 5000 * MB), 1);
    f.cdc.meters.next_ms = 0;
    cdc_meters_tell(&f.cdc);
    CHECK(metric(&f, "SlotRetainedBytes", "streaming") == (double)(9000 * MB));
    CHECK(metric(&f, "SlotBehindBytes", "streaming") == (double)(5000 * MB));
    CHECK(metric(&f, "SlotSafeBytes", "streaming") == -1); /* without limit: not told */
    end(&f);
}

TEST(bytes_are_shown_in_the_unit_that_people_read)
{
    char out[24];
    CHECK_STR(cdc_bytes_text(0, out), "0 bytes");
    CHECK_STR(cdc_bytes_text(10239, out), "10239 bytes");
    CHECK_STR(cdc_bytes_text(10240, out), "10 kB");
    CHECK_STR(cdc_bytes_text(UINT64_MAX, out), "16384 PB");
}
