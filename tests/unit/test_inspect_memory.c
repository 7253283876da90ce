/*
 * Memory as files: physical, by RAM, and by the halves of a hart's address space; page tables as a map and as the way
 * of one address in words.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/inspect_rig.h"

#define TABLES (BIS_RAM_BASE + 0x200000)
#define LOW    UINT64_C(0x10000)
#define HIGH   UINT64_C(0xffffffc000000000)

static int setup(void **state)
{
	struct bis_machine *m = rig_create("rv64", 1);

	rig_start_paused(m);
	*state = files_of(m, NULL);
	return 0;
}

static int teardown(void **state)
{
	files_free(*state);
	return 0;
}

/* Reads or writes at an offset: what the file says. */
static ssize_t get_at(struct files *f, const char *path, uint64_t off, void *buf, size_t len)
{
	struct inspect_handle *h;
	ssize_t got;

	assert_ok(files_open(f, path, INSPECT_READ, &h));
	got = inspect_read(h, buf, len, off);
	inspect_close(h);
	return got;
}

static ssize_t put_at(struct files *f, const char *path, uint64_t off, const void *buf, size_t len)
{
	struct inspect_handle *h;
	ssize_t done;

	assert_ok(files_open(f, path, INSPECT_WRITE, &h));
	done = inspect_write(h, buf, len, off);
	inspect_close(h);
	return done;
}

static uint64_t size_of(struct files *f, const char *path)
{
	struct inspect_node *n;
	uint64_t size;

	assert_ok(inspect_find(f->in, path, &n));
	size = n->type->size(f->in, n);
	inspect_unref(f->in, n, 1);
	return size;
}

/* --- Physical memory --- */

static void an_offset_is_a_physical_address(void **state)
{
	struct files *f = *state;
	uint64_t value = 0;

	rig_set64(f->m, RIG_DATA + 8, 0x1122334455667788);
	assert_int_equal(get_at(f, "mem/phys", RIG_DATA + 8, &value, 8), 8);
	assert_int_equal(value, 0x1122334455667788);
	assert_int_equal(get_at(f, "mem/ram", RIG_DATA + 8 - BIS_RAM_BASE, &value, 8), 8);
	assert_int_equal(value, 0x1122334455667788);
	value = 42;
	assert_int_equal(put_at(f, "mem/phys", RIG_DATA, &value, 8), 8);
	assert_int_equal(rig_get64(f->m, RIG_DATA), 42);
	assert_int_equal(put_at(f, "mem/ram", 0, &value, 8), 8);
	assert_int_equal(rig_get64(f->m, BIS_RAM_BASE), 42);
	assert_int_equal(size_of(f, "mem/phys"), BIS_RAM_BASE + RIG_RAM_SIZE);
	assert_int_equal(size_of(f, "mem/ram"), RIG_RAM_SIZE);
	files_say(f, "mem/map", "0x0000000080000000-0x00000000807fffff ram ram\n");
}

static void what_is_no_ram_is_a_bad_address_and_the_end_is_the_end(void **state)
{
	struct files *f = *state;
	uint64_t end = BIS_RAM_BASE + RIG_RAM_SIZE;
	char buf[64];

	assert_fails(get_at(f, "mem/phys", 0, buf, 8), -EFAULT, "mem/map");
	assert_fails(get_at(f, "mem/phys", BIS_RAM_BASE - 1, buf, 8), -EFAULT, "0x7fffffff");
	assert_int_equal(get_at(f, "mem/phys", end - 3, buf, 8), 3);
	assert_int_equal(get_at(f, "mem/phys", end, buf, 8), 0);
	assert_int_equal(get_at(f, "mem/phys", UINT64_MAX, buf, 8), 0);
	assert_int_equal(get_at(f, "mem/ram", RIG_RAM_SIZE - 3, buf, 8), 3);
	assert_int_equal(get_at(f, "mem/ram", RIG_RAM_SIZE, buf, 8), 0);
}

static void a_write_that_does_not_fit_writes_nothing(void **state)
{
	static const uint64_t outside[] = {0, BIS_RAM_BASE - 4, BIS_RAM_BASE + RIG_RAM_SIZE - 4,
					   BIS_RAM_BASE + RIG_RAM_SIZE, UINT64_MAX - 3};
	struct files *f = *state;

	rig_set64(f->m, BIS_RAM_BASE, 0);
	rig_set32(f->m, BIS_RAM_BASE + RIG_RAM_SIZE - 4, 0);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(outside); i++)
		assert_fails(put_at(f, "mem/phys", outside[i], "12345678", 8), -EFAULT, "nothing is written");
	assert_fails(put_at(f, "mem/ram", RIG_RAM_SIZE - 4, "12345678", 8), -EFAULT, "nothing is written");
	assert_fails(put_at(f, "mem/ram", UINT64_MAX - 3, "12345678", 8), -EFAULT, "nothing is written");
	assert_int_equal(rig_get64(f->m, BIS_RAM_BASE), 0);
	assert_int_equal(rig_get64(f->m, BIS_RAM_BASE + RIG_RAM_SIZE - 8), 0);
}

static void memory_nobody_touched_is_zeros_and_takes_no_room(void **state)
{
	struct files *f = *state;
	uint64_t start = 0x300000, expected = 0x0807060504030201;
	size_t len = 1 << 20;
	uint8_t *buf = malloc(len);
	struct bis_mem_region r;
	struct stat before, after;

	assert_ok(bis_mem_region(bis_machine_memory(f->m), 0, &r));
	rig_set64(f->m, BIS_RAM_BASE + start + 0x54320, expected); /* an island */
	fstat(r.fd, &before);
	memset(buf, 0xff, len);
	assert_int_equal(get_at(f, "mem/phys", BIS_RAM_BASE + start + 1, buf, len), (long)len);
	fstat(r.fd, &after);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(buf[i], i - 0x5431f < 8 ? ((uint8_t *)&expected)[i - 0x5431f] : 0);
	assert_true(after.st_blocks - before.st_blocks <= 2 * 65536 / 512);
	free(buf);
}

static void code_that_is_written_through_the_file_is_executed(void **state)
{
	static const uint32_t one[] = {ADDI(A0, A0, 1), J(-4)}, two[] = {ADDI(A0, A0, 2), J(-4)};
	struct files *f = *state;

	RIG_LOAD(f->m, RIG_CODE, one);
	rig_step_at(f->m, RIG_CODE, 200);
	assert_int_equal(rig_reg(f->m, A0), 100);
	assert_int_equal(put_at(f, "mem/phys", RIG_CODE, two, sizeof(two)), sizeof(two));
	rig_step_at(f->m, RIG_CODE, 200);
	assert_int_equal(rig_reg(f->m, A0), 300);
}

static void the_path_of_the_memory_can_be_mapped(void **state)
{
	struct files *f = *state;
	uint64_t value = 0;
	int fd;

	files_text(f, "mem/ram.path");
	f->text[f->len - 1] = '\0';
	fd = open(f->text, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	rig_set64(f->m, RIG_DATA, 77);
	assert_int_equal(pread(fd, &value, 8, RIG_DATA - BIS_RAM_BASE), 8);
	assert_int_equal(value, 77);
	close(fd);
}

/* --- Virtual memory --- */

static struct rig_tables tables(struct files *f)
{
	struct rig_tables t = rig_tables_at(f->m, TABLES);

	rig_map(&t, LOW, RIG_DATA, 0, PTE_RWX | PTE_U);
	rig_map(&t, LOW + 0x1000, RIG_DATA + 0x1000, 0, PTE_RWX | PTE_U);
	rig_map(&t, LOW + 0x2000, RIG_DATA + 0x5000, 0, PTE_V | PTE_R | PTE_A);
	rig_map(&t, HIGH, BIS_RAM_BASE, 1, PTE_RWX | PTE_G);
	rig_map(&t, HIGH + 0x200000, BIS_RAM_BASE + 0x200000, 1, PTE_RWX | PTE_G);
	rig_map(&t, HIGH + 0x400000, BIS_RAM_BASE + 0x1000, 1, PTE_RWX); /* misaligned */
	rig_map(&t, HIGH + 0x600000, 0, 1, PTE_V | PTE_W);		 /* reserved */
	rig_map(&t, HIGH + 0x800000, 0x10000000, 0, PTE_V | PTE_R | PTE_W | PTE_A | PTE_D);
	rig_enter_s(&t);
	return t;
}

static void the_map_is_what_the_tables_hold(void **state)
{
	struct files *f = *state;

	files_are(f, "cpu/0/vm/mode", "bare");
	assert_string_equal(files_text(f, "cpu/0/vm/map"), "");
	tables(f);
	files_are(f, "cpu/0/vm/mode", "sv39");
	assert_string_equal(files_text(f, "cpu/0/vm/map"),
			    "0x0000000000010000-0x0000000000011fff rwxu-ad 0x0000000080100000 4K\n"
			    "0x0000000000012000-0x0000000000012fff r----a- 0x0000000080105000 4K\n"
			    "0xffffffc000000000-0xffffffc0003fffff rwx-gad 0x0000000080000000 2048K\n"
			    "0xffffffc000800000-0xffffffc000800fff rw---ad 0x0000000010000000 4K\n");
	files_are(f, "cpu/0/vm/upper.base", "0xffffffc000000000");
}

/* Tables that lead back to themselves on every way: 512 to the power of the levels. */
static void a_map_of_hostile_tables_ends(void **state)
{
	struct files *f = *state;
	struct rig_tables t = rig_tables_at(f->m, TABLES);

	for (unsigned i = 0; i < 512; i++)
		rig_set64(f->m, TABLES + i * 8, TABLES >> 12 << 10 | PTE_V);
	rig_enter_s(&t);
	rig_set_csr(f->m, CSR_SATP, UINT64_C(9) << 60 | TABLES >> 12); /* Sv48 */
	files_say(f, "cpu/0/vm/map", "# more than");
	rig_set_csr(f->m, CSR_SATP, UINT64_C(8) << 60 | 0x1234); /* nowhere */
	assert_string_equal(files_text(f, "cpu/0/vm/map"), "");
	files_put_ok(f, "cpu/0/vm/walk", "0x1000");
	files_say(f, "cpu/0/vm/walk", "access fault: a page table is not in RAM");
}

static void a_walk_is_told_step_by_step(void **state)
{
	static const struct {
		const char *ask, *words;
	} rows[] = {
		{"0xffffffc000001234", "0xffffffc000001234: read in s-mode, sv39, first table at 0x0000000080200000\n"
				       "level 2: entry at 0x0000000080200800 is 0x"},
		{"0xffffffc000001234", "V R W X G A D, page at 0x0000000080000000\n"
				       "is 0x0000000080001234, in a page of 2 MiB: read write execute global\n"},
		{"0x10000", "page fault: S-mode may not use a page of U-mode: mstatus.SUM is clear"},
		{"0x10000 fetch", "page fault: S-mode may not execute a page of U-mode"},
		{"0x12000", "is 0x0000000080105000, in a page of 4 KiB: read\n"},
		{"0x12000 write", "page fault: the page cannot be written: W is clear"},
		{"0x12000 fetch", "page fault: the page cannot be executed: X is clear"},
		{"0x13000", "level 0: entry at "},
		{"0x13000", "is 0x0000000000000000: no flags\npage fault: the entry is not valid: V is clear"},
		{"0x8000000000", "page fault: the address is not canonical"},
		{"0xffffffc000400000", "page fault: the large page is not aligned to its size"},
		{"0xffffffc000600000", "page fault: the entry is reserved: W is set without R"},
	};
	struct files *f = *state;

	files_say(f, "cpu/0/vm/walk", "0x0000000000000000: read in m-mode, bare\nis 0x0000000000000000:");
	tables(f);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		files_put_ok(f, "cpu/0/vm/walk", rows[i].ask);
		files_say(f, "cpu/0/vm/walk", rows[i].words);
	}
	bis_hart_set_priv(rig_hart(f->m), BIS_PRIV_U);
	files_put_ok(f, "cpu/0/vm/walk", "0xffffffc000001234");
	files_say(f, "cpu/0/vm/walk", "page fault: U-mode may not use the page: U is clear");
}

static void halves_are_read_and_written_by_the_translation(void **state)
{
	struct files *f = *state;
	uint64_t value = 0;
	char buf[0x4000];

	tables(f);
	rig_set64(f->m, RIG_DATA + 0x1ff8, 0x1111);
	rig_set64(f->m, RIG_DATA + 0x5000, 0x2222);
	assert_int_equal(get_at(f, "cpu/0/vm/lower", LOW + 0x1ff8, buf, sizeof(buf)),
			 0x1008); /* up to what is mapped */
	memcpy(&value, buf, 8);
	assert_int_equal(value, 0x1111);
	memcpy(&value, buf + 8, 8);
	assert_int_equal(value, 0x2222);
	assert_fails(get_at(f, "cpu/0/vm/lower", LOW - 8, buf, 16), -EFAULT, "not mapped");
	assert_int_equal(get_at(f, "cpu/0/vm/lower", UINT64_C(1) << 38, buf, 16), 0);
	rig_set64(f->m, RIG_DATA, 0x3333);
	assert_int_equal(get_at(f, "cpu/0/vm/upper", RIG_DATA - BIS_RAM_BASE, &value, 8), 8);
	assert_int_equal(value, 0x3333);
	assert_fails(get_at(f, "cpu/0/vm/upper", 0x800000, buf, 16), -EFAULT, "not mapped"); /* a device */
	value = 0x4444;
	assert_int_equal(put_at(f, "cpu/0/vm/upper", RIG_DATA - BIS_RAM_BASE, &value, 8), 8);
	assert_int_equal(rig_get64(f->m, RIG_DATA), 0x4444);
	memset(buf, 1, sizeof(buf));
	assert_int_equal(put_at(f, "cpu/0/vm/lower", LOW + 0x2ff8, buf, 16), -EFAULT);
	assert_int_equal(rig_get64(f->m, RIG_DATA + 0x5ff8), 0); /* nothing of it */
	assert_int_equal(put_at(f, "cpu/0/vm/lower", (UINT64_C(1) << 38) - 4, buf, 16), -EFAULT);
}

static void narrow_harts_have_narrow_files(void **state)
{
	struct bis_machine *m = rig_create("rv32", 1);
	struct files *f;

	(void)state;
	rig_start_paused(m);
	f = files_of(m, NULL);
	files_are(f, "cpu/0/pc", "0x807ff000");
	files_put_ok(f, "cpu/0/x/a0", "0xffffffff");
	files_are(f, "cpu/0/x/a0", "0xffffffff");
	assert_int_equal(files_put(f, "cpu/0/x/a0", "0x100000000"), -EINVAL);
	files_are(f, "cpu/0/vm/upper.base", "0x80000000");
	assert_int_equal(size_of(f, "cpu/0/vm/upper"), UINT64_C(1) << 31);
	rig_set_csr(m, CSR_PMPADDR0, UINT32_MAX);
	rig_set_csr(m, CSR_PMPCFG0, 0x1f);
	rig_set32(m, TABLES + 0x800,
		  (uint32_t)(BIS_RAM_BASE >> 12 << 10) | PTE_RWX); /* a page of 4 MiB at 0x80000000 */
	rig_set_csr(m, CSR_SATP, 0x80000000 | TABLES >> 12);
	bis_hart_set_priv(rig_hart(m), BIS_PRIV_S);
	assert_string_equal(files_text(f, "cpu/0/vm/map"), "0x80000000-0x803fffff rwx--ad 0x80000000 4096K\n");
	files_put_ok(f, "cpu/0/vm/walk", "0x80001234");
	files_say(f, "cpu/0/vm/walk", "sv32, first table at 0x80200000\nlevel 1: entry at 0x80200800 is 0x");
	rig_set64(m, RIG_DATA, 99);
	files_put_ok(f, "cpu/0/csr.fields/mstatus/MPP", "1");
	files_free(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_offset_is_a_physical_address),
		TEST(what_is_no_ram_is_a_bad_address_and_the_end_is_the_end),
		TEST(a_write_that_does_not_fit_writes_nothing),
		TEST(memory_nobody_touched_is_zeros_and_takes_no_room),
		TEST(code_that_is_written_through_the_file_is_executed),
		TEST(the_path_of_the_memory_can_be_mapped),
		TEST(the_map_is_what_the_tables_hold),
		TEST(a_map_of_hostile_tables_ends),
		TEST(a_walk_is_told_step_by_step),
		TEST(halves_are_read_and_written_by_the_translation),
		cmocka_unit_test(narrow_harts_have_narrow_files),
	};

	return cmocka_run_group_tests_name("inspect_memory", tests, NULL, NULL);
}
