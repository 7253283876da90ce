/*
 * The VNC server, seen by clients of libvncclient: what a display shows arrives, what clients do arrives at the guest's
 * input devices.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/vnc_rig.h"

enum { BIG = 2048 };

/* The next event that arrived, waiting for it. */
static struct bis_input_event next_event(struct server *s, rfbClient *client)
{
	struct bis_input_event e = {.kind = BIS_INPUT_KINDS};
	uint64_t start = rig_now_ms();

	while (e.kind == BIS_INPUT_KINDS) {
		assert_true(rig_now_ms() - start < RIG_DEADLINE_MS);
		pthread_mutex_lock(&s->lock);
		if (s->n_read < s->n_events)
			e = s->events[s->n_read++];
		pthread_mutex_unlock(&s->lock);
		if (e.kind == BIS_INPUT_KINDS && client)
			run(client);
		else if (e.kind == BIS_INPUT_KINDS)
			sched_yield();
	}
	return e;
}

static void expect(struct server *s, rfbClient *client, enum bis_input_kind kind, uint16_t code, uint32_t value)
{
	struct bis_input_event e = next_event(s, client);

	assert_int_equal(e.kind, kind);
	assert_int_equal(e.code, code);
	assert_int_equal(e.value, value);
}

static void expect_at(struct server *s, rfbClient *client, enum bis_input_kind kind, int x, int y)
{
	struct bis_input_event e = next_event(s, client);

	assert_int_equal(e.kind, kind);
	assert_int_equal(e.x, x);
	assert_int_equal(e.y, y);
}

/* --- Pictures --- */

static void a_client_sees_what_is_shown_and_what_changes(void **state)
{
	struct server *s = serve();
	rfbClient *client = look(s);

	(void)state;
	assert_string_equal(client->desktopName, "test");
	run_until(client, sees_surface(client, s, WIDTH, HEIGHT));
	bis_display_lock(s->display);
	for (uint32_t y = 10; y < 14; y++)
		for (uint32_t x = 20; x < 30; x++)
			s->pixels[y * WIDTH + x] = 0x00ff8040;
	bis_display_unlock(s->display);
	bis_display_damage(s->display, &(struct bis_rect){20, 10, 10, 4});
	run_until(client, sees_surface(client, s, WIDTH, HEIGHT));
	leave(client);
	end(s);
}

/* A screen that has been there all the time, empty perhaps, does not hide one that the guest has begun to use. */
static void of_two_displays_the_latest_is_seen(void **state)
{
	static const uint32_t grey[4] = {0x808080, 0x808080, 0x808080, 0x808080};
	static const struct bis_surface small = {
		.width = 2, .height = 2, .pitch = 8, .format = BIS_PIXEL_XRGB8888, .pixels = grey};
	struct server *s = serve_with(NULL, all_kinds);
	struct bis_display *second;
	rfbClient *c;

	(void)state;
	assert_ok(bis_display_open(s->m, "second", &second));
	assert_ok(bis_display_show(second, &small));
	show(s, WIDTH, HEIGHT);
	c = look(s);
	run_until(c, sees_surface(c, s, WIDTH, HEIGHT));
	assert_ok(bis_display_show(second, NULL));
	assert_ok(bis_display_show(second, &small));
	run_until(c, c->width == 2 && c->height == 2);
	leave(c);
	assert_ok(bis_display_show(second, NULL));
	end(s);
}

static void a_client_has_the_guests_pointer(void **state)
{
	struct bis_cursor image = {.width = 8, .height = 6, .hot_x = 3, .hot_y = 2};
	struct server *s = serve();
	int seen[4] = {0};
	rfbClient *client;

	(void)state;
	for (size_t i = 0; i < 48; i++)
		image.pixels[i] = 0xff00ff00u;
	bis_display_set_cursor(s->display, &image);
	client = try_connect(s, NULL, seen);
	assert_non_null(client);
	run_until(client, seen[2] == 8 && seen[3] == 6);
	assert_int_equal(seen[0], 3);
	assert_int_equal(seen[1], 2);
	leave(client);
	end(s);
}

/* --- Clients that come and go --- */

static void the_display_is_watched_only_while_somebody_looks(void **state)
{
	struct server *s = serve();
	rfbClient *one, *two;
	uint64_t start;

	(void)state;
	assert_false(bis_display_has_viewers(s->display));
	one = look(s);
	two = look(s);
	run_until(one, sees_surface(one, s, WIDTH, HEIGHT));
	run_until(two, sees_surface(two, s, WIDTH, HEIGHT));
	assert_true(bis_display_has_viewers(s->display));
	leave(one);
	show(s, 100, 50);
	run_until(two, sees_surface(two, s, 100, 50));
	leave(two);
	for (start = rig_now_ms(); bis_display_has_viewers(s->display); sched_yield())
		assert_true(rig_now_ms() - start < RIG_DEADLINE_MS);
	one = look(s);
	run_until(one, sees_surface(one, s, 100, 50));
	leave(one);
	end(s);
}

/* It asks for a large picture and takes nothing of it: the others and the end need not wait for it. */
static void a_client_that_takes_nothing_does_not_keep_the_end(void **state)
{
	struct server *s = serve_with(NULL, all_kinds);
	rfbClient *client;

	(void)state;
	show(s, BIG, BIG);
	client = look(s);
	vnc_stop(s->vnc);
	s->vnc = NULL;
	leave(client);
	end(s);
}

/* --- Passwords and addresses --- */

static void write_secret(char *path, const char *text, mode_t mode)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_ok(fchmod(fd, mode));
	close(fd);
}

static void only_who_knows_the_password_is_let_in(void **state)
{
	char path[] = "/tmp/test_vnc_XXXXXX";
	struct server *s;
	rfbClient *client;

	(void)state;
	write_secret(path, "ginger\nnot this\n", 0600);
	s = serve_with(path, all_kinds);
	show(s, WIDTH, HEIGHT);
	assert_null(try_connect(s, "cookie", NULL));
	assert_false(bis_display_has_viewers(s->display));
	client = try_connect(s, "ginger", NULL);
	assert_non_null(client);
	run_until(client, sees_surface(client, s, WIDTH, HEIGHT));
	leave(client);
	end(s);
	unlink(path);
}

static void a_password_that_is_none_is_refused(void **state)
{
	char open_to_all[] = "/tmp/test_vnc_XXXXXX", empty[] = "/tmp/test_vnc_XXXXXX";
	struct bis_machine *m = rig_create("rv64imac_zicsr_zifencei", 1);
	struct vnc_options o = {.address = ":97"};
	struct debug *d;
	struct vnc *v;

	(void)state;
	assert_ok(debug_create(m, &d));
	write_secret(open_to_all, "ginger\n", 0644);
	write_secret(empty, "\nginger\n", 0600);
	o.password_file = open_to_all;
	assert_fails(vnc_start(d, &o, &v), -EACCES, "chmod 600");
	o.password_file = empty;
	assert_fails(vnc_start(d, &o, &v), -EINVAL, "empty");
	o.password_file = "/nonexistent/secret";
	assert_fails(vnc_start(d, &o, &v), -ENOENT, "/nonexistent/secret");
	unlink(open_to_all);
	unlink(empty);
	debug_destroy(d);
	bis_machine_destroy(m);
}

static void addresses_are_of_this_host_alone(void **state)
{
	static const char *const bad[] = {"", "1", ":", ":100", ":-1", ":1x", "0.0.0.0:1", "example.org:1", "::1"};
	struct server *s = serve();
	char taken[16];
	struct vnc *v;

	(void)state;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(bad); i++) {
		struct vnc_options o = {.address = bad[i]};

		assert_fails(vnc_start(s->debug, &o, &v), -EINVAL, "display N of this host");
	}
	snprintf(taken, sizeof(taken), "127.0.0.1:%d", s->number);
	assert_fails(vnc_start(s->debug, &(struct vnc_options){.address = taken}, &v), -EADDRINUSE, taken);
	end(s);
}

/* --- Input --- */

static void keys_arrive_with_their_text(void **state)
{
	struct server *s = serve();
	rfbClient *c = look(s);

	(void)state;
	SendKeyEvent(c, 'a', TRUE);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_A, 1);
	expect(s, c, BIS_INPUT_TEXT, 0, 'a');
	SendKeyEvent(c, 'a', TRUE);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_A, 2);
	expect(s, c, BIS_INPUT_TEXT, 0, 'a');
	SendKeyEvent(c, 'a', FALSE);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_A, 0);
	SendKeyEvent(c, XK_Return, TRUE);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_ENTER, 1);
	SendKeyEvent(c, XK_Return, FALSE);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_ENTER, 0);
	/* A letter that no key has is text alone; a key with Ctrl is no text. */
	SendKeyEvent(c, 0xe4, TRUE);
	expect(s, c, BIS_INPUT_TEXT, 0, 0xe4);
	SendKeyEvent(c, 0xe4, FALSE);
	SendKeyEvent(c, XK_Control_L, TRUE);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_LEFTCTRL, 1);
	SendKeyEvent(c, 'c', TRUE);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_C, 1);
	SendKeyEvent(c, 'c', FALSE);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_C, 0);
	leave(c);
	end(s);
}

/* A client whose keyboard has '!' without shift, and one whose keyboard has '/' with it. */
static void shift_is_lent_where_the_layouts_differ(void **state)
{
	struct server *s = serve();
	rfbClient *c = look(s);

	(void)state;
	SendKeyEvent(c, '!', TRUE);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_LEFTSHIFT, 1);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_1, 1);
	expect(s, c, BIS_INPUT_TEXT, 0, '!');
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_LEFTSHIFT, 0);
	SendKeyEvent(c, '!', FALSE);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_1, 0);
	SendKeyEvent(c, XK_Shift_R, TRUE);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_RIGHTSHIFT, 1);
	SendKeyEvent(c, '/', TRUE);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_RIGHTSHIFT, 0);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_SLASH, 1);
	expect(s, c, BIS_INPUT_TEXT, 0, '/');
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_RIGHTSHIFT, 1);
	SendKeyEvent(c, XK_Shift_R, FALSE);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_RIGHTSHIFT, 0);
	/* Released as what the key is without shift: it does not stay down. */
	SendKeyEvent(c, '7', FALSE);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_SLASH, 0);
	leave(c);
	end(s);
}

static void the_pointer_arrives_with_buttons_and_wheel(void **state)
{
	struct server *s = serve();
	rfbClient *c = look(s);

	(void)state;
	run_until(c, sees_surface(c, s, WIDTH, HEIGHT));
	SendPointerEvent(c, WIDTH - 1, 0, 1);
	expect_at(s, c, BIS_INPUT_ABSOLUTE, BIS_INPUT_RANGE, 0);
	expect(s, c, BIS_INPUT_BUTTON, BIS_BTN_LEFT, 1);
	SendPointerEvent(c, 0, HEIGHT - 1, 4);
	expect_at(s, c, BIS_INPUT_ABSOLUTE, 0, BIS_INPUT_RANGE);
	expect(s, c, BIS_INPUT_BUTTON, BIS_BTN_LEFT, 0);
	expect(s, c, BIS_INPUT_BUTTON, BIS_BTN_RIGHT, 1);
	SendPointerEvent(c, 5000, 5000, 8);
	expect_at(s, c, BIS_INPUT_ABSOLUTE, BIS_INPUT_RANGE, BIS_INPUT_RANGE);
	expect(s, c, BIS_INPUT_BUTTON, BIS_BTN_RIGHT, 0);
	expect_at(s, c, BIS_INPUT_WHEEL, 0, 120);
	leave(c);
	end(s);
}

static void a_guest_without_places_gets_movement(void **state)
{
	struct server *s = serve_with(NULL, all_kinds & ~(1u << BIS_INPUT_ABSOLUTE));
	rfbClient *c;

	(void)state;
	show(s, WIDTH, HEIGHT);
	c = look(s);
	run_until(c, sees_surface(c, s, WIDTH, HEIGHT));
	SendPointerEvent(c, 10, 20, 0);
	expect_at(s, c, BIS_INPUT_RELATIVE, 10, 20);
	SendPointerEvent(c, 7, 25, 0);
	expect_at(s, c, BIS_INPUT_RELATIVE, -3, 5);
	leave(c);
	end(s);
}

static void what_a_client_held_is_let_go_when_it_is_gone(void **state)
{
	struct server *s = serve();
	rfbClient *c = look(s);

	(void)state;
	run_until(c, sees_surface(c, s, WIDTH, HEIGHT));
	SendKeyEvent(c, XK_Alt_L, TRUE);
	expect(s, c, BIS_INPUT_KEY, BIS_KEY_LEFTALT, 1);
	SendPointerEvent(c, 0, 0, 2);
	expect_at(s, c, BIS_INPUT_ABSOLUTE, 0, 0);
	expect(s, c, BIS_INPUT_BUTTON, BIS_BTN_MIDDLE, 1);
	leave(c);
	expect(s, NULL, BIS_INPUT_KEY, BIS_KEY_LEFTALT, 0);
	expect(s, NULL, BIS_INPUT_BUTTON, BIS_BTN_MIDDLE, 0);
	end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_sees_what_is_shown_and_what_changes),
		cmocka_unit_test(of_two_displays_the_latest_is_seen),
		cmocka_unit_test(a_client_has_the_guests_pointer),
		cmocka_unit_test(the_display_is_watched_only_while_somebody_looks),
		cmocka_unit_test(a_client_that_takes_nothing_does_not_keep_the_end),
		cmocka_unit_test(only_who_knows_the_password_is_let_in),
		cmocka_unit_test(a_password_that_is_none_is_refused),
		cmocka_unit_test(addresses_are_of_this_host_alone),
		cmocka_unit_test(keys_arrive_with_their_text),
		cmocka_unit_test(shift_is_lent_where_the_layouts_differ),
		cmocka_unit_test(the_pointer_arrives_with_buttons_and_wheel),
		cmocka_unit_test(a_guest_without_places_gets_movement),
		cmocka_unit_test(what_a_client_held_is_let_go_when_it_is_gone),
	};

	return cmocka_run_group_tests_name("vnc", tests, NULL, NULL);
}
