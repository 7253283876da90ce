/*
 * Character devices and the back ends on files and pseudo-terminals: order, bounded queues, back-pressure, either half
 * first, coming and going of the other side.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "modules/modules.h"
#include "tests/unit/fake_machine.h"

struct listener {
	unsigned calls;
	struct bis_chardev *chardev;
};

static void count_call(void *arg)
{
	struct listener *l = arg;

	l->calls++;
}

static struct bis_chardev *open_console(struct bis_machine *m)
{
	struct bis_chardev *c = NULL;

	assert_ok(bis_chardev_open(m, "console", &c));
	return c;
}

static void either_half_may_come_first(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct fake_console *f = calloc(1, sizeof(*f));
	struct bis_chardev *c = open_console(m);

	(void)state;
	assert_ptr_equal(bis_chardev_find(m, "console"), c);
	assert_null(bis_chardev_find(m, "other"));
	assert_int_equal(bis_chardev_write(c, (const uint8_t *)"lost", 4), 4);
	fake_console_plug(m, f);
	assert_ptr_equal(f->chardev, c);
	assert_int_equal(bis_chardev_write(c, (const uint8_t *)"seen", 4), 4);
	assert_int_equal(f->len, 4);
	assert_memory_equal(f->out, "seen", 4);
	fake_destroy(m);
	assert_int_equal(f->destroyed, 1);
	free(f);
}

static void a_second_back_end_is_refused_by_name(void **state)
{
	static const struct bis_chardev_ops ops = {0};
	struct bis_machine *m = fake_create(1);
	struct fake_console *f = calloc(1, sizeof(*f));
	struct bis_chardev *c;

	(void)state;
	fake_console_plug(m, f);
	assert_fails(bis_chardev_create(m, "console", &ops, NULL, &c), -EEXIST, "'console'");
	fake_destroy(m);
	free(f);
}

static void input_keeps_its_order_and_stops_at_the_queue_size(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct fake_console *f = calloc(1, sizeof(*f));
	struct listener drained = {0};
	uint8_t block[1024], got[1024];
	size_t sent = 0;

	(void)state;
	fake_console_plug(m, f);
	bis_chardev_on_drain(f->chardev, count_call, &drained);
	for (size_t taken = 1; taken; sent += taken) {
		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = (uint8_t)((sent + i) * 7);
		taken = bis_chardev_input(f->chardev, block, 1000);
	}
	assert_int_equal(sent, BIS_CHARDEV_QUEUE);
	assert_int_equal(bis_chardev_input_room(f->chardev), 0);
	for (size_t seen = 0; seen < BIS_CHARDEV_QUEUE;) {
		size_t n = bis_chardev_read(f->chardev, got, 777);

		for (size_t i = 0; i < n; i++)
			assert_int_equal(got[i], (uint8_t)((seen + i) * 7));
		seen += n;
		assert_int_equal(drained.calls, seen >= BIS_CHARDEV_QUEUE / 2);
	}
	assert_int_equal(bis_chardev_read(f->chardev, got, 1), 0);
	fake_destroy(m);
	free(f);
}

static void a_slow_back_end_loses_nothing_and_pushes_back(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct fake_console *f = calloc(1, sizeof(*f));
	struct listener l = {0};
	uint8_t byte = 0;
	size_t accepted = 0;

	(void)state;
	fake_console_plug(m, f);
	assert_ok(bis_chardev_attach(f->chardev, count_call, &l));
	f->limit = 10;
	for (; bis_chardev_write(f->chardev, &byte, 1) == 1; byte = (uint8_t)(byte + 3))
		accepted++;
	assert_int_equal(accepted, 10 + BIS_CHARDEV_QUEUE);
	assert_int_equal(bis_chardev_room(f->chardev), 0);
	assert_int_equal(l.calls, 0);
	fake_console_accept(m, f, 20);
	assert_int_equal(l.calls, 0);
	assert_int_equal(bis_chardev_room(f->chardev), 10);
	fake_console_accept(m, f, SIZE_MAX);
	assert_int_equal(l.calls, 1);
	assert_int_equal(f->len, accepted);
	for (size_t i = 0; i < accepted; i++)
		assert_int_equal(f->out[i], (uint8_t)(i * 3));
	fake_destroy(m);
	free(f);
}

static void end_of_input_comes_after_the_last_byte(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct fake_console *f = calloc(1, sizeof(*f));
	struct listener l = {0};
	uint8_t byte;

	(void)state;
	fake_console_plug(m, f);
	assert_ok(bis_chardev_attach(f->chardev, count_call, &l));
	fake_console_type(m, f, "x");
	fake_console_eof(m, f);
	assert_int_equal(l.calls, 2);
	assert_false(bis_chardev_at_eof(f->chardev));
	assert_int_equal(bis_chardev_read(f->chardev, &byte, 1), 1);
	assert_true(bis_chardev_at_eof(f->chardev));
	fake_destroy(m);
	free(f);
}

/* A window that shows the console takes part in it: its size stands for the person before it. */
static void a_terminal_with_a_size_is_a_person_who_goes_on_typing(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_chardev *c = open_console(m);

	(void)state;
	bis_chardev_input_eof(c);
	bis_chardev_set_size(c, 80, 25);
	assert_true(bis_chardev_interactive(c));
	assert_false(bis_chardev_at_eof(c));
	bis_chardev_set_size(c, 0, 0);
	assert_false(bis_chardev_interactive(c));
	assert_true(bis_chardev_at_eof(c));
	fake_destroy(m);
}

/* A front end that reads inside its notification while the back end refills: each byte arrives once, in order. */
static void read_three(void *arg)
{
	struct listener *l = arg;
	uint8_t buf[3];

	l->calls += (unsigned)bis_chardev_read(l->chardev, buf, sizeof(buf));
}

static void refill(void *arg)
{
	struct listener *l = arg;

	if (l->calls++ == 0)
		assert_int_equal(bis_chardev_input(l->chardev, (const uint8_t *)"again", 5), 5);
}

static void notifications_do_not_nest(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct fake_console *f = calloc(1, sizeof(*f));
	struct listener reader = {0}, filler = {0}, watcher = {0};
	uint8_t *bulk = calloc(1, BIS_CHARDEV_QUEUE);

	(void)state;
	fake_console_plug(m, f);
	reader.chardev = filler.chardev = f->chardev;
	assert_int_equal(bis_chardev_input(f->chardev, bulk, BIS_CHARDEV_QUEUE), BIS_CHARDEV_QUEUE);
	bis_chardev_on_drain(f->chardev, refill, &filler);
	assert_int_equal(bis_chardev_read(f->chardev, bulk, BIS_CHARDEV_QUEUE / 2 - 1), BIS_CHARDEV_QUEUE / 2 - 1);
	assert_ok(bis_chardev_attach(f->chardev, read_three, &reader));
	assert_ok(bis_chardev_attach(f->chardev, count_call, &watcher));
	assert_int_equal(bis_chardev_input(f->chardev, bulk, 1), 1);
	assert_int_equal(filler.calls, 1);
	assert_int_equal(watcher.calls, 2);
	assert_int_equal(reader.calls, 6);
	fake_destroy(m);
	free(bulk);
	free(f);
}

static void the_number_of_front_ends_is_bounded(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_chardev *c = open_console(m);
	struct listener l[9] = {{0}};

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_ok(bis_chardev_attach(c, count_call, &l[i]));
	assert_fails(bis_chardev_attach(c, count_call, &l[8]), -ENOSPC, "console");
	bis_chardev_detach(c, &l[3]);
	bis_chardev_input_eof(c);
	for (int i = 0; i < 8; i++)
		assert_int_equal(l[i].calls, i != 3);
	fake_destroy(m);
}

/* --- Back ends --- */

static void put(struct bis_machine *m, const char *text)
{
	bis_machine_lock_devices(m);
	assert_int_equal(bis_chardev_write(bis_chardev_find(m, "console"), (const uint8_t *)text, strlen(text)),
			 strlen(text));
	bis_machine_unlock_devices(m);
}

struct heard {
	size_t len;
	char text[64];
};

static void hear(void *arg, const uint8_t *buf, size_t len)
{
	struct heard *h = arg;

	assert_true(h->len + len < sizeof(h->text));
	memcpy(h->text + h->len, buf, len);
	h->len += len;
}

static void listeners_hear_all_output_in_order(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_chardev *c = open_console(m);
	struct heard a = {0}, b = {0}, more[4] = {0};

	(void)state;
	assert_ok(bis_chardev_listen(c, hear, &a));
	bis_chardev_write(c, (const uint8_t *)"no back end, ", 13);
	assert_ok(bis_chardev_listen(c, hear, &b));
	bis_chardev_write(c, (const uint8_t *)"still heard", 11);
	assert_string_equal(a.text, "no back end, still heard");
	assert_string_equal(b.text, "still heard");
	bis_chardev_unlisten(c, &a);
	bis_chardev_write(c, (const uint8_t *)"!", 1);
	assert_int_equal(a.len, 24);
	assert_string_equal(b.text, "still heard!");
	for (int i = 0; i < 3; i++)
		assert_ok(bis_chardev_listen(c, hear, &more[i]));
	assert_fails(bis_chardev_listen(c, hear, &more[3]), -ENOSPC, "4 listeners");
	fake_destroy(m);
}

static void null_swallows_and_never_ends(void **state)
{
	struct bis_machine *m = fake_create(1);

	(void)state;
	fake_add(m, &bis_chardev_null_class, -1, "");
	put(m, "anything");
	assert_int_equal(bis_chardev_readable(bis_chardev_find(m, "console")), 0);
	assert_false(bis_chardev_at_eof(bis_chardev_find(m, "console")));
	fake_destroy(m);
}

static void read_back(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t got;

	assert_true(fd >= 0);
	got = read(fd, buf, size - 1);
	assert_true(got >= 0);
	buf[got] = '\0';
	close(fd);
}

static void file_gets_every_byte_and_can_append(void **state)
{
	char dir[] = "/tmp/biscuit-test-XXXXXX", path[64], options[128], got[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/out", dir);
	for (int append = 0; append < 2; append++) {
		struct bis_machine *m = fake_create(1);

		snprintf(options, sizeof(options), "path=%s,append=%s", path, append ? "on" : "off");
		fake_add(m, &bis_chardev_file_class, -1, options);
		put(m, append ? "two" : "one");
		fake_destroy(m);
	}
	read_back(path, got, sizeof(got));
	assert_string_equal(got, "onetwo");
	unlink(path);
	rmdir(dir);
}

static void file_that_cannot_be_opened_is_named(void **state)
{
	struct bis_machine *m = fake_create(1);
	struct bis_module *mod;

	(void)state;
	assert_fails(fake_try_add(m, &bis_chardev_file_class, -1, "path=/nowhere/x", &mod), -ENOENT, "/nowhere/x");
	assert_fails(fake_try_add(m, &bis_chardev_file_class, -1, "", &mod), -EINVAL, "path");
	fake_destroy(m);
}

static void full_disk_drops_output_with_one_warning(void **state)
{
	struct bis_machine *m = fake_create(1);

	(void)state;
	if (access("/dev/full", W_OK))
		skip();
	fake_add(m, &bis_chardev_file_class, -1, "path=/dev/full");
	put(m, "a");
	assert_non_null(strstr(m->log, "output is dropped"));
	m->log[0] = '\0';
	put(m, "b");
	assert_string_equal(m->log, "");
	fake_destroy(m);
}

/* The reader of a FIFO is slow: output waits, then arrives whole; then the reader goes, and nobody is killed by it. */
static void fifo_reader_may_be_slow_and_go(void **state)
{
	char dir[] = "/tmp/biscuit-test-XXXXXX", path[64], options[128];
	size_t total = BIS_CHARDEV_QUEUE + 65536, sent = 0, got = 0;
	struct bis_machine *m = fake_create(1);
	uint8_t buf[4096] = {0};
	int reader;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(options, sizeof(options), "path=%s", path);
	assert_fails(fake_try_add(m, &bis_chardev_file_class, -1, options, &(struct bis_module *){0}), -ENXIO, "read");
	reader = open(path, O_RDONLY | O_NONBLOCK);
	fake_add(m, &bis_chardev_file_class, -1, options);
	while (got < total) {
		struct bis_chardev *c = bis_chardev_find(m, "console");
		ssize_t part;

		for (size_t taken = 1; taken && sent < total; sent += taken) {
			for (size_t i = 0; i < sizeof(buf); i++)
				buf[i] = (uint8_t)((sent + i) % 251);
			taken = bis_chardev_write(c, buf, total - sent < sizeof(buf) ? total - sent : sizeof(buf));
		}
		part = read(reader, buf, sizeof(buf));
		for (ssize_t i = 0; i < part; i++)
			assert_int_equal(buf[i], (got + (size_t)i) % 251);
		got += part > 0 ? (size_t)part : 0;
		fake_serve_ready(m);
	}
	close(reader);
	put(m, "into the void");
	assert_non_null(strstr(m->log, "output is dropped"));
	fake_destroy(m);
	unlink(path);
	rmdir(dir);
}

static int open_pty(const char *link)
{
	int fd = open(link, O_RDWR | O_NOCTTY | O_NONBLOCK);

	assert_true(fd >= 0);
	return fd;
}

static void expect_bytes(struct bis_machine *m, int fd, const char *text)
{
	char got[256] = "";
	size_t len = 0;

	while (len < strlen(text)) {
		ssize_t part = read(fd, got + len, sizeof(got) - 1 - len);

		if (part > 0)
			len += (size_t)part;
		else
			fake_serve_ready(m);
	}
	assert_string_equal(got, text);
}

static void pty_keeps_output_until_somebody_comes_back(void **state)
{
	char dir[] = "/tmp/biscuit-test-XXXXXX", link[64], options[128], target[64] = "";
	struct bis_machine *m = fake_create(1);
	struct bis_chardev *c;
	uint8_t got[8];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(link, sizeof(link), "%s/console", dir);
	snprintf(options, sizeof(options), "link=%s", link);
	fake_add(m, &bis_chardev_pty_class, -1, options);
	c = bis_chardev_find(m, "console");
	assert_true(bis_chardev_interactive(c));
	assert_true(readlink(link, target, sizeof(target)) > 0);
	assert_non_null(strstr(m->log, link));

	put(m, "boot\n");
	assert_false(fake_serve_ready(m));
	fd = open_pty(link);
	fake_serve(m);
	expect_bytes(m, fd, "boot\n");
	put(m, "live");
	expect_bytes(m, fd, "live");
	assert_int_equal(write(fd, "in\n", 3), 3);
	while (bis_chardev_readable(c) < 3)
		fake_serve(m);
	assert_int_equal(bis_chardev_read(c, got, sizeof(got)), 3);
	assert_memory_equal(got, "in\n", 3);

	close(fd);
	fake_serve(m);
	put(m, "alone");
	assert_false(bis_chardev_at_eof(c));
	fd = open_pty(link);
	fake_serve(m);
	expect_bytes(m, fd, "alone");
	close(fd);
	fake_destroy(m);
	assert_int_equal(access(link, F_OK), -1);
	rmdir(dir);
}

static void pty_without_a_listener_never_blocks_the_guest(void **state)
{
	char dir[] = "/tmp/biscuit-test-XXXXXX", link[64], options[128], line[128];
	struct bis_machine *m = fake_create(1);
	uint8_t got[37] = {0};
	size_t len = 0;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(link, sizeof(link), "%s/console", dir);
	snprintf(options, sizeof(options), "link=%s", link);
	fake_add(m, &bis_chardev_pty_class, -1, options);
	for (int i = 0; i < 2000; i++) {
		snprintf(line, sizeof(line), "%099d\n", i);
		put(m, line);
	}
	/* The oldest is gone: 65536 bytes before the end, 64 characters of line 1344 are missing. */
	fd = open_pty(link);
	fake_serve(m);
	while (len < 36) {
		ssize_t part = read(fd, got + len, 36 - len);

		len += part > 0 ? (size_t)part : 0;
		fake_serve_ready(m);
	}
	snprintf(line, sizeof(line), "%035d\n", 1344);
	assert_string_equal((char *)got, line);
	close(fd);
	fake_destroy(m);
	rmdir(dir);
}

static void pty_pushes_back_on_a_listener_that_does_not_read(void **state)
{
	char dir[] = "/tmp/biscuit-test-XXXXXX", link[64], options[128];
	struct bis_machine *m = fake_create(1);
	struct bis_chardev *c;
	size_t sent = 0, got = 0;
	uint8_t byte = 0, buf[4096];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(link, sizeof(link), "%s/console", dir);
	snprintf(options, sizeof(options), "link=%s", link);
	fake_add(m, &bis_chardev_pty_class, -1, options);
	c = bis_chardev_find(m, "console");
	fd = open_pty(link);
	fake_serve(m);
	for (; bis_chardev_write(c, &byte, 1) == 1; byte = (uint8_t)(byte + 1))
		assert_true(sent++ < 4 * BIS_CHARDEV_QUEUE);
	assert_true(sent >= BIS_CHARDEV_QUEUE);
	while (got < sent) {
		ssize_t part = read(fd, buf, sizeof(buf));

		for (ssize_t i = 0; i < part; i++)
			assert_int_equal(buf[i], (uint8_t)(got + (size_t)i));
		got += part > 0 ? (size_t)part : 0;
		fake_serve_ready(m);
	}
	close(fd);
	fake_destroy(m);
	rmdir(dir);
}

static void pty_leaves_a_foreign_file_alone(void **state)
{
	char path[] = "/tmp/biscuit-test-XXXXXX", options[128];
	struct bis_machine *m = fake_create(1);
	struct bis_module *mod;
	int fd = mkstemp(path);

	(void)state;
	snprintf(options, sizeof(options), "link=%s", path);
	assert_fails(fake_try_add(m, &bis_chardev_pty_class, -1, options, &mod), -EEXIST, path);
	assert_int_equal(access(path, F_OK), 0);
	fake_destroy(m);
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(either_half_may_come_first),
		cmocka_unit_test(a_second_back_end_is_refused_by_name),
		cmocka_unit_test(input_keeps_its_order_and_stops_at_the_queue_size),
		cmocka_unit_test(a_slow_back_end_loses_nothing_and_pushes_back),
		cmocka_unit_test(end_of_input_comes_after_the_last_byte),
		cmocka_unit_test(a_terminal_with_a_size_is_a_person_who_goes_on_typing),
		cmocka_unit_test(notifications_do_not_nest),
		cmocka_unit_test(the_number_of_front_ends_is_bounded),
		cmocka_unit_test(listeners_hear_all_output_in_order),
		cmocka_unit_test(null_swallows_and_never_ends),
		cmocka_unit_test(file_gets_every_byte_and_can_append),
		cmocka_unit_test(file_that_cannot_be_opened_is_named),
		cmocka_unit_test(full_disk_drops_output_with_one_warning),
		cmocka_unit_test(fifo_reader_may_be_slow_and_go),
		cmocka_unit_test(pty_keeps_output_until_somebody_comes_back),
		cmocka_unit_test(pty_without_a_listener_never_blocks_the_guest),
		cmocka_unit_test(pty_pushes_back_on_a_listener_that_does_not_read),
		cmocka_unit_test(pty_leaves_a_foreign_file_alone),
	};

	return cmocka_run_group_tests_name("chardev", tests, NULL, NULL);
}
