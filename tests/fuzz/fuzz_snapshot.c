/*
 * Fuzz target: a snapshot from hostile bytes. An input that begins as a snapshot file is one, cut or flipped somewhere;
 * any other is the records of one, which are put into a file with a checksum that is right, so that whatever reads them
 * is reached. What is refused is refused in words; what is taken runs, answers at its registers and can be saved again.
 * The machines are ours: what a snapshot says of modules is compared, and not made.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <biscuit/builtin.h>
#include <biscuit/snapshot.h>

#include "guest/sdk/include/magicfs_protocol.h"
#include "src/machine/machine_internal.h"
#include "src/machine/snapshot_internal.h"
#include "src/memory/bus_internal.h"
#include "tests/fuzz/fuzz.h"

#define RAM_SIZE 0x40000u
#define WINDOW	 UINT64_C(0x10001000)
#define DATA	 (BIS_RAM_BASE + 0x10000)
#define SEED_MAX (1u << 20)

/* What is in the share: a file and a directory. Made once, removed at the end. */
static char share[64];

unsigned fuzz_runs(void)
{
	return 2000;
}

/* --- Machines --- */

static const char *const board[] = {
	"riscv",
	"sv",
	"plic,at=0xc000000",
	"clint,at=0x2000000",
	"finisher,at=0x100000",
	"goldfish-rtc,at=0x101000,irq=11",
	"uart16550,at=0x10000000,irq=10",
	"modctl,slot=0",
	"console,slot=1",
	"clock,slot=2",
	"htif,tohost=0x80030000,fromhost=0x80030008",
	"sbi",
	"chardev-pty,name=pty",
	NULL,
};
static const char *const virtio[] = {
	"riscv",
	"plic,at=0xc000000",
	"virtio-rng,at=0x10001000,irq=1",
	"virtio-balloon,at=0x10002000,irq=2",
	"virtio-console,at=0x10003000,irq=3",
	"virtio-net,at=0x10004000,irq=4",
	"virtio-blk,at=0x10005000,irq=5,file=%s/disk",
	"modctl,slot=0",
	"block,slot=3,file=%s/other",
	NULL,
};
static const char *const files[] = {
	"riscv",
	"plic,at=0xc000000",
	"share,path=%s,name=share",
	"virtio-9p,at=0x10001000,irq=1,share=share",
	"modctl,slot=0",
	"magicfs,slot=4,at=0x4000000000,window=1M",
	NULL,
};
static const struct {
	const char *isa;
	unsigned harts;
	const char *const *specs;
} machines[] = {{"rv64", 2, board}, {"rv32", 1, board}, {"rv64", 1, virtio}, {"rv64", 1, files}};
#define MACHINES (sizeof(machines) / sizeof(machines[0]))

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_snapshot: %s (%s)\n", what, bis_error_message());
	abort();
}

static struct bis_machine *make(size_t which)
{
	struct bis_machine_config cfg = {.ram_size = RAM_SIZE,
					 .isa = machines[which].isa,
					 .harts = machines[which].harts,
					 .classes = bis_builtin_modules,
					 .log_level = BIS_LOG_ERROR};
	struct bis_machine *m = NULL;
	struct bis_module *mod;
	char spec[256];

	require(bis_machine_create(&cfg, &m) == 0, "a machine is made");
	for (const char *const *s = machines[which].specs; *s; s++) {
		int len = snprintf(spec, sizeof(spec), *s, share);

		require(len < (int)sizeof(spec) && bis_machine_add(m, spec, &mod) == 0, *s);
	}
	return m;
}

/* Looks at everything that a guest can look at, and writes some of it. */
static void use(struct bis_machine *m)
{
	static const uint64_t windows[] = {0xc000000,  0xc001000,  0xc002000,	  0xc200000,	  0xc200004,
					   0xc201004,  0x2000000,  0x2004000,	  0x101000,	  0x10000000,
					   0x10000002, 0x10000005, WINDOW + 0x70, WINDOW + 0x100, 0x10002100,
					   0x10003100, 0x10004100, 0x10005100};
	uint64_t value;

	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
		for (unsigned size = 1; size <= 4; size *= 4)
			if (bis_bus_read(m->bus, windows[i], size, &value) == BIS_BUS_OK)
				(void)bis_bus_write(m->bus, windows[i], size, value);
	for (unsigned place = 0; place < 5; place++)
		for (unsigned queue = 0; queue < 3; queue++)
			(void)bis_bus_write(m->bus, WINDOW + place * 0x1000u + 0x50, 4, queue);
	for (unsigned slot = 0; slot < 5; slot++)
		for (unsigned reg = 0; reg < 8; reg++)
			(void)bis_devctl_read(m, slot, reg);
}

/* --- Files --- */

static void write_all(int fd, const void *data, size_t len)
{
	require(write(fd, data, len) == (ssize_t)len, "a file in memory is written");
}

/* A file in memory with these bytes or, where they are records, with them in it; and a path to it. */
static int make_file(char path[32], const uint8_t *data, size_t size)
{
	static const uint32_t version = BIS_SNAPSHOT_VERSION;
	struct snapshot_writer *w;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	require(fd >= 0, "a file in memory");
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	if (size >= 7 && !memcmp(data, SNAPSHOT_MAGIC, 7)) {
		write_all(fd, data, size);
		return fd;
	}
	write_all(fd, SNAPSHOT_MAGIC, SNAPSHOT_MAGIC_SIZE);
	write_all(fd, &version, sizeof(version));
	require(snapshot_writer_create(fd, &w) == 0 && snapshot_write(w, data, size) == 0 &&
			snapshot_writer_finish(w) == 0,
		"records are written");
	snapshot_writer_destroy(w);
	return fd;
}

/* --- Seeds --- */

static void remove_share(void)
{
	static const char *const names[] = {"disk", "other", "file", "dir"};
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", share, names[i]);
		remove(path);
	}
	rmdir(share);
}

static void make_share(void)
{
	static const char *const names[] = {"disk", "other", "file"};
	char path[128];
	int fd;

	strcpy(share, access("/dev/shm", W_OK) ? "/tmp/fuzz-snapshot-XXXXXX" : "/dev/shm/fuzz-snapshot-XXXXXX");
	require(mkdtemp(share), "a directory is made");
	atexit(remove_share);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", share, names[i]);
		fd = open(path, O_RDWR | O_CREAT, 0600);
		require(fd >= 0 && ftruncate(fd, 65536) == 0, "a file is made");
		close(fd);
	}
	snprintf(path, sizeof(path), "%s/dir", share);
	require(mkdir(path, 0700) == 0, "a directory is made");
}

static void put(struct bis_machine *m, uint64_t pa, const void *bytes, size_t len)
{
	require(bis_mem_write(bis_machine_memory(m), (bis_gpa){pa}, bytes, len) == 0, "guest memory is written");
}

/* A driver up to DRIVER_OK at place `n`, with two queues; nothing happens where no such device is. */
static void drive(struct bis_machine *m, unsigned n)
{
	const struct {
		unsigned reg;
		uint32_t value;
	} before[] = {{0x70, 0}, {0x70, 1}, {0x70, 3}, {0x24, 1}, {0x20, 1}, {0x70, 11}},
	  queue[] = {{0x38, 8},
		     {0x80, (uint32_t)DATA},
		     {0x90, (uint32_t)DATA + 512},
		     {0xa0, (uint32_t)DATA + 1024},
		     {0x44, 1}};
	uint64_t at = WINDOW + n * 0x1000u;

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		(void)bis_bus_write(m->bus, at + before[i].reg, 4, before[i].value);
	for (unsigned q = 0; q < 2; q++) {
		(void)bis_bus_write(m->bus, at + 0x30, 4, q);
		for (size_t i = 0; i < sizeof(queue) / sizeof(queue[0]); i++)
			(void)bis_bus_write(m->bus, at + queue[i].reg, 4,
					    queue[i].value + (i > 0 && i < 4 ? n * 0x1000u + q * 0x800u : 0));
	}
	(void)bis_bus_write(m->bus, at + 0x70, 4, 15);
}

/* Opens and locks a file, maps it and watches a directory, through the native device. */
static void use_files(struct bis_machine *m)
{
	static const char name[] = "filedir";
	struct magicfs_request q = {.op = MAGICFS_OPEN, .flags = MAGICFS_O_READ_WRITE, .path = DATA, .path_len = 4};
	struct magicfs_request next[] = {
		{.op = MAGICFS_LOCK, .mask = MAGICFS_LOCK_WRITE, .length = 10, .value = {1}},
		{.op = MAGICFS_MAP, .length = 4096},
		{.op = MAGICFS_WATCH, .path = DATA + 4, .path_len = 3, .mask = MAGICFS_CREATED},
	};

	put(m, DATA, name, sizeof(name));
	put(m, DATA + 64, &q, sizeof(q));
	bis_devctl_write(m, 4, 0, DATA + 64);
	for (size_t i = 0; i < sizeof(next) / sizeof(next[0]); i++) {
		if (i < 2)
			next[i].handle = (uint32_t)bis_devctl_read(m, 4, 0);
		put(m, DATA + 256 + 256 * i, &next[i], sizeof(next[i]));
		bis_devctl_write(m, 4, 0, DATA + 256 + 256 * i);
	}
}

/* The records of a snapshot of machine `which`. */
static size_t take(size_t which, uint8_t *buf, size_t max, bool file)
{
	static const uint32_t code[] = {0x00150513, 0x00a12023, 0xff9ff06f}; /* 1: addi a0, a0, 1; sw a0, (sp); j 1b */
	struct bis_machine *m = make(which);
	struct snapshot_reader *reader;
	struct snapshot_record r;
	size_t len = 0;
	ssize_t got;
	int fd = memfd_create("seed", MFD_CLOEXEC);

	put(m, BIS_RAM_BASE, code, sizeof(code));
	require(bis_machine_start_paused(m) == 0, "it starts");
	for (unsigned i = 0; i < machines[which].harts; i++)
		bis_hart_set_reg(bis_machine_hart(m, i), 2, DATA);
	for (unsigned n = 0; machines[which].specs != board && n < 5; n++)
		drive(m, n);
	if (machines[which].specs == files)
		use_files(m);
	require(fd >= 0 && bis_machine_step(m, 100) == 0 && bis_snapshot_write(m, fd, "note") == 0, "it is saved");
	bis_machine_destroy(m);
	if (file) {
		got = pread(fd, buf, max, 0);
		close(fd);
		return got > 0 ? (size_t)got : 0;
	}
	require(lseek(fd, (off_t)SNAPSHOT_MAGIC_SIZE + 4, SEEK_SET) > 0 && snapshot_reader_create(fd, &reader) == 0,
		"it is read");
	do {
		require(len + sizeof(r) <= max && snapshot_read(reader, buf + len, sizeof(r)) == 0, "it is read");
		memcpy(&r, buf + len, sizeof(r));
		len += sizeof(r);
		require(r.name_len + r.len <= max - len && snapshot_read(reader, buf + len, r.name_len + r.len) == 0,
			"it is read");
		len += r.name_len + r.len;
	} while (r.tag != SNAPSHOT_END);
	snapshot_reader_destroy(reader);
	close(fd);
	return len;
}

/* Two of each machine: its records, three times as often as its file. */
size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	static uint8_t *kept[4 * MACHINES];
	static size_t lens[4 * MACHINES];

	if (index >= 4 * MACHINES || max < SEED_MAX)
		return 0;
	if (!kept[index]) {
		kept[index] = malloc(SEED_MAX);
		require(kept[index], "memory");
		if (!share[0])
			make_share();
		lens[index] = take(index / 4, kept[index], SEED_MAX, index % 4 == 3);
	}
	memcpy(buf, kept[index], lens[index]);
	return lens[index];
}

/* --- An input --- */

static void run(struct bis_machine *m)
{
	int fd = memfd_create("again", MFD_CLOEXEC), err;

	use(m);
	err = bis_machine_step(m, 64);
	require(err == 0, "it takes steps");
	use(m);
	require(fd >= 0 && bis_snapshot_write(m, fd, NULL) == 0, "it is saved again");
	close(fd);
}

/* The machine that it probably was. */
static size_t choose(const struct bis_snapshot *s)
{
	size_t best = 0, most = 0;

	for (size_t which = 0; which < MACHINES; which++) {
		const char *const *specs = machines[which].specs, *was;
		size_t alike = !strncmp(machines[which].isa, bis_snapshot_machine(s)->isa, 4);

		for (size_t i = 0; specs[i] && (was = bis_snapshot_module(s, i)); i++)
			alike += !strncmp(specs[i], was, strcspn(specs[i], ","));
		if (alike > most) {
			best = which;
			most = alike;
		}
	}
	return best;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bis_snapshot *s;
	struct bis_machine *m;
	char path[32];
	int fd, err;

	if (!share[0])
		make_share();
	fd = make_file(path, data, size);
	bis_fail(0, "%s", "");
	if (bis_snapshot_open(path, &s) == 0) {
		m = make(choose(s));
		err = bis_snapshot_restore(s, m);
		bis_snapshot_close(s);
		if (!err)
			run(m);
		bis_machine_destroy(m);
	} else {
		err = -1;
	}
	require(!err || *bis_error_message(), "it is said what is wrong");
	close(fd);
	return 0;
}
