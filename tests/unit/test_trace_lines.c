/*
 * --trace from the inside: which values it takes, what its filters let through, and that its lines are what they claim
 * to be whatever a guest puts into them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "frontend/run/profile.h"
#include "frontend/run/profile_internal.h"
#include "frontend/run/trace_internal.h"
#include "tests/unit/debug_rig.h"

/* --- Values --- */

static void takes_kinds_filters_a_file_and_a_format(void **state)
{
	static const char *const good[] = {
		"insn",
		"insn,trap,mmio,csr,fs",
		"insn:main,insn:0x80000000-0x80000fff",
		"file=/tmp/x",
		"csr,format=json",
		"trap:ecall-u,file=a,,b",
		"fs:/a=b,format=text,format=text",
	};
	static const struct {
		const char *value, *says;
	} bad[] = {
		{"", "is empty"},
		{"insm", "did you mean 'insn'"},
		{",insn", "an empty item"},
		{"insn:", "expected a filter"},
		{"/tmp/x", "a file is file=/tmp/x"},
		{"file=", "is empty"},
		{"file=a,file=b", "given twice"},
		{"format=xml", "text or json"},
		{"format=text,format=json", "given twice"},
		{"insn trap", "unknown kind"},
		{"INSN", "unknown kind"},
	};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(good); i++)
		assert_ok(trace_check(good[i]));
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		assert_int_equal(trace_check(bad[i].value), -EINVAL);
		assert_non_null(strstr(bis_error_message(), bad[i].says));
	}
}

static void takes_a_file_and_a_rate_for_the_profile(void **state)
{
	static const char *const good[] = {"x.prof", "x.prof,rate=100", "rate=1", "a,,b,rate=20000"};
	static const char *const bad[] = {"", "rate=0", "rate=20001", "rate=", "rate=10x", "a,b", ",", "rate=-1"};

	(void)state;
	assert_ok(profile_check(NULL));
	for (size_t i = 0; i < BIS_ARRAY_SIZE(good); i++)
		assert_ok(profile_check(good[i]));
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++)
		assert_int_equal(profile_check(bad[i]), -EINVAL);
}

/* --- Filters --- */

struct fixture {
	struct bis_machine *m;
	struct debug *d;
	struct trace t;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct elf_builder e;
	char path[64];

	f->m = rig_create("rv64gc", 1);
	rig_add(f->m, "finisher,at=0x100000");
	assert_ok(debug_create(f->m, &f->d));
	debug_rig_elf(&e, true, RIG_CODE);
	assert_ok(debug_rig_load(f->d, &e, path));
	f->t.m = f->m;
	f->t.debug = f->d;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	trace_filters_free(&f->t);
	debug_destroy(f->d);
	bis_machine_destroy(f->m);
	free(f);
	return 0;
}

/* Reads the value in place of the one before. */
static int filter(struct fixture *f, const char *value)
{
	struct trace_target target = {0};
	int err;

	trace_filters_free(&f->t);
	err = trace_spec_read(value, &f->t, &target);
	for (size_t i = 0; !err && i < f->t.count; i++)
		err = trace_filter_resolve(&f->t, &f->t.filters[i]);
	return err;
}

static void refuses(struct fixture *f, const char *value, const char *says)
{
	assert_true(filter(f, value) < 0);
	assert_non_null(strstr(bis_error_message(), says));
}

static void lets_instructions_through_by_address_and_symbol(void **state)
{
	struct fixture *f = *state;

	assert_ok(filter(f, "insn:helper"));
	assert_false(trace_wants_insn(&f->t, RIG_CODE + 63));
	assert_true(trace_wants_insn(&f->t, RIG_CODE + 64));
	assert_true(trace_wants_insn(&f->t, RIG_CODE + 79));
	assert_false(trace_wants_insn(&f->t, RIG_CODE + 80));
	assert_ok(filter(f, "insn:main+4,insn:0x90-0xa0"));
	assert_false(trace_wants_insn(&f->t, RIG_CODE));
	assert_true(trace_wants_insn(&f->t, RIG_CODE + 4));
	assert_false(trace_wants_insn(&f->t, RIG_CODE + 5));
	assert_true(trace_wants_insn(&f->t, 0xa0));
	assert_false(trace_wants_insn(&f->t, 0xa1));
	assert_ok(filter(f, "insn:asm_label")); /* without a size: to the next symbol */
	assert_true(trace_wants_insn(&f->t, RIG_CODE + 0x1ff));
	assert_false(trace_wants_insn(&f->t, RIG_CODE + 0x200));
	assert_ok(filter(f, "insn,insn:main"));
	assert_true(trace_wants_insn(&f->t, 0));
	refuses(f, "insn:mian", "did you mean 'main'");
	refuses(f, "insn:0x20-0x10", "ends before it begins");
	refuses(f, "insn:main-helqer", "did you mean 'helper'");
	refuses(f, "insn:0x1g", "expected a number");
}

static bool wants_trap(const struct fixture *f, bool interrupt, uint64_t cause)
{
	return trace_wants_trap(&f->t, &(struct bis_trap_seen){.interrupt = interrupt, .cause = cause});
}

static void lets_traps_through_by_name_and_number(void **state)
{
	struct fixture *f = *state;

	assert_ok(filter(f, "trap:ecall-u"));
	assert_true(wants_trap(f, false, 8));
	assert_false(wants_trap(f, true, 8));
	assert_false(wants_trap(f, false, 9));
	assert_ok(filter(f, "trap:m-timer"));
	assert_true(wants_trap(f, true, 7));
	assert_false(wants_trap(f, false, 7));
	assert_ok(filter(f, "trap:5"));
	assert_true(wants_trap(f, false, 5));
	assert_false(wants_trap(f, true, 5));
	assert_ok(filter(f, "trap:interrupt-5,trap:exception-24"));
	assert_true(wants_trap(f, true, 5));
	assert_true(wants_trap(f, false, 24));
	assert_false(wants_trap(f, false, 5));
	assert_ok(filter(f, "trap:interrupt"));
	assert_true(wants_trap(f, true, 63));
	assert_false(wants_trap(f, false, 2));
	refuses(f, "trap:ecall", "did you mean 'ecall-u'");
	refuses(f, "trap:64", "unknown trap");
	refuses(f, "trap:interrupt-", "unknown trap");
}

static void lets_csrs_and_devices_through_by_name_and_number(void **state)
{
	struct fixture *f = *state;
	struct bis_mmio_seen finisher = {.module = "finisher", .slot = -1, .address = 0x100000};
	struct bis_mmio_seen slot = {.module = "block", .slot = 3, .address = 0x5d8};

	assert_ok(filter(f, "csr:satp,csr:0x300"));
	assert_true(trace_wants_csr(&f->t, &(struct bis_csr_seen){.number = 0x180}));
	assert_true(trace_wants_csr(&f->t, &(struct bis_csr_seen){.number = 0x300}));
	assert_false(trace_wants_csr(&f->t, &(struct bis_csr_seen){.number = 0x301}));
	assert_ok(filter(f, "mmio:finisher"));
	assert_true(trace_wants_mmio(&f->t, &finisher));
	assert_false(trace_wants_mmio(&f->t, &slot));
	assert_ok(filter(f, "mmio:slot3"));
	assert_false(trace_wants_mmio(&f->t, &finisher));
	assert_true(trace_wants_mmio(&f->t, &slot));
	assert_ok(filter(f, "mmio:0-0x100000")); /* the numbers of slots' registers are no addresses */
	assert_true(trace_wants_mmio(&f->t, &finisher));
	assert_false(trace_wants_mmio(&f->t, &slot));
	assert_ok(filter(f, "mmio"));
	assert_true(trace_wants_mmio(&f->t, &slot));
	refuses(f, "csr:satq", "did you mean 'satp'");
	refuses(f, "csr:4096", "unknown CSR");
	refuses(f, "mmio:finishr", "did you mean 'finisher'");
	refuses(f, "mmio:slot16", "unknown device");
	refuses(f, "mmio:2-1", "ends before it begins");
}

static bool wants_fs(const struct fixture *f, const char *share, const char *path, const char *other)
{
	return trace_wants_fs(&f->t, &(struct bis_fs_seen){.share = share, .path = path, .other = other});
}

static void lets_files_through_by_share_and_path(void **state)
{
	struct fixture *f = *state;

	rig_add(f->m, "share,path=/tmp,name=src");
	assert_ok(filter(f, "fs:/a/b/"));
	assert_true(wants_fs(f, "src", "/a/b", NULL));
	assert_true(wants_fs(f, "out", "/a/b/c", NULL));
	assert_true(wants_fs(f, "out", "/x", "/a/b"));
	assert_false(wants_fs(f, "src", "/a/bc", NULL));
	assert_false(wants_fs(f, "src", NULL, NULL));
	assert_ok(filter(f, "fs:src:/a"));
	assert_true(wants_fs(f, "src", "/a/b", NULL));
	assert_false(wants_fs(f, "out", "/a/b", NULL));
	assert_ok(filter(f, "fs:src"));
	assert_true(wants_fs(f, "src", NULL, NULL));
	assert_ok(filter(f, "fs:/"));
	assert_true(wants_fs(f, "src", "/x", NULL));
	refuses(f, "fs:srx", "did you mean 'src'");
	refuses(f, "fs:src:a", "a path from the share's root");
	refuses(f, "fs::/a", "unknown share");
}

/* --- Lines --- */

static void makes_json_strings_of_anything(void **state)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{"", "\"\""},
		{"a\"b\\c", "\"a\\\"b\\\\c\""},
		{"\n\x01\x1f", "\"\\u000a\\u0001\\u001f\""},
		{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
		{"\xff\x80x", "\"\\ufffd\\ufffdx\""},
		{"\xc0\xaf", "\"\\ufffd\\ufffd\""},			  /* overlong */
		{"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},		  /* a surrogate */
		{"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""}, /* beyond U+10FFFF */
		{"\xe2\x82", "\"\\ufffd\\ufffd\""},			  /* cut */
	};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(cases); i++) {
		struct trace_text t = {0};

		trace_put_json(&t, cases[i].text);
		trace_put_bytes(&t, "", 1);
		assert_string_equal(t.data, cases[i].json);
		free(t.data);
	}
}

static void keeps_a_line_a_line(void **state)
{
	struct bis_fs_seen seen = {.share = "src",
				   .operation = "rename",
				   .path = "/a\nb",
				   .other = "/c\\\x7f",
				   .has_range = true,
				   .length = 5,
				   .result = -ENOENT};
	struct trace t = {0};
	struct trace_text to = {0};

	(void)state;
	trace_put_fs(&t, &to, &seen);
	trace_put_bytes(&to, "", 1);
	assert_string_equal(to.data, "- fs src rename /a\\x0ab /c\\x5c\\x7f @0+5 = -2 (No such file or directory)\n");
	to.len = 0;
	t.json = true;
	trace_put_fs(&t, &to, &seen);
	trace_put_bytes(&to, "", 1);
	assert_string_equal(to.data, "{\"kind\":\"fs\",\"time\":0,\"share\":\"src\",\"operation\":\"rename\",\"id\":0,"
				     "\"path\":\"/a\\u000ab\",\"other\":\"/c\\\\\x7f\",\"offset\":0,\"length\":5,"
				     "\"result\":-2,\"error\":\"No such file or directory\"}\n");
	free(to.data);
}

/* --- Stacks --- */

static void counts_stacks_and_writes_them_collapsed(void **state)
{
	static const struct profile_frame deep[] = {{.symbol = "leaf"}, {.symbol = "a;b c"}, {.page = 0x80001000}};
	struct profile_table *t = calloc(1, sizeof(*t));
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	profile_table_add(t, 0, BIS_PRIV_S, deep, 3, 2);
	profile_table_add(t, 1, BIS_PRIV_S, deep, 3, 1);
	profile_table_add(t, 0, BIS_PRIV_U, NULL, 0, 7);
	profile_table_add(t, 0, BIS_PRIV_S, deep, 3, 3);
	profile_table_add(t, 0, BIS_PRIV_M, deep, 1, 4);
	assert_int_equal(t->samples, 17);
	assert_int_equal(t->idle, 7);
	assert_ok(profile_table_write(t, f));
	fclose(f);
	assert_string_equal(text, "hart0;[idle] 7\n"
				  "hart0;S;[0x80001000];a_b_c;leaf 5\n"
				  "hart0;M;leaf 4\n"
				  "hart1;S;[0x80001000];a_b_c;leaf 1\n");
	free(text);
	profile_table_free(t);
	free(t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_kinds_filters_a_file_and_a_format),
		cmocka_unit_test(takes_a_file_and_a_rate_for_the_profile),
		cmocka_unit_test_setup_teardown(lets_instructions_through_by_address_and_symbol, setup, teardown),
		cmocka_unit_test_setup_teardown(lets_traps_through_by_name_and_number, setup, teardown),
		cmocka_unit_test_setup_teardown(lets_csrs_and_devices_through_by_name_and_number, setup, teardown),
		cmocka_unit_test_setup_teardown(lets_files_through_by_share_and_path, setup, teardown),
		cmocka_unit_test(makes_json_strings_of_anything),
		cmocka_unit_test(keeps_a_line_a_line),
		cmocka_unit_test(counts_stacks_and_writes_them_collapsed),
	};

	return cmocka_run_group_tests_name("trace lines", tests, NULL, NULL);
}
