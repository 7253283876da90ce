/*
 * The device tree writer: what a guest finds in the tree, agreement with dtc's checks, and misuse by modules.
 */
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <biscuit/machine.h>

#include "src/loader/dt_internal.h"
#include "tests/unit/unit.h"

static void plic_node(void *self, struct bis_dt *dt)
{
	uint32_t cells[] = {bis_dt_hart_intc(dt, 0), 11, bis_dt_hart_intc(dt, bis_dt_hart_count(dt) - 1), 9};

	(void)self;
	bis_dt_string(dt, "compatible", "sifive,plic-1.0.0");
	bis_dt_cells(dt, "interrupts-extended", cells, 4);
	bis_dt_flag(dt, "interrupt-controller");
	bis_dt_u32(dt, "#interrupt-cells", 1);
	bis_dt_u32(dt, "#address-cells", 0);
}

static void uart_node(void *self, struct bis_dt *dt)
{
	(void)self;
	bis_dt_string(dt, "compatible", "ns16550a");
	bis_dt_u32(dt, "clock-frequency", 3686400);
}

static void syscon_node(void *self, struct bis_dt *dt)
{
	uint32_t phandle;

	(void)self;
	bis_dt_strings(dt, "compatible", "sifive,test0\0syscon", sizeof("sifive,test0\0syscon"));
	phandle = bis_dt_phandle(dt);
	assert_int_equal(bis_dt_phandle(dt), phandle);
	bis_dt_begin(dt, "poweroff");
	bis_dt_string(dt, "compatible", "syscon-poweroff");
	bis_dt_u32(dt, "regmap", phandle);
	bis_dt_end(dt);
}

static void off_bus_node(void *self, struct bis_dt *dt)
{
	(void)self;
	bis_dt_string(dt, "compatible", "biscuit,console");
	bis_dt_u64(dt, "size", UINT64_C(0x123456789a));
}

/* Its registers are none of the bus's: it says itself where it is. */
static void picture_node(void *self, struct bis_dt *dt)
{
	uint32_t reg[] = {1, 0xe0000000, 0, 0x1000};

	(void)self;
	bis_dt_string(dt, "compatible", "simple-framebuffer");
	bis_dt_cells(dt, "reg", reg, 4);
}

/* The UART comes before the controller that its interrupt names. */
static const struct bis_dt_node nodes[] = {
	{.name = "serial",
	 .instance = "uart16550",
	 .windows = {{0x10000000, 0x100}},
	 .n_windows = 1,
	 .irqs = {10},
	 .n_irqs = 1,
	 .write = uart_node},
	{.name = "plic",
	 .instance = "plic",
	 .windows = {{0xc000000, 0x600000}},
	 .n_windows = 1,
	 .controller = true,
	 .write = plic_node},
	{.name = "test", .instance = "finisher", .windows = {{0x100000, 0x1000}}, .n_windows = 1, .write = syscon_node},
	{.name = "console", .instance = "console", .write = off_bus_node},
	{.name = "framebuffer", .instance = "fb1", .has_address = true, .address = 0x1e0000000, .write = picture_node},
};

struct fixture {
	struct bis_memory *memory;
	struct bis_isa_spec isa;
	struct bis_dt_machine machine;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_ok(bis_memory_create(&f->memory));
	assert_ok(bis_memory_add_ram(f->memory, "ram", (bis_gpa){BIS_RAM_BASE}, UINT64_C(0x8000000)));
	assert_ok(bis_isa_parse("rv64imac", &f->isa));
	f->machine = (struct bis_dt_machine){.harts = 2,
					     .isa = &f->isa,
					     .paging = "sv48",
					     .memory = f->memory,
					     .nodes = nodes,
					     .count = BIS_ARRAY_SIZE(nodes)};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	bis_memory_destroy(f->memory);
	free(f);
	return 0;
}

static void assert_text(const void *fdt, const char *path, const char *prop, const char *expected)
{
	int len, node = fdt_path_offset(fdt, path);
	const char *got;

	assert_true(node >= 0);
	got = fdt_getprop(fdt, node, prop, &len);
	assert_non_null(got);
	assert_string_equal(got, expected);
}

static uint64_t cell(const void *fdt, const char *path, const char *prop, int index)
{
	int len, node = fdt_path_offset(fdt, path);
	const fdt32_t *got;

	assert_true(node >= 0);
	got = fdt_getprop(fdt, node, prop, &len);
	assert_non_null(got);
	assert_true(len > 4 * index);
	return fdt32_to_cpu(got[index]);
}

static void the_tree_says_what_the_machine_is(void **state)
{
	struct fixture *f = *state;
	struct bis_dt_config cfg = {.bootargs = "quiet", .initrd_start = 0x84000000, .initrd_end = 0x84001000};
	char isa[128];
	size_t size;
	void *fdt;

	assert_ok(bis_dt_generate(&f->machine, &cfg, &fdt, &size));
	assert_ok(bis_check_dtb(fdt, size));
	assert_text(fdt, "/", "compatible", "riscv-virtio");
	bis_isa_format(&f->isa, isa, sizeof(isa));
	assert_text(fdt, "/cpus/cpu@1", "riscv,isa", isa);
	assert_text(fdt, "/cpus/cpu@0", "mmu-type", "riscv,sv48");
	assert_int_equal(cell(fdt, "/cpus", "timebase-frequency", 0), 10000000);
	assert_int_equal(cell(fdt, "/memory@80000000", "reg", 1), 0x80000000);
	assert_int_equal(cell(fdt, "/memory@80000000", "reg", 3), 0x8000000);
	assert_text(fdt, "/chosen", "bootargs", "quiet");
	assert_text(fdt, "/chosen", "stdout-path", "/soc/serial@10000000");
	assert_int_equal(cell(fdt, "/chosen", "linux,initrd-start", 1), 0x84000000);
	assert_int_equal(cell(fdt, "/chosen", "linux,initrd-end", 1), 0x84001000);
	assert_int_equal(cell(fdt, "/chosen", "rng-seed", 7) >> 33, 0);
	assert_int_equal(cell(fdt, "/soc/serial@10000000", "reg", 1), 0x10000000);
	assert_int_equal(cell(fdt, "/soc/serial@10000000", "interrupts", 0), 10);
	assert_int_equal(cell(fdt, "/soc/serial@10000000", "interrupt-parent", 0),
			 cell(fdt, "/soc/plic@c000000", "phandle", 0));
	assert_int_equal(cell(fdt, "/soc/plic@c000000", "interrupts-extended", 2),
			 cell(fdt, "/cpus/cpu@1/interrupt-controller", "phandle", 0));
	assert_int_equal(cell(fdt, "/soc/test@100000/poweroff", "regmap", 0),
			 cell(fdt, "/soc/test@100000", "phandle", 0));
	assert_int_equal(cell(fdt, "/console", "size", 1), 0x3456789a);
	assert_int_equal(cell(fdt, "/framebuffer@1e0000000", "reg", 1), 0xe0000000);
	free(fdt);
}

static void dtc_has_nothing_to_say(void **state)
{
	struct fixture *f = *state;
	struct bis_dt_config cfg = {.bootargs = "x"};
	char path[] = "/tmp/test_dt.XXXXXX", command[128], said[256] = "";
	size_t size;
	void *fdt;
	FILE *out;
	int fd;

	if (system("command -v dtc >/dev/null 2>&1"))
		skip();
	assert_ok(bis_dt_generate(&f->machine, &cfg, &fdt, &size));
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, fdt, size), size);
	close(fd);
	snprintf(command, sizeof(command), "dtc -I dtb -O dts -o /dev/null %s 2>&1", path);
	out = popen(command, "r");
	assert_non_null(out);
	said[fread(said, 1, sizeof(said) - 1, out)] = '\0';
	assert_int_equal(pclose(out), 0);
	assert_string_equal(said, "");
	unlink(path);
	free(fdt);
}

static void the_console_can_be_named_but_must_exist(void **state)
{
	struct fixture *f = *state;
	struct bis_dt_config cfg = {.stdout_path = "console"};
	size_t size;
	void *fdt;

	assert_ok(bis_dt_generate(&f->machine, &cfg, &fdt, &size));
	assert_text(fdt, "/chosen", "stdout-path", "/console");
	free(fdt);
	cfg.stdout_path = "uart7";
	assert_fails(bis_dt_generate(&f->machine, &cfg, &fdt, &size), -EINVAL, "uart7");
}

static void large_node(void *self, struct bis_dt *dt)
{
	static char text[4000];

	(void)self;
	memset(text, 'x', sizeof(text) - 1);
	for (int i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof(name), "text%d", i);
		bis_dt_string(dt, name, text);
	}
}

static void a_large_tree_is_written_whole(void **state)
{
	struct fixture *f = *state;
	struct bis_dt_node large = {.name = "large", .instance = "large", .write = large_node};
	struct bis_dt_config cfg = {0};
	size_t size;
	void *fdt;

	f->machine.nodes = &large;
	f->machine.count = 1;
	assert_ok(bis_dt_generate(&f->machine, &cfg, &fdt, &size));
	assert_true(size > 80000);
	assert_ok(bis_check_dtb(fdt, size));
	assert_int_equal(strlen(fdt_getprop(fdt, fdt_path_offset(fdt, "/large"), "text19", NULL)), 3999);
	free(fdt);
}

static void leaves_open(void *self, struct bis_dt *dt)
{
	(void)self;
	bis_dt_begin(dt, "child");
}

static void closes_too_much(void *self, struct bis_dt *dt)
{
	(void)self;
	for (int i = 0; i < 9; i++)
		bis_dt_end(dt);
}

static void property_after_child(void *self, struct bis_dt *dt)
{
	(void)self;
	bis_dt_begin(dt, "child");
	bis_dt_end(dt);
	bis_dt_flag(dt, "late");
}

static void nests_without_end(void *self, struct bis_dt *dt)
{
	(void)self;
	for (int i = 0; i < 100; i++)
		bis_dt_begin(dt, "child");
}

static void a_module_that_breaks_the_rules_is_named(void **state)
{
	static void (*const bad[])(void *self, struct bis_dt *dt) = {leaves_open, closes_too_much, property_after_child,
								     nests_without_end};
	struct fixture *f = *state;
	struct bis_dt_config cfg = {0};
	size_t size;
	void *fdt;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		struct bis_dt_node node = {.name = "n", .instance = "culprit", .write = bad[i]};

		f->machine.nodes = &node;
		f->machine.count = 1;
		assert_fails(bis_dt_generate(&f->machine, &cfg, &fdt, &size), -EINVAL, "culprit");
	}
}

static void damaged_blobs_are_refused(void **state)
{
	struct fixture *f = *state;
	struct bis_dt_config cfg = {0};
	uint8_t *blob, *word, kept_word[4];
	size_t size;
	void *fdt;

	assert_fails(bis_check_dtb("", 0), -EINVAL, "header");
	assert_fails(bis_check_dtb("this is a text, surely no device tree at all", 44), -EINVAL, "not a valid blob");
	assert_ok(bis_dt_generate(&f->machine, &cfg, &fdt, &size));
	for (size_t cut = 0; cut < size; cut += 7) {
		blob = malloc(cut + 1); /* exactly as large as said, for the address sanitizer */
		assert_non_null(blob);
		memcpy(blob, fdt, cut);
		assert_fails(bis_check_dtb(blob, cut), -EINVAL, "device tree");
		free(blob);
	}
	/* Before version 17 no part says how long it is, and libfdt would read as far as it gets. */
	fdt_set_version(fdt, 16);
	assert_fails(bis_check_dtb(fdt, size), -EINVAL, "version 16, expected 17");
	fdt_set_version(fdt, 17);
	assert_ok(bis_check_dtb(fdt, size));
	/* A length that leads back to where it stands must not be followed for ever. */
	word = (uint8_t *)fdt + fdt_off_dt_struct(fdt) + fdt_first_property_offset(fdt, 0) + 4;
	memcpy(kept_word, word, 4);
	memcpy(word, "\xff\xff\xff\xf4", 4);
	assert_fails(bis_check_dtb(fdt, size), -EINVAL, "not a valid blob");
	memcpy(word, kept_word, 4);
	assert_ok(bis_check_dtb(fdt, size));
	for (size_t at = 0; at < size; at += 3) {
		uint8_t kept = ((uint8_t *)fdt)[at];

		((uint8_t *)fdt)[at] = (uint8_t)~kept;
		if (bis_check_dtb(fdt, size))
			assert_non_null(strstr(bis_error_message(), "device tree"));
		((uint8_t *)fdt)[at] = kept;
	}
	free(fdt);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(the_tree_says_what_the_machine_is, set_up, tear_down),
	cmocka_unit_test_setup_teardown(dtc_has_nothing_to_say, set_up, tear_down),
	cmocka_unit_test_setup_teardown(the_console_can_be_named_but_must_exist, set_up, tear_down),
	cmocka_unit_test_setup_teardown(a_large_tree_is_written_whole, set_up, tear_down),
	cmocka_unit_test_setup_teardown(a_module_that_breaks_the_rules_is_named, set_up, tear_down),
	cmocka_unit_test_setup_teardown(damaged_blobs_are_refused, set_up, tear_down),
};

int main(void)
{
	return cmocka_run_group_tests_name("dt", tests, NULL, NULL);
}
