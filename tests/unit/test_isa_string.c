/*
 * ISA strings: what is accepted, what it implies, its canonical form, and the words with which the rest is refused.
 */
#include <stdlib.h>

#include <biscuit/isa.h>

#include "tests/unit/unit.h"

#define LETTER(c) (1u << ((c) - 'a'))

static void canonical_form_names_everything_implied(void **state)
{
	static const struct {
		const char *text, *canonical;
		unsigned xlen;
	} good[] = {
		{"rv64i", "rv64i_zicntr_zicsr", 64},
		{"rv32i", "rv32i_zicntr_zicsr", 32},
		{"rv64gc", "rv64imafdc_zicntr_zicsr_zifencei", 64},
		{"rv32g", "rv32imafd_zicntr_zicsr_zifencei", 32},
		{"rv32imac_zicsr", "rv32imac_zicntr_zicsr", 32},
		{"rv64gc_zba_zbb", "rv64imafdc_zicntr_zicsr_zifencei_zba_zbb", 64},
		{"RV64GC_Zba", "rv64imafdc_zicntr_zicsr_zifencei_zba", 64},
		{"rv64id", "rv64ifd_zicntr_zicsr", 64},
		{"rv64cami", "rv64imac_zicntr_zicsr", 64},
		{"rv64immii", "rv64im_zicntr_zicsr", 64},
		{"rv64i_m_a", "rv64ima_zicntr_zicsr", 64},
		{"rv64izbs", "rv64i_zicntr_zicsr_zbs", 64},
		{"rv64ib", "rv64i_zicntr_zicsr_zba_zbb_zbs", 64},
		{"rv64i2p1_m2p0_a2_zba1p0", "rv64ima_zicntr_zicsr_zba", 64},
		{"rv64i_zcd", "rv64ifdc_zicntr_zicsr", 64},
		{"rv64imafd_zca", "rv64imafd_zicntr_zicsr_zca", 64},
		{"rv32if_zca", "rv32if_zicntr_zicsr_zca", 32},
		{"rv32if_zcf", "rv32ifc_zicntr_zicsr", 32},
		{"rv64gc_sstc_svadu", "rv64imafdc_zicntr_zicsr_zifencei_sstc_svadu", 64},
	};

	(void)state;
	for (size_t n = 0; n < BIS_ARRAY_SIZE(good); n++) {
		struct bis_isa_spec spec, again;
		char text[256];

		assert_ok(bis_isa_parse(good[n].text, &spec));
		assert_int_equal(spec.xlen, good[n].xlen);
		assert_int_equal(bis_isa_format(&spec, text, sizeof(text)), strlen(good[n].canonical));
		assert_string_equal(text, good[n].canonical);
		assert_ok(bis_isa_parse(text, &again));
		assert_true(again.exts == spec.exts && again.misa == spec.misa && again.xlen == spec.xlen);
	}
}

static void a_bare_width_means_everything(void **state)
{
	static const char *const everywhere[] = {"i",	"m",   "a",   "f",	"d",   "c",   "zicsr", "zifencei",
						 "zba", "zbb", "zbs", "zicntr", "zca", "zcd", "sstc",  "svadu"};
	static const char *const widths[] = {"rv32", "rv64"};
	struct bis_isa_spec spec;

	(void)state;
	for (size_t w = 0; w < BIS_ARRAY_SIZE(widths); w++) {
		assert_ok(bis_isa_parse(widths[w], &spec));
		for (size_t n = 0; n < BIS_ARRAY_SIZE(everywhere); n++)
			assert_true(bis_isa_has(&spec, everywhere[n]));
		assert_int_equal(bis_isa_has(&spec, "zcf"), spec.xlen == 32);
	}
}

static void compressed_floating_point_follows_width_and_letters(void **state)
{
	struct bis_isa_spec spec;

	(void)state;
	assert_ok(bis_isa_parse("rv32ic", &spec));
	assert_true(bis_isa_has(&spec, "zca") && !bis_isa_has(&spec, "zcf") && !bis_isa_has(&spec, "zcd"));
	assert_ok(bis_isa_parse("rv32ifc", &spec));
	assert_true(bis_isa_has(&spec, "zcf") && !bis_isa_has(&spec, "zcd"));
	assert_ok(bis_isa_parse("rv64ifc", &spec));
	assert_false(bis_isa_has(&spec, "zcf") || bis_isa_has(&spec, "zcd"));
	assert_ok(bis_isa_parse("rv64idc", &spec));
	assert_true(bis_isa_has(&spec, "zcd") && !bis_isa_has(&spec, "zcf"));
}

static void misa_says_the_same_as_the_string(void **state)
{
	static const struct {
		const char *text;
		uint32_t letters;
	} known[] = {
		{"rv64i", LETTER('i')},
		{"rv32imac", LETTER('i') | LETTER('m') | LETTER('a') | LETTER('c')},
		{"rv64g", LETTER('i') | LETTER('m') | LETTER('a') | LETTER('f') | LETTER('d')},
		{"rv64imafd_zca", LETTER('i') | LETTER('m') | LETTER('a') | LETTER('f') | LETTER('d')},
		{"rv64ima_zca", LETTER('i') | LETTER('m') | LETTER('a') | LETTER('c')},
	};

	(void)state;
	for (size_t n = 0; n < BIS_ARRAY_SIZE(known); n++) {
		struct bis_isa_spec spec;

		assert_ok(bis_isa_parse(known[n].text, &spec));
		assert_int_equal(spec.misa, known[n].letters | LETTER('s') | LETTER('u'));
	}
}

static void unknown_names_are_not_in_the_set(void **state)
{
	struct bis_isa_spec spec;

	(void)state;
	assert_ok(bis_isa_parse("rv64", &spec));
	assert_false(bis_isa_has(&spec, "v"));
	assert_false(bis_isa_has(&spec, ""));
	assert_false(bis_isa_has(&spec, "zb"));
	assert_false(bis_isa_has(&spec, "zbax"));
	assert_true(bis_isa_has(&spec, "priv"));
}

static void refusals_name_the_part_and_what_was_expected(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{"", "begin with rv32 or rv64"},
		{"x86", "begin with rv32 or rv64"},
		{"rv128i", "begin with rv32 or rv64"},
		{"rv", "begin with rv32 or rv64"},
		{"rv64m", "expected i or g"},
		{"rv64zba", "expected i or g"},
		{"rv32e", "unknown extension 'e'"},
		{"rv64iq", "unknown extension 'q'"},
		{"rv64gc_zbz", "'zbz' (did you mean 'zb"},
		{"rv64gc_sttc", "'sttc' (did you mean 'sstc'?)"},
		{"rv64gc_zicsrr", "did you mean 'zicsr'?"},
		{"rv64gc_zba1p0p0", "'zba1p0p0'"},
		{"rv64gc_xfoo", "unknown extension 'xfoo'"},
		{"rv64_", "both sides of '_'"},
		{"rv64_i", "both sides of '_'"},
		{"rv64i_", "both sides of '_'"},
		{"rv64i__m", "both sides of '_'"},
		{"rv64i2p", "unknown extension 'p'"},
		{"rv64i m", "unknown extension ' '"},
		{"rv64i\n", "unknown extension"},
		{"rv64i\xff", "unknown extension"},
		{"rv64gc_zcf", "zcf exists on rv32 only"},
	};
	struct bis_isa_spec spec = {.xlen = 7};

	(void)state;
	for (size_t n = 0; n < BIS_ARRAY_SIZE(bad); n++)
		assert_fails(bis_isa_parse(bad[n].text, &spec), -EINVAL, bad[n].words);
	assert_int_equal(spec.xlen, 7); /* written only on success */
}

static void a_long_string_is_refused(void **state)
{
	char text[4096];
	struct bis_isa_spec spec;

	(void)state;
	memset(text, 'i', sizeof(text) - 1);
	memcpy(text, "rv64", 4);
	text[sizeof(text) - 1] = '\0';
	assert_fails(bis_isa_parse(text, &spec), -EINVAL, "at most 255");
	text[255] = '\0';
	assert_ok(bis_isa_parse(text, &spec));
	memset(text + 4, '_', 251);
	assert_fails(bis_isa_parse(text, &spec), -EINVAL, "'_'");
}

static void formatting_counts_as_snprintf_does(void **state)
{
	struct bis_isa_spec spec;
	char whole[256], part[256];
	int len;

	(void)state;
	assert_ok(bis_isa_parse("rv64", &spec));
	len = bis_isa_format(&spec, whole, sizeof(whole));
	assert_int_equal(bis_isa_format(&spec, NULL, 0), len);
	for (size_t size = 1; size <= (size_t)len + 1; size++) {
		memset(part, '#', sizeof(part));
		assert_int_equal(bis_isa_format(&spec, part, size), len);
		assert_int_equal(strlen(part), size - 1);
		assert_memory_equal(part, whole, size - 1);
		assert_int_equal(part[size], '#');
	}
}

static void the_table_lists_every_extension_with_help(void **state)
{
	const char *name, *help = NULL;
	size_t n = 0;

	(void)state;
	for (; (name = bis_isa_ext_name(n, &help)); n++) {
		assert_non_null(help);
		assert_true(strlen(name) > 0 && strlen(help) > 0);
		assert_string_equal(bis_isa_ext_name(n, NULL), name);
	}
	assert_true(n > 10 && n <= 64);
	assert_null(bis_isa_ext_name(SIZE_MAX, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_form_names_everything_implied),
		cmocka_unit_test(a_bare_width_means_everything),
		cmocka_unit_test(compressed_floating_point_follows_width_and_letters),
		cmocka_unit_test(misa_says_the_same_as_the_string),
		cmocka_unit_test(unknown_names_are_not_in_the_set),
		cmocka_unit_test(refusals_name_the_part_and_what_was_expected),
		cmocka_unit_test(a_long_string_is_refused),
		cmocka_unit_test(formatting_counts_as_snprintf_does),
		cmocka_unit_test(the_table_lists_every_extension_with_help),
	};

	return cmocka_run_group_tests_name("isa_string", tests, NULL, NULL);
}
