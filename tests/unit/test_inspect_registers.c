/*
 * Registers as files: what a read gives a write takes, alone or as fields, in a machine at rest; what makes no sense,
 * or must not be written, is refused in words.
 */
#include "tests/unit/inspect_gadget.h"

static void what_a_read_of_a_register_gives_a_write_takes(void **state)
{
	struct files *f = *state;

	files_are(f, "cpu/0/x/sp", "0x0000000000000000");
	files_put_ok(f, "cpu/0/x/sp", "0x0123456789abcdef\n");
	files_are(f, "cpu/0/x/sp", "0x0123456789abcdef");
	assert_int_equal(rig_reg(f->m, SP), UINT64_C(0x0123456789abcdef));
	files_put_ok(f, "cpu/1/x/sp", "4096");
	files_are(f, "cpu/1/x/sp", "0x0000000000001000");
	files_put_ok(f, "cpu/0/f/fa0", "0xffffffff3f800000\n");
	files_are(f, "cpu/0/f/fa0", "0xffffffff3f800000");
	files_put_ok(f, "cpu/0/pc", "0x80001000\n");
	files_are(f, "cpu/0/pc", "0x0000000080001000");
	files_put_ok(f, "cpu/0/priv", "s\n");
	files_are(f, "cpu/0/priv", "s");
	files_put_ok(f, "cpu/0/csr/mscratch", "0x5\n");
	files_are(f, "cpu/0/csr/mscratch", "0x0000000000000005");
	files_say(f, "cpu/0/regs", "pc      0x0000000080001000  priv s");
	files_say(f, "cpu/0/regs.json", "\"pc\":\"0x0000000080001000\"");
	files_say(f, "cpu/0/regs.json", "\"sp\":\"0x0123456789abcdef\"");
}

static void a_value_that_makes_no_sense_changes_nothing(void **state)
{
	static const struct {
		const char *path, *text, *words;
	} rows[] = {
		{"cpu/0/x/a0", "", "no number"},
		{"cpu/0/x/a0", "\n", "no number"},
		{"cpu/0/x/a0", "0x", "no number"},
		{"cpu/0/x/a0", "0xg", "no number"},
		{"cpu/0/x/a0", "-1", "no number"},
		{"cpu/0/x/a0", "+1", "no number"},
		{"cpu/0/x/a0", "1 2", "does not belong"},
		{"cpu/0/x/a0", "1\n2\n", "does not belong"},
		{"cpu/0/x/a0", "0x10000000000000000", "64 bits"},
		{"cpu/0/x/a0", "18446744073709551616", "64 bits"},
		{"cpu/0/x/zero", "1", "always zero"},
		{"cpu/0/pc", "0x80000001", "multiple of 2"},
		{"cpu/0/pc", "nowhere", "nowhere"},
		{"cpu/0/priv", "h", "expected u, s or m"},
		{"cpu/0/priv", "", "expected u, s or m"},
		{"cpu/0/priv", "us", "expected u, s or m"},
		{"cpu/0/csr.fields/mstatus/MPP", "4", "2 bits"},
		{"cpu/0/csr/mscratch", "mepc", "no number"},
		{"cpu/0/vm/walk", "0x1000 exec", "read|write|fetch"},
		{"cpu/0/ctl", "stpe", "step"},
		{"cpu/0/ctl", "step x", "no number"},
		{"ctl", "puase", "pause"},
		{"break/add", "pc", "address"},
		{"break/remove", "99", "99"},
		{"symbols/load", "kernel.elf", "absolute"},
		{"symbols/load", "/nonexistent/kernel.elf", "kernel.elf"},
		{"symbols/lookup", "nothing", "nothing"},
	};
	struct files *f = *state;
	uint64_t pc = bis_hart_pc(rig_hart(f->m));

	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		ssize_t result = files_put(f, rows[i].path, rows[i].text);

		/* Of no command nothing is carried out, which is no failure. */
		if (!*rows[i].text)
			continue;
		if (result >= 0)
			print_error("%s took '%s'\n", rows[i].path, rows[i].text);
		assert_true(result < 0);
		files_say(f, "errstr", rows[i].words);
		files_say(f, "errstr", rows[i].path);
	}
	assert_int_equal(rig_reg(f->m, A0), 0);
	assert_int_equal(bis_hart_pc(rig_hart(f->m)), pc);
	assert_int_equal(bis_hart_priv(rig_hart(f->m)), BIS_PRIV_M);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	struct files *f = *state;
	struct inspect_handle *h;
	char *large = calloc(1, INSPECT_WRITE_MAX + 2);

	memset(large, ' ', INSPECT_WRITE_MAX + 1);
	assert_ok(files_open(f, "cpu/0/x/a0", INSPECT_WRITE, &h));
	assert_fails(inspect_write(h, "1\0002", 3, 0), -EINVAL, "NUL");
	assert_fails(inspect_write(h, large, INSPECT_WRITE_MAX + 1, 0), -EINVAL, "too long");
	assert_int_equal(inspect_write(h, "7", 1, 12345), 1); /* wherever the descriptor stands */
	inspect_close(h);
	free(large);
	assert_int_equal(rig_reg(f->m, A0), 7);
}

static void fields_of_a_csr_are_written_alone(void **state)
{
	struct files *f = *state;

	rig_set_csr(f->m, CSR_MSTATUS, 8);
	files_are(f, "cpu/0/csr.fields/mstatus/MIE", "0x1");
	files_put_ok(f, "cpu/0/csr.fields/mstatus/MPP", "3");
	files_are(f, "cpu/0/csr.fields/mstatus/MPP", "0x3");
	assert_int_equal(rig_csr(f->m, CSR_MSTATUS) & 0x1808, 0x1808);
	files_put_ok(f, "cpu/0/csr.fields/mstatus/MIE", "0");
	assert_int_equal(rig_csr(f->m, CSR_MSTATUS) & 0x1808, 0x1800);
}

static void registers_are_written_only_in_a_machine_at_rest(void **state)
{
	static const char *const paths[] = {"cpu/0/x/a0", "cpu/0/csr/mscratch", "cpu/0/csr.fields/mstatus/MPP",
					    "dev/gadget/mode"};
	struct files *f = *state;

	files_put_ok(f, "ctl", "resume\n");
	files_are(f, "cpu/0/status", "running");
	for (size_t i = 0; i < BIS_ARRAY_SIZE(paths); i++) {
		assert_ok(files_get(f, paths[i]));
		assert_int_equal(files_put(f, paths[i], "1"), -EBUSY);
		files_say(f, "errstr", "paused");
	}
	assert_int_equal(files_put(f, "cpu/0/pc", "0x80000000"), -EBUSY);
	assert_int_equal(files_put(f, "cpu/0/priv", "u"), -EBUSY);
	assert_int_equal(files_put(f, "cpu/0/ctl", "step"), -EBUSY);
	assert_int_equal(files_put(f, "ctl", "step"), -EBUSY);
	files_put_ok(f, "ctl", "pause");
	files_put_ok(f, "cpu/0/x/a0", "1");
}

static void what_cannot_be_written_is_not_opened(void **state)
{
	struct files *f = *state;

	assert_int_equal(files_put(f, "cpu/0/regs", "1"), -EACCES);
	assert_int_equal(files_put(f, "cpu/0/csr/mhartid", "1"), -EACCES);
	assert_int_equal(files_put(f, "dev/gadget/count", "1"), -EACCES);
	assert_int_equal(files_put(f, "dev/clint/ctl", "1"), -EACCES);
	assert_int_equal(files_get(f, "break/remove"), -EACCES);
	assert_int_equal(files_get(f, "cpu"), -EISDIR);
	assert_int_equal(files_get(f, "cpu/0/x/x10"), -ELOOP);
}

static void nothing_is_written_where_that_was_not_wanted(void **state)
{
	struct inspect_options options = {.readonly = true};
	struct files *f = make(&options);
	struct inspect_node *n;

	(void)state;
	assert_int_equal(files_put(f, "cpu/0/x/a0", "1"), -EROFS);
	assert_int_equal(files_put(f, "ctl", "resume"), -EROFS);
	assert_ok(inspect_find(f->in, "ctl", &n));
	assert_int_equal(inspect_mode(f->in, n), S_IFREG | 0400);
	inspect_unref(f->in, n, 1);
	files_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_read_of_a_register_gives_a_write_takes),
		TEST(a_value_that_makes_no_sense_changes_nothing),
		TEST(bytes_that_are_no_text_are_refused),
		TEST(fields_of_a_csr_are_written_alone),
		TEST(registers_are_written_only_in_a_machine_at_rest),
		TEST(what_cannot_be_written_is_not_opened),
		cmocka_unit_test(nothing_is_written_where_that_was_not_wanted),
	};

	return cmocka_run_group_tests_name("inspect_registers", tests, NULL, NULL);
}
