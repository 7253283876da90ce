/*
 * Option tables: every type, defaults, and every way to get one wrong.
 */
#include <biscuit/option.h>

#include "tests/unit/unit.h"

static const struct bis_option table[] = {
	{"path", BIS_OPTION_TEXT, NULL, NULL, "file to serve"},
	{"label", BIS_OPTION_TEXT, "", NULL, "shown to the guest"},
	{"count", BIS_OPTION_U64, "3", NULL, "number of units"},
	{"size", BIS_OPTION_SIZE, "64K", NULL, "bytes"},
	{"readonly", BIS_OPTION_BOOL, "off", NULL, "refuse writes"},
	{"cache", BIS_OPTION_ENUM, "writeback", "none|writeback|writethrough", "host caching"},
	{"limit", BIS_OPTION_U64, "", NULL, "no limit unless given"},
	{NULL, BIS_OPTION_TEXT, NULL, NULL, NULL},
};

static struct bis_options *parse(const char *text)
{
	struct bis_options *o = NULL;

	assert_ok(bis_options_parse("disk", table, text, &o));
	return o;
}

static void defaults_fill_what_is_not_given(void **state)
{
	struct bis_options *o = parse("path=/tmp/x");

	(void)state;
	assert_string_equal(bis_option_text(o, "path"), "/tmp/x");
	assert_string_equal(bis_option_text(o, "label"), "");
	assert_string_equal(bis_option_text(o, "cache"), "writeback");
	assert_int_equal(bis_option_u64(o, "count"), 3);
	assert_int_equal(bis_option_u64(o, "size"), 65536);
	assert_int_equal(bis_option_u64(o, "limit"), 0);
	assert_false(bis_option_bool(o, "readonly"));
	assert_true(bis_option_given(o, "path"));
	assert_false(bis_option_given(o, "count"));
	assert_false(bis_option_given(o, "limit"));
	bis_options_free(o);
}

static void every_type_is_read_as_written(void **state)
{
	struct bis_options *o = parse("path=a=b,label=x y,count=0xFF,size=2G,readonly,cache=none,limit=0");

	(void)state;
	assert_string_equal(bis_option_text(o, "path"), "a=b");
	assert_string_equal(bis_option_text(o, "label"), "x y");
	assert_int_equal(bis_option_u64(o, "count"), 255);
	assert_int_equal(bis_option_u64(o, "size"), UINT64_C(2) << 30);
	assert_true(bis_option_bool(o, "readonly"));
	assert_string_equal(bis_option_text(o, "cache"), "none");
	assert_true(bis_option_given(o, "limit"));
	bis_options_free(o);
}

static void double_comma_is_a_literal_comma(void **state)
{
	struct bis_options *o = parse("path=a,,b,,,label=,,,,,count=1");

	(void)state;
	assert_string_equal(bis_option_text(o, "path"), "a,b,");
	assert_string_equal(bis_option_text(o, "label"), ",,");
	assert_int_equal(bis_option_u64(o, "count"), 1);
	bis_options_free(o);
	o = parse("path=,,");
	assert_string_equal(bis_option_text(o, "path"), ",");
	bis_options_free(o);
}

static void boolean_words(void **state)
{
	static const struct {
		const char *text;
		bool value;
	} cases[] = {
		{"path=x,readonly=on", true},	  {"path=x,readonly=yes", true},  {"path=x,readonly=true", true},
		{"path=x,readonly=1", true},	  {"path=x,readonly=off", false}, {"path=x,readonly=no", false},
		{"path=x,readonly=false", false}, {"path=x,readonly=0", false},
	};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(cases); i++) {
		struct bis_options *o = parse(cases[i].text);

		assert_int_equal(bis_option_bool(o, "readonly"), cases[i].value);
		bis_options_free(o);
	}
}

static void wrong_texts_are_named(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"pth=x", "disk: unknown option 'pth' (did you mean 'path'?)"},
		{"path=x,zzzzz=1", "disk: unknown option 'zzzzz'"},
		{"path=x,path=y", "option 'path' is given twice"},
		{"path=x,count=5,count=5", "option 'count' is given twice"},
		{"count=1", "option 'path' is required (file to serve)"},
		{"", "option 'path' is required"},
		{"path", "option 'path' needs a value"},
		{"path=x,count", "option 'count' needs a value"},
		{"path=x,count=", "option 'count' is '', expected a number"},
		{"path=x,count=-1", "option 'count' is '-1'"},
		{"path=x,count= 1", "option 'count' is ' 1'"},
		{"path=x,count=1K", "option 'count' is '1K'"},
		{"path=x,count=0x", "option 'count' is '0x'"},
		{"path=x,count=18446744073709551616", "expected a number, decimal or 0x…, below 2^64"},
		{"path=x,size=16777216T", "option 'size' is '16777216T'"},
		{"path=x,size=1KB", "option 'size' is '1KB'"},
		{"path=x,size=K", "option 'size' is 'K'"},
		{"path=x,readonly=maybe", "expected on or off"},
		{"path=x,readonly=", "expected on or off"},
		{"path=x,cache=writebac", "expected one of none|writeback|writethrough"},
		{"path=x,cache=none|writeback", "option 'cache' is"},
		{"path=x,cache=", "option 'cache' is ''"},
		{"path=x,", "an option without a name"},
		{",path=x", "an option without a name"},
		{"path=x,=y", "an option without a name"},
	};
	struct bis_options *const untouched = (struct bis_options *)(void *)&cases[0], *o = untouched;

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(cases); i++) {
		assert_fails(bis_options_parse("disk", table, cases[i].text, &o), -EINVAL, cases[i].words);
		assert_ptr_equal(o, untouched);
	}
	assert_fails(bis_options_parse("disk", table, NULL, &o), -EINVAL, "required");
}

static void a_class_without_options_takes_none(void **state)
{
	struct bis_options *o = NULL;

	(void)state;
	assert_ok(bis_options_parse("rtc", NULL, NULL, &o));
	assert_false(bis_option_given(o, "path"));
	bis_options_free(o);
	assert_fails(bis_options_parse("rtc", NULL, "a=1", &o), -EINVAL,
		     "rtc: unknown option 'a' (there are no options)");
	bis_options_free(NULL);
}

static void wrong_names_and_types_read_as_nothing(void **state)
{
	struct bis_options *o = parse("path=x,count=7");

	(void)state;
	assert_null(bis_option_text(o, "count"));
	assert_null(bis_option_text(o, "nothing"));
	assert_int_equal(bis_option_u64(o, "path"), 0);
	assert_false(bis_option_bool(o, "count"));
	bis_options_free(o);
}

static void a_wrong_default_is_an_error_not_a_value(void **state)
{
	static const struct bis_option broken[] = {
		{"n", BIS_OPTION_U64, "many", NULL, "h"},
		{NULL, BIS_OPTION_TEXT, NULL, NULL, NULL},
	};
	struct bis_options *o = NULL;

	(void)state;
	assert_fails(bis_options_parse("mine", broken, "", &o), -EINVAL, "mine: option 'n' is 'many'");
	assert_ok(bis_options_parse("mine", broken, "n=1", &o));
	bis_options_free(o);
}

static void sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = {
		{"0", 0},
		{"1", 1},
		{"128M", UINT64_C(128) << 20},
		{"0x1000", 4096},
		{"2G", UINT64_C(2) << 30},
		{"3k", 3072},
		{"010", 10},
		{"0x10K", 16384},
		{"16777215T", UINT64_C(16777215) << 40},
		{"0xffffffffffffffff", UINT64_MAX},
	};
	static const char *const bad[] = {"",
					  "M",
					  "-1",
					  "1.5G",
					  "1 M",
					  "1MM",
					  "1MiB",
					  "0x",
					  "0xg",
					  "18446744073709551616",
					  "0x10000000000000000",
					  "16777216T"};
	uint64_t value = 42;

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++)
		assert_fails(bis_parse_size(bad[i], &value), -EINVAL, "is not a size");
	assert_int_equal(value, 42);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(good); i++) {
		assert_ok(bis_parse_size(good[i].text, &value));
		assert_int_equal(value, good[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_fill_what_is_not_given),
		cmocka_unit_test(every_type_is_read_as_written),
		cmocka_unit_test(double_comma_is_a_literal_comma),
		cmocka_unit_test(boolean_words),
		cmocka_unit_test(wrong_texts_are_named),
		cmocka_unit_test(a_class_without_options_takes_none),
		cmocka_unit_test(wrong_names_and_types_read_as_nothing),
		cmocka_unit_test(a_wrong_default_is_an_error_not_a_value),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests_name("option", tests, NULL, NULL);
}
