/* The gdb server on its sockets: one client at a time, how long ones are ended, and addresses that are none. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/gdb_rig.h"

static int connect_to(const struct gdb *g)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	const char *address = gdb_address(g);
	bool tcp = !strncmp(address, "127.0.0.1:", 10);
	int fd = socket(tcp ? AF_INET : AF_UNIX, SOCK_STREAM, 0);

	in.sin_port = htons((uint16_t)atoi(address + (tcp ? 10 : 0)));
	strncpy(un.sun_path, address, sizeof(un.sun_path) - 1);
	assert_int_equal(tcp ? connect(fd, (struct sockaddr *)&in, sizeof(in))
			     : connect(fd, (struct sockaddr *)&un, sizeof(un)),
			 0);
	return fd;
}

/* Sends, and reads until the text is there. */
static void talk(int fd, const char *send_text, const char *expected)
{
	char got[4096] = "";
	size_t len = 0;

	if (*send_text)
		assert_int_equal(write(fd, send_text, strlen(send_text)), (long)strlen(send_text));
	while (!strstr(got, expected)) {
		ssize_t n = read(fd, got + len, sizeof(got) - 1 - len);

		if (n <= 0)
			fail_msg("expected '%s', got '%s'", expected, got);
		len += (size_t)n;
		got[len] = '\0';
	}
}

static void assert_closed(int fd)
{
	char c[256];
	ssize_t n;

	do
		n = read(fd, c, sizeof(c));
	while (n > 0);
	assert_true(n == 0 || errno == ECONNRESET);
	close(fd);
}

/* A path of this process's own. */
static const char *socket_path(char path[64])
{
	snprintf(path, 64, "/tmp/biscuit-test-gdb-%d", (int)getpid());
	return path;
}

static void one_client_at_a_time(void **state)
{
	char path[64];
	const char *const addresses[] = {"0", ":0", "127.0.0.1:0", "localhost:0", socket_path(path)};
	struct fixture *f = *state;
	struct stat st;

	gdb_session_destroy(f->s, false);
	f->s = NULL;
	start_loop(f);
	for (size_t i = 0; i < BIS_ARRAY_SIZE(addresses); i++) {
		struct gdb *g;
		int first, second;

		assert_ok(gdb_start(f->d, addresses[i], &g));
		if (addresses[i][0] == '/') {
			assert_int_equal(stat(addresses[i], &st), 0);
			assert_int_equal(st.st_mode & 0777, 0600);
		}
		first = connect_to(g);
		talk(first, "$qC#b4", "+$QC1#c5");
		second = connect_to(g);
		talk(second, "", "another debugger");
		assert_closed(second);
		talk(first, "$vCont;c#a8", "+");
		close(first); /* without a word */
		rig_wait_for(bis_machine_state(f->m) == BIS_RUNNING);
		first = connect_to(g);
		talk(first, "$?#3f", "T05thread:1");
		assert_int_equal(bis_machine_state(f->m), BIS_PAUSED);
		gdb_stop(g);
		assert_closed(first);
	}
	assert_int_not_equal(stat(path, &st), 0);
}

/* By Ctrl-C, and by whoever comes after a client that has gone. */
static void a_long_step_can_be_ended(void **state)
{
	static const char step[] = "$qRcmd,737465702031303030303030303030303030#34"; /* step 1000000000000 */
	struct fixture *f = *state;
	struct gdb *g;
	int fd;

	gdb_session_destroy(f->s, false);
	f->s = NULL;
	start_loop(f);
	assert_ok(gdb_start(f->d, "0", &g));
	fd = connect_to(g);
	talk(fd, step, "+");
	rig_wait_for(bis_machine_state(f->m) == BIS_RUNNING);
	talk(fd, "\3", "$OK#9a");
	assert_int_equal(bis_machine_state(f->m), BIS_PAUSED);
	talk(fd, step, "+");
	rig_wait_for(bis_machine_state(f->m) == BIS_RUNNING);
	close(fd);
	fd = connect_to(g);
	talk(fd, "$?#3f", "T05thread:1");
	close(fd);
	gdb_stop(g);
}

static void the_end_reaches_a_client_that_waits(void **state)
{
	struct fixture *f = *state;
	enum bis_stop_reason why;
	struct gdb *g;
	int fd, status;

	gdb_session_destroy(f->s, false);
	f->s = NULL;
	start_loop(f);
	assert_ok(gdb_start(f->d, "0", &g));
	fd = connect_to(g);
	talk(fd, "$vCont;c#a8", "+");
	rig_wait_for(bis_machine_state(f->m) == BIS_RUNNING);
	bis_machine_request_stop(f->m, BIS_STOP_POWER_OFF, 3);
	assert_ok(bis_machine_join(f->m, RIG_DEADLINE_MS, &why, &status));
	gdb_stop(g);
	talk(fd, "", "$W03#ba");
	close(fd);
}

static void addresses_that_are_none_are_refused(void **state)
{
	static const char *const rows[][2] = {
		{"", "expected PORT"},
		{"x", "expected PORT"},
		{"65536", "expected PORT"},
		{"0.0.0.0:1234", "expected PORT"},
		{"12 ", "expected PORT"},
		{"::1:12", "expected PORT"},
		{"example.org:1", "expected PORT"},
		{"/no/such/folder/socket", "No such"},
		{"/tmp/", "no socket"},
	};
	struct fixture *f = *state;
	struct gdb *g, *second;
	char longer[300] = "/", path[64];

	for (size_t i = 0; i < BIS_ARRAY_SIZE(rows); i++) {
		int err = gdb_start(f->d, rows[i][0], &g);

		assert_true(err < 0);
		if (!strstr(bis_error_message(), rows[i][1]))
			fail_msg("'%s': '%s'", rows[i][0], bis_error_message());
	}
	memset(longer + 1, 'a', sizeof(longer) - 2);
	assert_fails(gdb_start(f->d, longer, &g), -ENAMETOOLONG, "at most");
	assert_ok(gdb_start(f->d, socket_path(path), &g));
	assert_fails(gdb_start(f->d, path, &second), -EADDRINUSE, "somebody listens");
	gdb_stop(g);
	assert_ok(gdb_start(f->d, "0", &g));
	assert_fails(gdb_start(f->d, gdb_address(g), &second), -EADDRINUSE, "in use");
	gdb_stop(g);
	gdb_stop(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(one_client_at_a_time),
		T(a_long_step_can_be_ended),
		T(the_end_reaches_a_client_that_waits),
		T(addresses_that_are_none_are_refused),
	};

	return cmocka_run_group_tests_name("gdb_socket", tests, NULL, NULL);
}
