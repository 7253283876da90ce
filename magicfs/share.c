/*
 * Shares (module class "share", docs/magicfs.md): each is a directory of the host as the faces of MagicFS show it. A
 * share has no registers. Its instance is the file system itself, of which it holds one reference; a face holds
 * another, so that a share removed from the machine lives until the face lets go. Control thread, device lock held.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <biscuit/machine.h>
#include <biscuit/module.h>

#include "magicfs/host_internal.h"
#include "modules/modules.h"

#define HANDLES_MAX 1000000

/* clang-format off */
#define MADE(name_, member_, kind_, count_, flags_, help_)                                                             \
	{.name = (name_), .type = BIS_FIELD_##kind_, .offset = offsetof(struct host, member_), .count = (count_),      \
	 .flags = BIS_FIELD_READONLY | BIS_FIELD_CONSTANT | (flags_), .help = (help_)}
#define SHOWN(name_, member_, kind_, count_, flags_, help_)                                                            \
	{.name = (name_), .type = BIS_FIELD_##kind_, .offset = offsetof(struct host, member_), .count = (count_),      \
	 .flags = BIS_FIELD_READONLY | BIS_FIELD_DERIVED | (flags_), .help = (help_)}
/* clang-format on */

static const struct bis_field share_fields[] = {
	SHOWN("path", shown.path, TEXT, MFS_PATH_MAX, 0, "directory of the host"),
	MADE("name", shown.name, TEXT, MFS_SHARE_NAME_MAX + 1, 0, "what the guest calls it"),
	MADE("readonly", fs.readonly, BOOL, 1, 0, "nothing in it can be changed"),
	MADE("owner", shown.owner, TEXT, sizeof(((struct host *)0)->shown.owner), 0, "whose the files are"),
	MADE("uid", options.uid, U32, 1, 0, "user whose the host user's files are"),
	MADE("gid", options.gid, U32, 1, 0, "group whose the host user's files are"),
	SHOWN("operations", fs.operations, U64, 1, BIS_FIELD_COUNTER, "calls of guests"),
	SHOWN("bytes_read", fs.bytes_read, U64, 1, BIS_FIELD_COUNTER, "bytes of files read"),
	SHOWN("bytes_written", fs.bytes_written, U64, 1, BIS_FIELD_COUNTER, "bytes of files written"),
	SHOWN("handles", fs.open_nodes, U32, 1, BIS_FIELD_COUNTER, "files and directories open now"),
	SHOWN("nodes", fs.nodes, U32, 1, BIS_FIELD_COUNTER, "objects known now"),
	SHOWN("watches", fs.watches, U32, 1, BIS_FIELD_COUNTER, "objects watched for changes now"),
	BIS_FIELD_END,
};

static const struct bis_option share_options[] = {
	{"path", BIS_OPTION_TEXT, NULL, NULL, "directory of the host to share"},
	{"name", BIS_OPTION_TEXT, "", NULL, "what the guest calls it; the directory's own name where absent"},
	{"readonly", BIS_OPTION_BOOL, "off", NULL, "nothing in it can be changed by the guest"},
	{"owner", BIS_OPTION_ENUM, "guest", "guest|mapped|host",
	 "whose the files are: the guest's uid and gid, as kept "
	 "in xattrs, or as on the host"},
	{"uid", BIS_OPTION_U64, "0", NULL, "user in the guest whose the host user's files are"},
	{"gid", BIS_OPTION_U64, "0", NULL, "group in the guest whose the host user's files are"},
	{"links", BIS_OPTION_ENUM, "beneath", "beneath|inside", "absolute links fail, or start at the share's root"},
	{"devices", BIS_OPTION_BOOL, "off", NULL, "device nodes can be made; with owner=host"},
	{"cache", BIS_OPTION_ENUM, "host", "host|sync",
	 "writes stay in the host's cache until they are synced, or go to "
	 "the disk at once"},
	{"handles", BIS_OPTION_U64, "0", NULL,
	 "files and directories open at a time; 0: as the process's limit allows"},
	{0},
};

/* --- Options --- */

static int read_id(const struct bis_options *options, const char *key, uint32_t *out)
{
	uint64_t id = bis_option_u64(options, key);

	if (id >= UINT32_MAX)
		return bis_fail(EINVAL, "share: option '%s' is %llu, expected a number from 0 to %u", key,
				(unsigned long long)id, UINT32_MAX - 1);
	*out = (uint32_t)id;
	return 0;
}

static int read_owner(const struct bis_options *options, struct mfs_options *o)
{
	const char *owner = bis_option_text(options, "owner");

	o->owner = !strcmp(owner, "host")     ? MFS_OWNER_HOST
		   : !strcmp(owner, "mapped") ? MFS_OWNER_MAPPED
					      : MFS_OWNER_GUEST;
	if (o->owner == MFS_OWNER_HOST && geteuid() != 0)
		return bis_fail(EPERM,
				"share: owner=host changes the owners of files on the host, which only root can; "
				"owner=mapped keeps the guest's owners beside the files");
	if (o->owner == MFS_OWNER_HOST && (bis_option_given(options, "uid") || bis_option_given(options, "gid")))
		return bis_fail(EINVAL, "share: 'uid' and 'gid' mean nothing with owner=host, expected owner=guest or "
					"owner=mapped beside them");
	if (o->devices && o->owner != MFS_OWNER_HOST)
		return bis_fail(EINVAL, "share: 'devices' needs owner=host, owner=%s is given", owner);
	return 0;
}

static int read_options(const struct bis_options *options, struct mfs_options *o)
{
	uint64_t handles = bis_option_u64(options, "handles");
	int err;

	*o = (struct mfs_options){
		.path = bis_option_text(options, "path"),
		.readonly = bis_option_bool(options, "readonly"),
		.links_inside = !strcmp(bis_option_text(options, "links"), "inside"),
		.devices = bis_option_bool(options, "devices"),
		.sync = !strcmp(bis_option_text(options, "cache"), "sync"),
	};
	if (!*o->path)
		return bis_fail(EINVAL, "share: option 'path' is empty, expected a directory");
	if (handles > HANDLES_MAX)
		return bis_fail(EINVAL, "share: option 'handles' is %llu, expected a number from 0 to %u",
				(unsigned long long)handles, HANDLES_MAX);
	o->handles = (unsigned)handles;
	err = read_id(options, "uid", &o->uid);
	if (!err)
		err = read_id(options, "gid", &o->gid);
	return err ? err : read_owner(options, o);
}

/* --- Names --- */

/* Whether it can be a share's name: guests use it as a word, a mount tag and the name of a directory. */
static int check_name(const char *name, const char *path)
{
	size_t len = strlen(name);
	bool fits = len > 0 && len <= MFS_SHARE_NAME_MAX && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;

	for (size_t i = 0; i < len; i++)
		fits = fits && name[i] != '/' && (unsigned char)name[i] >= 0x20 && name[i] != 0x7f;
	if (fits)
		return 0;
	return bis_fail(EINVAL,
			"share: %s would be called '%s', expected 1 to %d bytes without '/' and control characters; "
			"name=NAME gives it another name",
			path, name, MFS_SHARE_NAME_MAX);
}

/* The class is compared by name: the instance may come from a loadable object. NULL: it is no share, or not yet. */
static struct mfs *share_of(const struct bis_module *mod)
{
	return strcmp(bis_module_class_of(mod)->name, "share") ? NULL : bis_module_self(mod);
}

static struct mfs *find_share(struct bis_machine *m, const char *name)
{
	struct bis_module *mod;

	for (size_t i = 0; (mod = bis_machine_module(m, i)); i++) {
		struct mfs *fs = share_of(mod);

		if (fs && !strcmp(fs->name, name))
			return fs;
	}
	return NULL;
}

int mfs_find(struct bis_machine *m, const char *name, struct mfs **out)
{
	const char *names[64], *near;
	struct bis_module *mod;
	size_t count = 0;
	struct mfs *fs = find_share(m, name);

	if (fs) {
		*out = mfs_get(fs);
		return 0;
	}
	for (size_t i = 0; count < BIS_ARRAY_SIZE(names) && (mod = bis_machine_module(m, i)); i++) {
		fs = share_of(mod);
		if (fs)
			names[count++] = fs->name;
	}
	near = bis_nearest_name(name, names, count);
	if (near)
		return bis_fail(ENOENT, "there is no share '%s' (did you mean '%s'?)", name, near);
	return bis_fail(ENOENT, count ? "there is no share '%s'" : "there is no share '%s', nor any other", name);
}

int mfs_nth(struct bis_machine *m, size_t index, struct mfs **out)
{
	struct bis_module *mod;

	for (size_t i = 0; (mod = bis_machine_module(m, i)); i++) {
		struct mfs *fs = share_of(mod);

		if (fs && index-- == 0) {
			*out = mfs_get(fs);
			return 0;
		}
	}
	return bis_fail(ENOENT, "the machine has no more shares");
}

/* --- The module --- */

static int make(struct bis_machine *m, const struct mfs_options *o, const char *owner, struct mfs **out)
{
	struct mfs *other = find_share(m, o->name);
	struct host *h;
	int err = check_name(o->name, o->path);

	if (err)
		return err;
	if (other)
		return bis_fail(EEXIST,
				"share: %s would be called '%s', as %s is already; name=NAME gives it another name",
				o->path, o->name, host_of(other)->shown.path);
	err = mfs_host_create(o, out);
	if (err)
		return err;
	h = host_of(*out);
	snprintf(h->shown.path, sizeof(h->shown.path), "%s", o->path);
	snprintf(h->shown.name, sizeof(h->shown.name), "%s", o->name);
	snprintf(h->shown.owner, sizeof(h->shown.owner), "%s", owner);
	return 0;
}

static int share_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	struct mfs_options o;
	struct mfs *fs;
	char *path;
	int err = read_options(options, &o);

	if (err)
		return err;
	path = realpath(o.path, NULL);
	if (!path)
		return bis_fail(errno, "share: cannot share '%s': %s", o.path, strerror(errno));
	o.path = path;
	o.name = bis_option_text(options, "name");
	if (!bis_option_given(options, "name"))
		o.name = path[1] ? strrchr(path, '/') + 1 : "root";
	err = make(bis_module_machine(mod), &o, bis_option_text(options, "owner"), &fs);
	free(path);
	if (err)
		return err;
	fs->machine = bis_module_machine(mod);
	*self = fs;
	return 0;
}

/* The directory is the same one: what the guest knows of it, and has open in it, is to be found again. */
static int share_outside(void *self, void (*tell)(void *arg, const struct bis_outside *thing), void *arg)
{
	struct mfs *fs = self;
	const struct host *h = host_of(fs);
	struct mfs_time born = host_born(host_node_of(fs->root)->fd);
	char state[96];

	snprintf(state, sizeof(state), "inode %" PRIu64 ", made at %" PRId64 ".%09" PRIu32, fs->root->id, born.sec,
		 born.nsec);
	tell(arg, &(struct bis_outside){"directory", h->shown.path, state});
	return 0;
}

static void share_destroy(void *self)
{
	mfs_put(self);
}

const struct bis_module_class bis_share_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.name = "share",
	.summary = "directory of the host, for magicfs and virtio-9p to show",
	.options = share_options,
	.fields = share_fields,
	.create = share_create,
	.destroy = share_destroy,
	.outside = share_outside,
};
