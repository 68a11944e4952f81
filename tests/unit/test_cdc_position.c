/* Offsets in Debezium's form, and what a resumed stream leaves out. */
#include <string.h>

#include "data/json_text.h"
#include "fake_host.h"
#include "harness.h"
#include "position.h"

extern const struct sluice_plugin *const *sluice_plugins_v1(void);

/* What the offset text says, stored again. */
static const char *again(struct fake_host *fake, const char *json, struct cdc_position *p)
{
    struct sluice_value map;
    struct sluice_err err = {""};
    struct cdc_memory memory = {.host = &fake->host, .batch = &fake->batch};
    CHECK(sluice_json_parse(&fake->batch, json, strlen(json), &map, NULL, &err));
    if (!cdc_position_load(p, &map, &err))
        return fake_text(fake, NULL,
                         &(struct sluice_value){.type = SLUICE_STRING,
                                                .len = (uint32_t)strlen(err.msg),
                                                .u.s = err.msg});
    struct sluice_value stored = cdc_position_store(p, false, NULL, 0, &memory);
    return fake_text(fake, NULL, &stored);
}

TEST(offsets_of_debezium_are_read_and_written)
{
    struct fake_host fake;
    struct cdc_position p;
    fake_init(&fake, sluice_plugins_v1()[0], NULL);
    CHECK_STR(again(&fake,
                    "{\"lsn_proc\":24023400,\"messageType\":\"INSERT\",\"lsn_commit\":24023128,"
                    "\"lsn\":24023400,\"txId\":555,\"ts_usec\":1785000000123456}",
                    &p),
              "{\"lsn_proc\":24023400,\"messageType\":\"INSERT\",\"lsn_commit\":24023128,"
              "\"lsn\":24023400,\"txId\":555,\"ts_usec\":1785000000123456,"
              "\"lsn_events_processed\":1}");
    CHECK_INT(cdc_position_confirms(&p), 24023128);
    CHECK_STR(again(&fake,
                    "{\"ts_usec\":5,\"txId\":7,\"lsn\":100,\"snapshot\":\"INITIAL\","
                    "\"last_snapshot_record\":false,\"snapshot_completed\":false}",
                    &p),
              "{\"lsn\":100,\"txId\":7,\"ts_usec\":5,\"snapshot\":\"INITIAL\","
              "\"last_snapshot_record\":false,\"snapshot_completed\":false}");
    CHECK_INT(p.snapshot, CDC_IN_SNAPSHOT);
    CHECK_INT(cdc_position_confirms(&p), 0);
    /* Old: a boolean, null members, no lsn_commit. */
    again(&fake,
          "{\"lsn\":100,\"lsn_proc\":90,\"snapshot\":true,\"last_snapshot_record\":true,"
          "\"transaction_id\":null,\"lsn_commit\":null}",
          &p);
    CHECK_INT(p.snapshot, CDC_SNAPSHOT_DONE);
    CHECK_INT(p.lsn_commit, 90);
    CHECK_HAS(again(&fake, "{\"lsn\":\"x\"}", &p), "lsn is not a number");
    CHECK_HAS(again(&fake, "{}", &p), "has no lsn");
    fake_fini(&fake);
}

TEST(complete_transactions_are_left_out)
{
    struct cdc_position p = {.lsn = 500,
                             .lsn_proc = 500,
                             .lsn_commit = 400,
                             .txid = 9,
                             .events = 2,
                             .message = CDC_MSG_INSERT};
    struct cdc_resume r;
    cdc_resume_init(&r, &p);
    cdc_resume_begin(&r, 350, 7); /* its commit record lies before 400 */
    CHECK(cdc_resume_skips(&r, 300, 1) && cdc_resume_skips(&r, 600, 1));
    cdc_resume_begin(&r, 700, 9); /* the one under way: rows up to the second at 500 */
    CHECK(cdc_resume_skips(&r, 480, 1));
    CHECK(cdc_resume_skips(&r, 500, 1) && cdc_resume_skips(&r, 500, 2));
    CHECK(!cdc_resume_skips(&r, 500, 3) && !cdc_resume_skips(&r, 501, 1));
    cdc_resume_begin(&r, 800, 10);
    CHECK(!cdc_resume_skips(&r, 450, 1)); /* written early, committed later: new */
}

TEST(another_transaction_means_that_the_one_under_way_is_done)
{
    struct cdc_position p = {
        .lsn = 500, .lsn_commit = 400, .txid = 9, .events = 1, .message = CDC_MSG_UPDATE};
    struct cdc_resume r;
    cdc_resume_init(&r, &p);
    cdc_resume_begin(&r, 700, 8);
    CHECK(!cdc_resume_skips(&r, 450, 1));
    cdc_resume_begin(&r, 900, 9); /* the same xid cannot come a second time, after a wraparound */
    CHECK(!cdc_resume_skips(&r, 450, 1));
}

TEST(a_message_between_transactions_is_past_all_before_it)
{
    struct cdc_position p = {
        .lsn = 500, .lsn_commit = 400, .events = 1, .message = CDC_MSG_MESSAGE};
    struct cdc_resume r;
    cdc_resume_init(&r, &p);
    CHECK_INT(r.done_lsn, 501); /* the message itself begins at 500 */
    CHECK_INT(r.lsn, 0);
    cdc_resume_begin(&r, 450, 7);
    CHECK(cdc_resume_skips(&r, 420, 1));
    cdc_resume_begin(&r, 700, 0); /* no transaction has this number, but a cut one would be found */
    CHECK(!cdc_resume_skips(&r, 450, 1));
    p.txid = 9; /* within one */
    cdc_resume_init(&r, &p);
    CHECK_INT(r.done_lsn, 400);
    CHECK_INT(r.lsn, 500);
}

TEST(after_commits_and_snapshots_no_row_is_left_out)
{
    struct cdc_resume r;
    struct cdc_position commit = {
        .lsn = 400, .lsn_commit = 400, .txid = 9, .message = CDC_MSG_COMMIT};
    cdc_resume_init(&r, &commit);
    cdc_resume_begin(&r, 400, 9); /* starts where the last one ended */
    CHECK(!cdc_resume_skips(&r, 400, 1));
    struct cdc_position snapshot = {.lsn = 400, .txid = 9, .snapshot = CDC_SNAPSHOT_DONE};
    cdc_resume_init(&r, &snapshot);
    cdc_resume_begin(&r, 380, 9);
    CHECK(!cdc_resume_skips(&r, 100, 1));
}
