/*
 * Field tables: what is written is read back, for every type; what does not fit changes nothing.
 */
#include <stdlib.h>

#include <biscuit/field.h>

#include "tests/unit/unit.h"

struct device {
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	bool on;
	uint8_t bytes[4];
	char text[8];
	uint32_t list[3];
	uint64_t identity;
};

static const struct bis_field table[] = {
	BIS_FIELD(struct device, u8, U8, BIS_FIELD_HEX, "a byte"),
	BIS_FIELD(struct device, u16, U16, BIS_FIELD_HEX, "a half word"),
	BIS_FIELD(struct device, u32, U32, 0, "a word, decimal"),
	BIS_FIELD(struct device, u64, U64, BIS_FIELD_HEX, "a double word"),
	BIS_FIELD(struct device, on, BOOL, 0, "a flag"),
	BIS_FIELD_ARRAY(struct device, bytes, BYTES, 4, 0, "raw bytes"),
	BIS_FIELD_ARRAY(struct device, text, TEXT, 8, 0, "a name"),
	BIS_FIELD_ARRAY(struct device, list, U32, 3, BIS_FIELD_HEX, "some words"),
	BIS_FIELD(struct device, identity, U64, BIS_FIELD_READONLY, "cannot be set"),
	BIS_FIELD_END,
};

static const struct bis_field *row(const char *name)
{
	const struct bis_field *f = bis_field_find(table, name);

	assert_non_null(f);
	return f;
}

static void assert_text(const struct device *d, const char *name, const char *expected)
{
	char buf[64];

	assert_int_equal(bis_field_format(row(name), d, buf, sizeof(buf)), strlen(expected));
	assert_string_equal(buf, expected);
}

static void rows_are_found_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(bis_field_find(table, "u8"), &table[0]);
	assert_null(bis_field_find(table, "u9"));
	assert_null(bis_field_find(NULL, "u8"));
	assert_int_equal(bis_field_unit(BIS_FIELD_U8), 1);
	assert_int_equal(bis_field_unit(BIS_FIELD_U16), 2);
	assert_int_equal(bis_field_unit(BIS_FIELD_U32), 4);
	assert_int_equal(bis_field_unit(BIS_FIELD_U64), 8);
	assert_int_equal(bis_field_unit(BIS_FIELD_BYTES), 1);
	assert_int_equal(bis_field_unit(BIS_FIELD_TEXT), 1);
}

static void values_are_shown_padded_to_their_width(void **state)
{
	const struct device d = {.u8 = 0xa,
				 .u16 = 0x1ff,
				 .u32 = 4000000000,
				 .u64 = UINT64_C(0x80000000),
				 .on = true,
				 .bytes = {0, 1, 0xab, 0xff},
				 .text = "uart0",
				 .list = {1, 2, 0xffffffff}};

	(void)state;
	assert_text(&d, "u8", "0x0a");
	assert_text(&d, "u16", "0x01ff");
	assert_text(&d, "u32", "4000000000");
	assert_text(&d, "u64", "0x0000000080000000");
	assert_text(&d, "on", "1");
	assert_text(&d, "bytes", "0001abff");
	assert_text(&d, "text", "uart0");
	assert_text(&d, "list", "0x00000001 0x00000002 0xffffffff");
}

static void every_value_survives_a_round_trip(void **state)
{
	struct device d, back;
	char buf[64];

	(void)state;
	srand(1);
	for (int turn = 0; turn < 200; turn++) {
		memset(&d, 0, sizeof(d));
		for (size_t i = 0; i < sizeof(d); i++)
			((uint8_t *)&d)[i] = (uint8_t)(rand() >> 4);
		d.on = (turn & 1) != 0;
		d.text[turn % 8] = '\0';
		memset(&back, 0, sizeof(back));
		for (const struct bis_field *f = table; f->name; f++) {
			size_t size =
				f->type == BIS_FIELD_TEXT ? strlen(d.text) + 1 : f->count * bis_field_unit(f->type);

			if (f->flags & BIS_FIELD_READONLY)
				continue;
			assert_true(bis_field_format(f, &d, buf, sizeof(buf)) < (int)sizeof(buf));
			assert_null(strpbrk(buf, "\n\t\r"));
			assert_ok(bis_field_parse(f, &back, buf));
			assert_memory_equal((char *)&back + f->offset, (char *)&d + f->offset, size);
		}
	}
}

static void format_counts_on_when_the_buffer_is_full(void **state)
{
	const struct device d = {.list = {1, 2, 3}, .text = "abc"};
	char buf[8] = "XXXXXXX";

	(void)state;
	assert_int_equal(bis_field_format(row("list"), &d, buf, sizeof(buf)), 32);
	assert_string_equal(buf, "0x00000");
	assert_int_equal(bis_field_format(row("text"), &d, buf, 1), 3);
	assert_string_equal(buf, "");
	assert_int_equal(bis_field_format(row("text"), &d, NULL, 0), 3);
	assert_int_equal(bis_field_format(row("text"), &d, buf, 4), 3);
	assert_string_equal(buf, "abc");
	assert_int_equal(bis_field_format(row("text"), &d, buf, 3), 3);
	assert_string_equal(buf, "ab");
}

static void text_without_end_is_read_within_its_field(void **state)
{
	struct device d;

	(void)state;
	memset(&d, 'x', sizeof(d));
	assert_text(&d, "text", "xxxxxxxx");
}

static void text_is_one_line(void **state)
{
	struct device d = {.text = "a\n\\\x7f"};

	(void)state;
	assert_text(&d, "text", "a\\x0a\\\\\\x7f");
	assert_ok(bis_field_parse(row("text"), &d, "b\\x0ac\n"));
	assert_string_equal(d.text, "b\nc");
}

static void other_spellings_are_taken(void **state)
{
	struct device d = {0};

	(void)state;
	assert_ok(bis_field_parse(row("u8"), &d, "255"));
	assert_int_equal(d.u8, 255);
	assert_ok(bis_field_parse(row("u32"), &d, " 0xFFFFFFFF\n"));
	assert_int_equal(d.u32, 0xffffffff);
	assert_ok(bis_field_parse(row("on"), &d, "yes\n"));
	assert_true(d.on);
	assert_ok(bis_field_parse(row("bytes"), &d, "DE ad be EF\n"));
	assert_memory_equal(d.bytes, "\xde\xad\xbe\xef", 4);
	assert_ok(bis_field_parse(row("list"), &d, "1\t2  3\n"));
	assert_int_equal(d.list[2], 3);
	assert_ok(bis_field_parse(row("text"), &d, ""));
	assert_string_equal(d.text, "");
}

static void wrong_texts_change_nothing(void **state)
{
	static const struct {
		const char *name, *text, *words;
	} cases[] = {
		{"u8", "256", "field 'u8': '256' is not a number of its width"},
		{"u16", "0x10000", "'0x10000'"},
		{"u32", "4294967296", "'4294967296'"},
		{"u64", "18446744073709551616", "'18446744073709551616'"},
		{"u8", "", "field 'u8' expects 1 values, found 0"},
		{"u8", "-1", "'-1'"},
		{"u8", "1x", "'1x'"},
		{"u8", "1 2", "found more"},
		{"on", "2", "'2' is not 0 or 1"},
		{"bytes", "001122", "expects 4 bytes as hexadecimal digits, found 3"},
		{"bytes", "0011223", "found 3"},
		{"bytes", "0011223344", "found more"},
		{"bytes", "001122zz", "found 3"},
		{"text", "12345678", "holds at most 7 bytes"},
		{"text", "a\\b", "backslash"},
		{"text", "a\\", "backslash"},
		{"text", "a\\x0", "backslash"},
		{"text", "a\\x00", "NUL"},
		{"list", "1 2", "field 'list' expects 3 values, found 2"},
		{"list", "1 2 3 4", "found more"},
		{"list", "1 2 x", "'x'"},
	};
	struct device d, before;

	(void)state;
	memset(&d, 0x55, sizeof(d));
	before = d;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(cases); i++) {
		assert_fails(bis_field_parse(row(cases[i].name), &d, cases[i].text), -EINVAL, cases[i].words);
		assert_memory_equal(&d, &before, sizeof(d));
	}
	assert_fails(bis_field_parse(row("identity"), &d, "1"), -EPERM, "field 'identity' is read-only");
	assert_memory_equal(&d, &before, sizeof(d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_found_by_name),
		cmocka_unit_test(values_are_shown_padded_to_their_width),
		cmocka_unit_test(every_value_survives_a_round_trip),
		cmocka_unit_test(format_counts_on_when_the_buffer_is_full),
		cmocka_unit_test(text_without_end_is_read_within_its_field),
		cmocka_unit_test(text_is_one_line),
		cmocka_unit_test(other_spellings_are_taken),
		cmocka_unit_test(wrong_texts_change_nothing),
	};

	return cmocka_run_group_tests_name("field", tests, NULL, NULL);
}
