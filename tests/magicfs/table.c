/* Reads the table of cases (table.h). What it makes lives as long as the program. */
#include "table.h"
#include "words.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 16 << 20, LINE_MAX = 4000 };

static const struct {
	const char *name, *arguments;
} operations[] = {
#define OP(name, arguments, answer) {#name, arguments},
#include "ops.def"
};

static const struct {
	const char *word;
	long long value;
} keywords[] = {
#define KEY(word, value) {#word, value},
#include "keywords.def"
};

/* Operations that change nothing. */
static const char *const readers[] = {"read", "readv", "stat",	 "lstat",    "statfs",	 "readlink",  "list",
				      "dots", "next",  "rewind", "listplus", "getxattr", "lgetxattr", "listxattr",
				      "get",  "tree",  "open",	 "close",    "seek",	 "getlock"};

struct reader {
	const char *file, *out;
	unsigned line;
	char text[LINE_MAX];
	const char *at;
};

__attribute__((format(printf, 2, 3), noreturn)) static void die(const struct reader *r, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s:%u: ", r->file, r->line);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(2);
}

static void *make(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		abort();
	return memory;
}

/* --- Words --- */

/* A word in both its forms while it is put together. */
struct building {
	char *bytes, *wire;
	size_t len, wire_len;
};

static void add_bytes(const struct reader *r, struct building *b, const char *bytes, size_t len, size_t times)
{
	char *mark = b->wire + b->wire_len;

	if (b->len + len * times >= WORD_MAX / 4)
		die(r, "a word that is too long");
	b->wire_len += word_put(mark, WORD_MAX - b->wire_len, bytes, len);
	if (times != 1)
		b->wire_len += (size_t)sprintf(b->wire + b->wire_len, "*%zu", times);
	for (size_t i = 0; i < times; i++, b->len += len)
		memcpy(b->bytes + b->len, bytes, len);
}

static char escape(struct reader *r)
{
	static const char names[] = "ntr0\\\"", values[] = "\n\t\r\0\\\"";
	const char *name = strchr(names, *r->at);

	if (*r->at == 'x') {
		char hex[3] = {r->at[1], r->at[2], 0};

		r->at += 3;
		return (char)strtol(hex, NULL, 16);
	}
	if (!name || !*r->at)
		die(r, "no such escape: \\%c", *r->at);
	r->at++;
	return values[name - names];
}

static void read_quoted(struct reader *r, struct building *b)
{
	char text[LINE_MAX];
	size_t len = 0, times = 1;

	for (r->at++; *r->at != '"';) {
		if (!*r->at)
			die(r, "a quotation mark is missing");
		if (*r->at == '\\') {
			r->at++;
			text[len++] = escape(r);
		} else {
			text[len++] = *r->at++;
		}
	}
	r->at++;
	if (*r->at == '*') {
		r->at++;
		times = (size_t)word_number(&r->at);
	}
	add_bytes(r, b, text, len, times);
}

static void read_pattern(struct reader *r, struct building *b)
{
	const char *start = r->at, *at = r->at;
	size_t len;

	if (!word_text(&at, (uint8_t *)b->bytes + b->len, WORD_MAX / 4 - b->len, &len))
		die(r, "expected ~SEED:LENGTH");
	b->wire_len += (size_t)sprintf(b->wire + b->wire_len, "%.*s", (int)(at - start), start);
	b->len += len;
	r->at = at;
}

static void read_plain(struct reader *r, struct building *b)
{
	const char *start = r->at;

	if (!strncmp(r->at, "$OUT", 4)) {
		add_bytes(r, b, r->out, strlen(r->out), 1);
		r->at += 4;
		return;
	}
	while (*r->at && !isspace((unsigned char)*r->at) && *r->at != '"' && (*r->at != '~' || r->at == start) &&
	       *r->at != '$')
		r->at++;
	if (r->at == start)
		die(r, "'%s': expected a word", start);
	add_bytes(r, b, start, (size_t)(r->at - start), 1);
}

static struct word *read_word(struct reader *r)
{
	static struct building b;
	struct word *word;

	r->at += strspn(r->at, " \t");
	if (!*r->at || *r->at == '#')
		return NULL;
	if (!b.bytes) {
		b.bytes = make(WORD_MAX);
		b.wire = make(WORD_MAX);
	}
	b.len = b.wire_len = 0;
	word = make(sizeof(*word));
	word->quoted = *r->at == '"' || *r->at == '~';
	while (*r->at && !isspace((unsigned char)*r->at)) {
		/* @H or @H/ in front of a path: the handle stands before the text. */
		if (!b.wire_len && *r->at == '@' && isdigit((unsigned char)r->at[1])) {
			r->at++;
			b.wire_len = (size_t)sprintf(b.wire, "%lld", (long long)word_number(&r->at));
			r->at += *r->at == '/';
			if (!*r->at || isspace((unsigned char)*r->at))
				b.wire_len += word_put(b.wire + b.wire_len, 2, "", 0);
			word->quoted = true;
		} else if (*r->at == '"') {
			read_quoted(r, &b);
		} else if (*r->at == '~') {
			read_pattern(r, &b);
		} else {
			read_plain(r, &b);
		}
	}
	word->bytes = make(b.len + 1);
	memcpy(word->bytes, b.bytes, b.len);
	word->len = b.len;
	b.wire[b.wire_len] = '\0';
	word->wire = strdup(b.wire);
	return word;
}

static bool is(const struct word *word, const char *text)
{
	return word && !word->quoted && !strcmp(word->bytes, text);
}

static const char *word_or_die(struct reader *r, const char *what)
{
	struct word *word = read_word(r);

	if (!word)
		die(r, "expected %s", what);
	return word->bytes;
}

/* A number, keywords, or several with commas between them. */
static long long number(const struct reader *r, const char *text)
{
	long long sum = 0;
	char *end;

	for (;;) {
		size_t len = strcspn(text, ","), i;

		for (i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
			if (strlen(keywords[i].word) == len && !strncmp(keywords[i].word, text, len))
				break;
		if (i < sizeof(keywords) / sizeof(keywords[0])) {
			sum += keywords[i].value;
		} else {
			sum += (long long)strtoull(text, &end, 0);
			if (end != text + len)
				die(r, "'%s' is no number", text);
		}
		if (!text[len])
			return sum;
		text += len + 1;
	}
}

/* --- Steps --- */

static void add(const struct reader *r, char *order, const char *format, ...)
{
	size_t len = strlen(order);
	va_list arguments;

	va_start(arguments, format);
	if (vsnprintf(order + len, LINE_MAX - len, format, arguments) >= (int)(LINE_MAX - len))
		die(r, "too long for a guest's line");
	va_end(arguments);
}

static void add_argument(const struct reader *r, char *order, char kind, const struct word *word)
{
	if (kind == 'p')
		add(r, order, " %s%s", isdigit((unsigned char)word->wire[0]) ? "" : "1", word->wire);
	else if (kind == 't')
		add(r, order, " %s", word->wire);
	else
		add(r, order, " %lld", number(r, word->bytes));
}

static bool changes(const char *operation)
{
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (!strcmp(readers[i], operation))
			return false;
	return true;
}

/* An operation and its arguments, to the end of the line, `;` or `=>`, which is the last word read. */
static struct word *read_operation(struct reader *r, const char *operation, struct step *s, char *order)
{
	const char *arguments;
	struct word *word;
	size_t i;

	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (!strcmp(operations[i].name, operation))
			break;
	if (i == sizeof(operations) / sizeof(operations[0]))
		die(r, "there is no operation '%s'", operation);
	add(r, order, "%s", operation);
	s->changes |= changes(operation);
	arguments = operations[i].arguments;
	while ((word = read_word(r)) && !is(word, "=>") && !is(word, ";")) {
		if (!*arguments)
			die(r, "too many words for '%s'", operation);
		add_argument(r, order, *arguments++, word);
	}
	if (*arguments == 'h' || *arguments == 'p')
		die(r, "'%s' needs more", operation);
	return word;
}

static void read_expected(struct reader *r, struct step *s)
{
	struct word **last = &s->expected;

	while ((*last = read_word(r)))
		last = &(*last)->next;
	if (!s->expected)
		die(r, "expected something behind =>");
}

static void read_call(struct reader *r, const char *first, struct step *s)
{
	char order[LINE_MAX] = "";
	struct word *end;

	if (!strcmp(first, "stop")) {
		s->kind = STEP_STOP;
		s->order = strdup("stop");
		return;
	}
	if (!strcmp(first, "background")) {
		s->kind = STEP_BACKGROUND;
		add(r, order, "forever ");
		while (is(end = read_operation(r, word_or_die(r, "an operation"), s, order), ";"))
			add(r, order, ";");
	} else {
		if (!strcmp(first, "repeat")) {
			s->times = (unsigned)number(r, word_or_die(r, "a number"));
			first = word_or_die(r, "an operation");
		}
		end = read_operation(r, first, s, order);
	}
	if (is(end, "=>"))
		read_expected(r, s);
	s->order = strdup(order);
}

static bool read_face(const char *word, unsigned *faces)
{
	static const struct {
		const char *word;
		unsigned faces;
	} known[] = {{"native", FACE_NATIVE}, {"9p", FACE_9P},		 {"local", FACE_LOCAL},
		     {"linux", FACE_LINUX},   {"magicfs", FACE_MAGICFS}, {"guest", FACE_ALL}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].word, word) != 0)
			continue;
		*faces = known[i].faces;
		return true;
	}
	return false;
}

static struct step *read_step(struct reader *r, const char *who)
{
	struct step *s = make(sizeof(*s));

	s->file = r->file;
	s->line = r->line;
	s->text = strdup(r->text + strspn(r->text, " \t"));
	s->faces = FACE_ALL;
	s->times = 1;
	s->host = !strcmp(who, "host");
	if (!s->host && !read_face(who, &s->faces))
		die(r, "'%s': expected guest, host or a face", who);
	read_call(r, word_or_die(r, "an operation"), s);
	return s;
}

/* --- Cases --- */

/* A line that says where a case runs. */
static bool read_setting(struct reader *r, struct test_case *c, char *word)
{
	char *end;

	if (!strcmp(word, "only")) {
		char *face = strdup(word_or_die(r, "a face"));

		end = strchr(face, ':');
		if (!end)
			die(r, "only %s: expected the reason behind a colon", face);
		*end = '\0';
		if (!read_face(face, &c->faces))
			die(r, "there is no face '%s'", face);
	} else if (!strcmp(word, "on")) {
		c->share = word_or_die(r, "a share");
	} else if (!strcmp(word, "needs")) {
		c->needs = word_or_die(r, "what");
	} else if (!strcmp(word, "cached:")) {
		c->cached = true;
	} else if (!strcmp(word, "uncached:")) {
		c->mixed = true;
	} else {
		return false;
	}
	return true;
}

static struct test_case *read_title(struct reader *r)
{
	struct test_case *c = make(sizeof(*c));
	char *colon;

	if (strncmp(r->text, "case ", 5) != 0)
		die(r, "expected a case");
	c->name = strdup(r->text + 5);
	colon = strstr(c->name, ": ");
	if (!colon)
		die(r, "expected case NAME: what it shows");
	*colon = '\0';
	c->title = colon + 2;
	c->share = "rw";
	c->faces = FACE_ALL;
	return c;
}

void table_read(const char *file, const char *out, struct test_case **cases)
{
	struct reader r = {.file = file, .out = out};
	FILE *f = fopen(file, "re");
	struct step **last = NULL;
	struct test_case *c = NULL;
	bool begun = false;

	if (!f)
		die(&r, "cannot be read");
	while (*cases)
		cases = &(*cases)->next;
	while (fgets(r.text, sizeof(r.text), f)) {
		struct word *word;

		r.line++;
		r.text[strcspn(r.text, "\n")] = '\0';
		r.at = r.text;
		if (!isspace((unsigned char)r.text[0]) && r.text[0] && r.text[0] != '#') {
			*cases = c = read_title(&r);
			cases = &c->next;
			last = &c->steps;
			begun = false;
			continue;
		}
		word = read_word(&r);
		if (!word)
			continue;
		if (!c)
			die(&r, "expected a case");
		if (read_setting(&r, c, word->bytes))
			continue;
		*last = read_step(&r, word->bytes);
		begun |= !(*last)->host;
		c->mixed |= (*last)->kind == STEP_BACKGROUND || (begun && (*last)->host && (*last)->changes);
		last = &(*last)->next;
	}
	fclose(f);
}
