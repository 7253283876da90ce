/* The runner on the host itself: face-host DIRECTORY, which holds the shares by name. */
#include "face.h"
#include "port_linux.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static const char *shares;
static bool mounted;
static char mount_path[PATH_MAX];

void port_share_path(const char *share, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", shares, share);
}

/* Here it is a new file system in a folder of the case. */
int64_t port_mount(const char *folder, const char *options)
{
	char path[300];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", (int)call_handle(1), folder);
	if (mounted || !realpath(path, mount_path))
		return -EBUSY;
	if (mount("biscuit", mount_path, "tmpfs", 0, options))
		return -errno;
	mounted = true;
	return 0;
}

void port_unmount(void)
{
	if (mounted)
		umount2(mount_path, MNT_DETACH);
	mounted = false;
}

int main(int argc, char *argv[])
{
	if (argc != 2)
		return 2;
	shares = argv[1];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	umask(0);
	runner_serve();
	port_unmount();
	return 0;
}
