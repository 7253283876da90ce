/*
 * The decoder on the RISC-V rows and on small tables of its own: every row is found, the extensions select, reserved
 * encodings are illegal, operands come out as the specification lays them out, bad tables are refused.
 */
#include <inttypes.h>
#include <stdlib.h>

#include <biscuit/isa.h>

#include "modules/isa/riscv/riscv.h"
#include "tests/random.h"
#include "tests/unit/unit.h"

enum { TRIES_PER_ROW = 2000 };

static uint64_t random_state = 0x6269736375697421;

static uint32_t random32(void)
{
	return (uint32_t)(xorshift(&random_state) >> 16);
}

static struct bis_decoder *decoder_for(const char *isa)
{
	struct bis_isa_spec spec;
	struct bis_decoder *d = NULL;

	assert_ok(bis_isa_parse(isa, &spec));
	assert_ok(bis_decoder_create(&bis_rv_family, &bis_rv_rows, 1, &spec, &d));
	return d;
}

static bool covers(const struct bis_insn_row *wide, const struct bis_insn_row *narrow)
{
	return (wide->mask & narrow->mask) == wide->mask && (narrow->match & wide->mask) == wide->match;
}

/* Any operand bits under a row's match give that row, one that is more specific, or a reserved encoding. */
static void check_round_trip(const char *isa, unsigned width)
{
	struct bis_decoder *d = decoder_for(isa);

	for (size_t n = 0; n < bis_rv_rows.count; n++) {
		const struct bis_insn_row *row = &bis_rv_rows.rows[n];
		unsigned found = 0;

		if (!(row->xlens & width))
			continue;
		for (unsigned try = 0; try < TRIES_PER_ROW; try++) {
			uint32_t raw = row->match | (random32() & ~row->mask);
			struct bis_insn insn;
			const struct bis_insn_row *got = bis_decode(d, raw, &insn);

			if (!got)
				continue;
			if (!covers(row, got) || got->len != row->len)
				print_error("0x%08" PRIx32 " of %s is %s\n", raw, row->name, got->name);
			assert_true(covers(row, got));
			assert_ptr_equal(insn.row, got);
			assert_int_equal(insn.raw, row->len == 2 ? raw & 0xffff : raw);
			found += got == row;
		}
		if (!found)
			print_error("no encoding of %s is decoded as it\n", row->name);
		/* A row without operand bits is met at once, the others nearly always. */
		assert_true(found > 0);
	}
	bis_decoder_destroy(d);
}

static void every_row_round_trips(void **state)
{
	(void)state;
	print_message("seed 0x%016" PRIx64 "\n", random_state);
	check_round_trip("rv32", BIS_X32);
	check_round_trip("rv64", BIS_X64);
}

static void extensions_and_width_select_rows(void **state)
{
	static const struct {
		uint32_t raw;
		const char *legal, *illegal;
	} cases[] = {
		{0x02a50533, "rv64im", "rv64ia"}, /* mul */
		{0x0005352f, "rv64ia", "rv32ia"}, /* amoadd.d */
		{0x00053503, "rv64i", "rv32i"},	  /* ld */
		{0x00056503, "rv64i", "rv32i"},	  /* lwu */
		{0x0005051b, "rv64i", "rv32i"},	  /* addiw */
		{0x02051513, "rv64i", "rv32i"},	  /* slli a0, a0, 32 */
		{0x02055513, "rv64i", "rv32i"},	  /* srli a0, a0, 32 */
		{0x42055513, "rv64i", "rv32i"},	  /* srai a0, a0, 32 */
		{0x0000100f, "rv64i_zifencei", "rv64i"},
		{0x00b57553, "rv64if", "rv64im"}, /* fadd.s */
		{0x02b57553, "rv64id", "rv64if"}, /* fadd.d */
		{0xe2050553, "rv64id", "rv32id"}, /* fmv.x.d */
		{0xc0257553, "rv64if", "rv32if"}, /* fcvt.l.s */
		{0x20b52533, "rv64i_zba", "rv64i_zbb"},
		{0x0805453b, "rv64i_zbb", "rv32i_zbb"}, /* zext.h of rv64 */
		{0x08054533, "rv32i_zbb", "rv64i_zbb"}, /* zext.h of rv32 */
		{0x6b855513, "rv64i_zbb", "rv32i_zbb"}, /* rev8 of rv64 */
		{0x69855513, "rv32i_zbb", "rv64i_zbb"}, /* rev8 of rv32 */
		{0x48b51533, "rv32i_zbs", "rv32i_zba"},
		{0x4501, "rv64ic", "rv64i"},	/* c.li */
		{0x6108, "rv64ic", "rv32ic"},	/* c.ld, or c.flw */
		{0x6108, "rv32ifc", "rv32ic"},	/* c.flw */
		{0x2108, "rv64idc", "rv64ifc"}, /* c.fld */
		{0x2108, "rv32idc", "rv32ifc"},
		{0x9d0d, "rv64ic", "rv32ic"}, /* c.subw */
		{0x9101, "rv64ic", "rv32ic"}, /* c.srli with shamt[5] */
		{0x1502, "rv64ic", "rv32ic"}, /* c.slli with shamt[5] */
		{0x30200073, "rv64i", NULL},  /* mret */
		{0x30051073, "rv32i", NULL},  /* csrrw: every hart has Zicsr */
	};

	(void)state;
	for (size_t n = 0; n < BIS_ARRAY_SIZE(cases); n++) {
		struct bis_decoder *d = decoder_for(cases[n].legal);

		assert_non_null(bis_decode(d, cases[n].raw, NULL));
		bis_decoder_destroy(d);
		if (!cases[n].illegal)
			continue;
		d = decoder_for(cases[n].illegal);
		assert_null(bis_decode(d, cases[n].raw, NULL));
		bis_decoder_destroy(d);
	}
}

static void reserved_encodings_are_illegal(void **state)
{
	static const uint32_t reserved[] = {
		0x00000000,
		0xffffffff,
		0x0000,
		0x0004 /* c.addi4spn with 0 */,
		0x8000 /* quadrant 0, funct3 4 */,
		0x2001 /* c.addiw x0 */,
		0x6081 /* c.lui ra, 0 */,
		0x6101 /* c.addi16sp 0 */,
		0x4002 /* c.lwsp x0 */,
		0x6002 /* c.ldsp x0 */,
		0x8002 /* c.jr x0 */,
		0x9c41 /* quadrant 1, reserved */,
		0x9c61,
		0x00b55553 /* fadd.s, rounding mode 5 */,
		0x00b56553 /* rounding mode 6 */,
		0x10b5252f /* lr.w, rs2 */,
		0x00000573 /* ecall with rd */,
		0x00200073,
		0x7b200073,
		0x00003063,
		0x00002063,
		0x00007003,
		0x00004023,
		0x0600000b,
		0x58157553 /* fsqrt.s, rs2 */,
		0xc0457553 /* fcvt.4.s */,
		0x06b57553 /* fadd.q */,
		0x04b57553 /* fadd.h */,
	};
	struct bis_decoder *d = decoder_for("rv64");

	(void)state;
	for (size_t n = 0; n < BIS_ARRAY_SIZE(reserved); n++) {
		struct bis_insn insn;

		if (bis_decode(d, reserved[n], &insn))
			print_error("0x%08" PRIx32 " is %s\n", reserved[n], insn.row->name);
		assert_null(bis_decode(d, reserved[n], &insn));
		assert_null(insn.row);
		assert_int_equal(insn.raw, reserved[n]);
	}
	bis_decoder_destroy(d);
}

static void ignored_fields_and_hints_are_legal(void **state)
{
	static const struct {
		uint32_t raw;
		const char *name;
	} legal[] = {
		{0xfff5858f, "fence"},	{0x8330000f, "fence_tso"}, {0xfff5958f, "fence_i"}, {0x0100000f, "pause"},
		{0x0001, "c_nop"},	{0x0005, "c_nop"},	   {0x0501, "c_addi"},	    {0x4001, "c_li"},
		{0x6005, "c_lui"},	{0x0002, "c_slli"},	   {0x8006, "c_mv"},	    {0x9006, "c_add"},
		{0x9002, "c_ebreak"},	{0x9502, "c_jalr"},	   {0x8502, "c_jr"},	    {0x8101, "c_srli"},
		{0x00b57553, "fadd_s"}, {0x160525af, "lr_w"},
	};
	struct bis_decoder *d = decoder_for("rv64");

	(void)state;
	for (size_t n = 0; n < BIS_ARRAY_SIZE(legal); n++) {
		const struct bis_insn_row *row = bis_decode(d, legal[n].raw, NULL);

		assert_non_null(row);
		assert_string_equal(row->name, legal[n].name);
	}
	bis_decoder_destroy(d);
}

static void operands_are_where_the_specification_puts_them(void **state)
{
	static const struct bis_insn expected[] = {
		{.raw = 0xfff58513, .rd = 10, .rs1 = 11, .imm = -1},			 /* addi a0, a1, -1 */
		{.raw = 0x80000fb7, .rd = 31, .imm = -0x80000000LL},			 /* lui t6, 0x80000 */
		{.raw = 0x80a58023, .rs1 = 11, .rs2 = 10, .imm = -2048},		 /* sb a0, -2048(a1) */
		{.raw = 0x7eb50fa3, .rs1 = 10, .rs2 = 11, .imm = 2047},			 /* sb a1, 2047(a0) */
		{.raw = 0x80b50063, .rs1 = 10, .rs2 = 11, .imm = -4096},		 /* beq a0, a1, .-4096 */
		{.raw = 0x7eb50fe3, .rs1 = 10, .rs2 = 11, .imm = 4094},			 /* beq a0, a1, .+4094 */
		{.raw = 0x800000ef, .rd = 1, .imm = -0x100000},				 /* jal ra, .-1048576 */
		{.raw = 0x7ffff0ef, .rd = 1, .imm = 0xffffe},				 /* jal ra, .+1048574 */
		{.raw = 0x03f51513, .rd = 10, .rs1 = 10, .imm = 63},			 /* slli a0, a0, 63 */
		{.raw = 0x43f55513, .rd = 10, .rs1 = 10, .imm = 63},			 /* srai a0, a0, 63 */
		{.raw = 0x300fd573, .rd = 10, .rs1 = 31, .csr = 0x300},			 /* csrrwi a0, mstatus, 31 */
		{.raw = 0x68c5f543, .rd = 10, .rs1 = 11, .rs2 = 12, .rs3 = 13, .rm = 7}, /* fmadd.s fa0, fa1, fa2, fa3
											  */
		{.raw = 0x06b5252f, .rd = 10, .rs1 = 10, .rs2 = 11, .rm = 3}, /* amoadd.w.aqrl a0, a1, (a0) */
		{.raw = 0x1fe8, .rd = 10, .rs1 = 2, .imm = 1020},	      /* c.addi4spn a0, sp, 1020 */
		{.raw = 0x5d68, .rd = 10, .rs1 = 10, .imm = 124},	      /* c.lw a0, 124(a0) */
		{.raw = 0x7d68, .rd = 10, .rs1 = 10, .imm = 248},	      /* c.ld a0, 248(a0) */
		{.raw = 0xdd68, .rs1 = 10, .rs2 = 10, .imm = 124},	      /* c.sw a0, 124(a0) */
		{.raw = 0x1501, .rd = 10, .rs1 = 10, .imm = -32},	      /* c.addi a0, -32 */
		{.raw = 0x7501, .rd = 10, .imm = -0x20000},		      /* c.lui a0, 0xfffe0 */
		{.raw = 0x7101, .rd = 2, .rs1 = 2, .imm = -512},	      /* c.addi16sp sp, -512 */
		{.raw = 0x617d, .rd = 2, .rs1 = 2, .imm = 496},		      /* c.addi16sp sp, 496 */
		{.raw = 0xb001, .imm = -2048},				      /* c.j .-2048 */
		{.raw = 0xaffd, .imm = 2046},				      /* c.j .+2046 */
		{.raw = 0xd101, .rs1 = 10, .imm = -256},		      /* c.beqz a0, .-256 */
		{.raw = 0xcd7d, .rs1 = 10, .imm = 254},			      /* c.beqz a0, .+254 */
		{.raw = 0x557e, .rd = 10, .rs1 = 2, .imm = 252},	      /* c.lwsp a0, 252(sp) */
		{.raw = 0x757e, .rd = 10, .rs1 = 2, .imm = 504},	      /* c.ldsp a0, 504(sp) */
		{.raw = 0xdfaa, .rs1 = 2, .rs2 = 10, .imm = 252},	      /* c.swsp a0, 252(sp) */
		{.raw = 0xffaa, .rs1 = 2, .rs2 = 10, .imm = 504},	      /* c.sdsp a0, 504(sp) */
		{.raw = 0x8502, .rs1 = 10},				      /* c.jr a0 */
		{.raw = 0x9502, .rd = 1, .rs1 = 10},			      /* c.jalr a0 */
		{.raw = 0x852e, .rd = 10, .rs2 = 11},			      /* c.mv a0, a1 */
		{.raw = 0x952e, .rd = 10, .rs1 = 10, .rs2 = 11},	      /* c.add a0, a1 */
		{.raw = 0x157e, .rd = 10, .rs1 = 10, .imm = 63},	      /* c.slli a0, 63 */
	};
	struct bis_decoder *d = decoder_for("rv64");

	(void)state;
	for (size_t n = 0; n < BIS_ARRAY_SIZE(expected); n++) {
		const struct bis_insn *want = &expected[n];
		struct bis_insn got;

		if (!bis_decode(d, want->raw, &got) || got.imm != want->imm)
			print_error("0x%08" PRIx32 ": immediate %" PRId64 "\n", want->raw, got.imm);
		assert_non_null(got.row);
		assert_int_equal(got.rd, want->rd);
		assert_int_equal(got.rs1, want->rs1);
		assert_int_equal(got.rs2, want->rs2);
		assert_int_equal(got.rs3, want->rs3);
		assert_int_equal(got.rm, want->rm);
		assert_int_equal(got.csr, want->csr);
		assert_true(got.imm == want->imm);
	}
	bis_decoder_destroy(d);
}

/* --- Tables of the test's own --- */

static void nothing(struct bis_ir *t, const struct bis_insn *i)
{
	(void)t;
	(void)i;
}

#define ROW(row_name, row_ext, row_match, row_mask)                                                                    \
	{                                                                                                              \
		.name = row_name, .ext = row_ext, .xlens = BIS_X32 | BIS_X64, .len = 4, .match = row_match,            \
		.mask = row_mask, .translate = nothing                                                                 \
	}

static int create_with(const struct bis_insn_row *rows, size_t count, struct bis_decoder **out)
{
	struct bis_row_table tables[] = {bis_rv_rows, {rows, count}};
	struct bis_isa_spec spec;

	assert_ok(bis_isa_parse("rv64", &spec));
	return bis_decoder_create(&bis_rv_family, tables, 2, &spec, out);
}

static void rows_that_clash_are_refused_by_name(void **state)
{
	static const struct bis_insn_row same[] = {ROW("xsame", "xt", 0x00000033, 0xfe00707f)};
	static const struct bis_insn_row crossing[] = {ROW("xcross", "xt", 0x0000f033, 0x0000f07f)};
	struct bis_decoder *d = NULL;

	(void)state;
	assert_fails(create_with(same, 1, &d), -EEXIST, "add (i) and xsame (xt)");
	assert_fails(create_with(crossing, 1, &d), -EEXIST, "xcross (xt)");
	assert_null(d);
}

static void malformed_rows_are_refused_by_name(void **state)
{
	static const struct {
		struct bis_insn_row row;
		const char *words;
	} bad[] = {
		{ROW("outside", "xt", 0x0000100b, 0x0000007f), "outside: match 0x100b"},
		{ROW("short4", "xt", 0x00000001, 0x0000ffff), "short4: its encoding"},
		{{.name = "long2", .ext = "xt", .len = 2, .match = 1, .mask = 0x1ffff, .translate = nothing}, "long2"},
		{{.name = "six", .ext = "xt", .len = 6, .match = 0x0b, .mask = 0x7f, .translate = nothing}, "six"},
		{{.name = "idle", .ext = "xt", .len = 4, .match = 0x0b, .mask = 0x7f}, "idle"},
		{{.name = NULL, .ext = "xt", .len = 4, .match = 0x0b, .mask = 0x7f, .translate = nothing}, "?"},
	};
	struct bis_decoder *d = NULL;

	(void)state;
	for (size_t n = 0; n < BIS_ARRAY_SIZE(bad); n++)
		assert_fails(create_with(&bad[n].row, 1, &d), -EINVAL, bad[n].words);
	assert_null(d);
}

static void modules_bring_their_own_extensions(void **state)
{
	static const struct bis_insn_row rows[] = {
		ROW("xwide", "xt", 0x0000000b, 0x0000007f),
		ROW("xnarrow", "xt", 0x0000700b, 0x0000707f),
		ROW("xpoint", "xt", 0xfff0700b, 0xfff0707f),
		ROW("absent", "zfuture", 0x0000005b, 0x0000007f),
	};
	struct bis_decoder *d = NULL;

	(void)state;
	assert_ok(create_with(rows, 4, &d));
	assert_ptr_equal(bis_decode(d, 0x0000000b, NULL), &rows[0]);
	assert_ptr_equal(bis_decode(d, 0x0000700b, NULL), &rows[1]);
	assert_ptr_equal(bis_decode(d, 0xfff0700b, NULL), &rows[2]);
	assert_ptr_equal(bis_decode(d, 0xffe0700b, NULL), &rows[1]);
	assert_null(bis_decode(d, 0x0000005b, NULL));
	bis_decoder_destroy(d);
}

static void an_empty_table_decodes_nothing(void **state)
{
	struct bis_isa_spec spec;
	struct bis_decoder *d = NULL;

	(void)state;
	assert_ok(bis_isa_parse("rv64", &spec));
	assert_ok(bis_decoder_create(&bis_rv_family, NULL, 0, &spec, &d));
	for (unsigned n = 0; n < 1000; n++)
		assert_null(bis_decode(d, random32(), NULL));
	bis_decoder_destroy(d);
	bis_decoder_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_round_trips),
		cmocka_unit_test(extensions_and_width_select_rows),
		cmocka_unit_test(reserved_encodings_are_illegal),
		cmocka_unit_test(ignored_fields_and_hints_are_legal),
		cmocka_unit_test(operands_are_where_the_specification_puts_them),
		cmocka_unit_test(rows_that_clash_are_refused_by_name),
		cmocka_unit_test(malformed_rows_are_refused_by_name),
		cmocka_unit_test(modules_bring_their_own_extensions),
		cmocka_unit_test(an_empty_table_decodes_nothing),
	};

	return cmocka_run_group_tests_name("decode", tests, NULL, NULL);
}
