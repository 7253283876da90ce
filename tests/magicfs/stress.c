/* The random operations; see stress.h. Runs in guests and on the host. */
#include "stress.h"

#include <stdio.h>
#include <string.h>

enum { FIRST_HANDLE = 2, HANDLES = 8, NAMES = 12, FOLDERS = 3, FILE_MAX = 200000, PIECE_MAX = 65536 };

struct state {
	uint64_t random;
	unsigned task, features;
	struct call *call;
	char path[3][96];
	char what[256];
	int64_t result;
	uint64_t hash;
	bool readable[FIRST_HANDLE + HANDLES], writable[FIRST_HANDLE + HANDLES]; /* opened so */
};

static unsigned random_below(struct state *s, unsigned limit)
{
	s->random = s->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((s->random >> 33) % limit);
}

/* Names have the task's number everywhere: a symbolic link may be moved into the common directory. */
static const char *random_path(struct state *s, unsigned which)
{
	char *path = s->path[which];
	size_t room = sizeof(s->path[which]);
	unsigned name = random_below(s, NAMES), depth = random_below(s, 4), folder = random_below(s, FOLDERS);
	unsigned below = random_below(s, FOLDERS), t = s->task;

	if (depth == 0)
		snprintf(path, room, "common/t%u-n%u", t, name);
	else if (depth == 1)
		snprintf(path, room, "t%u/t%u-n%u", t, t, name);
	else if (depth == 2)
		snprintf(path, room, "t%u/d%u/t%u-n%u", t, folder, t, name);
	else
		snprintf(path, room, "t%u/d%u/d%u/t%u-n%u", t, folder, below, t, name);
	return path;
}

/* A place for a directory: half of the time one that paths lead through. */
static const char *random_folder(struct state *s)
{
	unsigned folder = random_below(s, FOLDERS), below = random_below(s, FOLDERS), depth = random_below(s, 4);

	if (depth < 2)
		snprintf(s->path[0], sizeof(s->path[0]), "t%u/d%u", s->task, folder);
	else if (depth == 2)
		snprintf(s->path[0], sizeof(s->path[0]), "t%u/d%u/d%u", s->task, folder, below);
	else
		return random_path(s, 0);
	return s->path[0];
}

static void set_text(struct state *s, unsigned which, const char *text)
{
	s->call->text[which].len = strlen(text);
	memcpy(s->call->text[which].bytes, text, s->call->text[which].len + 1);
	s->call->base[which] = 1;
}

static unsigned random_handle(struct state *s)
{
	return FIRST_HANDLE + random_below(s, HANDLES);
}

static unsigned random_offset(struct state *s)
{
	return random_below(s, 2) ? random_below(s, FILE_MAX) : random_below(s, FILE_MAX / 4096) * 4096;
}

/* Mostly short, sometimes many pages. */
static unsigned random_length(struct state *s)
{
	return random_below(s, 16) ? random_below(s, 3000) : random_below(s, PIECE_MAX);
}

/*
 * The result as it counts. A directory opened for reading is not open for writing, and is a directory: either is said.
 * Linux's 9P client keeps a size for each name of a file, and calls it an error when a read by one name begins behind
 * the end to which the file was cut by another.
 */
static int64_t counted(enum op op, int64_t result)
{
	if (result == -FACE_EISDIR)
		return -FACE_EBADF;
	return op == OP_read && result == -FACE_ENODATA ? 0 : result;
}

static void run(struct state *s, enum op op)
{
	s->call->len = 0;
	s->result = face_run(op, s->call);
	s->hash = hash_number(hash_number(HASH_START, op), (uint64_t)counted(op, s->result));
}

/* What an operation gave counts as well, where it is the same on every file system. */
static void count_data(struct state *s)
{
	if (s->result >= 0)
		s->hash = hash_bytes(s->hash, s->call->data, s->call->len);
}

static void count_attr(struct state *s)
{
	const struct attr *a = &s->call->attr;
	bool directory = (a->mode & 0170000) == 0040000;

	if (s->result < 0)
		return;
	s->hash = hash_number(hash_number(s->hash, a->mode), a->nlink);
	s->hash = hash_number(s->hash, directory ? 0 : a->size);
}

/* In whatever order the names come. */
static void count_names(struct state *s)
{
	const char *at = (const char *)s->call->data, *end = at + s->call->len;
	uint64_t sum = 0;

	for (; at < end; at += strlen(at) + 1)
		sum += hash_bytes(HASH_START, at, strlen(at));
	if (s->result >= 0)
		s->hash = hash_number(s->hash, sum);
}

#define SAY(...) snprintf(s->what, sizeof(s->what), __VA_ARGS__)

static void do_open(struct state *s)
{
	static const uint16_t ways[] = {0,
					2 | FLAG_CREATE,
					1 | FLAG_CREATE,
					2 | FLAG_CREATE | FLAG_EXCLUSIVE,
					1 | FLAG_CREATE | FLAG_TRUNCATE,
					1 | FLAG_APPEND | FLAG_CREATE,
					2 | FLAG_TRUNCATE,
					2 | FLAG_NOFOLLOW};
	unsigned handle = random_handle(s), way = ways[random_below(s, sizeof(ways) / sizeof(ways[0]))];
	const char *path = random_path(s, 0);

	s->call->number[0] = handle;
	run(s, OP_close);
	set_text(s, 0, path);
	s->call->number[0] = handle;
	s->call->number[1] = way;
	s->call->number[2] = 0600 | random_below(s, 0100);
	run(s, OP_open);
	s->writable[handle] = s->result == 0 && (way & 3);
	s->readable[handle] = s->result == 0 && (way & 3) != 1;
	SAY("open %u %s %#x", handle, path, way);
}

static void do_write(struct state *s)
{
	unsigned offset = random_offset(s), len = random_length(s), seed = random_below(s, 1000);
	unsigned handle = random_handle(s);

	s->call->number[0] = handle;
	s->call->number[1] = offset;
	s->call->text[0].len = len;
	pattern_fill(s->call->text[0].bytes, len, seed, 0);
	run(s, OP_write);
	SAY("write %u %u ~%u:%u", handle, offset, seed, len);
}

static void do_read(struct state *s)
{
	unsigned offset = random_offset(s), len = random_length(s);
	unsigned handle = random_handle(s);

	s->call->number[0] = handle;
	s->call->number[1] = offset;
	s->call->number[2] = len;
	run(s, OP_read);
	count_data(s);
	SAY("read %u %u %u", handle, offset, len);
}

/* By a handle that is open for writing: of others systems think differently. */
static void do_truncate(struct state *s)
{
	unsigned size = random_offset(s);
	const char *path = random_path(s, 0);
	unsigned handle = random_handle(s);
	bool open = random_below(s, 2) && s->writable[handle];

	set_text(s, 0, open ? "" : path);
	s->call->base[0] = open ? handle : 1;
	s->call->number[0] = size;
	run(s, OP_truncate);
	SAY("truncate %s %u (handle %u)", open ? "" : path, size, handle);
}

static void do_stat(struct state *s)
{
	const char *path = random_path(s, 0);
	unsigned handle = random_handle(s), kind = random_below(s, 3);

	set_text(s, 0, kind == 0 ? "" : path);
	s->call->base[0] = kind == 0 ? handle : 1;
	run(s, kind == 1 ? OP_lstat : OP_stat);
	count_attr(s);
	SAY("%s %s (handle %u)", kind == 1 ? "lstat" : "stat", kind == 0 ? "" : path, handle);
}

static void do_directory(struct state *s)
{
	const char *path = random_folder(s);
	bool remove = random_below(s, 5) == 0;

	set_text(s, 0, path);
	s->call->number[0] = 0700 | random_below(s, 0100);
	run(s, remove ? OP_rmdir : OP_mkdir);
	SAY("%s %s", remove ? "rmdir" : "mkdir", path);
}

static void do_unlink(struct state *s)
{
	const char *path = random_path(s, 0);

	set_text(s, 0, path);
	run(s, OP_unlink);
	SAY("unlink %s", path);
}

static void do_two_names(struct state *s)
{
	const char *from = random_path(s, 0), *to = random_path(s, 1);
	bool link = random_below(s, 3) == 0;

	set_text(s, 0, from);
	set_text(s, 1, to);
	s->call->number[0] = 0;
	run(s, link ? OP_link : OP_rename);
	SAY("%s %s %s", link ? "link" : "rename", from, to);
}

static void do_symlink(struct state *s)
{
	const char *path = random_path(s, 0);
	char target[16];

	snprintf(target, sizeof(target), "t%u-n%u", s->task, random_below(s, NAMES));
	set_text(s, 0, target);
	set_text(s, 1, path);
	run(s, OP_symlink);
	SAY("symlink %s %s", target, path);
}

static void do_readlink(struct state *s)
{
	const char *path = random_path(s, 0);

	set_text(s, 0, path);
	s->call->number[0] = 100;
	run(s, OP_readlink);
	count_data(s);
	SAY("readlink %s", path);
}

static void do_chmod(struct state *s)
{
	const char *path = random_path(s, 0);
	unsigned mode = 0700 | random_below(s, 0100);

	set_text(s, 0, path);
	s->call->number[0] = mode;
	run(s, OP_chmod);
	SAY("chmod %s %o", path, mode);
}

/* The task's own directories alone: in the common one others come and go. */
static void do_list(struct state *s)
{
	unsigned handle = random_handle(s);
	const char *path = random_folder(s);

	s->call->number[0] = handle;
	run(s, OP_close);
	set_text(s, 0, path);
	s->call->number[0] = handle;
	s->call->number[1] = FLAG_DIRECTORY;
	run(s, OP_open);
	s->writable[handle] = false;
	SAY("list %s", path);
	if (s->result < 0)
		return;
	s->call->number[0] = handle;
	run(s, OP_list);
	count_names(s);
}

static void do_xattr(struct state *s)
{
	const char *path = random_path(s, 0);
	unsigned kind = random_below(s, 3), len = random_below(s, 200);
	char name[16];

	snprintf(name, sizeof(name), "user.x%u", random_below(s, 3));
	set_text(s, 0, path);
	set_text(s, 1, name);
	s->call->number[0] = kind == 1 ? 0 : 256;
	s->call->text[2].len = len;
	pattern_fill(s->call->text[2].bytes, len, len, 0);
	run(s, kind == 0 ? OP_getxattr : kind == 1 ? OP_setxattr : OP_removexattr);
	if (kind == 0)
		count_data(s);
	SAY("xattr %u %s %s", kind, path, name);
}

static void do_sync(struct state *s)
{
	unsigned handle = random_handle(s);

	if (random_below(s, 50))
		handle = 31; /* storage is slow: mostly a handle that is never open */
	s->call->number[0] = handle;
	s->call->number[1] = 1;
	run(s, OP_sync);
	SAY("sync %u", handle);
}

static void do_allocate(struct state *s)
{
	static const uint8_t modes[] = {0, 1, 3, 3, 16, 17};
	unsigned handle = random_handle(s), mode = modes[random_below(s, sizeof(modes))];
	unsigned offset = random_offset(s), len = random_length(s) + 1;

	s->call->number[0] = handle;
	s->call->number[1] = mode;
	s->call->number[2] = offset;
	s->call->number[3] = len;
	run(s, OP_allocate);
	SAY("allocate %u %u %u %u", handle, mode, offset, len);
}

static void do_copy(struct state *s)
{
	unsigned from = random_handle(s), to = random_handle(s);
	unsigned at = random_offset(s), behind = random_offset(s), len = random_length(s) + 1;

	if (from == to)
		to = from == FIRST_HANDLE ? FIRST_HANDLE + 1 : FIRST_HANDLE;
	s->call->number[0] = from;
	s->call->number[1] = at;
	s->call->number[2] = to;
	s->call->number[3] = behind;
	s->call->number[4] = len;
	run(s, OP_copy);
	SAY("copy %u %u %u %u %u", from, at, to, behind, len);
}

/* Through a map of pages, one at a time a task: stores go to the file, loads see it, and beyond its end are faults. */
static void do_map(struct state *s)
{
	unsigned handle = random_handle(s), page = random_below(s, FILE_MAX / 4096), pages = 1 + random_below(s, 4);
	unsigned at = random_below(s, pages * 4096 - 64), len = random_below(s, 64), seed = random_below(s, 1000);
	uint64_t hash;

	if (!s->readable[handle] || !s->writable[handle])
		return;
	SAY("map %u page %u pages %u at %u len %u ~%u", handle, page, pages, at, len, seed);
	s->call->number[0] = s->task;
	s->call->number[1] = handle;
	s->call->number[2] = page * 4096;
	s->call->number[3] = pages * 4096;
	s->call->number[4] = 3;
	run(s, OP_map);
	if (s->result < 0)
		return;
	hash = s->hash;
	s->call->number[1] = at;
	s->call->text[0].len = len;
	pattern_fill(s->call->text[0].bytes, len, seed, 0);
	run(s, OP_poke);
	hash = hash_number(hash, s->hash);
	s->call->number[1] = 0;
	s->call->number[2] = 4096;
	run(s, OP_peek);
	count_data(s);
	hash = hash_number(hash, s->hash);
	run(s, OP_unmap);
	s->hash = hash_number(hash, s->hash);
}

static const struct {
	void (*act)(struct state *s);
	unsigned weight, needs;
} actions[] = {
	{do_open, 16, 0},	    {do_write, 20, 0},	     {do_read, 14, 0},
	{do_truncate, 5, 0},	    {do_stat, 10, 0},	     {do_directory, 10, 0},
	{do_unlink, 6, 0},	    {do_two_names, 10, 0},   {do_symlink, 3, 0},
	{do_readlink, 2, 0},	    {do_chmod, 3, 0},	     {do_list, 4, 0},
	{do_xattr, 4, 0},	    {do_sync, 1, 0},	     {do_allocate, 4, STRESS_SPACE},
	{do_copy, 4, STRESS_SPACE}, {do_map, 4, STRESS_MAP},
};

static void act(struct state *s)
{
	unsigned total = 0, pick, i;

	for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		total += (actions[i].needs & ~s->features) ? 0 : actions[i].weight;
	pick = random_below(s, total);
	for (i = 0;; i++) {
		if (actions[i].needs & ~s->features)
			continue;
		if (pick < actions[i].weight)
			break;
		pick -= actions[i].weight;
	}
	actions[i].act(s);
}

int64_t stress_prepare(struct call *c, unsigned tasks)
{
	int64_t error = 0;

	for (unsigned i = 0; i <= tasks && !error; i++) {
		c->text[0].len = (size_t)(i < tasks ? snprintf((char *)c->text[0].bytes, 16, "t%u", i)
						    : snprintf((char *)c->text[0].bytes, 16, "common"));
		c->base[0] = 1;
		c->number[0] = 0777;
		error = face_run(OP_mkdir, c);
	}
	return error;
}

void stress_run(const struct stress_order *order, unsigned task, struct call *c, struct stress_result *result)
{
	struct state s = {
		.random = hash_number(order->seed, task), .task = task, .features = order->features, .call = c};
	unsigned n;

	for (n = 0; n < order->most; n++) {
		if (order->until && n % 16 == 0 && port_milliseconds() >= order->until)
			break;
		act(&s);
		result->digest[n] = (uint16_t)(s.hash ^ s.hash >> 16 ^ s.hash >> 32 ^ s.hash >> 48);
		if (order->tell)
			order->tell(order->context, n, s.what, s.result);
	}
	result->count = n;
	for (unsigned handle = FIRST_HANDLE; handle < FIRST_HANDLE + HANDLES; handle++) {
		c->number[0] = handle;
		face_run(OP_close, c);
	}
}
