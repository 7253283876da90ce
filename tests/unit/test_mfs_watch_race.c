/*
 * Change events while the host changes a tree without a pause: added up, they are what there is at the end. The seed is
 * printed; BISCUIT_TEST_SEED gives another one.
 */
#include <signal.h>
#include <sys/wait.h>

#include "tests/random.h"
#include "tests/unit/watch_rig.h"

/* --- A host that does not stop --- */

#define MODEL_MAX   4096
#define HOST_STEPS  4000
#define STASHES_MAX 64

/* The names below the share as the events tell them. */
struct model {
	char *names[MODEL_MAX];
	size_t count;
	/* What was below a directory that is being renamed. */
	struct {
		uint32_t cookie;
		char *names[MODEL_MAX];
		size_t count;
	} stash[STASHES_MAX];
	unsigned next_stash, overflows;
};

static bool model_has(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(m->names[i], name))
			return true;
	return false;
}

static void model_add(struct model *m, const char *name)
{
	if (model_has(m, name))
		return;
	assert_true(m->count < MODEL_MAX);
	m->names[m->count++] = strdup(name);
}

static void model_clear(struct model *m)
{
	while (m->count)
		free(m->names[--m->count]);
}

static void stash_clear(struct model *m, unsigned slot)
{
	while (m->stash[slot].count)
		free(m->stash[slot].names[--m->stash[slot].count]);
}

/* Takes a name and all below it away; they are kept for the other half of the rename. */
static void model_remove(struct model *m, const char *name, uint32_t cookie)
{
	unsigned slot = m->next_stash++ % STASHES_MAX;
	size_t len = strlen(name), kept = 0;

	stash_clear(m, slot);
	m->stash[slot].cookie = cookie;
	for (size_t i = 0; i < m->count; i++) {
		char *other = m->names[i];

		if (!strncmp(other, name, len) && other[len] == '/')
			m->stash[slot].names[m->stash[slot].count++] = strdup(other + len);
		if (!strncmp(other, name, len) && (other[len] == '/' || !other[len]))
			free(other);
		else
			m->names[kept++] = other;
	}
	m->count = kept;
}

static void model_add_renamed(struct model *m, const char *name, uint32_t cookie)
{
	for (unsigned s = 0; s < STASHES_MAX; s++) {
		for (size_t i = 0; m->stash[s].cookie == cookie && i < m->stash[s].count; i++) {
			char whole[MFS_PATH_MAX];

			snprintf(whole, sizeof(whole), "%.2000s%.2000s", name, m->stash[s].names[i]);
			model_add(m, whole);
		}
	}
}

/* What is there, as names below the share. */
static void look(struct rig *r, struct model *m)
{
	char command[160], line[MFS_PATH_MAX];
	FILE *f;

	model_clear(m);
	snprintf(command, sizeof(command), "cd %s/share && find . -mindepth 1 2>/dev/null", r->folder);
	f = popen(command, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		model_add(m, line + strlen("./"));
	}
	pclose(f);
}

static void model_hear(struct model *m, const struct mfs_event *e)
{
	if (e->change & MFS_REMOVED)
		model_remove(m, e->path, e->cookie);
	if (e->change & MFS_CREATED)
		model_add(m, e->path);
	if (e->change & MFS_RENAMED_TO)
		model_add_renamed(m, e->path, e->cookie);
}

static unsigned draw(uint64_t *state, unsigned below)
{
	return (unsigned)(xorshift(state) >> 20) % below;
}

/* A path of one to four short names; now and then outside the share. */
static void draw_path(uint64_t *state, char path[64])
{
	unsigned depth = 1 + draw(state, 4);

	strcpy(path, draw(state, 12) ? "share" : "outside");
	while (depth--) {
		char name[] = {'/', (char)('a' + draw(state, 4)), 0};

		strcat(path, name);
	}
}

/* Changes that fail are as good as others. */
static void change_something(struct rig *r, uint64_t *state)
{
	char a[64], b[64];
	int fd;

	draw_path(state, a);
	draw_path(state, b);
	switch (draw(state, 8)) {
	case 0:
	case 1:
		mkdirat(r->dir, a, 0755);
		break;
	case 2:
		fd = openat(r->dir, a, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
		if (fd >= 0)
			close(fd);
		break;
	case 3:
		unlinkat(r->dir, a, draw(state, 2) ? AT_REMOVEDIR : 0);
		break;
	default:
		renameat(r->dir, a, r->dir, b);
		break;
	}
}

static pid_t keep_changing(struct rig *r, uint64_t seed)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	for (unsigned i = 0; i < HOST_STEPS; i++)
		change_something(r, &seed);
	_exit(mkdirat(r->dir, "share/end", 0755) ? 1 : 0);
}

static void compare(struct rig *r, struct model *m, uint64_t seed)
{
	struct model *truth = calloc(1, sizeof(*truth));
	unsigned wrong = 0;

	look(r, truth);
	for (size_t i = 0; i < truth->count; i++) {
		if (!model_has(m, truth->names[i])) {
			print_error("seed %llu: nobody told of %s\n", (unsigned long long)seed, truth->names[i]);
			wrong++;
		}
	}
	for (size_t i = 0; i < m->count; i++) {
		if (!model_has(truth, m->names[i])) {
			print_error("seed %llu: nobody told that %s has gone\n", (unsigned long long)seed, m->names[i]);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
	model_clear(truth);
	free(truth);
}

/* Looks at everything again while the host holds still: what had happened before is in that look. */
static void look_again(struct rig *r, struct mfs_watcher *w, struct model *m, pid_t host)
{
	siginfo_t info;

	m->overflows++;
	assert_int_equal(kill(host, SIGSTOP), 0);
	assert_int_equal(waitid(P_PID, (id_t)host, &info, WSTOPPED | WEXITED | WNOWAIT), 0);
	drain(w);
	look(r, m);
	kill(host, SIGCONT);
}

/* The host makes, removes and moves files and directories without a pause; the events add up to what there is then. */
static void nothing_is_missed_while_the_host_goes_on(void **state)
{
	struct rig *r = *state;
	struct model *m = calloc(1, sizeof(*m));
	struct mfs_watcher *w = watcher(r);
	const char *given = getenv("BISCUIT_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)getpid() * 2654435761u;
	struct mfs_event event;
	bool end = false;
	pid_t host;
	int status;

	print_message("seed %llu\n", (unsigned long long)seed);
	add(w, NODE(r->root), NAMES, true);
	host = keep_changing(r, seed);
	while (!end) {
		const struct mfs_event *e = next(w);

		if (e->change & MFS_OVERFLOW)
			look_again(r, w, m, host);
		else
			model_hear(m, e);
		end = model_has(m, "end");
	}
	while (mfs_watch_next(w, &event) == 1)
		model_hear(m, &event);
	assert_true(waitpid(host, &status, 0) == host && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	compare(r, m, seed);
	print_message("%u overflows\n", m->overflows);
	mfs_watcher_destroy(w);
	model_clear(m);
	for (unsigned s = 0; s < STASHES_MAX; s++)
		stash_clear(m, s);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		MEMORY_TEST(nothing_is_missed_while_the_host_goes_on),
	};

	return cmocka_run_group_tests_name("mfs_watch_race", tests, NULL, NULL);
}
