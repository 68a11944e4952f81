/* failing.c - proof that the harness notices: every test here but one has to fail. ctest looks for
 * the last line. */
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#include "harness.h"

TEST(passes)
{
    CHECK_DOUBLE(NAN, NAN);
    CHECK_STR(NULL, NULL);
    CHECK_MEM("", 0, NULL, 0);
    close(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

TEST(check_fails) { CHECK(1 > 2); }
TEST(int_fails) { CHECK_INT(1, 2); }
TEST(text_fails) { CHECK_STR("a", "b"); }
TEST(null_text_fails) { CHECK_STR(NULL, "b"); }
TEST(piece_fails) { CHECK_HAS("abc", "d"); }
TEST(bytes_fail) { CHECK_MEM("a\1", 2, "a\2", 2); }
TEST(shorter_bytes_fail) { CHECK_MEM("a", 1, "ab", 2); }
TEST(double_fails) { CHECK_DOUBLE(0.1, 0.2); }
TEST(fail_fails) { FAIL("because %d", 1); }
TEST(missing_file_fails) { harness_file("golden/no-such-file", NULL); }

TEST(open_descriptor_fails)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
}
