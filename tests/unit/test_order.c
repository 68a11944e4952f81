/* Whether records stand in Kafka in the order in which they were sent. */
#include "worker/order.h"

#include "../harness.h"

TEST(order_rises)
{
    struct sluice_order *order = sluice_order_new();
    const char topics[2] = "";
    CHECK(sluice_order_rises(order, 0, &topics[0], 0, 0));
    CHECK(sluice_order_rises(order, 0, &topics[0], 0, 7));
    CHECK(!sluice_order_rises(order, 0, &topics[0], 0, 6));
    CHECK(!sluice_order_rises(order, 0, &topics[0], 0, 7));
    CHECK(sluice_order_rises(order, 0, &topics[0], 0, 8)); /* what was not in order is not noted */
    CHECK(sluice_order_rises(order, 0, &topics[0], 1, 3)); /* each partition has its own, */
    CHECK(sluice_order_rises(order, 0, &topics[1], 0, 3)); /* each topic, */
    CHECK(sluice_order_rises(order, 1, &topics[0], 0, 3)); /* and each of the source's */
    CHECK(!sluice_order_rises(order, 0, &topics[0], 0, 4));
    sluice_order_forget(order);
    CHECK(sluice_order_rises(order, 0, &topics[0], 0, 1));
    sluice_order_free(order);
    sluice_order_free(NULL);
}

TEST(order_of_many_partitions)
{
    struct sluice_order *order = sluice_order_new();
    static const char topics[50] = "";
    for (int64_t offset = 5; offset <= 6; offset++)
        for (uint32_t source = 0; source < 3; source++)
            for (size_t t = 0; t < sizeof topics; t++)
                for (int32_t p = 0; p < 12; p++)
                    CHECK(sluice_order_rises(order, source, &topics[t], p, offset));
    for (size_t t = 0; t < sizeof topics; t++) {
        CHECK(!sluice_order_rises(order, 2, &topics[t], 11, 5));
        CHECK(sluice_order_rises(order, 2, &topics[t], 11, 7));
    }
    sluice_order_free(order);
}
