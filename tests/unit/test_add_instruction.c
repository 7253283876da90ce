/*
 * docs/add-an-instruction.md, followed to the letter: its module is compiled from the page, loaded into a machine, and
 * a guest uses the instruction.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <biscuit/machine.h>

#include "modules/modules.h"
#include "tests/unit/unit.h"

#define LINE_LEN 512

static const char *environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

/* Copies the page's first block of C into the file. */
static void extract_module(const char *path)
{
	char line[LINE_LEN], page[LINE_LEN];
	bool inside = false;
	FILE *in, *out;

	snprintf(page, sizeof(page), "%s/docs/add-an-instruction.md", environment("srcdir", "."));
	in = fopen(page, "r");
	out = fopen(path, "w");
	assert_non_null(in);
	assert_non_null(out);
	while (fgets(line, sizeof(line), in)) {
		if (inside && !strcmp(line, "```\n"))
			break;
		if (inside)
			fputs(line, out);
		inside = inside || !strcmp(line, "```c\n");
	}
	assert_true(inside);
	fclose(in);
	assert_int_equal(fclose(out), 0);
}

static void build_module(const char *dir, char *object, size_t size)
{
	char source[LINE_LEN], command[4 * LINE_LEN];

	snprintf(source, sizeof(source), "%s/absdiff.c", dir);
	snprintf(object, size, "%s/absdiff.so", dir);
	extract_module(source);
	snprintf(command, sizeof(command), "%s -Wall -Wextra -Werror -shared -fPIC -I'%s/include' -o %s %s",
		 environment("CC", "cc"), environment("srcdir", "."), object, source);
	assert_int_equal(system(command), 0);
	unlink(source);
}

/* Exits with the distance of 5 and 12, negated numbers included: 7 + 7 = 14. */
static const uint32_t program[] = {
	0x00500593, /* addi a1, zero, 5 */
	0x00c00613, /* addi a2, zero, 12 */
	0x00c5850b, /* xabsdiff a0, a1, a2 */
	0xffb00593, /* addi a1, zero, -5 */
	0xff400613, /* addi a2, zero, -12 */
	0x00c5868b, /* xabsdiff a3, a1, a2 */
	0x00d50533, /* add a0, a0, a3 */
	0x01051513, /* slli a0, a0, 16 */
	0x00003337, /* lui t1, 0x3 */
	0x33330313, /* addi t1, t1, 0x333 */
	0x00656533, /* or a0, a0, t1 */
	0x001002b7, /* lui t0, 0x100: the finisher */
	0x00a2a023, /* sw a0, 0(t0) */
	0x0000006f, /* j . */
};

static int run_guest(const char *isa, const char *object)
{
	struct bis_machine_config config = {.isa = isa, .ram_size = 1 << 20, .classes = bis_builtin_modules};
	struct bis_machine *m = NULL;
	struct bis_module *mod;
	enum bis_stop_reason why;
	char text[LINE_LEN];
	int status = -1;

	assert_ok(bis_machine_create(&config, &m));
	assert_ok(bis_machine_add(m, "riscv", &mod));
	assert_ok(bis_machine_add(m, "finisher,at=0x100000", &mod));
	assert_ok(bis_machine_load_module(m, object));
	assert_ok(bis_machine_add(m, "absdiff", &mod));
	bis_disassemble(bis_hart_decoder(bis_machine_hart(m, 0)), program[2], 0, text, sizeof(text));
	assert_string_equal(text, "xabsdiff a0, a1, a2");
	assert_ok(bis_mem_write(bis_machine_memory(m), (bis_gpa){BIS_RAM_BASE}, program, sizeof(program)));
	bis_machine_set_entry(m, BIS_RAM_BASE, 0, 0);
	assert_ok(bis_machine_start(m));
	assert_ok(bis_machine_join(m, 20000, &why, &status));
	assert_int_equal(why, BIS_STOP_POWER_OFF);
	bis_machine_destroy(m);
	return status;
}

static void the_page_makes_an_instruction(void **state)
{
	char dir[] = "./test_add_instruction.XXXXXX", object[LINE_LEN];

	(void)state;
	if (system("command -v \"${CC:-cc}\" >/dev/null"))
		skip();
	assert_non_null(mkdtemp(dir));
	build_module(dir, object, sizeof(object));
	assert_int_equal(run_guest("rv64", object), 14);
	assert_int_equal(run_guest("rv32i", object), 14);
	unlink(object);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_page_makes_an_instruction),
	};

	return cmocka_run_group_tests_name("add_instruction", tests, NULL, NULL);
}
