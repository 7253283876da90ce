/*
 * Fuzz target: the machine as files. The first byte chooses what the rest is: lines "PATH VALUE", each written to that
 * file, which is then read; or a device tree blob, shown as source; or bytes that become the guest's page tables.
 * Files that run the machine or open files of the host are left out.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <biscuit/builtin.h>
#include <biscuit/loader.h>

#include "frontend/inspect/inspect_internal.h"

enum { KIND_LINES, KIND_TREE, KIND_TABLES, KINDS };
enum { RAM_SIZE = 0x100000, TABLES = 0x10000, READ_MAX = 1 << 16, CSR_SATP = 0x180 };

struct fixture {
	struct bis_machine *m;
	struct inspect *in;
	const uint8_t *tree; /* the device tree of this input */
	size_t tree_size;
};

static void must(bool held)
{
	if (!held)
		abort();
}

static int give_tree(void *arg, void **blob, size_t *size)
{
	struct fixture *f = arg;

	*blob = malloc(f->tree_size + 1);
	must(*blob);
	if (f->tree_size)
		memcpy(*blob, f->tree, f->tree_size);
	*size = f->tree_size;
	return 0;
}

static struct fixture *fixture(void)
{
	static struct fixture f;
	struct bis_machine_config cfg = {.ram_size = RAM_SIZE, .classes = bis_builtin_modules};
	struct inspect_options options = {.device_tree = give_tree, .device_tree_arg = &f};
	struct debug *d;

	if (f.m)
		return &f;
	must(!bis_machine_create(&cfg, &f.m));
	must(!bis_board_virt(f.m));
	bis_machine_set_entry(f.m, BIS_RAM_BASE, 0, 0);
	must(!bis_machine_start(f.m) && !bis_machine_pause(f.m));
	must(!debug_create(f.m, &d));
	must(!inspect_create(d, &options, &f.in));
	return &f;
}

static void look(struct fixture *f, const char *path)
{
	static char buf[READ_MAX];
	struct inspect_handle *h;
	struct inspect_node *n;

	must(!inspect_find(f->in, path, &n));
	if (!inspect_open(f->in, n, INSPECT_READ, &h)) {
		ssize_t got = inspect_read(h, buf, sizeof(buf), 0);

		must(got <= (ssize_t)sizeof(buf));
		inspect_close(h);
	}
	inspect_unref(f->in, n, 1);
}

static bool is_left_out(const char *path)
{
	size_t len = strlen(path);

	return (len >= 3 && !strcmp(path + len - 3, "ctl")) || !strcmp(path, "symbols/load");
}

static void write_one(struct fixture *f, const char *path, const char *value, size_t len)
{
	struct inspect_handle *h;
	struct inspect_node *n;

	if (is_left_out(path) || inspect_find(f->in, path, &n))
		return;
	if (!inspect_open(f->in, n, INSPECT_WRITE, &h)) {
		ssize_t done = inspect_write(h, value, len, 0);

		must(done <= (ssize_t)len);
		inspect_close(h);
	}
	inspect_unref(f->in, n, 1);
	look(f, path);
}

static void write_lines(struct fixture *f, const uint8_t *data, size_t size)
{
	const char *at = (const char *)data, *end = at + size;

	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		const char *space;
		char path[256];

		if (!line_end)
			line_end = end;
		space = memchr(at, ' ', (size_t)(line_end - at));
		if (space && (size_t)(space - at) < sizeof(path)) {
			memcpy(path, at, (size_t)(space - at));
			path[space - at] = '\0';
			write_one(f, path, space + 1, (size_t)(line_end - space) - 1);
		}
		at = line_end < end ? line_end + 1 : end;
	}
}

/* The first 8 bytes are satp with the tables' place put in, the rest the tables. */
static void walk_tables(struct fixture *f, const uint8_t *data, size_t size)
{
	struct bis_hart *h = bis_machine_hart(f->m, 0);
	uint64_t satp;

	if (size < 8)
		return;
	memcpy(&satp, data, 8);
	satp = (satp & ~UINT64_C(0xfffff)) | (BIS_RAM_BASE + TABLES) >> 12;
	size = size - 8 < RAM_SIZE - TABLES ? size - 8 : RAM_SIZE - TABLES;
	must(!bis_mem_write(bis_machine_memory(f->m), (bis_gpa){BIS_RAM_BASE + TABLES}, data + 8, size));
	must(!bis_hart_csr_set(h, CSR_SATP, satp));
	bis_hart_set_priv(h, BIS_PRIV_S);
	look(f, "cpu/0/vm/map");
	look(f, "cpu/0/vm/walk");
	look(f, "cpu/0/vm/lower");
	look(f, "cpu/0/vm/upper");
	look(f, "cpu/0/backtrace");
	look(f, "cpu/0/disasm");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fixture *f = fixture();

	if (!size)
		return 0;
	f->tree = data + 1;
	f->tree_size = size - 1;
	switch (*data % KINDS) {
	case KIND_LINES:
		write_lines(f, data + 1, size - 1);
		break;
	case KIND_TREE:
		look(f, "dt/dts");
		break;
	default:
		walk_tables(f, data + 1, size - 1);
	}
	return 0;
}

static const char lines[] = "cpu/0/pc 0x80000000\n"
			    "cpu/0/priv s\n"
			    "cpu/0/x/a0 0x123456789abcdef0\n"
			    "cpu/0/f/fa0 18446744073709551615\n"
			    "cpu/0/csr/mstatus 0x1800\n"
			    "cpu/0/csr.fields/mstatus/MPP 3\n"
			    "cpu/0/vm/walk 0xffffffc000001000 fetch\n"
			    "break/add write 0x80000000+8 hart 0 once if a0 == 5 and mcause != 2\n"
			    "break/remove 1\n"
			    "symbols/lookup 0x80000000\n"
			    "dev/uart16550/lcr 0x03\n"
			    "dev/uart16550/loop 000102030405060708090a0b0c0d0e0f\n"
			    "dev/clock/alarm 12\n"
			    "dev/plic/priority 0 1 2 3\n"
			    "dev/console/in hello\n"
			    "mem/ram bytes\n"
			    "cpu/0/vm/lower bytes\n";

static size_t seed_tables(uint8_t *buf)
{
	uint64_t words[520] = {UINT64_C(8) << 60};
	uint64_t table = (BIS_RAM_BASE + TABLES) >> 12;

	words[1] = table << 10 | 1;
	words[2] = BIS_RAM_BASE >> 12 << 10 | 0xcf;
	words[3] = table << 10 | 0xdf;
	words[512] = UINT64_MAX;
	memcpy(buf, words, sizeof(words));
	return sizeof(words);
}

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	struct bis_dt_config config = {0};
	size_t size = 0;
	void *blob;

	buf[0] = (uint8_t)index;
	switch (index) {
	case KIND_LINES:
		memcpy(buf + 1, lines, sizeof(lines) - 1);
		return sizeof(lines);
	case KIND_TREE:
		must(!bis_build_dtb(fixture()->m, &config, &blob, &size) && size < max);
		memcpy(buf + 1, blob, size);
		free(blob);
		return size + 1;
	case KIND_TABLES:
		return seed_tables(buf + 1) + 1;
	default:
		return 0;
	}
}
