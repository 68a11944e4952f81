/* postgres-cdc's signals of a topic: whose they are, what is wrong with them, when they are let go
 * of. Without Postgres: nothing is read, the requests only wait. */
#include <string.h>

#include "cdc.h"
#include "fake_host.h"
#include "harness.h"

struct signals {
    struct fake_host fake;
    struct cdc cdc;
    struct sluice_room room;
    struct sluice_batch batch;
};

static const struct sluice_label group = {"group.id", "g"};

static void begin(struct signals *s)
{
    memset(s, 0, sizeof(*s));
    extern const struct sluice_plugin *const *sluice_plugins_v1(void);
    fake_init(&s->fake, sluice_plugins_v1()[0], NULL);
    sluice_batch_init(&s->batch);
    s->room = (struct sluice_room){.size = sizeof(s->room), .records = 100, .bytes = 1 << 20};
    s->cdc.host = &s->fake.host;
    s->cdc.task = (struct sluice_task *)&s->fake;
    s->cdc.room = &s->room;
    s->cdc.memory = (struct cdc_memory){.host = &s->fake.host, .batch = &s->batch};
    s->cdc.slot.confirmed = 77;
    struct cdc_settings *settings = &s->cdc.settings;
    settings->prefix = "srv";
    settings->signal_topic = "srv-signal";
    settings->signal_props = (struct sluice_label *)&group;
    settings->signal_props_n = 1;
    settings->read_only = true;
    cdc_incremental_init(&s->cdc, NULL);
}

static void end(struct signals *s)
{
    cdc_signals_fini(&s->cdc);
    cdc_incremental_fini(&s->cdc);
    sluice_batch_fini(&s->batch);
    fake_fini(&s->fake);
}

#define EXECUTE                                                                                    \
    "{\"type\": \"execute-snapshot\", \"id\": \"i\", \"data\": {\"data-collections\": [\"a.b\"]}}"

TEST(signals_of_a_topic_are_let_go_of_when_their_state_is_durable)
{
    struct signals s;
    begin(&s);
    fake_message(&s.fake, "srv",
                 "{\"type\": \"log\", \"data\": \"{\\\"message\\\": \\\"hi\\\"}\"}");
    fake_message(&s.fake, "other", EXECUTE);
    fake_message(&s.fake, NULL, EXECUTE);
    fake_message(&s.fake, "srv", NULL);
    cdc_signals_poll(&s.cdc);
    CHECK_STR(s.fake.read_topic, "srv-signal");
    CHECK_STR(sluice_map_get(&s.fake.read_with, "group.id"), "g");
    CHECK(fake_logged(&s.fake, "info: hi"));
    CHECK(fake_logged(&s.fake, "at offset 2 is not ours"));
    CHECK_INT(s.fake.messages_committed, 4);
    CHECK_INT(s.cdc.emitted, 0);

    fake_message(&s.fake, "srv", EXECUTE);
    fake_message(&s.fake, "srv", "{\"type\": \"log\", \"data\": {\"message\": \"later\"}}");
    cdc_signals_poll(&s.cdc);
    CHECK_INT(s.fake.messages_at, 6);
    CHECK_INT(s.fake.messages_committed, 4);
    CHECK_INT(s.cdc.emitted, 1); /* the position, so that the state gets durable */
    CHECK_INT(s.cdc.position.lsn_commit, 77);
    cdc_signals_acked(&s.cdc, (uint16_t)(s.cdc.position.state - 1));
    CHECK_INT(s.fake.messages_committed, 4);
    cdc_signals_acked(&s.cdc, s.cdc.position.state);
    CHECK_INT(s.fake.messages_committed, 6);
    end(&s);
}

TEST(signals_wait_until_a_transaction_is_over)
{
    struct signals s;
    begin(&s);
    fake_message(&s.fake, "srv", EXECUTE);
    s.cdc.in_transaction = true;
    cdc_signals_poll(&s.cdc);
    CHECK_INT(s.fake.messages_at, 0);
    s.cdc.in_transaction = false;
    s.room.records = 0;
    cdc_signals_poll(&s.cdc);
    CHECK_INT(s.fake.messages_at, 0);
    s.room.records = 1;
    cdc_signals_poll(&s.cdc);
    CHECK_INT(s.fake.messages_at, 1);
    end(&s);
}

TEST(metrics_have_debeziums_names)
{
    struct signals s;
    begin(&s);
    s.cdc.meters.reads = 5;
    s.cdc.phase = CDC_STREAM;
    cdc_meters_tell(&s.cdc);
    CHECK(fake_metric(&s.fake, "debezium_metrics_Connected{plugin=postgres,name=srv,context="
                               "streaming}") == 1);
    CHECK(fake_metric(&s.fake, "debezium_metrics_TotalNumberOfEventsSeen{plugin=postgres,name=srv,"
                               "context=snapshot}") == 5);
    CHECK(fake_metric(&s.fake, "debezium_metrics_MilliSecondsBehindSource{plugin=postgres,name=srv,"
                               "context=streaming}") == -1);
    end(&s);
}
