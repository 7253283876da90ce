/* Locks and maps by Linux's system calls, and that there is nothing else. */
#include "face.h"
#include "linux_calls.h"
#include "port_linux.h"

/* --- Locks. They belong to processes: another owner is a child that lives for one call. --- */

static int64_t as_owner(int64_t owner, long fd, long command, struct linux_flock *lock)
{
	long child, status = 0, result;

	if (owner == 0)
		return CALL3(fcntl, fd, command, lock);
	child = linux_fork();
	if (child == 0) {
		result = CALL3(fcntl, fd, command, lock);
		CALL1(exit_group, result ? -result : command == LINUX_F_GETLK ? 100 + lock->type : 0);
	}
	if (child < 0)
		return child;
	CALL4(wait4, child, &status, 0, 0);
	result = status >> 8 & 0xff;
	if (result < 100)
		return -result;
	lock->type = (int16_t)(result - 100);
	return 0;
}

static struct linux_flock lock_of(const struct call *c)
{
	return (struct linux_flock){.type = (int16_t)c->number[1], .start = c->number[2], .len = c->number[3]};
}

int64_t face_lock(struct call *c)
{
	struct linux_flock lock = lock_of(c);

	return as_owner(c->number[4], (long)call_handle(c->number[0]), LINUX_F_SETLK, &lock);
}

int64_t face_getlock(struct call *c)
{
	struct linux_flock lock = lock_of(c);
	int64_t result = as_owner(c->number[4], (long)call_handle(c->number[0]), LINUX_F_GETLK, &lock);

	if (result == 0)
		call_add(c, "lock=%d", lock.type);
	return result;
}

int64_t face_flock(struct call *c)
{
	static const uint8_t ways[] = {1, 2, 8}; /* LOCK_SH, LOCK_EX, LOCK_UN */

	return CALL2(flock, (long)call_handle(c->number[0]), ways[c->number[1]] | LINUX_LOCK_NB);
}

/* --- Maps. Bytes go through a pipe: where a load would be a fault the kernel says EFAULT. --- */

static struct {
	long address, len;
} maps[FACE_HANDLES];

void linux_unmap_all(void)
{
	for (unsigned i = 0; i < FACE_HANDLES; i++) {
		if (maps[i].address)
			CALL2(munmap, maps[i].address, maps[i].len);
		maps[i].address = 0;
	}
}

int64_t face_map(struct call *c)
{
	long prot = LINUX_PROT_READ | (c->number[4] & 2 ? LINUX_PROT_WRITE : 0);
	long at = CALL6(mmap, 0, c->number[3], prot, c->number[4] & 1 ? LINUX_MAP_SHARED : LINUX_MAP_PRIVATE,
			(long)call_handle(c->number[1]), c->number[2]);

	if (at < 0 && at > -4096)
		return at;
	maps[c->number[0]].address = at;
	maps[c->number[0]].len = (long)c->number[3];
	return 0;
}

int64_t face_unmap(struct call *c)
{
	long result = CALL2(munmap, maps[c->number[0]].address, maps[c->number[0]].len);

	maps[c->number[0]].address = 0;
	return result;
}

/* Moves bytes as loads and stores would; EFAULT for a fault. */
static int64_t move(long to, long from, size_t len)
{
	int ends[2];
	long result = CALL2(pipe2, ends, 0);

	for (size_t at = 0; at < len && result >= 0;) {
		size_t part = len - at < 4096 ? len - at : 4096;

		result = CALL3(write, ends[1], from + (long)at, part);
		if (result > 0)
			result = CALL3(read, ends[0], to + (long)at, result);
		at += result > 0 ? (size_t)result : 0;
	}
	CALL1(close, ends[0]);
	CALL1(close, ends[1]);
	return result < 0 ? result : (int64_t)len;
}

int64_t face_peek(struct call *c)
{
	int64_t result = move((long)c->data, maps[c->number[0]].address + (long)c->number[1], (size_t)c->number[2]);

	c->len = result > 0 ? (size_t)result : 0;
	return result;
}

int64_t face_poke(struct call *c)
{
	return move(maps[c->number[0]].address + (long)c->number[1], (long)c->text[0].bytes, c->text[0].len);
}

/* --- What Linux has no calls for --- */

static int64_t missing(struct call *c)
{
	(void)c;
	return -FACE_ENOSYS;
}

int64_t face_watch(struct call *c)
{
	return missing(c);
}

int64_t face_unwatch(struct call *c)
{
	return missing(c);
}

int64_t face_events(struct call *c)
{
	return missing(c);
}

int64_t face_raw(struct call *c)
{
	return missing(c);
}

int64_t face_post(struct call *c)
{
	return missing(c);
}

int64_t face_await(struct call *c)
{
	return missing(c);
}

int64_t face_wild(struct call *c)
{
	return missing(c);
}
