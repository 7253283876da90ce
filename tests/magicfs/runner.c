/*
 * The runner: reads operations line by line, has its face carry them out, and answers (words.h has the form). The same
 * in a bare guest, in a Linux guest and on the host.
 */
#include "face.h"
#include "stress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	LINE_MAX = 40000,
	SHOWN_MAX = 1024, /* bytes of data or items that an answer shows; of longer ones it gives a hash */
	OUT_MAX = 8192,
	KINDS = 8, /* different answers that `repeat` tells apart */
	TASK_ROOM = 1 << 17,
};

enum answer { NONE, DATA, ATTR, ITEMS, FIELDS };

static const struct {
	const char *name, *arguments;
	enum answer answer;
	int64_t (*run)(struct call *c);
} operations[] = {
#define OP(name, arguments, answer) {#name, arguments, answer, face_##name},
#include "ops.def"
};

int64_t face_run(enum op op, struct call *c)
{
	return operations[op].run(c);
}

bool call_add(struct call *c, const char *format, ...)
{
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf((char *)c->data + c->len, c->room - c->len, format, arguments);
	va_end(arguments);
	if (len < 0 || (size_t)len >= c->room - c->len)
		return false;
	c->len += (size_t)len + 1;
	return true;
}

/* --- A line --- */

static bool read_line(char *line, size_t room)
{
	size_t used = 0;
	int c;

	while ((c = port_get()) >= 0 && c != '\n')
		if (used < room - 1 && c != '\r')
			line[used++] = (char)c;
	line[used] = '\0';
	return c >= 0;
}

/* The bytes of the three texts of a call, and of its answer; aligned for direct access. */
enum { ROOM = FACE_DATA_MAX + 4096 };
static uint8_t text_rooms[3][ROOM] __attribute__((aligned(4096))), data_room[ROOM] __attribute__((aligned(4096)));

static bool parse_arguments(const char *arguments, const char *at, struct call *c)
{
	unsigned numbers = 0, texts = 0;

	for (; *arguments; arguments++) {
		at += *at == ' ';
		switch (*arguments) {
		case 'p':
			c->base[texts] = (unsigned)word_number(&at);
			/* fall through */
		case 't':
			if (*at && !word_text(&at, c->text[texts].bytes, sizeof(text_rooms[0]), &c->text[texts].len))
				return false;
			texts++;
			break;
		default:
			c->number[numbers++] = word_number(&at);
		}
	}
	return !*at;
}

static bool starts(const char **at, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*at, word, len) || ((*at)[len] && (*at)[len] != ' '))
		return false;
	*at += len;
	return true;
}

/* --- An answer --- */

struct out {
	char text[OUT_MAX];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void say(struct out *out, const char *format, ...)
{
	va_list arguments;
	int len;

	va_start(arguments, format);
	len = vsnprintf(out->text + out->len, sizeof(out->text) - out->len, format, arguments);
	va_end(arguments);
	if (len > 0 && (size_t)len < sizeof(out->text) - out->len)
		out->len += (size_t)len;
}

static void say_bytes(struct out *out, const char *key, const void *bytes, size_t len)
{
	say(out, " %s=", key);
	out->len += word_put(out->text + out->len, sizeof(out->text) - out->len, bytes, len);
}

static void say_data(struct out *out, const struct call *c)
{
	if (c->len <= SHOWN_MAX)
		say_bytes(out, "data", c->data, c->len);
	else
		say(out, " hash=%llx", (unsigned long long)hash_bytes(HASH_START, c->data, c->len));
}

static void say_items(struct out *out, const struct call *c)
{
	const char *at = (const char *)c->data, *end = at + c->len;
	unsigned count = 0;

	for (; at < end; at += strlen(at) + 1, count++)
		if (c->len <= SHOWN_MAX)
			say_bytes(out, "item", at, strlen(at));
	say(out, " count=%u", count);
}

static void say_fields(struct out *out, const struct call *c)
{
	const char *at = (const char *)c->data, *end = at + c->len;

	for (; at < end; at += strlen(at) + 1)
		say(out, " %s", at);
}

static const char *type_name(uint32_t mode)
{
	static const char *const names[] = {"?",    "fifo", "char",    "?", "dir",    "?", "block", "?",
					    "file", "?",    "symlink", "?", "socket", "?", "?",	    "?"};
	return names[mode >> 12 & 15];
}

static void say_attr(struct out *out, const struct attr *a)
{
	say(out, " type=%s mode=%u uid=%u gid=%u", type_name(a->mode), (unsigned)(a->mode & 07777), (unsigned)a->uid,
	    (unsigned)a->gid);
	say(out, " id=%llu nlink=%llu rdev=%llu size=%llu blocks=%llu", (unsigned long long)a->id,
	    (unsigned long long)a->nlink, (unsigned long long)a->rdev, (unsigned long long)a->size,
	    (unsigned long long)a->blocks);
	say(out, " atime=%lld mtime=%lld ctime=%lld btime=%lld", (long long)a->atime, (long long)a->mtime,
	    (long long)a->ctime, (long long)a->btime);
}

static void say_answer(struct out *out, enum answer answer, int64_t result, const struct call *c)
{
	out->len = 0;
	say(out, "@%lld", (long long)result);
	if (result >= 0 && answer == DATA)
		say_data(out, c);
	else if (result >= 0 && answer == ATTR)
		say_attr(out, &c->attr);
	else if (result >= 0 && answer == ITEMS)
		say_items(out, c);
	else if (result >= 0 && answer == FIELDS)
		say_fields(out, c);
	say(out, "\n");
	out->text[out->len] = '\0';
}

/* One operation and its arguments; what is behind a semicolon is the next one. False if it means nothing. */
static bool parse(const char *line, enum op *op, struct call *c)
{
	memset(c, 0, sizeof(*c));
	for (unsigned i = 0; i < 3; i++) {
		c->text[i].bytes = text_rooms[i];
		text_rooms[i][0] = 0;
	}
	c->data = data_room;
	c->room = sizeof(data_room);
	for (*op = 0; *op < OPS; (*op)++)
		if (starts(&line, operations[*op].name))
			return parse_arguments(operations[*op].arguments, line, c);
	return false;
}

static void put_text(const char *text)
{
	port_put(text, strlen(text));
}

/* Does it `times` times and gives each kind of answer once; when there are very many kinds, some of them again. */
static void run_line(const char *line, unsigned times)
{
	static struct out kinds[KINDS], out;
	static struct call call;
	unsigned found = 0, i;
	enum op op;

	for (unsigned done = 0; done < times; done++) {
		if (!parse(line, &op, &call)) {
			put_text("@? cannot be understood\n");
			break;
		}
		say_answer(&out, operations[op].answer, face_run(op, &call), &call);
		for (i = 0; i < found && strcmp(kinds[i].text, out.text) != 0; i++)
			;
		if (i < found)
			continue;
		put_text(out.text);
		if (found < KINDS)
			kinds[found++] = out;
	}
	put_text("@.\n");
}

/* Carries out a list of operations again and again until there is input. */
static void run_forever(char *line)
{
	static struct call call;
	enum op op;

	put_text("@0\n@.\n");
	do {
		for (char *at = line; at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL) {
			char *end = strchr(at, ';');

			if (end)
				*end = '\0';
			if (parse(at, &op, &call))
				face_run(op, &call);
			if (end)
				*end = ';';
		}
	} while (!port_ready());
}

static void run_order(char *line)
{
	const char *at = line;

	if (starts(&at, "repeat")) {
		unsigned times;

		at++;
		times = (unsigned)word_number(&at);
		run_line(at + 1, times);
	} else if (starts(&at, "forever")) {
		run_forever(line + (at - line) + 1);
	} else if (starts(&at, "stop")) {
		put_text("@0\n@.\n");
	} else {
		run_line(line, 1);
	}
}

void runner_serve(void)
{
	static char line[LINE_MAX];

	put_text("@ready\n");
	while (read_line(line, sizeof(line)) && strcmp(line, "quit") != 0)
		if (line[0])
			run_order(line);
}
