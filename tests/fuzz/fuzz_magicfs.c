/*
 * Fuzz target: the native MagicFS device, on three shares in a new directory, in memory where it can be. An input is a
 * row of steps: requests built from names, handles and numbers, carried out at once or posted, words of them replaced,
 * registers, changes by the host, pauses and resets. Whatever it does, nothing outside the shares and nothing in the
 * read-only one changes, no byte of what lies outside reaches guest memory, and the device works afterwards.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <biscuit/builtin.h>
#include <biscuit/machine.h>

#include "magicfs/native_internal.h"
#include "src/machine/machine_internal.h"
#include "tests/fuzz/fuzz.h"
#include "tests/random.h"

#define RAM_SIZE   0x40000u
#define SLOT	   4u
#define FILE_LIMIT (16u << 20) /* bytes that a file may have: the guest could fill the host's disk otherwise */
#define SECRET	   "what-lies-outside-7f3a"

/* Guest memory: blocks, names, then data. */
enum { BLOCKS = 0, REQUEST_COUNT = 8, NAMES = 0x1000, NAME_ROOM = 0x100, DATA = 0x10000 };

static const char *const names[] = {
	"",
	"file",
	"dir",
	"dir/file",
	"evil",
	"evil/secret",
	"..",
	"../outside",
	"../outside/secret",
	"up",
	"up/outside/secret",
	"absolute",
	"/",
	"/file",
	"/../outside/secret",
	".",
	"dir/..",
	"dir/../..",
	"loop",
	"new",
	"dir/new",
	"link",
	"fifo",
	"to-proc",
	"to-proc/cwd",
	"user.x",
	"//dir//file/",
	"dir/../../outside",
	"../../../../../../../../etc/passwd",
	"evil/new",
	"up/new",
	"user.biscuit.owner",
};
#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

enum action { DO, POST, DO_AGAIN, POST_AGAIN, TAKE, REGISTER, READ_REGISTER, SWAP, HOST_CHANGE, PAUSE, RESET, STORE };

struct step {
	uint8_t action, op, name, name2, handle, handle2, block, word;
	uint32_t flags, mask;
	uint64_t buffer, length, offset, value;
	uint32_t mode, unused;
};

struct rig {
	struct bis_machine *m;
	struct bis_module *mod;
	char dir[64];
	int share_fd, base_fd;
	uint64_t fingerprint;
	uint32_t handles[8]; /* opened last */
	unsigned opened;
};

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "fuzz_magicfs: %s (%s)\n", what, bis_error_message());
	abort();
}

/* --- The host's side --- */

static void make_file(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);

	require(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "no file");
	close(fd);
}

static void clear_directory(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY);
	DIR *d = fdopendir(copy);
	struct dirent *e;

	require(d, "no directory");
	while ((e = readdir(d))) {
		int below;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !unlinkat(dir, e->d_name, 0))
			continue;
		fchmodat(dir, e->d_name, 0700, 0);
		below = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
		require(below >= 0, "a directory cannot be removed");
		clear_directory(below);
		close(below);
		unlinkat(dir, e->d_name, AT_REMOVEDIR);
	}
	closedir(d);
}

static void fill_share(const struct rig *f)
{
	char outside[128];

	snprintf(outside, sizeof(outside), "%s/outside", f->dir);
	require(!fchmod(f->share_fd, 0755), "no share");
	clear_directory(f->share_fd);
	make_file(f->share_fd, "file", "in the share");
	require(!mkdirat(f->share_fd, "dir", 0755) && !symlinkat("../outside", f->share_fd, "evil") &&
			!symlinkat("..", f->share_fd, "up") && !symlinkat(outside, f->share_fd, "absolute") &&
			!symlinkat("loop", f->share_fd, "loop") && !symlinkat("file", f->share_fd, "link") &&
			!symlinkat("/proc/self", f->share_fd, "to-proc") && !mkfifoat(f->share_fd, "fifo", 0644),
		"the share cannot be filled");
	make_file(f->share_fd, "dir/file", "below");
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * UINT64_C(0x100000001b3);
}

/* Of everything that must not change; whatever a guest could do to it shows in its ctime. */
static uint64_t fingerprint(const struct rig *f)
{
	static const char *const paths[] = {".",	"outside",	"outside/secret", "outside/" SECRET,
					    "readonly", "readonly/file"};
	uint64_t hash = 1;
	struct stat st;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		require(!fstatat(f->base_fd, paths[i], &st, AT_SYMLINK_NOFOLLOW), "something outside has gone");
		hash = mix(hash, st.st_mode);
		hash = mix(hash, st.st_nlink);
		hash = mix(hash, (uint64_t)st.st_size);
		hash = mix(hash, (uint64_t)st.st_ctim.tv_sec);
		hash = mix(hash, (uint64_t)st.st_ctim.tv_nsec);
	}
	return hash;
}

static void remove_all(void);

static void make_tree(struct rig *f)
{
	int fd;

	snprintf(f->dir, sizeof(f->dir), "%s/biscuit-fuzz-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	require(mkdtemp(f->dir), "no directory");
	f->base_fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(f->base_fd >= 0 && !mkdirat(f->base_fd, "outside", 0755) && !mkdirat(f->base_fd, "share", 0755) &&
			!mkdirat(f->base_fd, "readonly", 0755),
		"no directories");
	make_file(f->base_fd, "outside/secret", SECRET);
	make_file(f->base_fd, "outside/" SECRET, "");
	make_file(f->base_fd, "readonly/file", "stays");
	fd = openat(f->base_fd, "share", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	require(fd >= 0, "no share");
	f->share_fd = fd;
	atexit(remove_all);
	f->fingerprint = fingerprint(f);
}

static void host_change(const struct rig *f, const struct step *s)
{
	const char *name = names[s->name % NAME_COUNT];

	/* Names that stay in the share, without a link on the way. */
	if (strchr(name, '/') || name[0] == '.' || !*name)
		return;
	if (s->value & 1)
		(void)!mkdirat(f->share_fd, name, 0755);
	else if (s->value & 2)
		(void)!unlinkat(f->share_fd, name, s->value & 4 ? AT_REMOVEDIR : 0);
	else if (s->value & 8)
		(void)!symlinkat("../outside", f->share_fd, name);
	else
		(void)!renameat(f->share_fd, name, f->share_fd, "moved");
}

/* --- The machine, one for the life of the process --- */

static struct rig rig;

static void remove_all(void)
{
	bis_machine_destroy(rig.m);
	clear_directory(rig.base_fd);
	rmdir(rig.dir);
}

static struct rig *the_rig(void)
{
	static const char *const shares[] = {"share,path=%s/share,name=beneath",
					     "share,path=%s/readonly,name=ro,readonly",
					     "share,path=%s/share,name=inside,links=inside,owner=mapped"};
	struct bis_machine_config cfg = {.ram_size = RAM_SIZE, .classes = bis_builtin_modules};
	struct rlimit limit = {FILE_LIMIT, FILE_LIMIT};
	char spec[256];

	if (rig.m)
		return &rig;
	make_tree(&rig);
	require(!bis_machine_create(&cfg, &rig.m), "no machine");
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		struct bis_module *mod;

		/* NOLINTNEXTLINE: one of the texts above */
		snprintf(spec, sizeof(spec), shares[i], rig.dir);
		require(!bis_machine_add(rig.m, spec, &mod), "no share");
	}
	require(!bis_machine_add(rig.m, "magicfs,slot=4,at=0x4000000000", &rig.mod), "no device");
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &limit);
	return &rig;
}

/* To guest memory, as far as there is any. */
static void store(struct rig *f, uint64_t offset, const void *bytes, size_t len)
{
	if (bis_mem_write(bis_machine_memory(f->m), (bis_gpa){BIS_RAM_BASE + offset}, bytes, len))
		return;
}

static void call(struct rig *f, void (*step)(void *self))
{
	bis_machine_lock_devices(f->m);
	step(bis_module_self(f->mod));
	bis_machine_unlock_devices(f->m);
}

/* --- Steps --- */

/* Values below the size of RAM are offsets in it, all others are taken as they are. */
static uint64_t address(uint64_t value)
{
	return value < RAM_SIZE ? BIS_RAM_BASE + value : value;
}

/* Roots of shares, handles opened last, or any number. */
static uint32_t handle(const struct rig *f, uint8_t number)
{
	if (number < 8)
		return number;
	return number < 16 ? f->handles[number - 8] : number * 0x01010101u;
}

static void set_text(uint8_t name, uint64_t wild, uint64_t *path, uint32_t *len)
{
	if (name < NAME_COUNT) {
		*path = BIS_RAM_BASE + NAMES + name * (uint64_t)NAME_ROOM;
		*len = (uint32_t)strlen(names[name]);
	} else {
		*path = address(wild);
		*len = name * 16u;
	}
}

static uint64_t build(struct rig *f, const struct step *s)
{
	struct magicfs_request r = {.op = s->op,
				    .flags = s->flags,
				    .handle = handle(f, s->handle),
				    .handle2 = handle(f, s->handle2),
				    .buffer = address(s->buffer),
				    .length = s->length,
				    .offset = s->offset,
				    .mode = s->mode,
				    .mask = s->mask,
				    .value = {s->value, s->value}};
	uint64_t block = BLOCKS + s->block % REQUEST_COUNT * sizeof(r);

	set_text(s->name, s->buffer, &r.path, &r.path_len);
	set_text(s->name2, s->value, &r.path2, &r.path2_len);
	if (r.op == MAGICFS_CANCEL)
		r.value[0] = BIS_RAM_BASE + BLOCKS + s->value % REQUEST_COUNT * sizeof(r);
	store(f, block, &r, sizeof(r));
	return BIS_RAM_BASE + block;
}

static void request(struct rig *f, uint64_t block)
{
	struct magicfs_request r;

	bis_devctl_write(f->m, SLOT, MAGICFS_REQUEST, block);
	if (!bis_mem_read_obj(bis_machine_memory(f->m), (bis_gpa){block}, &r) && r.op == MAGICFS_OPEN && r.result > 0)
		f->handles[f->opened++ % 8] = (uint32_t)r.result;
}

/* Replaces a word of a request that is there already. */
static uint64_t change(struct rig *f, const struct step *s)
{
	uint64_t block = BLOCKS + s->block % REQUEST_COUNT * sizeof(struct magicfs_request);

	store(f, block + s->word % 16 * 8u, &s->value, 8);
	return BIS_RAM_BASE + block;
}

static void do_step(struct rig *f, const struct step *s)
{
	switch ((enum action)s->action) {
	case DO:
		request(f, build(f, s));
		break;
	case POST:
		bis_devctl_write(f->m, SLOT, MAGICFS_POST, build(f, s));
		break;
	case DO_AGAIN:
		request(f, change(f, s));
		break;
	case POST_AGAIN:
		bis_devctl_write(f->m, SLOT, MAGICFS_POST, change(f, s));
		break;
	case TAKE:
		bis_devctl_read(f->m, SLOT, MAGICFS_DONE);
		break;
	case REGISTER:
		bis_devctl_write(f->m, SLOT, s->word % 8, s->value);
		break;
	case READ_REGISTER:
		bis_devctl_read(f->m, SLOT, s->word % 8);
		break;
	case SWAP:
		(void)!renameat2(f->share_fd, "dir", f->share_fd, "evil", RENAME_EXCHANGE);
		break;
	case HOST_CHANGE:
		host_change(f, s);
		break;
	case PAUSE:
		call(f, bis_module_class_of(f->mod)->pause);
		call(f, bis_module_class_of(f->mod)->resume);
		break;
	case RESET:
		call(f, bis_module_class_of(f->mod)->reset);
		break;
	case STORE:
		store(f, s->offset % RAM_SIZE, &s->value, 8);
		break;
	}
}

/* Does guest memory hold something of what lies outside? */
static bool has_secret(struct rig *f)
{
	static uint8_t ram[RAM_SIZE];

	require(!bis_mem_read(bis_machine_memory(f->m), (bis_gpa){BIS_RAM_BASE}, ram, RAM_SIZE), "no RAM");
	return memmem(ram, RAM_SIZE, SECRET, strlen(SECRET));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rig *f = the_rig();
	struct magicfs_request nop = {.op = MAGICFS_NOP};
	struct step s;

	fill_share(f);
	f->opened = 0;
	memset(f->handles, 0, sizeof(f->handles));
	require(!bis_mem_fill(bis_machine_memory(f->m), (bis_gpa){BIS_RAM_BASE}, 0, RAM_SIZE), "no RAM");
	for (size_t i = 0; i < NAME_COUNT; i++)
		store(f, NAMES + i * NAME_ROOM, names[i], strlen(names[i]));
	for (size_t at = 0; size - at >= sizeof(s); at += sizeof(s)) {
		memcpy(&s, data + at, sizeof(s));
		do_step(f, &s);
	}
	call(f, bis_module_class_of(f->mod)->reset);
	require(!bis_irq_level(bis_module_irq(f->mod, 0)), "the interrupt line is high after a reset");
	require(fingerprint(f) == f->fingerprint, "something outside the shares has changed");
	require(!has_secret(f), "something outside the shares was read");
	store(f, BLOCKS, &nop, sizeof(nop));
	bis_devctl_write(f->m, SLOT, MAGICFS_REQUEST, BIS_RAM_BASE + BLOCKS);
	require(bis_devctl_read(f->m, SLOT, MAGICFS_REQUEST) == 0, "the device does not work any more");
	return 0;
}

/* --- Seeds --- */

/* Requests that are right or nearly so, in an order that `index` chooses. */
static struct step random_step(uint64_t *rng)
{
	static const uint8_t actions[] = {
		DO, DO, DO, DO, DO, DO, DO, POST, POST, DO_AGAIN, TAKE, SWAP, HOST_CHANGE, PAUSE, READ_REGISTER, DO};
	static const uint32_t open_flags[] = {MAGICFS_O_READ,
					      MAGICFS_O_READ_WRITE,
					      MAGICFS_O_READ_WRITE | MAGICFS_O_CREATE,
					      MAGICFS_O_DIRECTORY,
					      MAGICFS_O_READ_WRITE | MAGICFS_O_TEMPORARY,
					      MAGICFS_O_WRITE | MAGICFS_O_TRUNCATE | MAGICFS_O_APPEND};
	uint64_t r = xorshift(rng);
	struct step s = {.action = actions[r % 16],
			 .op = (uint8_t)(r >> 4 & 3 ? (r >> 6) % MAGICFS_OPS : MAGICFS_OPEN),
			 .name = (uint8_t)((r >> 16) % NAME_COUNT),
			 .name2 = (uint8_t)((r >> 24) % NAME_COUNT),
			 .handle = (uint8_t)(r >> 32 & 3 ? 8 + (r >> 34) % 4 : (r >> 34) % 3),
			 .handle2 = (uint8_t)(r >> 40 & 1 ? 8 : 0),
			 .block = (uint8_t)(r >> 44),
			 .word = (uint8_t)(r >> 48),
			 .buffer = DATA + (r >> 52 & 7) * 0x1000,
			 .length = (r >> 55 & 3) * 0x800,
			 .mode = r >> 57 & 1 ? 0100644 : 0755};

	/* The host takes long to end a watch. */
	if (s.op == MAGICFS_WATCH && r >> 60)
		s.op = MAGICFS_STAT;
	r = xorshift(rng);
	if (s.op == MAGICFS_OPEN)
		s.flags = open_flags[r % 6];
	else if (r & 1)
		s.flags = (uint32_t)(r >> 1 & 3) | (r & 8 ? MAGICFS_NOFOLLOW : 0);
	s.mask = s.op == MAGICFS_SET || s.op == MAGICFS_WATCH ? (uint32_t)(r >> 8) & 255 : (uint32_t)(r >> 8) & 1;
	s.offset = r & 16 ? (r >> 20) & 0x3fff : 0;
	s.value = r >> 40;
	/* A path where a request is built for its own sake begins at a share. */
	if (s.op == MAGICFS_OPEN || (s.op >= MAGICFS_MKDIR && s.op <= MAGICFS_UNLINK))
		s.handle = (uint8_t)(r >> 36 & 1) * 2;
	return s;
}

/* Every operation on everything that leads outside, from every share. */
static size_t escape_seed(unsigned op, struct step *steps, size_t max)
{
	size_t count = 0;

	for (uint8_t share = 0; share < 3; share++) {
		for (uint8_t name = 0; name < NAME_COUNT && count + 2 <= max; name++) {
			struct step s = {.action = DO,
					 .op = (uint8_t)op,
					 .name = name,
					 .name2 = 1,
					 .handle = share,
					 .handle2 = share,
					 .buffer = DATA,
					 .length = 4096,
					 .mode = 0100644};

			s.mask = op == MAGICFS_SET ? MAGICFS_SET_MODE : op == MAGICFS_WATCH ? 255 : 0;
			steps[count++] = s;
			s.name = 1;
			s.name2 = name;
			s.action = POST;
			s.block = name;
			steps[count++] = s;
		}
	}
	return count;
}

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	static struct step steps[256];
	uint64_t rng = 0x9e3779b97f4a7c15u * (index + 1);
	size_t count = 0;

	if (index < MAGICFS_OPS)
		count = escape_seed(index, steps, 256);
	else if (index < MAGICFS_OPS + 150)
		while (count < 40)
			steps[count++] = random_step(&rng);
	if (count * sizeof(steps[0]) > max)
		return 0;
	memcpy(buf, steps, count * sizeof(steps[0]));
	return count * sizeof(steps[0]);
}
