/*
 * Symbols, breakpoints as text and verbs: what is written means what it says, comes back as it was, and every slip is
 * told with what was expected.
 */
#include <biscuit/debug.h>

#include "tests/unit/debug_rig.h"

struct fixture {
	struct bis_machine *m;
	struct debug *d;
	char path[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct elf_builder e;

	f->m = rig_create("rv64", 2);
	rig_start_paused(f->m);
	assert_ok(debug_create(f->m, &f->d));
	debug_rig_elf(&e, true, RIG_CODE);
	assert_ok(debug_rig_load(f->d, &e, f->path));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	debug_destroy(f->d);
	bis_machine_destroy(f->m);
	free(f);
	return 0;
}

/* --- Symbols --- */

static void addresses_have_the_name_of_what_holds_them(void **state)
{
	static const struct {
		uint64_t at;
		const char *name;
		uint64_t offset;
	} rows[] = {
		{0, "main", 0},
		{0x20, "main", 0x20},
		{63, "main", 63},
		{64, "helper", 0},
		{80, NULL, 0},
		{0x8f, NULL, 0},
		{0x90, "asm_label", 0},
		{0x1ff, "asm_label", 0x16f},
		{0x200, "counter", 0},
		{0x207, "counter", 7},
		{0x208, NULL, 0},
		{0x800, NULL, 0},
		{UINT64_MAX - 0x80000000, NULL, 0},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		uint64_t offset = 99;
		const char *name = debug_symbol_at(f->d, RIG_CODE + rows[i].at, &offset);

		if (!rows[i].name) {
			assert_null(name);
			continue;
		}
		assert_non_null(name);
		assert_string_equal(name, rows[i].name);
		assert_int_equal(offset, rows[i].offset);
	}
}

/* Numbers of a linker script have values, too, that may be where code is. */
static void absolute_symbols_name_no_place(void **state)
{
	const uint64_t base = RIG_CODE + 0x10000, label = base + 0x90;
	struct fixture *f = *state;
	uint64_t offset, address;
	struct elf_builder e;
	char path[64];

	debug_rig_elf(&e, true, base);
	elf_set_symbol(&e, 2, 2, label, 0); /* "ain", before "asm_label" */
	elf_put(&e, BUILDER_SYMBOLS + 2 * 24 + 6, 2, 0xfff1);
	elf_put(&e, BUILDER_SYMBOLS + 2 * 24 + 16, 8, 0);
	assert_ok(debug_rig_load(f->d, &e, path));
	assert_string_equal(debug_symbol_at(f->d, label + 4, &offset), "asm_label");
	assert_int_equal(offset, 4);
	assert_ok(debug_symbol_find(f->d, "ain", &address));
	assert_int_equal(address, label);
}

static void files_stand_beside_each_other_and_are_replaced(void **state)
{
	struct fixture *f = *state;
	struct elf_builder e;
	uint64_t address, offset;
	const char *old = debug_symbol_at(f->d, RIG_CODE, &offset);
	char other[64];
	size_t count;

	debug_rig_elf(&e, true, RIG_CODE + 0x10000);
	assert_ok(debug_rig_load(f->d, &e, other));
	assert_string_equal(debug_symbols_file(f->d, 0, &count), other);
	assert_int_equal(count, 4);
	assert_string_equal(debug_symbols_file(f->d, 1, &count), f->path);
	assert_null(debug_symbols_file(f->d, 2, &count));
	assert_string_equal(debug_symbol_at(f->d, RIG_CODE + 1, &offset), "main");
	assert_string_equal(debug_symbol_at(f->d, RIG_CODE + 0x10001, &offset), "main");
	assert_ok(debug_symbol_find(f->d, "helper", &address));
	assert_int_equal(address, RIG_CODE + 0x10040); /* the newer one's */
	assert_string_equal(old, "main");
}

static void a_file_that_does_not_fit_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct elf_builder e;
	char other[64];
	size_t count;

	assert_fails(debug_symbols_load(f->d, "/no/such/file"), -ENOENT, "/no/such/file");
	debug_rig_elf(&e, false, RIG_CODE);
	assert_fails(debug_rig_load(f->d, &e, other), -EINVAL, "32-bit");
	debug_rig_elf(&e, true, RIG_CODE);
	e.size = 0x900; /* cut through the sections */
	assert_true(debug_rig_load(f->d, &e, other) < 0);
	assert_string_equal(debug_symbols_file(f->d, 0, &count), f->path);
	assert_null(debug_symbols_file(f->d, 1, &count));
}

/* Before paging is on, a kernel runs where it was loaded. */
static void physical_addresses_are_named_by_where_the_file_was_loaded(void **state)
{
	struct fixture *f = *state;
	struct elf_builder e;
	uint64_t offset;
	char other[64];

	debug_rig_elf(&e, true, RIG_DATA);
	elf_put(&e, elf_segment_at(&e, 0) + 16, 8, UINT64_C(0xffffffff80000000)); /* the segment's virtual address */
	elf_put(&e, BUILDER_SYMBOLS + 24 + 8, 8, UINT64_C(0xffffffff80000010));
	assert_ok(debug_rig_load(f->d, &e, other));
	assert_string_equal(debug_symbol_at(f->d, UINT64_C(0xffffffff80000014), &offset), "main");
	assert_string_equal(debug_symbol_at(f->d, RIG_DATA + 0x18, &offset), "main");
	assert_int_equal(offset, 8);
}

static void addresses_as_text(void **state)
{
	static const struct {
		const char *text;
		uint64_t at;
		const char *words; /* it is refused with these */
	} rows[] = {
		{"0x80000010", RIG_CODE + 0x10, NULL},
		{"2147483664", RIG_CODE + 0x10, NULL},
		{"main", RIG_CODE, NULL},
		{"main+0x14", RIG_CODE + 0x14, NULL},
		{"helper+4", RIG_CODE + 0x44, NULL},
		{"0xffffffffffffffff", UINT64_MAX, NULL},
		{"mian", 0, "did you mean 'main'"},
		{"main+", 0, "number behind the '+'"},
		{"main+x", 0, "number behind the '+'"},
		{"main+0xffffffffffffffff", 0, "fit"},
		{"", 0, "expected"},
		{"0x", 0, "expected"},
		{"12q", 0, "expected"},
		{"0x10000000000000000", 0, "expected"},
		{"-1", 0, "unknown symbol"},
		{" main", 0, "unknown symbol"},
	};
	struct fixture *f = *state;
	char text[128];

	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		uint64_t at = 0;

		if (rows[i].words) {
			assert_fails(debug_parse_address(f->d, rows[i].text, &at), -EINVAL, rows[i].words);
			continue;
		}
		assert_ok(debug_parse_address(f->d, rows[i].text, &at));
		assert_int_equal(at, rows[i].at);
	}
	debug_format_address(f->d, RIG_CODE + 0x14, text, sizeof(text));
	assert_string_equal(text, "0x0000000080000014 <main+0x14>");
	debug_format_address(f->d, RIG_CODE + 0x40, text, sizeof(text));
	assert_string_equal(text, "0x0000000080000040 <helper>");
	debug_format_address(f->d, 0, text, sizeof(text));
	assert_string_equal(text, "0x0000000000000000");
	assert_int_equal(debug_format_address(f->d, RIG_CODE + 0x14, text, 5), 30);
	assert_string_equal(text, "0x00");
}

static void a_32_bit_machine_has_32_bit_addresses(void **state)
{
	struct bis_machine *m = rig_create("rv32", 1);
	struct elf_builder e;
	struct debug *d;
	struct bis_break b = {0};
	uint64_t at;
	char text[64];

	(void)state;
	rig_start_paused(m);
	assert_ok(debug_create(m, &d));
	debug_rig_elf(&e, false, RIG_CODE);
	assert_ok(debug_rig_load(d, &e, text));
	assert_fails(debug_parse_address(d, "0x100000000", &at), -EINVAL, "32 bits");
	assert_fails(debug_parse_address(d, "main+0x80000000", &at), -EINVAL, "32 bits");
	assert_ok(debug_break_parse(d, "write 0xfffffffe+2", &b));
	assert_fails(debug_break_parse(d, "write 0xfffffffe+3", &b), -EINVAL, "beyond the end");
	debug_format_address(d, RIG_CODE + 2, text, sizeof(text));
	assert_string_equal(text, "0x80000002 <main+0x2>");
	debug_destroy(d);
	bis_machine_destroy(m);
}

/* --- Breakpoints as text --- */

/* What is written, and what it comes back as. */
static void breakpoints_come_back_as_they_were_written(void **state)
{
	static const char *const rows[][2] = {
		{"pc main", "pc main"},
		{"pc 0x80000014", "pc main+0x14"},
		{"pc 0x4242", "pc 0x0000000000004242"},
		{"read counter", "read counter+1"},
		{"write counter+8", "write counter+8"},
		{"access main+4+8", "access main+0x4+8"},
		{"access 0x4000+4", "access 0x0000000000004000+4"},
		{"csr satp", "csr satp"},
		{"trap ecall-u", "trap ecall-u"},
		{"trap 13", "trap load-page"},
		{"trap 60", "trap 60"},
		{"interrupt m-timer", "interrupt m-timer"},
		{"interrupt 16", "interrupt native"},
		{"instret 12345", "instret 12345"},
		{" pc\tmain  once ", "pc main once"},
		{"pc main hart 1 once", "pc main hart 1 once"},
		{"pc main once hart 1 hart 0", "pc main hart 0 hart 1 once"},
		{"pc main if a0 == 5", "pc main if a0 == 0x5"},
		{"pc main if x10>=0x10 and mepc!=main+4 once", "pc main once if a0 >= 0x10 and mepc != 0x80000004"},
		{"pc main if fp < 1 and f0 <= 2 and sp > 3", "pc main if s0 < 0x1 and ft0 <= 0x2 and sp > 0x3"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		struct bis_break b = {0}, again = {0};
		char text[256];

		assert_ok(debug_break_parse(f->d, rows[i][0], &b));
		debug_break_format(f->d, &b, text, sizeof(text));
		assert_string_equal(text, rows[i][1]);
		assert_ok(debug_break_parse(f->d, text, &again));
		assert_memory_equal(&b, &again, sizeof(b));
	}
}

static void every_slip_is_told(void **state)
{
	static const char *const rows[][2] = {
		{"", "expected pc, read"},
		{"pcc main", "did you mean 'pc'"},
		{"jump main", "expected pc, read"},
		{"pc", "an address at the end"},
		{"pc mian", "did you mean 'main'"},
		{"pc main+1", "multiple of 2"},
		{"write 0xffffffffffffffff+2", "beyond the end"},
		{"pc main main", "'hart N', 'once' or 'if"},
		{"pc main hart", "expected a hart, 0 to 1"},
		{"pc main hart 2", "expected a hart, 0 to 1"},
		{"pc main hart x", "expected a hart, 0 to 1"},
		{"pc main hart 1 hart 1", "named twice"},
		{"pc main once once", "given twice"},
		{"read", "an address"},
		{"read counter+0", "above 0"},
		{"read counter+", "above 0"},
		{"read counter+x", "above 0"},
		{"read +4", "an address"},
		{"csr", "name of a CSR"},
		{"csr mstatuss", "did you mean 'mstatus'"},
		{"csr 0x300", "name of a CSR"},
		{"trap", "a trap's name"},
		{"trap ecall-x", "did you mean 'ecall-"},
		{"trap 64", "below 64"},
		{"trap -1", "below 64"},
		{"interrupt m-time", "did you mean 'm-timer'"},
		{"interrupt 64", "below 64"},
		{"instret", "a number of instructions"},
		{"instret x", "a number of instructions"},
		{"instret 18446744073709551616", "a number of instructions"},
		{"pc main if", "a register or a CSR"},
		{"pc main if q7 == 1", "a register or a CSR"},
		{"pc main if a0", "a comparison"},
		{"pc main if a0 = 1", "a comparison"},
		{"pc main if a0 === 1", "a comparison"},
		{"pc main if a0 ==", "a value"},
		{"pc main if a0 == 1 and", "a register or a CSR"},
		{"pc main if a0 == 1 if a1 == 1", "'if' is given twice"},
		{"pc main if a0 == 1 a1 == 1", "'hart N', 'once' or 'if"},
		{"pc main if a0==1 and a1==1 and a2==1 and a3==1 and a4==1", "more than 4"},
		{"pc main == 4", "'hart N', 'once' or 'if"},
	};
	struct fixture *f = *state;
	struct bis_break b = {.kind = BIS_BREAK_CSR};
	char longer[2000];

	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++)
		assert_fails(debug_break_parse(f->d, rows[i][0], &b), -EINVAL, rows[i][1]);
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_fails(debug_break_parse(f->d, longer, &b), -EINVAL, "1999 characters");
	assert_int_equal(b.kind, BIS_BREAK_CSR); /* written only on success */
}

/* --- Verbs --- */

static int verb(struct fixture *f, const char *line, char *reply, size_t size)
{
	FILE *out = fmemopen(reply, size, "w");
	int err;

	assert_non_null(out);
	memset(reply, 0, size);
	err = debug_verb(f->d, line, out);
	fclose(out);
	return err;
}

static void wait_until_paused(struct fixture *f)
{
	enum bis_stop_reason why;
	int status;

	while (bis_machine_state(f->m) == BIS_RUNNING)
		assert_int_equal(bis_machine_join(f->m, 1, &why, &status), -ETIMEDOUT);
}

static void verbs_move_the_machine(void **state)
{
	static const uint32_t code[] = {ADDI(A0, A0, 1), NOP, NOP, J(-12)};
	struct fixture *f = *state;
	char reply[2048];

	RIG_LOAD(f->m, RIG_CODE, code);
	bis_hart_set_reg(rig_hart(f->m), A0, 0);
	bis_hart_set_pc(rig_hart(f->m), RIG_CODE);
	assert_ok(verb(f, "step", reply, sizeof(reply)));
	assert_non_null(strstr(reply, "hart 0 at 0x0000000080000004 <main+0x4>"));
	assert_ok(verb(f, " step  0x8 \n", reply, sizeof(reply)));
	assert_int_equal(rig_reg(f->m, A0), 3);
	assert_ok(verb(f, "until main+8", reply, sizeof(reply)));
	wait_until_paused(f);
	assert_int_equal(bis_hart_pc(rig_hart(f->m)), RIG_CODE + 8);
	assert_ok(verb(f, "resume", reply, sizeof(reply)));
	assert_fails(verb(f, "resume", reply, sizeof(reply)), -EINVAL, "not paused");
	assert_fails(verb(f, "step", reply, sizeof(reply)), -EBUSY, "paused");
	assert_ok(verb(f, "pause", reply, sizeof(reply)));
	assert_int_equal(bis_machine_state(f->m), BIS_PAUSED);
}

static void until_leaves_no_breakpoint_behind(void **state)
{
	static const uint32_t code[] = {ADDI(A0, A0, 1), J(-4), NOP, SPIN};
	struct fixture *f = *state;
	char reply[2048];

	RIG_LOAD(f->m, RIG_CODE, code);
	bis_hart_set_pc(rig_hart(f->m), RIG_CODE);
	assert_ok(verb(f, "break pc main+12", reply, sizeof(reply)));
	assert_ok(verb(f, "until main+8", reply, sizeof(reply)));
	assert_ok(verb(f, "breaks", reply, sizeof(reply)));
	assert_non_null(strstr(reply, "2: pc main+0x8 once (0 hits)\n"));
	assert_ok(verb(f, "pause", reply, sizeof(reply)));
	assert_ok(verb(f, "breaks", reply, sizeof(reply)));
	assert_string_equal(reply, "1: pc main+0xc (0 hits)\n");
	bis_hart_set_pc(rig_hart(f->m), RIG_CODE + 4); /* another breakpoint comes first */
	rig_set32(f->m, RIG_CODE + 4, J(8));
	assert_ok(verb(f, "until main+0x20", reply, sizeof(reply)));
	wait_until_paused(f);
	assert_int_equal(bis_hart_pc(rig_hart(f->m)), RIG_CODE + 12);
	assert_ok(verb(f, "breaks", reply, sizeof(reply)));
	assert_string_equal(reply, "1: pc main+0xc (1 hits)\n");
}

static void verbs_about_breakpoints(void **state)
{
	struct fixture *f = *state;
	char reply[2048], line[64];

	assert_ok(verb(f, "break trap ecall-m if a7 == 1", reply, sizeof(reply)));
	snprintf(line, sizeof(line), "delete %.20s", reply);
	assert_ok(verb(f, "breaks", reply, sizeof(reply)));
	assert_non_null(strstr(reply, ": trap ecall-m if a7 == 0x1 (0 hits)\n"));
	assert_ok(verb(f, line, reply, sizeof(reply)));
	assert_ok(verb(f, "breaks", reply, sizeof(reply)));
	assert_string_equal(reply, "");
	assert_fails(verb(f, line, reply, sizeof(reply)), -ENOENT, "no breakpoint");
	assert_fails(verb(f, "delete x", reply, sizeof(reply)), -EINVAL, "number of a breakpoint");
}

static void verbs_that_end_it_are_requests(void **state)
{
	struct fixture *f = *state;
	enum bis_stop_reason why;
	char reply[256];
	int status;

	assert_ok(verb(f, "reset", reply, sizeof(reply)));
	assert_ok(bis_machine_join(f->m, RIG_DEADLINE_MS, &why, &status));
	assert_int_equal(why, BIS_STOP_RESET_REQUEST);
	assert_ok(verb(f, "stop 7", reply, sizeof(reply)));
	assert_ok(bis_machine_join(f->m, RIG_DEADLINE_MS, &why, &status));
	assert_int_equal(why, BIS_STOP_HOST);
	assert_int_equal(status, 7);
}

static void slips_in_verbs_are_told(void **state)
{
	static const char *const rows[][2] = {
		{"", "empty line"},
		{"  \n", "empty line"},
		{"paus", "did you mean 'pause'"},
		{"qwertzui", "'help' lists them"},
		{"riscw x", "did you mean 'riscv'"},
		{"riscv x", "has no verbs"},
		{"step 0", "above 0"},
		{"step -1", "above 0"},
		{"step 1 2", "above 0"},
		{"step 99999999999999999999", "above 0"},
		{"pause now", "takes no argument"},
		{"until", "expected ADDRESS"},
		{"until nowhere", "unknown symbol"},
		{"stop 256", "0 to 255"},
		{"stop x", "0 to 255"},
		{"snapshot", "expected PATH"},
		{"break", "expected WHAT"},
		{"break x", "expected pc"},
	};
	struct fixture *f = *state;
	char reply[256];

	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++)
		assert_fails(verb(f, rows[i][0], reply, sizeof(reply)), -EINVAL, rows[i][1]);
}

static void help_lists_every_verb(void **state)
{
	struct fixture *f = *state;
	const char *name, *arguments, *help;
	char reply[4096];
	size_t i;

	assert_ok(verb(f, "help", reply, sizeof(reply)));
	for (i = 0; debug_verb_help(i, &name, &arguments, &help); i++) {
		assert_non_null(strstr(reply, name));
		assert_non_null(strstr(reply, help));
	}
	assert_in_range(i, 8, 20);
}

/* --- Disassembly, memory --- */

static void instructions_around_pc_are_shown(void **state)
{
	static const uint32_t code[] = {ADDI(A0, A0, 1), 0x00010001 /* two c.nop */, NOP, J(-12)};
	struct fixture *f = *state;
	char text[1024];
	FILE *out = fmemopen(text, sizeof(text), "w");

	RIG_LOAD(f->m, RIG_CODE, code);
	bis_hart_set_pc(rig_hart(f->m), RIG_CODE + 8);
	debug_disassemble(f->d, rig_hart(f->m), RIG_CODE + 8, 2, 4, out);
	fclose(out);
	assert_string_equal(text, "   0x0000000080000004 <main+0x4>:  0001      c.nop\n"
				  "   0x0000000080000006 <main+0x6>:  0001      c.nop\n"
				  "=> 0x0000000080000008 <main+0x8>:  00000013  addi zero, zero, 0\n"
				  "   0x000000008000000c <main+0xc>:  ff5ff06f  jal zero, 0x80000000 <main>\n");
}

static void disassembly_ends_where_memory_does(void **state)
{
	struct fixture *f = *state;
	char text[1024];
	FILE *out = fmemopen(text, sizeof(text), "w");

	debug_disassemble(f->d, rig_hart(f->m), 0x5000, 8, 8, out);
	fclose(out);
	assert_string_equal(text, "   0x0000000000005000:  cannot be read\n");
}

static void memory_goes_through_the_harts_translation(void **state)
{
	struct fixture *f = *state;
	struct rig_tables t = rig_tables_at(f->m, RIG_CODE + 0x600000);
	struct bis_hart *h = rig_hart(f->m);
	char buf[16];

	rig_map(&t, 0x40000000, RIG_DATA, 0, PTE_V | PTE_R | PTE_A);
	rig_map(&t, 0x40001000, RIG_DATA + 0x5000, 0, PTE_V | PTE_X | PTE_A);
	rig_write(f->m, RIG_DATA + 0xff8, "01234567", 8);
	rig_write(f->m, RIG_DATA + 0x5000, "89abcdef", 8);
	rig_enter_s(&t);
	assert_ok(debug_read(h, 0x40000ff8, false, buf, 16)); /* two pages; the second is for execution alone */
	assert_memory_equal(buf, "0123456789abcdef", 16);
	bis_hart_set_priv(h, BIS_PRIV_U); /* who debugs sees the kernel's pages all the same */
	assert_ok(debug_write(h, 0x40000ffc, false, "wxyz", 4));
	assert_int_equal(bis_hart_priv(h), BIS_PRIV_U);
	assert_ok(debug_read(h, RIG_DATA + 0xff8, true, buf, 8));
	assert_memory_equal(buf, "0123wxyz", 8);
	assert_fails(debug_read(h, 0x40001ffc, false, buf, 8), -EFAULT, "");
	assert_fails(debug_write(h, 0x40001ffc, false, "........", 8), -EFAULT, ""); /* no byte of it */
	assert_int_equal(rig_get64(f->m, RIG_DATA + 0x5ff8), 0);
	assert_fails(debug_read(h, UINT64_MAX - 3, false, buf, 8), -EFAULT, "end of the address space");
	assert_fails(debug_read(h, 0x10000000, true, buf, 1), -EFAULT, "no RAM");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(addresses_have_the_name_of_what_holds_them),
		T(absolute_symbols_name_no_place),
		T(files_stand_beside_each_other_and_are_replaced),
		T(a_file_that_does_not_fit_changes_nothing),
		T(physical_addresses_are_named_by_where_the_file_was_loaded),
		T(addresses_as_text),
		cmocka_unit_test(a_32_bit_machine_has_32_bit_addresses),
		T(breakpoints_come_back_as_they_were_written),
		T(every_slip_is_told),
		T(verbs_move_the_machine),
		T(until_leaves_no_breakpoint_behind),
		T(verbs_about_breakpoints),
		T(verbs_that_end_it_are_requests),
		T(slips_in_verbs_are_told),
		T(help_lists_every_verb),
		T(instructions_around_pc_are_shown),
		T(disassembly_ends_where_memory_does),
		T(memory_goes_through_the_harts_translation),
	};

	return cmocka_run_group_tests_name("debug-text", tests, NULL, NULL);
}
