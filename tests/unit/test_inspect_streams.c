/*
 * Files that wait: events, wait, and what a console puts out; who waits is woken, can be let go, and loses nothing that
 * is not told. And many threads at once on all files of a machine that runs, pauses, resets and changes.
 */
#include <inttypes.h>
#include <pthread.h>

#include <biscuit/builtin.h>
#include <biscuit/chardev.h>

#include "tests/unit/inspect_rig.h"

static int setup(void **state)
{
	struct bis_machine *m = rig_create("rv64", 1);

	rig_add(m, "clock,slot=2");
	rig_add(m, "console,slot=1");
	rig_start_paused(m);
	*state = files_of(m, NULL);
	return 0;
}

static int teardown(void **state)
{
	files_free(*state);
	return 0;
}

/* What a stream has now; "" where it would wait. */
static const char *stream_text(struct files *f, struct inspect_handle *h)
{
	ssize_t got = inspect_read(h, f->text, sizeof(f->text) - 1, 0);

	assert_true(got >= 0 || got == -EAGAIN);
	f->text[got > 0 ? got : 0] = '\0';
	return f->text;
}

/* --- A waiter that counts --- */

struct waiter {
	struct inspect_waiter w; /* first */
	_Atomic unsigned calls;
};

static void woken(struct inspect_waiter *w)
{
	((struct waiter *)w)->calls++;
}

/* --- events, wait --- */

static void events_are_lines_in_their_order(void **state)
{
	struct files *f = *state;
	struct inspect_handle *h;
	struct bis_module *mod;
	uint64_t time;

	assert_ok(files_open(f, "events", INSPECT_READ, &h));
	assert_string_equal(stream_text(f, h), "");
	files_put_ok(f, "ctl", "step 5\nresume\npause\n");
	assert_ok(bis_machine_add(f->m, "clock,slot=9,name=a\"b", &mod));
	stream_text(f, h);
	assert_int_equal(sscanf(f->text, "{\"event\":\"stepped\",\"time\":%" SCNu64 ",\"count\":5}\n", &time), 1);
	assert_non_null(strstr(f->text, "\n{\"event\":\"resumed\",\"time\":"));
	assert_non_null(strstr(f->text, "\n{\"event\":\"paused\",\"time\":"));
	assert_non_null(strstr(f->text, "{\"event\":\"module-added\",\"time\":"));
	assert_non_null(strstr(f->text, ",\"name\":\"a\\\"b\"}\n"));
	inspect_close(h);
}

static void each_reader_has_a_queue_of_its_own(void **state)
{
	struct files *f = *state;
	struct inspect_handle *a, *b;

	assert_ok(files_open(f, "events", INSPECT_READ, &a));
	assert_ok(bis_machine_step(f->m, 1));
	assert_ok(files_open(f, "events", INSPECT_READ, &b));
	assert_ok(bis_machine_step(f->m, 2));
	assert_non_null(strstr(stream_text(f, a), "\"count\":1}\n{"));
	assert_non_null(strstr(f->text, "\"count\":2}\n"));
	assert_null(strstr(stream_text(f, b), "\"count\":1}\n"));
	assert_non_null(strstr(f->text, "\"count\":2}\n"));
	inspect_close(a);
	inspect_close(b);
}

static void events_that_nobody_reads_are_lost_by_number(void **state)
{
	struct files *f = *state;
	struct inspect_handle *h;
	unsigned lost = 0, told = 0;
	uint64_t steps = 40000;

	assert_ok(files_open(f, "events", INSPECT_READ, &h));
	for (uint64_t i = 0; i < steps; i++) {
		struct bis_event e = {.kind = BIS_EVENT_STEPPED, .value = i, .text = ""};

		inspect_event(f->in, &e);
	}
	while (*stream_text(f, h))
		for (const char *p = f->text; (p = strchr(p, '\n')); p++)
			told++;
	assert_ok(bis_machine_step(f->m, 1));
	assert_int_equal(sscanf(stream_text(f, h), "{\"event\":\"lost\",\"count\":%u}\n", &lost), 1);
	assert_true(lost > 0);
	assert_int_equal(told + lost, steps);
	assert_non_null(strstr(f->text, "\n{\"event\":\"stepped\""));
	inspect_close(h);
}

static void wait_ends_when_the_machine_comes_to_rest(void **state)
{
	struct files *f = *state;
	struct inspect_handle *h;
	struct waiter w = {.w.ready = woken};
	char text[256];

	assert_ok(bis_machine_resume(f->m));
	assert_ok(files_open(f, "wait", INSPECT_READ, &h));
	assert_int_equal(inspect_stream_read(f->in, h->stream, text, sizeof(text), &w.w), -EAGAIN);
	assert_int_equal(w.calls, 0);
	assert_ok(bis_machine_pause(f->m));
	rig_wait_for(w.calls == 1);
	assert_string_equal(stream_text(f, h), "paused\n");
	assert_int_equal(inspect_read(h, text, sizeof(text), 0), 0);
	inspect_close(h);
	/* At rest already: at once. */
	assert_ok(files_get(f, "wait"));
	assert_string_equal(f->text, "paused\n");
}

/* Until a breakpoint has brought the machine to rest. */
static void *joins(void *m)
{
	enum bis_stop_reason why;
	int status;

	while (bis_machine_state(m) == BIS_RUNNING)
		assert_int_equal(bis_machine_join(m, 1, &why, &status), -ETIMEDOUT);
	return NULL;
}

static void wait_tells_of_a_breakpoint(void **state)
{
	struct files *f = *state;
	struct inspect_handle *h;
	struct bis_break b = {.kind = BIS_BREAK_PC, .address = RIG_SPIN};
	unsigned id;

	assert_ok(bis_break_add(f->m, &b, &id));
	assert_ok(bis_machine_resume(f->m));
	assert_ok(files_open(f, "wait", INSPECT_READ, &h));
	joins(f->m);
	assert_string_equal(stream_text(f, h), "break 1 cpu 0 pc 0x00000000807ff000\n");
	inspect_close(h);
}

/* Whoever looks while the machine is coming to rest hears of this rest, not of the one before. */
static void wait_tells_of_the_last_rest(void **state)
{
	struct files *f = *state;
	struct bis_break b = {.kind = BIS_BREAK_PC, .address = RIG_SPIN};
	pthread_t joiner;
	unsigned id;

	assert_ok(bis_break_add(f->m, &b, &id));
	for (int i = 0; i < 100; i++) {
		assert_ok(bis_machine_step(f->m, 1));
		assert_ok(bis_machine_resume(f->m));
		assert_int_equal(pthread_create(&joiner, NULL, joins, f->m), 0);
		rig_wait_for(bis_machine_state(f->m) != BIS_RUNNING);
		assert_ok(files_get(f, "wait"));
		assert_string_equal(f->text, "break 1 cpu 0 pc 0x00000000807ff000\n");
		assert_int_equal(pthread_join(joiner, NULL), 0);
	}
}

/* --- Waiting --- */

static void a_waiter_that_is_cancelled_is_not_called(void **state)
{
	struct files *f = *state;
	struct inspect_handle *h;
	struct waiter gone = {.w.ready = woken}, stays = {.w.ready = woken}, early = {.w.ready = woken};
	char text[256];

	assert_ok(files_open(f, "events", INSPECT_READ, &h));
	assert_int_equal(inspect_stream_read(f->in, h->stream, text, sizeof(text), &gone.w), -EAGAIN);
	assert_false(inspect_stream_ready(f->in, h->stream, &stays.w));
	assert_true(inspect_waiter_cancel(f->in, &gone.w));
	assert_false(inspect_waiter_cancel(f->in, &gone.w));
	assert_false(inspect_waiter_cancel(f->in, &early.w));
	assert_int_equal(inspect_stream_read(f->in, h->stream, text, sizeof(text), &early.w), -EINTR);
	assert_ok(bis_machine_step(f->m, 1));
	rig_wait_for(stays.calls == 1);
	assert_int_equal(gone.calls, 0);
	assert_true(inspect_stream_ready(f->in, h->stream, NULL));
	inspect_close(h);
}

static void whoever_waits_is_let_go_at_the_end(void **state)
{
	struct files *f = *state;
	struct inspect_handle *a, *b;
	struct waiter first = {.w.ready = woken}, second = {.w.ready = woken};
	char text[16];

	assert_ok(files_open(f, "events", INSPECT_READ, &a));
	assert_ok(files_open(f, "events", INSPECT_READ, &b));
	assert_int_equal(inspect_stream_read(f->in, a->stream, text, sizeof(text), &first.w), -EAGAIN);
	assert_int_equal(inspect_stream_read(f->in, b->stream, text, sizeof(text), &second.w), -EAGAIN);
	inspect_close(a);
	assert_int_equal(first.calls, 1);
	inspect_end_streams(f->in, 0);
	rig_wait_for(second.calls == 1);
	assert_int_equal(inspect_read(b, text, sizeof(text), 0), 0);
	inspect_close(b);
}

/* --- The console --- */

static struct bis_chardev *chardev(struct files *f)
{
	struct bis_chardev *c = bis_chardev_find(f->m, "console");

	assert_non_null(c);
	return c;
}

static void put_out(struct files *f, const void *text, size_t len)
{
	bis_machine_lock_devices(f->m);
	assert_int_equal(bis_chardev_write(chardev(f), text, len), len);
	bis_machine_unlock_devices(f->m);
}

static void what_a_console_puts_out_is_in_out_and_log(void **state)
{
	struct files *f = *state;
	struct inspect_handle *h;

	put_out(f, "before ", 7);
	assert_ok(files_open(f, "dev/console/out", INSPECT_READ, &h));
	put_out(f, "after\n", 6);
	assert_string_equal(stream_text(f, h), "after\n");
	assert_string_equal(stream_text(f, h), "");
	inspect_close(h);
	assert_string_equal(files_text(f, "dev/console/log"), "before after\n");
}

static void a_log_keeps_the_end_of_what_was_put_out(void **state)
{
	struct files *f = *state;
	uint8_t piece[1000];
	size_t total = 0;

	for (int i = 0; i < 400; i++) {
		for (size_t k = 0; k < sizeof(piece); k++)
			piece[k] = (uint8_t)('a' + (total + k) % 23);
		put_out(f, piece, sizeof(piece));
		total += sizeof(piece);
	}
	assert_ok(files_get(f, "dev/console/log"));
	assert_int_equal(f->len, 256 << 10);
	for (size_t i = 0; i < f->len; i++)
		assert_int_equal(f->text[i], 'a' + (total - f->len + i) % 23);
}

static void what_is_typed_reaches_the_guest_as_it_is(void **state)
{
	struct files *f = *state;
	struct inspect_handle *h;
	uint8_t buf[16];
	char *large = calloc(1, BIS_CHARDEV_QUEUE + 100);

	assert_ok(files_open(f, "dev/console/in", INSPECT_WRITE, &h));
	assert_int_equal(inspect_write(h, "a\0\n", 3, 0), 3);
	assert_int_equal(bis_chardev_read(chardev(f), buf, sizeof(buf)), 3);
	assert_memory_equal(buf, "a\0\n", 3);
	assert_int_equal(inspect_write(h, large, BIS_CHARDEV_QUEUE + 100, 0), BIS_CHARDEV_QUEUE);
	assert_fails(inspect_write(h, "b", 1, 0), -EAGAIN, "not read");
	inspect_close(h);
	free(large);
}

/* --- Many at once --- */

#define SEED	  12345u
#define ACTORS	  12
#define ROUNDS	  150
#define PATHS_MAX 4096
#define SMALL	  8192

struct crowd {
	struct files *f;
	char *paths[PATHS_MAX];
	size_t n_paths;
	_Atomic unsigned acting;
};

struct actor {
	struct crowd *c;
	pthread_t thread;
	uint32_t random;
};

static uint32_t next(struct actor *a)
{
	a->random ^= a->random << 13;
	a->random ^= a->random >> 17;
	a->random ^= a->random << 5;
	return a->random;
}

static void list(struct crowd *c, const char *dir_path)
{
	struct inspect_node *dir;
	struct inspect_child child;
	char path[512];

	assert_ok(inspect_find(c->f->in, dir_path, &dir));
	for (size_t i = 0; inspect_child_at(c->f->in, dir, i, &child) && c->n_paths < PATHS_MAX; i++) {
		snprintf(path, sizeof(path), "%s%s%s", dir_path, *dir_path ? "/" : "", child.name);
		if (child.type->kind == INSPECT_DIR)
			list(c, path);
		else
			c->paths[c->n_paths++] = strdup(path);
	}
	inspect_unref(c->f->in, dir, 1);
}

/* Something that changes the machine, through a file. */
static void act(struct actor *a)
{
	static const struct {
		const char *path, *text;
	} acts[] = {
		{"ctl", "pause"},
		{"ctl", "resume\n"},
		{"ctl", "step 100"},
		{"cpu/0/ctl", "step 3"},
		{"break/add", "read 0x80100000+8"},
		{"break/remove", "3"},
		{"cpu/0/x/a0", "0x123"},
		{"cpu/0/csr/mscratch", "0x456"},
		{"cpu/0/vm/walk", "0x80000000"},
		{"dev/console/in", "hello"},
		{"symbols/lookup", "0x80000000"},
		{"ctl", "nonsense"},
		{"dev/clock/alarm", "0"},
	};
	size_t i = next(a) % BIS_ARRAY_SIZE(acts);
	struct inspect_handle *h;

	if (files_open(a->c->f, acts[i].path, INSPECT_WRITE, &h))
		return;
	if (inspect_write(h, acts[i].text, strlen(acts[i].text), 0) < 0)
		inspect_note(a->c->f->in, h->node, -EINVAL);
	inspect_close(h);
}

static void *play(void *arg)
{
	struct actor *a = arg;
	struct crowd *c = a->c;
	char *buf = malloc(SMALL);

	for (unsigned i = 0; i < ROUNDS; i++) {
		const char *path = c->paths[next(a) % c->n_paths];
		struct inspect_handle *h;

		if (!strcmp(path, "snapshots/new") || (next(a) & 3) == 0) {
			act(a);
			continue;
		}
		if (files_open(c->f, path, INSPECT_READ, &h))
			continue;
		for (uint64_t off = 0; inspect_read(h, buf, SMALL, off) > 0 && off < 4 * SMALL; off += SMALL)
			;
		inspect_close(h);
	}
	free(buf);
	c->acting--;
	return NULL;
}

/* What the program that made the machine does meanwhile: resets, and a device that comes and goes. */
static void disturb(struct files *f, struct actor *a)
{
	struct bis_module *mod = bis_machine_find(f->m, "visitor");
	enum bis_stop_reason why;
	int status, err;

	err = bis_machine_join(f->m, 0, &why, &status);
	assert_true(err == 0 || err == -ETIMEDOUT);
	if (next(a) % 4 == 0)
		assert_ok(bis_machine_reset(f->m));
	if (mod)
		assert_ok(bis_machine_remove(f->m, mod));
	else
		assert_ok(bis_machine_add(f->m, "clock,slot=9,name=visitor", &mod));
	sched_yield();
}

static void many_threads_at_once_harm_nothing(void **state)
{
	struct files *f = *state;
	struct crowd c = {.f = f, .acting = ACTORS};
	struct actor actors[ACTORS], self = {.random = SEED};

	list(&c, "");
	print_message("%zu files, seed %u\n", c.n_paths, SEED);
	for (unsigned i = 0; i < ACTORS; i++) {
		actors[i] = (struct actor){.c = &c, .random = SEED + 77 * (i + 1)};
		assert_int_equal(pthread_create(&actors[i].thread, NULL, play, &actors[i]), 0);
	}
	while (c.acting)
		disturb(f, &self);
	for (unsigned i = 0; i < ACTORS; i++)
		pthread_join(actors[i].thread, NULL);
	for (size_t i = 0; i < c.n_paths; i++)
		free(c.paths[i]);
	assert_null(f->in->handles);
	assert_null(f->in->root->children);
	files_say(f, "status", "state ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(events_are_lines_in_their_order),
		TEST(each_reader_has_a_queue_of_its_own),
		TEST(events_that_nobody_reads_are_lost_by_number),
		TEST(wait_ends_when_the_machine_comes_to_rest),
		TEST(wait_tells_of_a_breakpoint),
		TEST(wait_tells_of_the_last_rest),
		TEST(a_waiter_that_is_cancelled_is_not_called),
		TEST(whoever_waits_is_let_go_at_the_end),
		TEST(what_a_console_puts_out_is_in_out_and_log),
		TEST(a_log_keeps_the_end_of_what_was_put_out),
		TEST(what_is_typed_reaches_the_guest_as_it_is),
		TEST(many_threads_at_once_harm_nothing),
	};

	return cmocka_run_group_tests_name("inspect_streams", tests, NULL, NULL);
}
