/*
 * conform: runs the table of cases (table.h) through one face of MagicFS and then, with --stress, rounds of random
 * operations (stress.h); reports each in TAP.
 *
 *   conform --face native|9p|local --host FACE-HOST [--login PROMPT LINE] [--only PART] [--cached OPTION] [--stress]
 *           [TABLE...] -- COMMAND...
 *
 * COMMAND is what has a runner (runner.c) at the end of its standard input and output. In it {shares} stands for the
 * options that share the directories which are made for the test, {work} for the directory that they are in. With
 * --login the runner begins when LINE has been typed behind PROMPT. With --cached the cases into which the host does
 * not step run once more, on shares that Linux has mounted with that option.
 *
 * In the environment: STRESS_SECONDS (4), SEED, PATIENCE (multiplies times), KEEP (the directory is
 * not removed). Exit status: 0 all passed, 1 not, 2 nonsense, 77 skipped.
 */
#include "link.h"
#include "match.h"
#include "stress.h"
#include "table.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS = 64, ROUND_MILLISECONDS = 2000, BOOT_SECONDS = 240 };

/* The directories that are shared, and how. */
static const struct {
	const char *name, *options;
	unsigned faces;
	bool root; /* needs it */
} shares[] = {
	{"rw", "", FACE_ALL, false},
	{"ro", ",ro", FACE_ALL & ~FACE_LOCAL, false},
	{"mapped", ",owner=mapped", FACE_ALL & ~FACE_LOCAL, false},
	{"own", ",owner=guest,uid=1000,gid=100", FACE_ALL & ~FACE_LOCAL, false},
	{"host", ",owner=host,devices", FACE_ALL & ~FACE_LOCAL, true},
	{"inside", ",links=inside", FACE_ALL & ~FACE_LOCAL, false},
	{"few", ",handles=16", FACE_NATIVE, false},
};
enum { SHARES = sizeof(shares) / sizeof(shares[0]) };

struct conform {
	unsigned face;
	const char *face_name, *host_program, *prompt, *login, *only, *cached;
	bool can_mount;
	bool stress, with_cache; /* with_cache: the shares are mounted so now */
	char work[512], out[600];
	struct link guest, host, background;
	struct kept kept;
	unsigned count, failed, skipped;
	double started, last; /* last: when the last report was */
};

__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
	va_list arguments;

	fputs("conform: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(2);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool has_share(const struct conform *f, size_t i)
{
	return shares[i].faces & f->face && (!shares[i].root || geteuid() == 0);
}

static bool knows_share(const struct conform *f, const char *name)
{
	for (size_t i = 0; i < SHARES; i++)
		if (!strcmp(shares[i].name, name))
			return has_share(f, i);
	die("there is no share '%s'", name);
}

/* --- The directories --- */

static void make_directories(struct conform *f)
{
	const char *tmp = getenv("TMPDIR");
	char path[700], secret[700];
	FILE *file;

	snprintf(f->work, sizeof(f->work), "%s/biscuit-conform.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(f->work))
		die("%s cannot be made: %s", f->work, strerror(errno));
	if (setxattr(f->work, "user.biscuit", "1", 1, 0)) {
		printf("1..0 # SKIP %s keeps no extended attributes: TMPDIR names another folder\n", f->work);
		rmdir(f->work);
		exit(77);
	}
	for (size_t i = 0; i < SHARES; i++) {
		snprintf(path, sizeof(path), "%s/%s", f->work, shares[i].name);
		if (mkdir(path, 0755))
			die("%s: %s", path, strerror(errno));
	}
	/* What no guest may reach. */
	snprintf(f->out, sizeof(f->out), "%s/outside", f->work);
	snprintf(secret, sizeof(secret), "%s/secret", f->out);
	if (mkdir(f->out, 0755) || !(file = fopen(secret, "we")))
		die("%s: %s", f->out, strerror(errno));
	fputs("SECRET", file);
	fclose(file);
}

static void remove_directories(const struct conform *f)
{
	char command[700];

	if (getenv("KEEP")) {
		printf("# kept: %s\n", f->work);
		return;
	}
	snprintf(command, sizeof(command), "rm -rf '%s'", f->work);
	if (system(command))
		printf("# %s cannot be removed\n", f->work);
}

/* --- The runners --- */

static void add_share(char **argv, size_t *argc, const char *path, const char *options)
{
	if (*argc + 3 > ARGUMENTS)
		die("too many arguments");
	argv[(*argc)++] = strdup("--share");
	if (asprintf(&argv[(*argc)++], "%s%s", path, options) < 0)
		abort();
}

static void add_shares(const struct conform *f, char **argv, size_t *argc)
{
	char path[700];

	for (size_t i = 0; i < SHARES; i++) {
		if (!has_share(f, i))
			continue;
		snprintf(path, sizeof(path), "%s/%s", f->work, shares[i].name);
		add_share(argv, argc, path, shares[i].options);
	}
}

static void start_guest(struct conform *f, char **command)
{
	char *argv[ARGUMENTS] = {NULL};
	size_t argc = 0;

	for (; *command; command++) {
		if (!strcmp(*command, "{shares}"))
			add_shares(f, argv, &argc);
		else if (argc < ARGUMENTS - 1)
			argv[argc++] = !strcmp(*command, "{work}") ? f->work : *command;
	}
	link_start(&f->guest, "the guest", argv);
}

static void give_up(struct conform *f, const struct link *l, const char *what)
{
	printf("not ok - %s\n", what);
	link_show(l);
	remove_directories(f);
	exit(1);
}

static void log_in(struct conform *f)
{
	if (f->prompt && !link_expect(&f->guest, f->prompt, BOOT_SECONDS))
		give_up(f, &f->guest, "the guest starts");
	if (f->login)
		link_send(&f->guest, f->login);
	if (!link_expect(&f->guest, "@ready\n", 60))
		give_up(f, &f->guest, "the runner starts in the guest");
}

static long long order(struct conform *f, struct link *l, struct answer **answers, const char *format, ...)
{
	char line[1000];
	va_list arguments;
	struct answer *a;
	long long result;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	a = link_call(l, line);
	if (!a)
		give_up(f, l, line);
	result = a->result;
	if (answers)
		*answers = a;
	else
		link_free(a);
	return result;
}

/* Linux mounts each share anew. */
static void mount_shares(struct conform *f)
{
	if (f->face != FACE_9P)
		return;
	for (size_t i = 0; i < SHARES; i++) {
		long long result = has_share(f, i) ? order(f, &f->guest, NULL, "mount '%s '%s", shares[i].name,
							   f->with_cache ? f->cached : "cache=none")
						   : 0;

		if (result) {
			printf("# share %s: error %lld\n", shares[i].name, -result);
			give_up(f, &f->guest, "the guest mounts the shares");
		}
	}
}

/* The host's runner mounts a small file system of its own; what it has mounted goes with `end`. */
static bool try_mount(struct conform *f)
{
	bool done = !order(f, &f->host, NULL, "begin 'few '.") && !order(f, &f->host, NULL, "mount '. 'size=64k");

	return !order(f, &f->host, NULL, "end") && done;
}

static void start(struct conform *f, char **command)
{
	char *host[] = {(char *)(uintptr_t)f->host_program, f->work, NULL};

	make_directories(f);
	f->started = now();
	start_guest(f, command);
	link_start(&f->host, "the host", host);
	link_start(&f->background, "the host's second runner", host);
	if (!link_expect(&f->host, "@ready\n", 30) || !link_expect(&f->background, "@ready\n", 30))
		give_up(f, &f->host, "the runner starts on the host");
	log_in(f);
	mount_shares(f);
	f->can_mount = try_mount(f);
	f->last = now();
	printf("# %s: ready after %.1f s\n", f->face_name, f->last - f->started);
}

/* --- A case --- */

static void report(struct conform *f, bool passed, const char *name, const char *title)
{
	f->count++;
	f->failed += !passed;
	printf("%sok %u - %s: %s # %.2f s\n", passed ? "" : "not ", f->count, name, title, now() - f->last);
	f->last = now();
	fflush(stdout);
}

static void show_failure(const struct step *s, const struct answer *a)
{
	printf("# %s:%u: %s\n", s->file, s->line, s->text);
	for (; a; a = a->next)
		printf("#   got %s%s%.800s\n", a->result < 0 && error_name(-a->result) ? error_name(-a->result) : "",
		       a->result < 0 ? " " : "", a->line);
}

static struct answer *repeat(struct link *l, const char *order, unsigned times)
{
	struct answer *answers;
	char *line;

	if (asprintf(&line, "repeat %u %s", times, order) < 0)
		abort();
	answers = link_call(l, line);
	free(line);
	return answers;
}

static bool run_step(struct conform *f, const struct step *s, struct link *l)
{
	unsigned times = s->times > 10 && f->face == FACE_9P && !s->host ? s->times / 10 : s->times;
	struct answer *answers = times > 1 ? repeat(l, s->order, times) : link_call(l, s->order);
	bool good = answers != NULL;

	for (const struct answer *a = answers; a; a = a->next)
		good &= match(a, s->expected, &f->kept);
	if (!answers)
		printf("# no answer\n");
	if (!good)
		show_failure(s, answers);
	if (!answers)
		give_up(f, l, s->text);
	link_free(answers);
	return good;
}

/* What the host does in the background runs in a process of its own. */
static struct link *runner_of(struct conform *f, const struct step *s)
{
	return !s->host ? &f->guest : s->kind == STEP_CALL ? &f->host : &f->background;
}

/* With a cache Linux keeps what is written for a while: the host looks at what has arrived. */
static bool run_step_in_pass(struct conform *f, const struct step *s)
{
	if (s->host && f->with_cache)
		order(f, &f->guest, NULL, "flush");
	return run_step(f, s, runner_of(f, s));
}

static void case_directory(const struct test_case *c, char *name, size_t size)
{
	snprintf(name, size, "%s", c->name);
	for (char *at = name; *at; at++)
		*at = *at == '/' ? '-' : *at;
}

static bool begin(struct conform *f, const char *share, const char *name)
{
	char path[1300];

	snprintf(path, sizeof(path), "%s/%s/%s", f->work, share, name);
	return !mkdir(path, 0755) && !order(f, &f->host, NULL, "begin '%s '%s", share, name) &&
	       !order(f, &f->background, NULL, "begin '%s '%s", share, name) &&
	       !order(f, &f->guest, NULL, "begin '%s '%s", share, name);
}

static void end(struct conform *f, const char *share, const char *name)
{
	char command[1500];

	order(f, &f->guest, NULL, "end");
	order(f, &f->host, NULL, "end");
	order(f, &f->background, NULL, "end");
	if (getenv("KEEP"))
		return;
	snprintf(command, sizeof(command), "chmod -R u+rwx '%s/%s/%s' 2>/dev/null; rm -rf '%s/%s/%s'", f->work, share,
		 name, f->work, share, name);
	if (system(command))
		printf("# %s cannot be removed\n", name);
}

static bool has(const struct conform *f, const char *what)
{
	if (!what)
		return true;
	if (!strcmp(what, "user"))
		return geteuid() != 0;
	if (!strcmp(what, "root"))
		return geteuid() == 0;
	if (!strcmp(what, "mount"))
		return f->can_mount;
	die("there is no '%s' that a case could need", what);
}

static bool applies(const struct conform *f, const struct test_case *c)
{
	if (!(c->faces & f->face) || !has(f, c->needs) || !knows_share(f, c->share))
		return false;
	return f->with_cache ? !c->mixed : !c->cached;
}

static void run_case(struct conform *f, const struct test_case *c)
{
	char name[256];
	bool good;

	case_directory(c, name, sizeof(name));
	good = begin(f, c->share, name);
	if (!good)
		printf("# the case's directory cannot be opened\n");
	for (const struct step *s = c->steps; s && good; s = s->next)
		if (s->host || s->faces & f->face)
			good = run_step_in_pass(f, s);
	if (!good) /* what runs in the background must not go on */
		order(f, &f->background, NULL, "stop");
	end(f, c->share, name);
	kept_free(&f->kept);
	report(f, good, f->with_cache ? f->cached : c->name, f->with_cache ? c->name : c->title);
}

static void run_table(struct conform *f, const struct test_case *cases)
{
	for (const struct test_case *c = cases; c; c = c->next) {
		if (f->only && !strstr(c->name, f->only))
			continue;
		if (applies(f, c))
			run_case(f, c);
		else
			f->skipped += !f->with_cache;
	}
}

/* --- Stress --- */

static unsigned long long field(const struct answer *a, const char *key)
{
	for (size_t i = 0; i < a->count; i++)
		if (!strcmp(a->values[i].key, key))
			return strtoull(a->values[i].bytes, NULL, 10);
	return 0;
}

/* The same operations again on the host: do they give what they gave in the guest? */
static bool replay(struct conform *f, unsigned long long seed, unsigned features)
{
	struct answer *a;
	bool good = !order(f, &f->host, &a, "replay %llu %u %u", seed, FACE_TASKS, features) &&
		    !strstr(a->line, "different");

	if (!good)
		printf("# on the host it went another way: %s\n", a->line);
	link_free(a);
	return good;
}

static bool same_trees(struct conform *f, const char *a, const char *b)
{
	struct answer *first, *second;
	bool same;

	order(f, &f->host, &first, "tree 0'%s 0", a);
	order(f, &f->host, &second, "tree 0'%s 0", b);
	same = first->result == 0 && !strcmp(first->line, second->line);
	printf("# %s: %s; %s: %s\n", a, first->line, b, second->line);
	link_free(first);
	link_free(second);
	return same;
}

static bool stress_round(struct conform *f, unsigned long long seed, double seconds)
{
	unsigned features = f->face == FACE_9P ? 0 : STRESS_SPACE | STRESS_MAP;
	unsigned long long total = 0;
	struct answer *a;
	bool good;

	if (!begin(f, "rw", "guest") || !begin(f, "rw", "host") || order(f, &f->guest, NULL, "begin 'rw 'guest"))
		return false;
	good = !order(f, &f->guest, &a, "stress %llu %u %d %d %u", seed, FACE_TASKS, (int)(seconds * 1000), STRESS_MAX,
		      features);
	for (size_t i = 0; i < a->count; i++)
		total += field(a, a->values[i].key);
	printf("# seed %llu: %llu operations\n", seed, total);
	link_free(a);
	order(f, &f->guest, NULL, "end");
	good = good && replay(f, seed, features);
	order(f, &f->host, NULL, "begin 'rw 'host");
	good = good && same_trees(f, "guest", "host");
	end(f, "rw", "guest");
	end(f, "rw", "host");
	return good;
}

static void run_stress(struct conform *f)
{
	const char *seconds = getenv("STRESS_SECONDS"), *given = getenv("SEED");
	double left = seconds && *seconds ? strtod(seconds, NULL) : 4;
	unsigned long long seed = given && *given ? strtoull(given, NULL, 10) : 1795261278;

	for (; left > 0; left -= ROUND_MILLISECONDS / 1000.0, seed++) {
		char name[64];

		snprintf(name, sizeof(name), "stress with seed %llu", seed);
		report(f, stress_round(f, seed, left < 2 ? left : 2), name,
		       "random operations give the host's results and tree");
	}
}

/* --- The command line --- */

static char **parse_options(struct conform *f, int argc, char *argv[], const char **tables)
{
	int i, files = 0;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		bool more = i + 1 < argc;

		if (!strcmp(argv[i], "--face") && more)
			f->face_name = argv[++i];
		else if (!strcmp(argv[i], "--host") && more)
			f->host_program = argv[++i];
		else if (!strcmp(argv[i], "--only") && more)
			f->only = argv[++i];
		else if (!strcmp(argv[i], "--cached") && more)
			f->cached = argv[++i];
		else if (!strcmp(argv[i], "--stress"))
			f->stress = true;
		else if (!strcmp(argv[i], "--login") && i + 2 < argc) {
			f->prompt = argv[++i];
			f->login = argv[++i];
		} else if (argv[i][0] != '-')
			tables[files++] = argv[i];
		else
			die("unknown option '%s'", argv[i]);
	}
	if (i == argc || i + 1 == argc || !f->face_name || !f->host_program)
		die("expected --face, --host, and -- COMMAND");
	f->face = !strcmp(f->face_name, "native") ? FACE_NATIVE : !strcmp(f->face_name, "9p") ? FACE_9P : FACE_LOCAL;
	return argv + i + 1;
}

static void run_passes(struct conform *f, const struct test_case *cases)
{
	run_table(f, cases);
	if (f->cached && cases) {
		f->with_cache = true;
		mount_shares(f);
		run_table(f, cases);
		f->with_cache = false;
		mount_shares(f);
	}
	if (f->stress)
		run_stress(f);
}

/* The table is kept to the end: what AddressSanitizer would call leaks. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

int main(int argc, char *argv[])
{
	struct conform f = {0};
	const char **tables = calloc((size_t)argc + 1, sizeof(*tables));
	struct test_case *cases = NULL;
	char **command = tables ? parse_options(&f, argc, argv, tables) : NULL;
	int status;

	signal(SIGPIPE, SIG_IGN);
	umask(0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	start(&f, command);
	for (size_t i = 0; tables[i]; i++)
		table_read(tables[i], f.out, &cases);
	run_passes(&f, cases);
	status = link_end(&f.guest);
	report(&f, status == 0, "end", "the machine ends in order when its input does");
	link_end(&f.host);
	link_end(&f.background);
	printf("1..%u\n# %s: %u checks, %u failed, %u not for it; %.1f s\n", f.count, f.face_name, f.count, f.failed,
	       f.skipped, now() - f.started);
	remove_directories(&f);
	return f.failed ? 1 : 0;
}
