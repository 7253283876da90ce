/*
 * A shared folder in Debian's kernel. A run boots the guest with each program, mounts the folder in each way, always
 * afresh, and has bench-share measure it. QEMU has virtio-9p and, where there is a virtiofsd, virtiofs in the same
 * boot.
 */
#include "share_internal.h"
#include "tree.h"
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BOOT_SECONDS	120
#define TIMEOUT_SECONDS 60
#define PROMPT		"/ # "
#define MEMORY		"512M"
#define COMMAND_LENGTH	512

/* A way to mount. Those of virtiofs have a daemon each, with a policy of its own. */
struct mount_way {
	const char *name;    /* in the figures' names */
	const char *policy;  /* of virtiofsd, NULL for 9P */
	const char *options; /* of mount, after the type; %s is the tag */
};

enum { WAY_NONE, WAY_MMAP, WAY_LOOSE, WAY_AUTO, WAY_NEVER, WAYS };

static const struct mount_way ways[WAYS] = {
	[WAY_NONE] = {"9p_none", NULL, "9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none"},
	[WAY_MMAP] = {"9p_mmap", NULL, "9p -o trans=virtio,version=9p2000.L,msize=512000,cache=mmap"},
	[WAY_LOOSE] = {"9p_loose", NULL, "9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose"},
	[WAY_AUTO] = {"virtiofs_auto", "auto", "virtiofs"},
	[WAY_NEVER] = {"virtiofs_never", "none", "virtiofs"},
};

static const char *const figure_names[SHARE_LINUX_FIGURES] = {
	[SHARE_WALK] = "walk_s",       [SHARE_STAT] = "stat_s",	    [SHARE_READ] = "read_mib_s",
	[SHARE_WRITE] = "write_mib_s", [SHARE_CREATE] = "create_s", [SHARE_UNLINK] = "unlink_s",
};

static const char *const daemons[] = {"/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd"};

static void ours_command(struct bench_command *c, const struct bench_share *set)
{
	bench_command_linux(c, BENCH_OURS, set->programs[BENCH_OURS], set->linux_folder, "1", MEMORY);
	bench_command_add(c, "--share");
	bench_command_add(c, "%s,name=" SHARE_NAME, set->folder);
}

static void qemu_command(struct bench_command *c, const struct bench_share *set)
{
	static const char *const words[] = {"-object", "memory-backend-memfd,id=memory,share=on,size=" MEMORY,
					    "-numa",   "node,memdev=memory",
					    "-global", "virtio-mmio.force-legacy=false",
					    "-device", "virtio-9p-device,fsdev=folder,mount_tag=" SHARE_NAME,
					    "-fsdev",  NULL};

	bench_command_linux(c, BENCH_QEMU, set->programs[BENCH_QEMU], set->linux_folder, "1", MEMORY);
	bench_command_add_all(c, words);
	bench_command_add(c, "local,id=folder,path=%s,security_model=none", set->folder);
}

/* Starts a virtiofsd that is given a listening socket, which the guest's program can connect to at once. */
static bool begin_daemon(struct bench_session *s, const struct bench_share *set, const struct mount_way *way,
			 struct bench_command *qemu)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct bench_command w = {0};
	int fd, length, err = -1;
	size_t i = 0;

	while (i < sizeof(daemons) / sizeof(daemons[0]) && access(daemons[i], X_OK))
		i++;
	length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s.socket", set->linux_folder, way->name);
	if (i == sizeof(daemons) / sizeof(daemons[0]) || length >= (int)sizeof(address.sun_path))
		return false;
	unlink(address.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0); /* stays open in the daemon */
	if (fd >= 0 && !bind(fd, (const struct sockaddr *)&address, sizeof(address)) && !listen(fd, 1)) {
		bench_command_add(&w, "%s", daemons[i]);
		bench_command_add(&w, "--fd=%d", fd);
		bench_command_add(&w, "-o");
		bench_command_add(&w, "source=%s,cache=%s", set->folder, way->policy);
		err = bench_session_begin(s, w.at);
	}
	if (fd >= 0)
		close(fd);
	if (err)
		return false;
	bench_command_add(qemu, "-chardev");
	bench_command_add(qemu, "socket,id=%s,path=%s", way->name, address.sun_path);
	bench_command_add(qemu, "-device");
	bench_command_add(qemu, "vhost-user-fs-device,chardev=%s,tag=%s", way->name, way->name);
	return true;
}

/* Mounts in one way, measures, and unmounts. */
static bool measure_way(struct bench_session *s, const struct bench_share *set, const struct mount_way *way,
			enum bench_subject subject, struct bench_samples *samples)
{
	double v[SHARE_LINUX_FIGURES];
	char command[COMMAND_LENGTH], name[BENCH_NAME_MAX];

	bench_tree_clear(set->folder);
	snprintf(command, sizeof(command), "mount -t %s %s /tmp && bench-share /tmp; umount /tmp", way->options,
		 way->policy ? way->name : SHARE_NAME);
	bench_session_type(s, command);
	if (bench_session_wait(s, "share: ", TIMEOUT_SECONDS) < 0 ||
	    bench_session_wait(s, "done", TIMEOUT_SECONDS) < 0 ||
	    sscanf(s->text, "share: %lf %lf %lf %lf %lf %lf", &v[SHARE_WALK], &v[SHARE_STAT], &v[SHARE_READ],
		   &v[SHARE_WRITE], &v[SHARE_CREATE], &v[SHARE_UNLINK]) != SHARE_LINUX_FIGURES)
		return false;
	v[SHARE_READ] /= 1024;
	v[SHARE_WRITE] /= 1024;
	for (unsigned i = 0; i < SHARE_LINUX_FIGURES; i++) {
		snprintf(name, sizeof(name), "share_%s_%s", way->name, figure_names[i]);
		bench_samples_add(samples, name, subject, v[i]);
	}
	return bench_session_wait(s, PROMPT, TIMEOUT_SECONDS) >= 0;
}

/* Both guests of a run, and QEMU's daemons. */
struct guests {
	struct bench_session sessions[BENCH_SUBJECTS], daemons[WAYS];
	bool begun[BENCH_SUBJECTS], served[WAYS];
};

static void end_daemons(struct guests *g)
{
	for (size_t i = 0; i < WAYS; i++)
		if (g->served[i])
			bench_session_end(&g->daemons[i]);
	memset(g->served, 0, sizeof(g->served));
}

static bool boot(struct guests *g, enum bench_subject subject, struct bench_command *w)
{
	struct bench_session *s = &g->sessions[subject];

	if (bench_session_begin(s, w->at))
		return false;
	g->begun[subject] = bench_session_wait(s, PROMPT, BOOT_SECONDS) >= 0;
	if (!g->begun[subject])
		bench_session_end(s);
	return g->begun[subject];
}

static bool begin_ours(struct guests *g, const struct bench_share *set)
{
	struct bench_command w = {0};

	ours_command(&w, set);
	return boot(g, BENCH_OURS, &w);
}

/* Without virtiofs where its daemon ends at once, as one does that wants to be root. */
static bool begin_qemu(struct guests *g, const struct bench_share *set)
{
	struct bench_command with = {0}, without = {0};
	bool served = false;

	qemu_command(&with, set);
	for (size_t i = 0; i < WAYS; i++) {
		g->served[i] = ways[i].policy && begin_daemon(&g->daemons[i], set, &ways[i], &with);
		served = served || g->served[i];
	}
	if (served && boot(g, BENCH_QEMU, &with))
		return true;
	end_daemons(g);
	qemu_command(&without, set);
	return boot(g, BENCH_QEMU, &without);
}

static void end_guests(struct guests *g)
{
	for (unsigned subject = 0; subject < BENCH_SUBJECTS; subject++)
		if (g->begun[subject])
			bench_session_end(&g->sessions[subject]);
	end_daemons(g);
}

static bool offers(const struct guests *g, enum bench_subject subject, size_t way)
{
	return !ways[way].policy || (subject == BENCH_QEMU && g->served[way]);
}

/* The host's figures stand beside those of each way to mount. */
static void add_host(const struct bench_share *set, struct bench_samples *samples)
{
	double values[SHARE_LINUX_FIGURES];
	char name[BENCH_NAME_MAX];

	bench_tree_clear(set->folder);
	share_host_linux(set->folder, values);
	for (size_t way = 0; way < WAYS; way++) {
		for (unsigned i = 0; i < SHARE_LINUX_FIGURES; i++) {
			snprintf(name, sizeof(name), "share_%s_%s", ways[way].name, figure_names[i]);
			bench_samples_add(samples, name, BENCH_NATIVE, values[i]);
		}
	}
}

bool share_linux_run(const struct bench_share *set, struct bench_samples *samples)
{
	static struct guests g;
	bool good[BENCH_SUBJECTS];

	memset(&g, 0, sizeof(g));
	good[BENCH_OURS] = begin_ours(&g, set);
	good[BENCH_QEMU] = begin_qemu(&g, set);
	for (size_t way = 0; way < WAYS; way++)
		for (unsigned subject = BENCH_OURS; subject <= BENCH_QEMU; subject++)
			if (good[subject] && offers(&g, subject, way))
				good[subject] = measure_way(&g.sessions[subject], set, &ways[way], subject, samples);
	for (unsigned subject = BENCH_OURS; subject <= BENCH_QEMU; subject++)
		if (!good[subject])
			fprintf(stderr, "bench: Linux under %s did not measure its share: %.300s\n",
				set->programs[subject], g.sessions[subject].text + g.sessions[subject].match);
	end_guests(&g);
	add_host(set, samples);
	return good[BENCH_OURS];
}

/* Has bench-share take a directory of the mounted share, by `how`: names a second, 0 when it could not. */
static double list(struct bench_session *s, const char *how, const char *directory)
{
	double names, microseconds;
	char command[COMMAND_LENGTH];

	snprintf(command, sizeof(command), "bench-share %s /tmp/%s", how, directory);
	bench_session_type(s, command);
	if (bench_session_wait(s, "list: ", TIMEOUT_SECONDS) < 0 ||
	    bench_session_wait(s, "done", TIMEOUT_SECONDS) < 0 ||
	    sscanf(s->text, "list: %lf %lf", &names, &microseconds) != 2)
		return 0;
	return bench_session_wait(s, PROMPT, TIMEOUT_SECONDS) < 0 ? 0 : names * 1e6 / microseconds;
}

/*
 * 100,000 files, by `how`, through a fresh mount. The smaller directory comes first, so that what runs for the first
 * time does not count as growth.
 */
static bool list_many(struct bench_session *s, const struct mount_way *way, const char *how,
		      struct bench_samples *samples)
{
	char command[COMMAND_LENGTH], name[BENCH_NAME_MAX];
	double before, speed;

	snprintf(command, sizeof(command), "mount -t %s " SHARE_NAME " /tmp", way->options);
	bench_session_type(s, command);
	if (bench_session_wait(s, PROMPT, TIMEOUT_SECONDS) < 0 || list(s, how, "flat") <= 0)
		return false;
	before = bench_session_private(s);
	speed = list(s, how, "many");
	snprintf(name, sizeof(name), "share_list_%s_%s_growth_kib", way->name, how);
	bench_samples_add(samples, name, BENCH_OURS, bench_session_private(s) - before);
	snprintf(name, sizeof(name), "share_list_%s_%s_s", way->name, how);
	bench_samples_add(samples, name, BENCH_OURS, speed);
	bench_session_type(s, "umount /tmp");
	return speed > 0 && bench_session_wait(s, PROMPT, TIMEOUT_SECONDS) >= 0;
}

bool share_list_run(const struct bench_share *set, struct bench_samples *samples)
{
	static struct bench_session s;
	struct bench_command w = {0};
	bool good;

	ours_command(&w, set);
	if (bench_session_begin(&s, w.at))
		return false;
	good = bench_session_wait(&s, PROMPT, BOOT_SECONDS) >= 0 && list_many(&s, &ways[WAY_NONE], "names", samples) &&
	       list_many(&s, &ways[WAY_LOOSE], "names", samples) && list_many(&s, &ways[WAY_LOOSE], "files", samples);
	if (!good)
		fprintf(stderr, "bench: Linux did not list its share: %.300s\n", s.text + s.match);
	bench_session_end(&s);
	return good;
}
