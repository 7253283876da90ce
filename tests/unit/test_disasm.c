/*
 * The disassembler: fixed texts, and random encodings of every row against the GNU assembler's own disassembly where
 * riscv64-unknown-elf-as and -objdump are installed.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <biscuit/isa.h>

#include "modules/isa/riscv/riscv.h"
#include "tests/random.h"
#include "tests/unit/unit.h"

enum { PER_ROW = 40, PER_CSR_ROW = 2000, MAX_INSNS = 32768, TEXT_MAX = 128 };

static struct bis_decoder *decoder_for(const char *isa)
{
	struct bis_isa_spec spec;
	struct bis_decoder *d = NULL;

	assert_ok(bis_isa_parse(isa, &spec));
	assert_ok(bis_decoder_create(&bis_rv_family, &bis_rv_rows, 1, &spec, &d));
	return d;
}

static void texts_are_standard_assembler(void **state)
{
	static const struct {
		uint32_t raw;
		unsigned len;
		const char *text;
	} known[] = {
		{0x00100513, 4, "addi a0, zero, 1"},
		{0xff010113, 4, "addi sp, sp, -16"},
		{0x80000537, 4, "lui a0, 0x80000"},
		{0x00812503, 4, "lw a0, 8(sp)"},
		{0xfe512e23, 4, "sw t0, -4(sp)"},
		{0x01f51513, 4, "slli a0, a0, 0x1f"},
		{0xfe0518e3, 4, "bne a0, zero, 0x80000ff0"},
		{0x008000ef, 4, "jal ra, 0x80001008"},
		{0x00008067, 4, "jalr zero, 0(ra)"},
		{0x0ff0000f, 4, "fence iorw, iorw"},
		{0x0000100f, 4, "fence.i"},
		{0x30051573, 4, "csrrw a0, mstatus, a0"},
		{0x7c0fd573, 4, "csrrwi a0, 0x7c0, 31"},
		{0x3a202573, 4, "csrrs a0, pmpcfg2, zero"},
		{0xb8302573, 4, "csrrs a0, mhpmcounter3h, zero"},
		{0x12b50073, 4, "sfence.vma a0, a1"},
		{0x1005252f, 4, "lr.w a0, (a0)"},
		{0x06b5252f, 4, "amoadd.w.aqrl a0, a1, (a0)"},
		{0x00b57553, 4, "fadd.s fa0, fa0, fa1"},
		{0xc0051553, 4, "fcvt.w.s a0, fa0, rtz"},
		{0x68c5f543, 4, "fmadd.s fa0, fa1, fa2, fa3"},
		{0x00012507, 4, "flw fa0, 0(sp)"},
		{0x00001141, 2, "c.addi sp, -16"},
		{0xffff8502, 2, "c.jr a0"},
		{0x00009002, 2, "c.ebreak"},
		{0x00000000, 2, ".2byte 0x0000"},
		{0xffffffff, 4, ".4byte 0xffffffff"},
		{0x12340000, 2, ".2byte 0x0000"},
	};
	struct bis_decoder *d = decoder_for("rv64");
	char text[TEXT_MAX];

	(void)state;
	for (size_t n = 0; n < BIS_ARRAY_SIZE(known); n++) {
		assert_int_equal(bis_disassemble(d, known[n].raw, 0x80001000, text, sizeof(text)), known[n].len);
		assert_string_equal(text, known[n].text);
	}
	bis_decoder_destroy(d);
}

static void targets_wrap_at_the_register_width(void **state)
{
	struct bis_decoder *d32 = decoder_for("rv32"), *d64 = decoder_for("rv64");
	char text[TEXT_MAX];

	(void)state;
	bis_disassemble(d32, 0xffdff0ef, 0, text, sizeof(text));
	assert_string_equal(text, "jal ra, 0xfffffffc");
	bis_disassemble(d64, 0xffdff0ef, 0, text, sizeof(text));
	assert_string_equal(text, "jal ra, 0xfffffffffffffffc");
	bis_decoder_destroy(d32);
	bis_decoder_destroy(d64);
}

static void a_short_buffer_is_cut_and_ended(void **state)
{
	struct bis_decoder *d = decoder_for("rv64");
	char text[TEXT_MAX];

	(void)state;
	for (size_t size = 0; size < 24; size++) {
		memset(text, '#', sizeof(text));
		assert_int_equal(bis_disassemble(d, 0x00100513, 0, text, size), 4);
		if (size) {
			assert_true(strlen(text) < size);
			assert_memory_equal(text, "addi a0, zero, 1", strlen(text));
		}
		assert_int_equal(text[size], '#');
	}
	bis_decoder_destroy(d);
}

/* --- Against objdump --- */

static uint64_t random_state = 0x64697361736d2121;

static uint32_t random32(void)
{
	return (uint32_t)(xorshift(&random_state) >> 16);
}

/* What both sides mean by a text: without spaces, "0x", and objdump's symbol or comment behind it. */
static void normalise(const char *text, char *out)
{
	size_t len = 0;

	for (; *text && *text != '<' && *text != '#' && len < TEXT_MAX - 1; text++) {
		if (text[0] == '0' && text[1] == 'x')
			text++;
		else if (!isspace((unsigned char)*text))
			out[len++] = *text;
	}
	out[len] = '\0';
}

/*
 * Where the reference has other words: CSRs it knows and Biscuit has not; fields that the specification has ignored,
 * which it takes for no instruction; conversions that are exact, to which it gives no rounding mode; hints.
 */
static bool only_other_words(const struct bis_insn *i, bool csr_without_name, const char *mine, const char *reference)
{
	static const struct {
		const char *row, *reference;
	} known[] = {
		{"fence", "unknown"},	{"fence", ".4byte"},	{"fence_tso", ".4byte"}, {"fence_i", ".4byte"},
		{"fcvt_d_s", ".4byte"}, {"fcvt_d_w", ".4byte"}, {"fcvt_d_wu", ".4byte"}, {"c_nop", "c.addizero,"},
		{"c_srli", "c.srli64"}, {"c_srai", "c.srai64"}, {"c_slli", "c.slli64"},
	};
	char without_mode[TEXT_MAX];

	if (i->row->format == BIS_RV_CSR || i->row->format == BIS_RV_CSRI)
		return csr_without_name;
	for (size_t n = 0; n < BIS_ARRAY_SIZE(known); n++)
		if (!strcmp(i->row->name, known[n].row) && strstr(reference, known[n].reference))
			return true;
	snprintf(without_mode, sizeof(without_mode), "%.*s", (int)strlen(mine) - (int)strlen(",rne"), mine);
	return !strncmp(i->row->name, "fcvt_d_", 7) && !strcmp(without_mode, reference);
}

/* Random legal encodings of each row. */
static size_t draw(struct bis_decoder *d, unsigned width, uint32_t *raw)
{
	size_t count = 0;

	for (size_t n = 0; n < bis_rv_rows.count; n++) {
		const struct bis_insn_row *row = &bis_rv_rows.rows[n];
		unsigned tries = row->format == BIS_RV_CSR ? PER_CSR_ROW : PER_ROW;

		for (unsigned try = 0; (row->xlens & width) && try < tries && count < MAX_INSNS; try++) {
			uint32_t word = row->match | (random32() & ~row->mask);

			if (row->len == 2)
				word &= 0xffff;
			if (bis_decode(d, word, NULL))
				raw[count++] = word;
		}
	}
	return count;
}

static FILE *reference_of(const uint32_t *raw, size_t count, const char *march, const char *mabi, const char *dir)
{
	char path[64], command[512];
	FILE *source;

	snprintf(path, sizeof(path), "%s/all.s", dir);
	source = fopen(path, "w");
	assert_non_null(source);
	for (size_t n = 0; n < count; n++)
		fprintf(source, ".insn %u, 0x%" PRIx32 "\n", raw[n] % 4 == 3 ? 4u : 2u, raw[n]);
	assert_int_equal(fclose(source), 0);
	snprintf(command, sizeof(command),
		 "riscv64-unknown-elf-as -march=%s -mabi=%s -mno-relax -o %s/all.o %s && "
		 "riscv64-unknown-elf-objdump -d -M no-aliases %s/all.o",
		 march, mabi, dir, path, dir);
	return popen(command, "r");
}

static unsigned compare_line(struct bis_decoder *d, const char *line, uint32_t raw)
{
	char mine[TEXT_MAX], left[TEXT_MAX], right[TEXT_MAX];
	struct bis_insn insn;
	char *end;
	uint64_t pc = strtoull(line, &end, 16);
	const char *text = strchr(end, '\t'); /* then the bytes, then the text */

	assert_non_null(text);
	text = strchr(text + 1, '\t');
	assert_non_null(text);
	bis_disassemble(d, raw, pc, mine, sizeof(mine));
	normalise(mine, left);
	normalise(text, right);
	assert_non_null(bis_decode(d, raw, &insn));
	if (!strcmp(left, right) || only_other_words(&insn, strstr(mine, "0x"), left, right))
		return 0;
	print_error("0x%08" PRIx32 ": '%s', objdump '%s'\n", raw, mine, text + 1);
	return 1;
}

static void compare_with_objdump(const char *isa, unsigned width, const char *march, const char *mabi)
{
	struct bis_decoder *d = decoder_for(isa);
	uint32_t *raw = calloc(MAX_INSNS, sizeof(raw[0]));
	char dir[] = "test_disasm.XXXXXX", line[512], path[64];
	size_t count, seen = 0;
	unsigned differ = 0;
	int status;
	FILE *reference;

	assert_non_null(raw);
	assert_non_null(mkdtemp(dir));
	count = draw(d, width, raw);
	reference = reference_of(raw, count, march, mabi, dir);
	assert_non_null(reference);
	while (fgets(line, sizeof(line), reference))
		if (line[0] == ' ' && strchr(line, ':') && strchr(line, '\t') && seen < count)
			differ += compare_line(d, line, raw[seen++]);
	status = pclose(reference);
	snprintf(path, sizeof(path), "%s/all.s", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/all.o", dir);
	unlink(path);
	rmdir(dir);
	free(raw);
	bis_decoder_destroy(d);
	assert_int_equal(status, 0);
	assert_int_equal(seen, count);
	assert_int_equal(differ, 0);
}

static void every_row_reads_as_objdump_has_it(void **state)
{
	(void)state;
	if (system("command -v riscv64-unknown-elf-as >/dev/null && command -v riscv64-unknown-elf-objdump >/dev/null"))
		skip();
	print_message("seed 0x%016" PRIx64 "\n", random_state);
	compare_with_objdump("rv64", BIS_X64, "rv64gc_zba_zbb_zbs_zihintpause", "lp64");
	compare_with_objdump("rv32", BIS_X32, "rv32gc_zba_zbb_zbs_zihintpause", "ilp32");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_standard_assembler),
		cmocka_unit_test(targets_wrap_at_the_register_width),
		cmocka_unit_test(a_short_buffer_is_cut_and_ended),
		cmocka_unit_test(every_row_reads_as_objdump_has_it),
	};

	return cmocka_run_group_tests_name("disasm", tests, NULL, NULL);
}
