/*
 * Call frames: by frame pointer, by call frame information and by ra alone; and that crafted stacks and tables, which
 * loop, lie elsewhere or break off, end the list and do no harm.
 */
#include "frontend/debug/cfi.h"
#include "tests/unit/debug_rig.h"

#define STACK  (RIG_DATA + 0x8000)
#define FRAMES 32

struct fixture {
	struct bis_machine *m;
	struct debug *d;
	struct debug_frame frames[FRAMES];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->m = rig_create("rv64", 1);
	rig_start_paused(f->m);
	assert_ok(debug_create(f->m, &f->d));
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

/* The hart stands there. */
static void stand(struct fixture *f, uint64_t pc, uint64_t ra, uint64_t sp, uint64_t fp)
{
	bis_hart_set_pc(rig_hart(f->m), pc);
	bis_hart_set_reg(rig_hart(f->m), RA, ra);
	bis_hart_set_reg(rig_hart(f->m), SP, sp);
	bis_hart_set_reg(rig_hart(f->m), S0, fp);
}

/* What a function with a frame pointer leaves below where it points. */
static void put_frame(struct fixture *f, uint64_t fp, uint64_t ra, uint64_t next_fp)
{
	rig_set64(f->m, fp - 8, ra);
	rig_set64(f->m, fp - 16, next_fp);
}

static size_t trace(struct fixture *f)
{
	return debug_backtrace(f->d, rig_hart(f->m), f->frames, FRAMES);
}

#define assert_frame(f, index, pc_, cfa_)                                                                              \
	do {                                                                                                           \
		assert_int_equal((f)->frames[index].pc, pc_);                                                          \
		assert_int_equal((f)->frames[index].cfa, cfa_);                                                        \
	} while (0)

/* --- Frame pointers --- */

static void frame_pointers_lead_to_the_outermost_frame(void **state)
{
	struct fixture *f = *state;

	stand(f, RIG_CODE + 0x20, 0x1234, STACK, STACK + 0x20);
	put_frame(f, STACK + 0x20, RIG_CODE + 0x100, STACK + 0x60);
	put_frame(f, STACK + 0x60, RIG_CODE + 0x200, STACK + 0x100);
	put_frame(f, STACK + 0x100, 0, 0); /* where the stack begins */
	assert_int_equal(trace(f), 3);
	assert_frame(f, 0, RIG_CODE + 0x20, STACK + 0x20);
	assert_frame(f, 1, RIG_CODE + 0x100, STACK + 0x60);
	assert_frame(f, 2, RIG_CODE + 0x200, STACK + 0x100);
}

static void a_leaf_function_saves_no_return_address(void **state)
{
	struct fixture *f = *state;

	stand(f, RIG_CODE + 0x20, RIG_CODE + 0x300, STACK, STACK + 0x10);
	rig_set64(f->m, STACK + 8, STACK + 0x60); /* s0 of the caller, in the place of ra */
	put_frame(f, STACK + 0x60, 0, 0);
	assert_int_equal(trace(f), 2);
	assert_frame(f, 1, RIG_CODE + 0x300, STACK + 0x60);
}

static void at_its_first_instruction_a_function_has_pushed_nothing(void **state)
{
	struct fixture *f = *state;
	struct elf_builder e;
	char path[64];

	debug_rig_elf(&e, true, RIG_CODE);
	assert_ok(debug_rig_load(f->d, &e, path));
	stand(f, RIG_CODE + 0x40, RIG_CODE + 0x10, STACK, STACK + 0x20); /* helper, called by main */
	put_frame(f, STACK + 0x20, 0, 0);
	assert_int_equal(trace(f), 2);
	assert_frame(f, 0, RIG_CODE + 0x40, STACK);
	assert_frame(f, 1, RIG_CODE + 0x10, STACK + 0x20);
}

static void without_anything_ra_is_the_caller(void **state)
{
	struct fixture *f = *state;

	stand(f, RIG_CODE + 0x20, RIG_CODE + 0x300, STACK, 5);
	assert_int_equal(trace(f), 2);
	assert_frame(f, 0, RIG_CODE + 0x20, 0);
	assert_frame(f, 1, RIG_CODE + 0x300, 0);
	stand(f, RIG_CODE + 0x20, 0, STACK, 5);
	assert_int_equal(trace(f), 1);
	assert_int_equal(debug_backtrace(f->d, rig_hart(f->m), f->frames, 0), 0);
}

static void frames_that_loop_or_lie_elsewhere_end_the_list(void **state)
{
	struct fixture *f = *state;
	size_t most = 0;

	/* To itself; backwards; to no memory at all; off its alignment; far away; over the end of the address space. */
	const uint64_t wild[] = {STACK + 0x20,
				 STACK - 0x100,
				 0x4000,
				 STACK + 0x63,
				 UINT64_MAX,
				 UINT64_MAX - 7,
				 8,
				 RIG_CODE + RIG_RAM_SIZE,
				 0,
				 STACK + 0x2000000};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(wild); i++) {
		stand(f, RIG_CODE + 0x20, 0x1234, STACK, STACK + 0x20);
		put_frame(f, STACK + 0x20, RIG_CODE + 0x100, wild[i]);
		assert_int_equal(trace(f), 2);
		stand(f, RIG_CODE + 0x20, wild[i] | 1, wild[i], wild[i]);
		assert_int_equal(trace(f), 1);
		stand(f, wild[i], wild[i] | 1, STACK, wild[i]);
		assert_in_range(trace(f), 1, 3);
	}
	/* A long one fills what there is room for, and no more. */
	stand(f, RIG_CODE + 0x20, 0x1234, STACK, STACK + 0x20);
	for (uint64_t fp = STACK + 0x20; fp < STACK + 0x4000; fp += 0x10)
		put_frame(f, fp, RIG_CODE + 0x100, fp + 0x10);
	most = trace(f);
	assert_int_equal(most, FRAMES);
}

/* --- Call frame information --- */

struct table {
	uint8_t b[0x200];
	size_t len;
};

static void bytes(struct table *t, const void *p, size_t len)
{
	memcpy(t->b + t->len, p, len);
	t->len += len;
}

static void number(struct table *t, uint64_t v, size_t len)
{
	bis_le64 le = bis_le64_make(v);

	bytes(t, le.b, len);
}

/* Ends an entry that begins at `start`: pads it with nops and puts its length in front. */
static void end_entry(struct table *t, size_t start)
{
	while ((t->len - start) % 8 != 4)
		number(t, 0, 1);
	t->b[start] = (uint8_t)(t->len - start - 4);
}

enum { CFA_SP_0_LEN = 3 };
static const uint8_t cfa_sp_0[CFA_SP_0_LEN] = {0x0c, 2, 0}; /* def_cfa sp, 0 */

/* A common entry of .eh_frame as compilers write it: zR, pc-relative in 4 bytes, ra is x1. */
static void put_cie(struct table *t)
{
	size_t start = t->len;

	number(t, 0, 4);
	number(t, 0, 4);
	bytes(t, "\1zR\0\1\x78\1\1\x1b", 9); /* code factor 1, data factor -8 */
	bytes(t, cfa_sp_0, sizeof(cfa_sp_0));
	end_entry(t, start);
}

/* An entry for [pc, pc+size) of a section at `vaddr`. */
static void put_fde(struct table *t, uint64_t vaddr, uint64_t pc, uint32_t size, const char *program, size_t len)
{
	size_t start = t->len;

	number(t, 0, 4);
	number(t, t->len, 4); /* back to the common entry at 0 */
	number(t, pc - (vaddr + t->len), 4);
	number(t, size, 4);
	number(t, 0, 1);
	bytes(t, program, len);
	end_entry(t, start);
}

/* addi sp, sp, -32 at 0; ra and s0 saved at CFA-8 and -16 from 4 on; s0 = CFA from 8 on. */
#define PROLOGUE "\x44\x0e\x20\x81\1\x88\2\x44\x0c\x08\0"

static int make(struct cfi *c, const struct table *t, uint64_t vaddr)
{
	uint8_t *copy = malloc(t->len);

	memcpy(copy, t->b, t->len);
	return cfi_create(c, copy, t->len, vaddr, 64, true);
}

static void rows_follow_the_instructions(void **state)
{
	struct table t = {.len = 0};
	struct cfi_row row;
	struct cfi c;

	(void)state;
	put_cie(&t);
	put_fde(&t, 0x9000, 0x1000, 0x40, PROLOGUE, sizeof(PROLOGUE) - 1);
	assert_ok(make(&c, &t, 0x9000));
	assert_int_equal(c.count, 1);
	assert_true(cfi_find(&c, 0x1000, &row));
	assert_int_equal(row.cfa_reg, SP);
	assert_int_equal(row.cfa_offset, 0);
	assert_int_equal(row.regs[RA].rule, CFI_SAME);
	assert_true(cfi_find(&c, 0x1004, &row));
	assert_int_equal(row.cfa_offset, 32);
	assert_int_equal(row.regs[RA].rule, CFI_AT);
	assert_int_equal(row.regs[RA].value, -8);
	assert_int_equal(row.regs[S0].value, -16);
	assert_true(cfi_find(&c, 0x103f, &row));
	assert_int_equal(row.cfa_reg, S0);
	assert_int_equal(row.ra, RA);
	assert_false(cfi_find(&c, 0xfff, &row));
	assert_false(cfi_find(&c, 0x1040, &row));
	cfi_free(&c);
}

static void every_instruction_does_what_it_says(void **state)
{
	static const struct {
		const char *program;
		size_t len;
		unsigned reg;
		enum cfi_rule rule;
		int64_t value, cfa_offset;
	} rows[] = {
		{"\x05\x09\x03", 3, 9, CFI_AT, -24, 0},		       /* offset_extended s1, 3 */
		{"\x11\x09\x7f", 3, 9, CFI_AT, 8, 0},		       /* offset_extended_sf s1, -1 */
		{"\x14\x09\x02", 3, 9, CFI_IS, -16, 0},		       /* val_offset */
		{"\x15\x09\x7e", 3, 9, CFI_IS, 16, 0},		       /* val_offset_sf */
		{"\x09\x09\x0a", 3, 9, CFI_IN, 10, 0},		       /* register s1, a0 */
		{"\x07\x01", 2, 1, CFI_UNDEFINED, 0, 0},	       /* undefined ra */
		{"\x81\x01\x08\x01", 4, 1, CFI_SAME, 0, 0},	       /* same_value */
		{"\x81\x01\xc1", 3, 1, CFI_SAME, 0, 0},		       /* restore */
		{"\x81\x01\x06\x01", 4, 1, CFI_SAME, 0, 0},	       /* restore_extended */
		{"\x0a\x81\x01\x0e\x10\x0b", 6, 1, CFI_SAME, 0, 0},    /* remember, change, restore_state */
		{"\x12\x02\x7e", 3, 1, CFI_SAME, 0, 16},	       /* def_cfa_sf sp, -2 */
		{"\x13\x7e", 2, 1, CFI_SAME, 0, 16},		       /* def_cfa_offset_sf -2 */
		{"\x0e\x80\x02", 3, 1, CFI_SAME, 0, 256},	       /* def_cfa_offset 256 */
		{"\x10\x01\x02\x77\x08", 5, 1, CFI_UNDEFINED, 0, 0},   /* expression: not known */
		{"\x2e\x08", 2, 1, CFI_SAME, 0, 0},		       /* GNU_args_size */
		{"\x02\x04\x81\x01", 4, 1, CFI_AT, -8, 0},	       /* advance_loc1 */
		{"\x03\x04\x00\x81\x01", 5, 1, CFI_AT, -8, 0},	       /* advance_loc2 */
		{"\x04\x04\x00\x00\x00\x81\x01", 7, 1, CFI_AT, -8, 0}, /* advance_loc4 */
		{"\x02\x40\x81\x01", 4, 1, CFI_SAME, 0, 0},	       /* only from further on */
	};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		struct table t = {.len = 0};
		struct cfi_row row;
		struct cfi c;

		put_cie(&t);
		put_fde(&t, 0x9000, 0x1000, 0x80, rows[i].program, rows[i].len);
		assert_ok(make(&c, &t, 0x9000));
		assert_true(cfi_find(&c, 0x1020, &row));
		assert_int_equal(row.regs[rows[i].reg].rule, rows[i].rule);
		assert_int_equal(row.regs[rows[i].reg].value, rows[i].value);
		assert_int_equal(row.cfa_offset, rows[i].cfa_offset);
		cfi_free(&c);
	}
}

static void programs_that_make_no_sense_give_no_row(void **state)
{
	static const struct {
		const char *program;
		size_t len;
	} rows[] = {
		{"\x3f", 1},				     /* no such instruction */
		{"\x0b", 1},				     /* nothing to restore */
		{"\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a\x0a", 9}, /* remembers without end */
		{"\x0f\x02\x77\x08", 4},		     /* the CFA is an expression */
		{"\x0f\x7f", 2},			     /* which is longer than the entry */
		{"\x0d\x40", 2},			     /* a register that is none of x0-x31 */
		{"\x0c\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 19}, /* breaks off */
	};

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		struct table t = {.len = 0};
		struct cfi_row row;
		struct cfi c;

		put_cie(&t);
		put_fde(&t, 0x9000, 0x1000, 0x80, rows[i].program, rows[i].len);
		assert_ok(make(&c, &t, 0x9000));
		if (cfi_find(&c, 0x1020, &row))
			fail_msg("row %zu", i);
		cfi_free(&c);
	}
}

/* Every byte of a table cut or changed: what is found, if anything, is a row; nothing else is looked at. */
static void tables_cut_or_changed_anywhere_do_no_harm(void **state)
{
	struct table good = {.len = 0};

	(void)state;
	put_cie(&good);
	put_fde(&good, 0x9000, 0x1000, 0x40, PROLOGUE, sizeof(PROLOGUE) - 1);
	put_fde(&good, 0x9000, 0x2000, 0x40, PROLOGUE, sizeof(PROLOGUE) - 1);
	for (size_t at = 0; at < good.len; at++) {
		for (unsigned change = 0; change < 6; change++) {
			static const uint8_t values[] = {0, 0xff, 0x80, 0x7f, 0x1b};
			struct table t = good;
			struct cfi_row row;
			struct cfi c;

			if (change == 5)
				t.len = at ? at : 1;
			else
				t.b[at] = values[change];
			assert_ok(make(&c, &t, 0x9000));
			for (uint64_t pc = 0x0ff0; pc < 0x2050; pc += 4)
				if (cfi_find(&c, pc, &row))
					assert_in_range(row.cfa_reg, 0, 31);
			cfi_free(&c);
		}
	}
}

/* A file whose main has a table, and helper none. */
static void load_with_table(struct fixture *f, const char *program, size_t len)
{
	struct table t = {.len = 0};
	struct elf_builder e;
	char path[64];

	debug_rig_elf(&e, true, RIG_CODE);
	put_cie(&t);
	put_fde(&t, RIG_CODE + 0x200, RIG_CODE, 64, program, len);
	memcpy(e.b + DEBUG_RIG_EH_AT, t.b, t.len);
	elf_set_section(&e, 4, 38, 1, 2, RIG_CODE + 0x200, DEBUG_RIG_EH_AT, t.len, 0);
	assert_ok(debug_rig_load(f->d, &e, path));
}

static void tables_lead_through_code_without_frame_pointers(void **state)
{
	struct fixture *f = *state;

	/* CFA = sp + 32, ra at CFA-8, s0 at CFA-16 from 4 on. */
	load_with_table(f, "\x44\x0e\x20\x81\1\x88\2", 7);
	stand(f, RIG_CODE + 0x10, 7, STACK, 0x5555);
	rig_set64(f->m, STACK + 24, RIG_CODE + 0x20); /* main again */
	rig_set64(f->m, STACK + 16, 0x6666);
	rig_set64(f->m, STACK + 56, RIG_CODE + 0x100); /* code without a table, with a frame pointer */
	rig_set64(f->m, STACK + 48, STACK + 0x100);
	put_frame(f, STACK + 0x100, 0, 0);
	assert_int_equal(trace(f), 3);
	assert_frame(f, 0, RIG_CODE + 0x10, STACK + 32);
	assert_frame(f, 1, RIG_CODE + 0x20, STACK + 64);
	assert_frame(f, 2, RIG_CODE + 0x100, STACK + 0x100);
	/* Before the stack pointer moves, ra is in its register. */
	stand(f, RIG_CODE, RIG_CODE + 0x20, STACK, 0x5555);
	rig_set64(f->m, STACK + 24, 0);
	assert_int_equal(trace(f), 2);
	assert_frame(f, 0, RIG_CODE, STACK);
	assert_frame(f, 1, RIG_CODE + 0x20, STACK + 32);
}

static void tables_that_lead_round_and_round_end(void **state)
{
	struct fixture *f = *state;

	/* CFA = sp, ra = s1: each frame would be its own caller. */
	load_with_table(f, "\x09\x01\x09", 3);
	stand(f, RIG_CODE + 0x10, 7, STACK, 0);
	bis_hart_set_reg(rig_hart(f->m), S1, RIG_CODE + 0x10);
	assert_in_range(trace(f), 1, 2);
	/* CFA = s0, which is what memory says: below, or nowhere. */
	load_with_table(f, "\x0c\x08\0\x81\1\x88\2", 7);
	stand(f, RIG_CODE + 0x10, 7, STACK, STACK + 0x20);
	put_frame(f, STACK + 0x20, RIG_CODE + 0x20, STACK + 0x20);
	assert_in_range(trace(f), 1, 2);
	put_frame(f, STACK + 0x20, RIG_CODE + 0x20, 0);
	assert_in_range(trace(f), 1, 2);
	put_frame(f, STACK + 0x20, 0x4444, STACK + 0x40);
	assert_int_equal(trace(f), 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(frame_pointers_lead_to_the_outermost_frame),
		T(a_leaf_function_saves_no_return_address),
		T(at_its_first_instruction_a_function_has_pushed_nothing),
		T(without_anything_ra_is_the_caller),
		T(frames_that_loop_or_lie_elsewhere_end_the_list),
		cmocka_unit_test(rows_follow_the_instructions),
		cmocka_unit_test(every_instruction_does_what_it_says),
		cmocka_unit_test(programs_that_make_no_sense_give_no_row),
		cmocka_unit_test(tables_cut_or_changed_anywhere_do_no_harm),
		T(tables_lead_through_code_without_frame_pointers),
		T(tables_that_lead_round_and_round_end),
	};

	return cmocka_run_group_tests_name("backtrace", tests, NULL, NULL);
}
