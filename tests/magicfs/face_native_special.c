/* What the native device alone can do: change events, pages of files as memory, and requests that make no sense. */
#include "face.h"
#include "face_native.h"

#include <magicfs.h>
#include <native.h>
#include <string.h>

enum { EVENT_PATIENCE = 10000, WATCHES = 16 };

/* --- Change events --- */

/* What the case watches. */
static int64_t watches[WATCHES];
static unsigned watch_count;

void native_stop_watching(void)
{
	static uint64_t dropped[8192];

	while (watch_count)
		magicfs_unwatch(watches[--watch_count % WATCHES]);
	while (magicfs_events(dropped, sizeof(dropped)) > 0)
		;
}

int64_t face_watch(struct call *c)
{
	int64_t watch = magicfs_watch((uint32_t)call_base(c, 0), call_path(c, 0), (uint32_t)c->number[0],
				      c->number[1] ? MAGICFS_RECURSIVE : 0);

	if (watch >= 0)
		watches[watch_count++ % WATCHES] = watch;
	return watch;
}

int64_t face_unwatch(struct call *c)
{
	return magicfs_unwatch(c->number[0]);
}

/* CHANGE:PATH of each; watches and cookies have other numbers from run to run. */
static unsigned add_events(struct call *c, const uint64_t *buffer, size_t len)
{
	unsigned count = 0;

	for (size_t at = 0; at < len; count++) {
		const struct magicfs_event *event = (const void *)((const char *)buffer + at);

		call_add(c, "%u:%s", (unsigned)event->change, (const char *)(event + 1));
		at += event->size;
	}
	return count;
}

int64_t face_events(struct call *c)
{
	static uint64_t buffer[8192];
	uint64_t deadline = port_milliseconds() + EVENT_PATIENCE;
	unsigned count = 0;
	int64_t got;

	do {
		got = magicfs_events(buffer, sizeof(buffer));
		if (got > 0)
			count += add_events(c, buffer, (size_t)got);
		else if (got != -MAGICFS_EAGAIN)
			return got;
	} while (got > 0 || (count < (unsigned)c->number[0] && port_milliseconds() < deadline));
	return 0;
}

/* --- Maps --- */

static struct {
	int64_t address;
	uint64_t len;
} maps[FACE_HANDLES];

void native_unmap_all(void)
{
	for (unsigned i = 0; i < FACE_HANDLES; i++) {
		if (maps[i].address)
			magicfs_unmap(maps[i].address, maps[i].len);
		maps[i].address = 0;
	}
}

int64_t face_map(struct call *c)
{
	uint64_t len = (uint64_t)c->number[3];
	int64_t address =
		magicfs_map((uint32_t)call_handle(c->number[1]), (uint64_t)c->number[2], len, (uint32_t)c->number[4]);

	if (address < 0)
		return address;
	maps[c->number[0]].address = address;
	maps[c->number[0]].len = len;
	return 0;
}

int64_t face_unmap(struct call *c)
{
	int64_t result = magicfs_unmap(maps[c->number[0]].address, maps[c->number[0]].len);

	maps[c->number[0]].address = 0;
	return result;
}

/* Moves bytes one by one; a fault ends it, as traps lead behind the loop meanwhile. */
static int64_t move(uintptr_t to, uintptr_t from, size_t len)
{
	unsigned long vector, status, byte, fault;
	size_t left = len;

	__asm__ volatile("	csrr %[status], mstatus\n"
			 "	la %[vector], 2f\n"
			 "	csrrw %[vector], mtvec, %[vector]\n"
			 "	li %[fault], 1\n"
			 "1:	beqz %[left], 3f\n"
			 "	lbu %[byte], 0(%[from])\n"
			 "	sb %[byte], 0(%[to])\n"
			 "	addi %[from], %[from], 1\n"
			 "	addi %[to], %[to], 1\n"
			 "	addi %[left], %[left], -1\n"
			 "	j 1b\n"
			 "3:	li %[fault], 0\n"
			 "	.balign 4\n"
			 "2:	csrw mtvec, %[vector]\n"
			 "	csrw mstatus, %[status]\n"
			 : [vector] "=&r"(vector), [status] "=&r"(status), [byte] "=&r"(byte), [fault] "=&r"(fault),
			   [left] "+&r"(left), [from] "+&r"(from), [to] "+&r"(to)
			 :
			 : "memory");
	return fault ? -FACE_EFAULT : (int64_t)len;
}

int64_t face_peek(struct call *c)
{
	int64_t result =
		move((uintptr_t)c->data, (uintptr_t)(maps[c->number[0]].address + c->number[1]), (size_t)c->number[2]);

	c->len = result > 0 ? (size_t)result : 0;
	return result;
}

int64_t face_poke(struct call *c)
{
	return move((uintptr_t)(maps[c->number[0]].address + c->number[1]), (uintptr_t)c->text[0].bytes,
		    c->text[0].len);
}

/* --- Requests field by field --- */

/* The request that is posted, and its path: both are the device's until it is done, whatever the face is told next. */
static struct magicfs_request posted MAGICFS_ALIGNED;
static uint8_t posted_path[FACE_PATH_MAX];

/* "op=3 handle=@1 length=0x1000": @ stands for a handle as the case numbers them, ^ for the address of a map, $ for
 * that of a buffer, ! for that of the posted request. Without it the path is the second text. */
static void fill_field(struct magicfs_request *r, const char *name, size_t len, uint64_t value)
{
#define FIELD(field)                                                                                                   \
	{                                                                                                              \
#field, offsetof(struct magicfs_request, field), sizeof(r->field)                                      \
	}
	static const struct {
		const char *name;
		size_t offset, size;
	} fields[] = {FIELD(op),       FIELD(flags),	 FIELD(handle), FIELD(handle2),	 FIELD(path),
		      FIELD(path_len), FIELD(path2_len), FIELD(path2),	FIELD(buffer),	 FIELD(length),
		      FIELD(offset),   FIELD(mode),	 FIELD(mask),	FIELD(value[0]), FIELD(reserved)};
#undef FIELD

	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strncmp(fields[i].name, name, len) == 0 && !fields[i].name[len])
			memcpy((char *)r + fields[i].offset, &value, fields[i].size);
}

static uint64_t field_value(const char **at, const struct call *c)
{
	unsigned base_of = 10;
	uint64_t value = 0;

	if (**at == '$') {
		(*at)++;
		return (uintptr_t)c->data;
	}
	if (**at == '!') {
		(*at)++;
		return (uintptr_t)&posted;
	}
	if (**at == '@') {
		(*at)++;
		return (uint32_t)call_handle(word_number(at));
	}
	if (**at == '^') {
		(*at)++;
		return (uint64_t)maps[word_number(at)].address;
	}
	if ((*at)[0] == '0' && (*at)[1] == 'x') {
		base_of = 16;
		*at += 2;
	}
	for (; **at && **at != ' '; (*at)++)
		value = value * base_of + (uint64_t)(**at <= '9' ? **at - '0' : **at - 'a' + 10);
	return value;
}

static void fill_request(struct magicfs_request *r, const struct call *c)
{
	const char *at = call_path(c, 0);

	*r = (struct magicfs_request){.path = (uintptr_t)c->text[1].bytes, .path_len = (uint32_t)c->text[1].len};
	while (*at) {
		const char *name = at;
		size_t len;

		while (*at && *at != '=')
			at++;
		len = (size_t)(at - name);
		at += *at == '=';
		fill_field(r, name, len, field_value(&at, c));
		at += *at == ' ';
	}
}

static int64_t show_request(struct call *c, const struct magicfs_request *r)
{
	call_add(c, "extra=%llu", (unsigned long long)r->extra);
	return r->result;
}

int64_t face_raw(struct call *c)
{
	static struct magicfs_request request MAGICFS_ALIGNED;
	int64_t result;

	fill_request(&request, c);
	result = magicfs_do(&request);
	return result < 0 ? result : show_request(c, &request);
}

int64_t face_post(struct call *c)
{
	if (c->text[1].len > sizeof(posted_path))
		return -FACE_EINVAL;
	memcpy(posted_path, c->text[1].bytes, c->text[1].len);
	c->text[1].bytes = posted_path;
	fill_request(&posted, c);
	return magicfs_post(&posted);
}

int64_t face_await(struct call *c)
{
	uint64_t deadline = port_milliseconds() + EVENT_PATIENCE;
	struct magicfs_request *r;

	while (!(r = magicfs_take()))
		if (port_milliseconds() > deadline)
			return -FACE_EAGAIN;
	return r == &posted && r->done ? show_request(c, r) : -FACE_EINVAL;
}

int64_t face_wild(struct call *c)
{
	magicfs_request_write((uint64_t)c->number[0]);
	call_add(c, "error=%u", native_error(magicfs_status_read()));
	return 0;
}
