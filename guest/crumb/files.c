/*
 * MagicFS as crumb uses it: requests that are posted, an interrupt when they are done, and meanwhile the hart for
 * others.
 *
 * A request lies on the stack of the task that makes it. The device writes to it until it is done, so a task never goes
 * on before that: not even when it is killed.
 */
#include "files.h"
#include "directory.h"
#include "interrupts.h"
#include "suggest.h"
#include "task.h"
#include "timer.h"
#include <native.h>
#include <stdio.h>
#include <string.h>

static struct {
	char name[32];
	bool readonly;
} shares[MAGICFS_SHARES_MAX];
static unsigned share_count;

/* Whoever waits for one of these requests goes on. */
static void interrupt(void)
{
	struct magicfs_request *request;

	while ((request = magicfs_take()) != NULL)
		task_wake(request);
}

static bool gives_back(const struct magicfs_request *request)
{
	return request->op == MAGICFS_CLOSE || request->op == MAGICFS_UNWATCH || request->op == MAGICFS_UNMAP;
}

long long files_do(struct magicfs_request *request)
{
	volatile uint32_t *done = &request->done;
	bool enabled, cancelled = false;
	int error;

	if (current == &tasks[0])
		return magicfs_do(request);
	if (current->killed && !gives_back(request))
		return -MAGICFS_EINTR;
	enabled = interrupts_disable();
	error = magicfs_post(request);
	while (!error && !*done) {
		task_wait(request, NEVER);
		if (current->killed && !cancelled) {
			struct magicfs_request cancel MAGICFS_ALIGNED = {.op = MAGICFS_CANCEL};

			cancel.value[0] = MAGICFS_PHYSICAL(request);
			magicfs_do(&cancel);
			cancelled = true;
		}
	}
	interrupts_restore(enabled);
	memory_fence();
	return error ? error : request->result;
}

void files_start(void)
{
	if (!native_present(MAGICFS_SLOT))
		return;
	for (unsigned i = 0; i < magicfs_shares_read() && i < MAGICFS_SHARES_MAX; i++) {
		struct magicfs_request r MAGICFS_ALIGNED =
			magicfs_make(MAGICFS_SHARE, i, NULL, 0, shares[i].name, sizeof(shares[i].name) - 1);

		if (files_do(&r) < 0)
			break;
		shares[i].readonly = r.extra & MAGICFS_SHARE_READONLY;
		share_count++;
	}
	interrupts_attach_native(MAGICFS_SLOT, interrupt);
	magicfs_enable_write(MAGICFS_ENABLE_DONE);
}

unsigned files_shares(void)
{
	return share_count;
}

const char *files_share_name(unsigned share)
{
	return shares[share].name;
}

bool files_share_is_readonly(unsigned share)
{
	return shares[share].readonly;
}

int64_t files_open(const char *path, uint32_t flags, uint32_t mode)
{
	struct place place;
	int error = path_find(&place, path);

	return error ? error : magicfs_open(place.share, place.path, flags, mode);
}

int64_t files_stat(const char *path, bool follow, struct magicfs_stat *out)
{
	struct place place;
	int64_t result = path_find(&place, path);

	if (result)
		return result;
	if (place.share == ALL_SHARES) {
		*out = (struct magicfs_stat){.mode = MAGICFS_DIRECTORY | 0555, .nlink = 1};
		return 0;
	}
	result = magicfs_stat(place.share, place.path, follow ? 0 : MAGICFS_NOFOLLOW, out);
	return result < 0 ? result : 0;
}

const char *files_describe(int64_t error)
{
	static const char *const words[] = {
		[MAGICFS_EPERM] = "operation not permitted",
		[MAGICFS_ENOENT] = "no such file or directory",
		[MAGICFS_EINTR] = "interrupted",
		[MAGICFS_EIO] = "the host failed to read or write it",
		[MAGICFS_ENXIO] = "neither a file nor a directory",
		[MAGICFS_EBADF] = "it cannot be used like this",
		[MAGICFS_ENOMEM] = "no memory left",
		[MAGICFS_EACCES] = "permission denied",
		[MAGICFS_EFAULT] = "a bad address",
		[MAGICFS_EBUSY] = "it is in use",
		[MAGICFS_EEXIST] = "it exists already",
		[MAGICFS_EXDEV] = "it leads out of the share",
		[MAGICFS_ENODEV] = "no files here: start biscuit-run with --share DIR",
		[MAGICFS_ENOTDIR] = "not a directory",
		[MAGICFS_EISDIR] = "it is a directory",
		[MAGICFS_EINVAL] = "invalid",
		[MAGICFS_ENFILE] = "too many open files",
		[MAGICFS_EMFILE] = "too many open files",
		[MAGICFS_EFBIG] = "too large",
		[MAGICFS_ENOSPC] = "no space left",
		[MAGICFS_EROFS] = "the share is read-only",
		[MAGICFS_EMLINK] = "too many links",
		[MAGICFS_ENAMETOOLONG] = "the name is too long",
		[MAGICFS_ENOSYS] = "not supported",
		[MAGICFS_ENOTEMPTY] = "the directory is not empty",
		[MAGICFS_ELOOP] = "too many links, or a link where none may be",
		[MAGICFS_EOPNOTSUPP] = "not supported",
		[MAGICFS_ESTALE] = "it is no longer there",
		[MAGICFS_EDQUOT] = "no space left in the quota",
	};
	uint64_t number = (uint64_t)-error;

	return number < sizeof(words) / sizeof(words[0]) && words[number] ? words[number] : "an unknown error";
}

/* Looks for a similar name beside the one that is not there. */
static void find_nearest(const char *path, struct suggestion *s)
{
	char parent[PATH_SIZE];
	struct directory d;
	const struct magicfs_entry *entry;

	s->wanted = path_base(path);
	if (path_join(parent, path, "..") != 0 || directory_open(&d, parent, 0) != 0)
		return;
	while ((entry = directory_next(&d)) != NULL)
		suggest_consider(s, magicfs_entry_name(entry));
	directory_close(&d);
}

void files_complain(const char *command, const char *path, int64_t error)
{
	struct redirect *output = current->output;
	struct suggestion s = {.wanted = ""};

	if (error == -MAGICFS_ENOENT)
		find_nearest(path, &s);
	current->output = NULL;
	printf("%s: %s: %s", command, path, files_describe(error));
	if (s.nearest[0])
		printf(" (did you mean %s?)", s.nearest);
	printf("\n");
	current->output = output;
}
