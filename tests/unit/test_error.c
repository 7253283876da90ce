/*
 * Failure messages, nearest names and the log rate limit.
 */
#include <pthread.h>

#include "src/base/log_internal.h"
#include "tests/unit/unit.h"

static void fail_returns_negative_and_keeps_the_sentence(void **state)
{
	(void)state;
	assert_int_equal(bis_fail(EINVAL, "uart0: option '%s' is %d", "baud", 7), -EINVAL);
	assert_string_equal(bis_error_message(), "uart0: option 'baud' is 7");
	assert_int_equal(bis_fail(-ENOMEM, "x"), -ENOMEM);
}

static void prefix_goes_before_the_sentence(void **state)
{
	(void)state;
	bis_fail(EINVAL, "bad value");
	assert_int_equal(bis_fail_prefix(-EINVAL, "module %s", "clock"), -EINVAL);
	assert_string_equal(bis_error_message(), "module clock: bad value");
}

static void arguments_may_be_the_old_sentence(void **state)
{
	(void)state;
	bis_fail(EINVAL, "inner");
	bis_fail(EIO, "outer (%s)", bis_error_message());
	assert_string_equal(bis_error_message(), "outer (inner)");
}

static void long_sentences_are_cut(void **state)
{
	char text[4000];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	bis_fail(EINVAL, "%s", text);
	assert_int_equal(strlen(bis_error_message()), 2047);
	bis_fail_prefix(-EINVAL, "prefix");
	assert_int_equal(strlen(bis_error_message()), 2047);
	assert_memory_equal(bis_error_message(), "prefix: aaa", 11);
	bis_fail_prefix(-EINVAL, "%s", text);
	assert_int_equal(strlen(bis_error_message()), 2047);
}

static void *other_thread(void *arg)
{
	*(int *)arg = strcmp(bis_error_message(), "") == 0;
	bis_fail(EINVAL, "elsewhere");
	return NULL;
}

static void sentences_belong_to_their_thread(void **state)
{
	pthread_t thread;
	int was_empty = 0;

	(void)state;
	bis_fail(EINVAL, "here");
	assert_int_equal(pthread_create(&thread, NULL, other_thread, &was_empty), 0);
	pthread_join(thread, NULL);
	assert_true(was_empty);
	assert_string_equal(bis_error_message(), "here");
}

static void nearest_name_finds_slips_only(void **state)
{
	static const char *const names[] = {"memory", "harts", "isa", "engine", "module"};
	static const struct {
		const char *word, *nearest;
	} cases[] = {
		{"memroy", "memory"}, {"memor", "memory"},  {"harst", "harts"},	  {"ias", "isa"}, {"engine", "engine"},
		{"modul", "module"},  {"x", NULL},	    {"", NULL},		  {"xyz", NULL},  {"timeout", NULL},
		{"isaa", "isa"},      {"eginne", "engine"}, {"completely", NULL},
	};
	char long_word[200];

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(cases); i++) {
		const char *got = bis_nearest_name(cases[i].word, names, BIS_ARRAY_SIZE(names));

		if (cases[i].nearest)
			assert_string_equal(got ? got : "(none)", cases[i].nearest);
		else
			assert_null(got);
	}
	memset(long_word, 'm', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	assert_null(bis_nearest_name(long_word, names, BIS_ARRAY_SIZE(names)));
	assert_null(bis_nearest_name("isa", NULL, 0));
}

static void log_limit_passes_a_burst_a_second_and_counts_the_rest(void **state)
{
	const uint64_t second = 1000000000;
	struct bis_log_limit limit = {0};
	uint32_t dropped = 99;

	(void)state;
	for (unsigned i = 0; i < BIS_LOG_BURST; i++) {
		assert_true(bis_log_limit_pass(&limit, 5 * second + i, &dropped));
		assert_int_equal(dropped, 0);
	}
	dropped = 99;
	for (unsigned i = 0; i < 3; i++)
		assert_false(bis_log_limit_pass(&limit, 6 * second - 1, &dropped));
	assert_int_equal(dropped, 99);
	assert_true(bis_log_limit_pass(&limit, 6 * second, &dropped));
	assert_int_equal(dropped, 3);
	assert_true(bis_log_limit_pass(&limit, 6 * second, &dropped));
	assert_int_equal(dropped, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fail_returns_negative_and_keeps_the_sentence),
		cmocka_unit_test(prefix_goes_before_the_sentence),
		cmocka_unit_test(arguments_may_be_the_old_sentence),
		cmocka_unit_test(long_sentences_are_cut),
		cmocka_unit_test(sentences_belong_to_their_thread),
		cmocka_unit_test(nearest_name_finds_slips_only),
		cmocka_unit_test(log_limit_passes_a_burst_a_second_and_counts_the_rest),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
