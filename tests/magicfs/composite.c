/* Operations made of the face's: whole files, whole trees, and rounds of random operations (stress.h). */
#include "stress.h"

#include <stdio.h>
#include <string.h>

enum { OWN_HANDLE = FACE_HANDLES - 1, PART = 65536, TASK_ROOM = 1 << 17, DEPTH_MAX = 8, NAMES_ROOM = 1 << 16 };

static int64_t call_open(const struct call *like, unsigned base, const char *path, unsigned flags, uint32_t mode)
{
	struct call c = {.text[0] = {(uint8_t *)(uintptr_t)path, strlen(path)}, .base[0] = base};

	c.data = like->data;
	c.room = like->room;
	c.number[0] = OWN_HANDLE;
	c.number[1] = flags;
	c.number[2] = mode;
	return face_run(OP_open, &c);
}

static int64_t call_write(const void *bytes, size_t len, uint64_t offset)
{
	struct call c = {.number = {OWN_HANDLE, (int64_t)offset}, .text[0] = {(uint8_t *)(uintptr_t)bytes, len}};

	return face_run(OP_write, &c);
}

static int64_t call_close(void)
{
	struct call c = {.number = {OWN_HANDLE}};

	return face_run(OP_close, &c);
}

int64_t face_put(struct call *c)
{
	const struct text *data = &c->text[1];
	int64_t error = call_open(c, c->base[0], (const char *)c->text[0].bytes, 1 | FLAG_CREATE,
				  c->number[0] ? (uint32_t)c->number[0] : 0644);
	int64_t done;

	for (size_t at = 0; !error && at < data->len; at += (size_t)done) {
		done = call_write(data->bytes + at, data->len - at, at);
		if (done <= 0)
			error = done ? done : -FACE_EINVAL;
	}
	if (!error || error != -FACE_EBADF)
		call_close();
	return error;
}

int64_t face_get(struct call *c)
{
	struct call part = {.data = c->data};
	int64_t got = call_open(c, c->base[0], (const char *)c->text[0].bytes, 0, 0);

	if (got < 0)
		return got;
	do {
		part.data = c->data + c->len;
		part.room = c->room - c->len;
		part.number[0] = OWN_HANDLE;
		part.number[1] = (int64_t)c->len;
		part.number[2] = (int64_t)part.room;
		part.len = 0;
		got = face_run(OP_read, &part);
		c->len += part.len;
	} while (got > 0);
	call_close();
	return got < 0 ? got : (int64_t)c->len;
}

int64_t face_many(struct call *c)
{
	char path[256];
	int64_t error = 0;

	for (int64_t i = 0; i < c->number[0] && !error; i++) {
		snprintf(path, sizeof(path), "%s%lld", (const char *)c->text[0].bytes, (long long)i);
		error = call_open(c, c->base[0], path, 1 | FLAG_CREATE | FLAG_EXCLUSIVE, 0644);
		if (!error)
			call_close();
	}
	return error;
}

/* --- A hash over a tree --- */

struct walk {
	uint8_t *data;
	size_t room;
	bool times;
	unsigned objects;
	int64_t error;
	unsigned base;
	char path[FACE_PATH_MAX];
};

static struct call walk_call(struct walk *w)
{
	return (struct call){
		.text[0] = {(uint8_t *)w->path, strlen(w->path)}, .base[0] = w->base, .data = w->data, .room = w->room};
}

static uint64_t hash_content(struct walk *w, uint64_t hash)
{
	struct call c = walk_call(w);

	w->error = call_open(&c, w->base, w->path, 0, 0);
	if (w->error)
		return 0;
	for (uint64_t at = 0;; at += c.len) {
		int64_t got;

		c.number[0] = OWN_HANDLE;
		c.number[1] = (int64_t)at;
		c.number[2] = PART;
		c.len = 0;
		got = face_run(OP_read, &c);
		if (got <= 0) {
			w->error = got;
			break;
		}
		hash = hash_bytes(hash, c.data, c.len);
	}
	call_close();
	return hash;
}

static uint64_t hash_xattrs(struct walk *w)
{
	static char names[4096];
	struct call c = walk_call(w);
	uint64_t sum = 0;
	size_t len;

	c.number[0] = sizeof(names);
	if (face_run(OP_listxattr, &c) <= 0)
		return 0;
	len = c.len;
	memcpy(names, c.data, len);
	for (const char *name = names; name < names + len; name += strlen(name) + 1) {
		if (strncmp(name, "user.", 5) != 0)
			continue;
		c = walk_call(w);
		c.text[1] = (struct text){(uint8_t *)(uintptr_t)name, strlen(name)};
		c.number[0] = PART;
		if (face_run(OP_getxattr, &c) >= 0)
			sum += hash_bytes(hash_bytes(HASH_START, name, strlen(name)), c.data, c.len);
	}
	return sum;
}

static uint64_t hash_object(struct walk *w, unsigned depth);

/* The names are kept while what is below each is read; their order does not matter. */
static uint64_t hash_directory(struct walk *w, unsigned depth)
{
	static char names[DEPTH_MAX][NAMES_ROOM];
	struct call c = walk_call(w);
	size_t here = strlen(w->path), len;
	uint64_t sum = 0;

	w->error = depth < DEPTH_MAX ? call_open(&c, w->base, w->path, FLAG_DIRECTORY, 0) : -FACE_EINVAL;
	if (w->error)
		return 0;
	c.number[0] = OWN_HANDLE;
	w->error = face_run(OP_list, &c);
	call_close();
	len = c.len;
	if (len > NAMES_ROOM)
		w->error = -FACE_EINVAL;
	if (w->error)
		return 0;
	memcpy(names[depth], c.data, len);
	for (const char *name = names[depth]; name < names[depth] + len && !w->error; name += strlen(name) + 1) {
		snprintf(w->path + here, sizeof(w->path) - here, "%s%s", here ? "/" : "", name);
		sum += hash_bytes(hash_object(w, depth + 1), name, strlen(name));
	}
	w->path[here] = '\0';
	return sum;
}

static uint64_t hash_object(struct walk *w, unsigned depth)
{
	struct call c = walk_call(w);
	uint64_t hash;
	uint32_t type;

	w->error = face_run(OP_lstat, &c);
	if (w->error)
		return 0;
	w->objects++;
	type = c.attr.mode & 0170000;
	hash = hash_number(hash_number(HASH_START, c.attr.mode), c.attr.nlink);
	if (w->times)
		hash = hash_number(hash, (uint64_t)c.attr.mtime);
	if (type == 0040000)
		return hash_number(hash, hash_directory(w, depth)) + hash_xattrs(w);
	hash = hash_number(hash, c.attr.size);
	if (type == 0100000)
		return hash_content(w, hash) + hash_xattrs(w);
	if (type != 0120000)
		return hash_number(hash, c.attr.rdev);
	c.number[0] = PART;
	c.len = 0;
	w->error = face_run(OP_readlink, &c);
	if (w->error > 0)
		w->error = 0;
	return hash_bytes(hash, c.data, c.len);
}

int64_t face_tree(struct call *c)
{
	static struct walk w;
	uint64_t hash;

	w = (struct walk){.data = c->data, .room = c->room, .times = c->number[0] != 0, .base = c->base[0]};
	snprintf(w.path, sizeof(w.path), "%s", (const char *)c->text[0].bytes);
	hash = hash_object(&w, 0);
	if (w.error)
		return w.error;
	c->len = 0;
	call_add(c, "tree=%llu", (unsigned long long)(hash >> 1));
	call_add(c, "objects=%u", w.objects);
	return 0;
}

/* --- Rounds of random operations --- */

static uint8_t task_rooms[FACE_TASKS][4][TASK_ROOM];

static struct call task_call(unsigned task)
{
	struct call c = {.data = task_rooms[task][3], .room = TASK_ROOM};

	for (unsigned i = 0; i < 3; i++)
		c.text[i].bytes = task_rooms[task][i];
	return c;
}

static struct stress_order order;

/* The host finds the digests in the share's root. */
static void keep_digests(unsigned task, const struct stress_result *result)
{
	struct call c = task_call(task);
	size_t len = result->count * sizeof(result->digest[0]), part;
	char name[16];

	snprintf(name, sizeof(name), "digest%u", task);
	if (call_open(&c, 0, name, 1 | FLAG_CREATE | FLAG_TRUNCATE, 0600))
		return;
	for (size_t at = 0; at < len; at += part) {
		part = len - at < PART ? len - at : PART;
		memcpy(c.data, (const uint8_t *)result->digest + at, part);
		if (call_write(c.data, part, at) != (int64_t)part)
			return;
	}
	call_close();
}

static void stress_task(unsigned task, struct stress_result *result)
{
	struct call c = task_call(task);

	stress_run(&order, task, &c, result);
	keep_digests(task, result);
}

int64_t face_stress(struct call *c)
{
	unsigned tasks = (unsigned)c->number[1];
	struct stress_result *results = port_shared(FACE_TASKS * sizeof(*results));
	int64_t error;

	if (tasks > FACE_TASKS || c->number[3] > STRESS_MAX)
		return -FACE_EINVAL;
	order = (struct stress_order){.seed = (uint64_t)c->number[0], .features = (unsigned)c->number[4]};
	order.until = port_milliseconds() + (uint64_t)c->number[2];
	order.most = (unsigned)c->number[3];
	error = stress_prepare(c, tasks);
	if (error)
		return error;
	port_parallel(tasks, stress_task, results);
	c->len = 0;
	for (unsigned i = 0; i < tasks; i++)
		call_add(c, "task%u=%u", i, results[i].count);
	return 0;
}

/* --- The same again, compared --- */

static void compare(void *context, unsigned number, const char *what, int64_t result)
{
	struct stress_result *r = context;

	if (r->different || r->digest[number] == r->expected[number])
		return;
	r->different = true;
	r->number = number;
	r->result = result;
	snprintf(r->what, sizeof(r->what), "%s", what);
}

static void replay_task(unsigned task, struct stress_result *result)
{
	struct call c = task_call(task);
	struct stress_order own = order;

	own.most = result->count;
	own.tell = compare;
	own.context = result;
	stress_run(&own, task, &c, result);
}

/* The digests that the guest has left. */
static int64_t expect_digests(struct call *c, unsigned task, struct stress_result *result)
{
	int64_t got;

	c->text[0].len = (size_t)snprintf((char *)c->text[0].bytes, 16, "digest%u", task);
	c->base[0] = 0;
	c->len = 0;
	got = face_get(c);
	if (got < 0 || (size_t)got > sizeof(result->expected))
		return got < 0 ? got : -FACE_EINVAL;
	memcpy(result->expected, c->data, c->len);
	result->count = (unsigned)(c->len / sizeof(result->expected[0]));
	result->different = false;
	return 0;
}

static void show_difference(struct call *c, unsigned task, struct stress_result *r)
{
	for (char *at = r->what; *at; at++)
		*at = *at == ' ' ? ',' : *at;
	call_add(c, "task%u=%u different=%u result=%lld operation='%s", task, r->count, r->number, (long long)r->result,
		 r->what);
}

int64_t face_replay(struct call *c)
{
	unsigned tasks = (unsigned)c->number[1];
	struct stress_result *results = port_shared(FACE_TASKS * sizeof(*results));
	int64_t error = tasks > FACE_TASKS ? -FACE_EINVAL : 0;

	order = (struct stress_order){.seed = (uint64_t)c->number[0], .features = (unsigned)c->number[2]};
	for (unsigned i = 0; i < tasks && !error; i++)
		error = expect_digests(c, i, &results[i]);
	if (!error)
		error = stress_prepare(c, tasks);
	if (error)
		return error;
	port_parallel(tasks, replay_task, results);
	c->len = 0;
	for (unsigned i = 0; i < tasks; i++) {
		if (results[i].different)
			show_difference(c, i, &results[i]);
		else
			call_add(c, "task%u=%u", i, results[i].count);
	}
	return 0;
}
