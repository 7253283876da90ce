/*
 * Fuzz target: virtio-9p on a directory of its own. Beside it lies a canary, and inside links that lead there: whatever
 * an input does, nothing outside the directory changes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "magicfs/virtio_9p.h"
#include "tests/fuzz/virtio_fuzz.h"

/* Where in guest memory messages and replies are. */
enum { MESSAGES = VF_DATA, MESSAGE_SIZE = 0x200, REPLIES = VF_DATA + 0x8000, REPLY_SIZE = 0x400, MESSAGES_MAX = 32 };

#define CANARY "untouched"

static char top[64];

static const char *path_of(char buf[128], const char *name)
{
	snprintf(buf, 128, "%s/%s", top, name);
	return buf;
}

static void make_file(const char *name, const char *content)
{
	char path[128];
	int fd = open(path_of(path, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	vf_require(fd >= 0 && write(fd, content, strlen(content)) == (ssize_t)strlen(content), "no file");
	close(fd);
}

static void make_tree(void)
{
	char path[128];

	vf_require(mkdir(path_of(path, "share"), 0755) == 0 || errno == EEXIST, "no directory");
	mkdir(path_of(path, "share/d"), 0755);
	make_file("share/f", "content");
	make_file("share/d/g", "more");
	if (symlink("../../canary", path_of(path, "share/d/out")) || symlink(top, path_of(path, "share/l")))
		return; /* there already */
}

/* Empties a directory, whatever modes its entries have. */
static void clear(int dir)
{
	DIR *d = fdopendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		int sub;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || unlinkat(dir, e->d_name, 0) == 0)
			continue;
		if (fchmodat(dir, e->d_name, 0700, 0))
			continue;
		sub = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (sub >= 0)
			clear(sub);
		unlinkat(dir, e->d_name, AT_REMOVEDIR);
	}
	if (d)
		closedir(d);
}

static void clear_share(void)
{
	char path[128];

	chmod(path_of(path, "share"), 0755);
	clear(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static void remove_all(void)
{
	char path[128];

	clear_share();
	rmdir(path_of(path, "share"));
	unlink(path_of(path, "canary"));
	rmdir(top);
}

static void make_spec(char *spec, size_t size)
{
	/* Where syncing takes no time, if there is such a place. */
	snprintf(top, sizeof(top), "%s/biscuit-fuzz-9p-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	vf_require(mkdtemp(top) != NULL, "no directory");
	atexit(remove_all);
	make_file("canary", CANARY);
	make_tree();
	snprintf(spec, size, "virtio-9p,share=share");
}

/* The share that the device shows. */
static void prepare(struct bis_machine *m)
{
	struct bis_module *mod;
	char spec[200];

	snprintf(spec, sizeof(spec), "share,path=%s/share,name=share", top);
	vf_require(bis_machine_add(m, spec, &mod) == 0, "no share");
}

/* --- Messages --- */

struct message {
	uint8_t bytes[MESSAGE_SIZE];
	uint32_t len;
};

static void add(struct message *m, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size && m->len < MESSAGE_SIZE; i++)
		m->bytes[m->len++] = (uint8_t)(value >> 8 * i);
}

static void add_string(struct message *m, const char *text)
{
	add(m, strlen(text), 2);
	while (*text)
		add(m, (uint8_t)*text++, 1);
}

/* The parts of each message: b, w, d, q are numbers, f a fid, s a name, t a text. */
static const struct {
	uint8_t type;
	const char *format;
} kinds[] = {
	{P9_TVERSION, "dt"},	     {P9_TATTACH, "ffttd"},  {P9_TWALK, "ffwss"},
	{P9_TWALK, "ffw"},	     {P9_TWALK, "ffwsss"},   {P9_TLOPEN, "fd"},
	{P9_TLCREATE, "fsddd"},	     {P9_TSYMLINK, "fstd"},  {P9_TMKNOD, "fsdddd"},
	{P9_TRENAME, "ffs"},	     {P9_TREADLINK, "f"},    {P9_TGETATTR, "fq"},
	{P9_TSETATTR, "fddddqqqqq"}, {P9_TXATTRWALK, "fft"}, {P9_TXATTRCREATE, "ftqd"},
	{P9_TREADDIR, "fqd"},	     {P9_TFSYNC, "fd"},	     {P9_TLOCK, "fbdqqdt"},
	{P9_TGETLOCK, "fbqqdt"},     {P9_TLINK, "ffs"},	     {P9_TMKDIR, "fsdd"},
	{P9_TRENAMEAT, "fsfs"},	     {P9_TUNLINKAT, "fsd"},  {P9_TSTATFS, "f"},
	{P9_TREAD, "fqd"},	     {P9_TWRITE, "fqdq"},    {P9_TCLUNK, "f"},
	{P9_TREMOVE, "f"},	     {P9_TFLUSH, "w"},	     {P9_TAUTH, "fttd"},
};

static const char *const names[] = {"f", "d", "g", "l", "out", "..", "new", "a", ".", "canary", "d/g", ""};
static const char *const texts[] = {"9P2000.L", "", "user.x", "/", "../..", "user.biscuit.owner", "d", "/etc"};

/* Numbers that mean something somewhere, or nothing. */
static uint64_t number(uint64_t *rng, unsigned size)
{
	static const uint64_t some[] = {0, 0, 1, 2, 7, 8, 64, 0644, 0100, 01000, 0100644, 8192, 0x200, UINT64_MAX};
	uint64_t r = xorshift(rng);

	return size == 2 ? r % 4 : r >> 8 & 15 ? some[r % BIS_ARRAY_SIZE(some)] : xorshift(rng);
}

static void add_part(struct message *m, char part, uint64_t *rng)
{
	uint64_t r = xorshift(rng);

	switch (part) {
	case 'b':
		add(m, r % 3, 1);
		break;
	case 'w':
		add(m, number(rng, 2), 2);
		break;
	case 'd':
		add(m, number(rng, 4), 4);
		break;
	case 'q':
		add(m, number(rng, 8), 8);
		break;
	case 'f':
		add(m, r >> 8 & 31 ? r % 5 : UINT32_MAX, 4);
		break;
	case 's':
		add_string(m, names[r % BIS_ARRAY_SIZE(names)]);
		break;
	default:
		add_string(m, texts[r % BIS_ARRAY_SIZE(texts)]);
		break;
	}
}

static void send(struct vf_program *p, unsigned n, struct message *m, uint32_t room)
{
	uint32_t at = MESSAGES + n % MESSAGES_MAX * MESSAGE_SIZE;

	for (unsigned i = 0; i < 4; i++)
		m->bytes[i] = (uint8_t)(m->len >> 8 * i);
	vf_data(p, at, m->bytes, m->len);
	vf_chain(p, 0, VF_OUT(at, m->len), VF_IN(REPLIES + n % MESSAGES_MAX * REPLY_SIZE, room));
	vf_notify(p, 0);
}

static void compose(struct message *m, uint8_t type, unsigned tag)
{
	m->len = 0;
	add(m, 0, 4);
	add(m, type, 1);
	add(m, tag, 2);
}

/* A session with fids 0, the root, and 1 to 3 below it. */
static void begin_session(struct vf_program *p)
{
	static const char *const places[] = {"d", "f", "l"};
	struct message m;

	vf_start(p, 1, 256);
	compose(&m, P9_TVERSION, 1);
	add(&m, 8192, 4);
	add_string(&m, "9P2000.L");
	send(p, 0, &m, REPLY_SIZE);
	compose(&m, P9_TATTACH, 1);
	add(&m, 0, 4);
	add(&m, UINT32_MAX, 4);
	add_string(&m, "user");
	add_string(&m, "");
	add(&m, 0, 4);
	send(p, 1, &m, REPLY_SIZE);
	for (unsigned i = 0; i < 3; i++) {
		compose(&m, P9_TWALK, 1);
		add(&m, 0, 4);
		add(&m, i + 1, 4);
		add(&m, 1, 2);
		add_string(&m, places[i]);
		send(p, 2 + i, &m, REPLY_SIZE);
	}
}

/* One kind of message in many forms, then all kinds mixed. */
static bool seed(struct vf_program *p, unsigned index)
{
	uint64_t rng = 0x9e3779b97f4a7c15u * (index + 1);

	if (index >= BIS_ARRAY_SIZE(kinds) + 120)
		return false;
	begin_session(p);
	for (unsigned n = 5; n < 45; n++) {
		size_t kind = index < BIS_ARRAY_SIZE(kinds) && n % 2 ? index : xorshift(&rng) % BIS_ARRAY_SIZE(kinds);
		uint64_t r = xorshift(&rng);
		struct message m;

		compose(&m, kinds[kind].type, n % 3);
		for (const char *part = kinds[kind].format; *part; part++)
			add_part(&m, *part, &rng);
		if (r % 64 == 0)
			m.len -= 1;
		send(p, n, &m, r >> 8 & 31 ? REPLY_SIZE : (uint32_t)(r >> 16 & 31));
		if ((r >> 24 & 31) == 0)
			vf_settle(p);
	}
	return true;
}

static const struct virtio_fuzz_target target = {.make_spec = make_spec, .prepare = prepare, .seed = seed};

static void check_canary(void)
{
	char path[128], got[32];
	int fd = open(path_of(path, "canary"), O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	vf_require(fd >= 0 && fstat(fd, &st) == 0, "what lies outside the share has gone");
	n = read(fd, got, sizeof(got));
	close(fd);
	vf_require(n == (ssize_t)strlen(CANARY) && !memcmp(got, CANARY, (size_t)n) && st.st_nlink == 1 &&
			   (st.st_mode & 07777) == 0644,
		   "what lies outside the share was changed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int result = virtio_fuzz_run(&target, data, size);

	check_canary();
	clear_share();
	make_tree();
	return result;
}

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	return virtio_fuzz_seed(&target, index, buf, max);
}
