/*
 * A face of MagicFS as the runner sees it: one function an operation (ops.def), each given its arguments and leaving
 * its answer in a struct call. Results are 0 or a number, or below 0 an error as Linux numbers them. face_native.c
 * speaks to slot 4, face_linux.c makes system calls of Linux, in a guest or on the host itself.
 */
#ifndef MAGICFS_FACE_H
#define MAGICFS_FACE_H

#include "words.h"

enum {
	FACE_HANDLES = 32,	    /* the last one is the runner's */
	FACE_PATH_MAX = 4096 + 512, /* longer than any path that is allowed */
	FACE_DATA_MAX = 1 << 20,    /* bytes of one read or write */
	FACE_TASKS = 4,
};

/* Numbers of keywords.def that the code knows. */
enum {
	FLAG_CREATE = 4,
	FLAG_EXCLUSIVE = 8,
	FLAG_TRUNCATE = 16,
	FLAG_APPEND = 32,
	FLAG_DIRECTORY = 64,
	FLAG_TEMPORARY = 128,
	FLAG_SYNC = 256,
	FLAG_DIRECT = 512,
	FLAG_NO_ATIME = 1024,
	FLAG_NOFOLLOW = 2048,
	TIME_NOW = -1,
	TIME_OMIT = -2,
};

/* Errors that the faces and the runner give by themselves. */
enum {
	FACE_EBADF = 9,
	FACE_EAGAIN = 11,
	FACE_EFAULT = 14,
	FACE_EISDIR = 21,
	FACE_EINVAL = 22,
	FACE_ENOSYS = 38,
	FACE_ENODATA = 61
};

struct attr {
	uint64_t id, nlink, rdev, size, blocks;
	uint32_t mode, uid, gid;
	int64_t atime, mtime, ctime, btime; /* ns since 1970 */
};

/* Operations by number: OP_open, ... */
enum op {
#define OP(name, arguments, answer) OP_##name,
#include "ops.def"
	OPS
};

/* One operation. Several tasks may each have one under way. */
struct call {
	/* Arguments: handles and numbers, in order; texts and paths, in order, each ended by a NUL that does not count;
	   the handle that each path starts from. */
	int64_t number[6];
	struct text text[3];
	unsigned base[3];

	/* Answer. `data` has room for `room` bytes, of which `len` are used: bytes read, or texts with a NUL behind
	 * each. */
	uint8_t *data;
	size_t len, room;
	struct attr attr;
};

#define OP(name, arguments, answer) int64_t face_##name(struct call *c);
#include "ops.def"

/* The value that a handle of the case has, -1 if it is none: for the argument `number`, for the path `which`. */
static inline int64_t call_handle(int64_t number);
static inline int64_t call_base(const struct call *c, unsigned which);
/* A path or text. */
static inline const char *call_path(const struct call *c, unsigned which);

/* Carries out an operation. */
int64_t face_run(enum op op, struct call *c);

/* For faces: appends a text and its NUL to the answer; false when there is no more room. */
__attribute__((format(printf, 2, 3))) bool call_add(struct call *c, const char *format, ...);

/* --- What a program gives the runner (port_*.c) --- */

/* Where a task keeps its open files, as many as FACE_HANDLES; each task has its own. */
int64_t *port_handles(void);
/* The next byte of input; -1 at its end. */
int port_get(void);
/* Is there input? */
bool port_ready(void);
void port_put(const char *bytes, size_t len);
/* Memory that all tasks see, the same at each call; at most as much as the first one asked for. */
void *port_shared(size_t size);
/* A clock that only goes forward. */
uint64_t port_milliseconds(void);
/* Runs run(task) for task 0 to tasks-1 at once and waits for all. `results` has room for one an element, which each
 * task fills; it is from port_shared(). */
struct stress_result;
void port_parallel(unsigned tasks, void (*run)(unsigned task, struct stress_result *result),
		   struct stress_result *results);

static inline int64_t call_handle(int64_t number)
{
	return number >= 0 && number < FACE_HANDLES ? port_handles()[number] : -1;
}

static inline int64_t call_base(const struct call *c, unsigned which)
{
	return call_handle(c->base[which]);
}

static inline const char *call_path(const struct call *c, unsigned which)
{
	return (const char *)c->text[which].bytes;
}

/* The runner: serves lines until the input ends or says `quit`. */
void runner_serve(void);

#endif
