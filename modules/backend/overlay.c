/*
 * Overlay files: the changes to a disk, in clusters of 64 KiB, beside a base that is only read. Format
 * (docs/devices.md):
 *
 *     0                header, below; the rest of 4096 bytes is zero
 *     4096             bitmap: bit n % 8 of byte n / 8 says that cluster n is in the overlay; padded to 4096 bytes
 *     then, rounded up to 65536, the clusters, each at its number times 65536; sparse. As long as the disk.
 *
 * The bitmap in the file follows the one in memory at flushes alone, after the clusters are durable: whatever moment
 * the host stops at, a bit in the file stands for a whole cluster. Threads: bits in memory only ever turn on, after
 * their cluster is complete, so that looking at them takes no lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <biscuit/error.h>

#include "modules/backend/disk_internal.h"

#define CLUSTER_SIZE  UINT64_C(65536)
#define BITMAP_OFFSET UINT64_C(4096)
#define BLOCK_SIZE    4096u /* of the bitmap, written as one */
#define VERSION	      1u

/* Little-endian. */
struct header {
	uint8_t magic[16];
	uint8_t version[4];
	uint8_t cluster_size[4];
	uint8_t disk_size[8];
	uint8_t checksum[8]; /* FNV-1a of what is before it */
};

static const char magic[16] = "BiscuitOverlay\n";

struct disk_overlay {
	int fd;
	int base;
	bool readonly;
	uint64_t size;	      /* of the disk, bytes */
	uint64_t clusters;    /* of the disk */
	uint64_t bitmap_size; /* bytes, whole blocks */
	uint64_t data;	      /* where cluster 0 is */
	_Atomic uint8_t *bits;

	pthread_mutex_t allocating; /* taking clusters into the overlay */
	bool *dirty;		    /* allocating: blocks of bits that differ from the file's */
	uint8_t *bounce;	    /* allocating: CLUSTER_SIZE bytes */

	pthread_mutex_t flushing;
	int failed;	/* flushing: a flush that failed; what is durable is not known from then on */
	bool *saving;	/* flushing: blocks on their way to the file */
	uint8_t *saved; /* flushing: their contents */
};

/* --- The bitmap in memory --- */

static bool has_cluster(const struct disk_overlay *o, uint64_t cluster)
{
	return atomic_load_explicit(&o->bits[cluster / 8], memory_order_acquire) >> cluster % 8 & 1;
}

/* Clusters first to last are complete; allocating is held. */
static void add_clusters(struct disk_overlay *o, uint64_t first, uint64_t last)
{
	for (uint64_t c = first; c <= last; c++) {
		atomic_fetch_or_explicit(&o->bits[c / 8], (uint8_t)(1u << c % 8), memory_order_release);
		o->dirty[c / 8 / BLOCK_SIZE] = true;
	}
}

/* How many of the `len` bytes from `offset` on are like the first: in the overlay or not (*in). */
static uint64_t run_length(const struct disk_overlay *o, uint64_t offset, uint64_t len, bool *in)
{
	uint64_t cluster = offset / CLUSTER_SIZE;
	uint64_t run = CLUSTER_SIZE - offset % CLUSTER_SIZE;

	*in = has_cluster(o, cluster);
	while (run < len && has_cluster(o, ++cluster) == *in)
		run += CLUSTER_SIZE;
	return run < len ? run : len;
}

/* --- Requests --- */

/* The bytes of the base in [from, to), which lie in one cluster. */
static int copy_up(struct disk_overlay *o, uint64_t from, uint64_t to)
{
	int err;

	if (from == to)
		return 0;
	err = bis_disk_pread_all(o->base, o->bounce, to - from, from);
	return err ? err : bis_disk_pwrite_all(o->fd, o->bounce, to - from, o->data + from);
}

/* A change to clusters none of which is in the overlay; allocating is held. */
static int allocate(struct disk_overlay *o, struct disk_request *r, uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len, first = offset / CLUSTER_SIZE, last = (end - 1) / CLUSTER_SIZE;
	uint64_t last_end = o->size / CLUSTER_SIZE > last ? (last + 1) * CLUSTER_SIZE : o->size;
	int err = copy_up(o, first * CLUSTER_SIZE, offset);

	if (!err)
		err = bis_disk_carry_out(r, o->fd, o->data + offset, len);
	if (!err)
		err = copy_up(o, end, last_end);
	if (!err)
		add_clusters(o, first, last);
	return err;
}

/* Changes bytes that were not in the overlay a moment ago; *len becomes how many it has changed. */
static int change_new(struct disk_overlay *o, struct disk_request *r, uint64_t offset, uint64_t *len)
{
	bool in;
	int err;

	pthread_mutex_lock(&o->allocating);
	*len = run_length(o, offset, *len, &in);
	err = in ? bis_disk_carry_out(r, o->fd, o->data + offset, *len) : allocate(o, r, offset, *len);
	pthread_mutex_unlock(&o->allocating);
	return err;
}

int bis_overlay_carry_out(struct disk_overlay *o, struct disk_request *r, uint64_t offset, uint64_t len)
{
	int err = 0;

	while (!err && len > 0) {
		bool in;
		uint64_t run = run_length(o, offset, len, &in);

		if (in)
			err = bis_disk_carry_out(r, o->fd, o->data + offset, run);
		else if (r->op == DISK_READ || r->op == DISK_READ_CACHED)
			err = bis_disk_carry_out(r, o->base, offset, run);
		else if (r->op != DISK_DISCARD)
			err = change_new(o, r, offset, &run);
		offset += run;
		len -= run;
	}
	return err;
}

int bis_overlay_find(const struct disk_overlay *o, uint64_t offset, uint64_t *at)
{
	bool in = has_cluster(o, offset / CLUSTER_SIZE);

	*at = in ? o->data + offset : offset;
	return in ? o->fd : o->base;
}

int bis_overlay_file(const struct disk_overlay *o)
{
	return o->fd;
}

/* --- Making changes durable: flushing is held --- */

/* Takes over what the bitmap is now: all clusters it names are written, though not yet durable. */
static bool take_dirty_blocks(struct disk_overlay *o)
{
	bool any = false;

	pthread_mutex_lock(&o->allocating);
	for (size_t block = 0; block < o->bitmap_size / BLOCK_SIZE; block++) {
		o->saving[block] = o->dirty[block];
		if (!o->dirty[block])
			continue;
		o->dirty[block] = false;
		any = true;
		for (size_t i = block * BLOCK_SIZE; i < (block + 1) * BLOCK_SIZE; i++)
			o->saved[i] = atomic_load_explicit(&o->bits[i], memory_order_relaxed);
	}
	pthread_mutex_unlock(&o->allocating);
	return any;
}

static int save_blocks(struct disk_overlay *o)
{
	int err = 0;

	for (size_t block = 0; !err && block < o->bitmap_size / BLOCK_SIZE; block++) {
		size_t at = block * BLOCK_SIZE;

		if (o->saving[block])
			err = bis_disk_pwrite_all(o->fd, o->saved + at, BLOCK_SIZE, BITMAP_OFFSET + at);
	}
	return err;
}

static int sync_file(const struct disk_overlay *o)
{
	return fdatasync(o->fd) ? -errno : 0;
}

int bis_overlay_flush(struct disk_overlay *o)
{
	bool any;
	int err;

	pthread_mutex_lock(&o->flushing);
	/* After a failure the host may have dropped written data and report success next time. */
	if (!o->failed) {
		any = take_dirty_blocks(o);
		o->failed = sync_file(o);
		if (!o->failed && any)
			o->failed = save_blocks(o);
		if (!o->failed && any)
			o->failed = sync_file(o);
	}
	err = o->failed;
	pthread_mutex_unlock(&o->flushing);
	return err;
}

/* --- Opening --- */

static void put_le(uint8_t *to, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get_le(const uint8_t *from, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)from[i] << 8 * i;
	return value;
}

static uint64_t checksum(const struct header *h)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < offsetof(struct header, checksum); i++)
		hash = (hash ^ ((const uint8_t *)h)[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t round_up(uint64_t value, uint64_t unit)
{
	return value / unit * unit + (value % unit ? unit : 0);
}

static int allocate_memory(struct disk_overlay *o, const char *name, const char *path)
{
	uint64_t blocks = o->bitmap_size / BLOCK_SIZE;

	o->bits = calloc(blocks, BLOCK_SIZE);
	o->saved = calloc(blocks, BLOCK_SIZE);
	o->dirty = calloc(blocks, sizeof(*o->dirty));
	o->saving = calloc(blocks, sizeof(*o->saving));
	o->bounce = malloc(CLUSTER_SIZE);
	if (!o->bits || !o->saved || !o->dirty || !o->saving || !o->bounce)
		return bis_fail(ENOMEM, "%s: no memory for the overlay '%s'", name, path);
	return 0;
}

/* Turns an empty file into an overlay that changes nothing. The header comes last: without it there is no overlay. */
static int make(struct disk_overlay *o, const char *name, const char *path)
{
	struct header h = {0};
	int err;

	memcpy(h.magic, magic, sizeof(magic));
	put_le(h.version, VERSION, sizeof(h.version));
	put_le(h.cluster_size, CLUSTER_SIZE, sizeof(h.cluster_size));
	put_le(h.disk_size, o->size, sizeof(h.disk_size));
	put_le(h.checksum, checksum(&h), sizeof(h.checksum));
	err = ftruncate(o->fd, (off_t)(o->data + o->size)) ? -errno : 0;
	/* The bitmap's space is taken now, so that a full host disk is met by clusters, whose loss is noticed. */
	if (!err)
		err = bis_disk_carry_out(&(struct disk_request){.op = DISK_ZERO}, o->fd, 0, o->data);
	if (!err)
		err = sync_file(o);
	if (!err)
		err = bis_disk_pwrite_all(o->fd, &h, sizeof(h), 0);
	if (!err)
		err = sync_file(o);
	if (!err)
		return 0;
	/* Empty again, it can be tried another time; if not even that works, it is refused then. */
	if (ftruncate(o->fd, 0))
		return bis_fail(err, "%s: cannot make the overlay '%s', nor empty it: %s", name, path, strerror(-err));
	return bis_fail(err, "%s: cannot make the overlay '%s': %s", name, path, strerror(-err));
}

static int check_header(const struct disk_overlay *o, const char *name, const char *path, uint64_t file_size)
{
	struct header h;
	uint64_t version;
	uint64_t size;
	int err = file_size < BITMAP_OFFSET ? -EINVAL : bis_disk_pread_all(o->fd, &h, sizeof(h), 0);

	if (!err && memcmp(h.magic, magic, sizeof(magic)) != 0)
		err = -EINVAL;
	if (err)
		return bis_fail(err, "%s: '%s' is not an overlay file", name, path);
	version = get_le(h.version, sizeof(h.version));
	if (version != VERSION)
		return bis_fail(EINVAL, "%s: overlay '%s' has version %" PRIu64 ": expected %u", name, path, version,
				VERSION);
	if (get_le(h.checksum, sizeof(h.checksum)) != checksum(&h) ||
	    get_le(h.cluster_size, sizeof(h.cluster_size)) != CLUSTER_SIZE)
		return bis_fail(EINVAL, "%s: the header of overlay '%s' is damaged", name, path);
	size = get_le(h.disk_size, sizeof(h.disk_size));
	if (size != o->size)
		return bis_fail(EINVAL,
				"%s: overlay '%s' belongs to a disk of %" PRIu64 " bytes, but this one has %" PRIu64,
				name, path, size, o->size);
	if (file_size != o->data + o->size)
		return bis_fail(EINVAL, "%s: overlay '%s' has %" PRIu64 " bytes: expected %" PRIu64, name, path,
				file_size, o->data + o->size);
	return 0;
}

static int load_bitmap(struct disk_overlay *o, const char *name, const char *path)
{
	int err = bis_disk_pread_all(o->fd, o->saved, o->bitmap_size, BITMAP_OFFSET);

	if (err)
		return bis_fail(err, "%s: cannot read the overlay '%s': %s", name, path, strerror(-err));
	for (size_t i = 0; i < o->bitmap_size; i++) {
		uint64_t left = o->clusters > i * 8 ? o->clusters - i * 8 : 0;

		if (left < 8 && o->saved[i] >> left)
			return bis_fail(EINVAL, "%s: the bitmap of overlay '%s' is damaged", name, path);
		atomic_init(&o->bits[i], o->saved[i]);
	}
	return 0;
}

static bool same_file(int a, int b)
{
	struct stat st_a, st_b;

	return fstat(a, &st_a) == 0 && fstat(b, &st_b) == 0 && st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino;
}

static int open_file(struct disk_overlay *o, const char *name, const char *path)
{
	int probe = open(path, O_PATH | O_CLOEXEC);
	bool base = probe >= 0 && same_file(probe, o->base);
	off_t size;
	int err;

	if (probe >= 0)
		close(probe);
	if (base)
		return bis_fail(EINVAL, "%s: '%s' is the disk itself: expected another file as overlay", name, path);
	err = bis_disk_open_locked(name, path, o->readonly ? O_RDONLY : O_RDWR | O_CREAT, &o->fd);
	if (err)
		return err;
	size = lseek(o->fd, 0, SEEK_END);
	if (size < 0)
		return bis_fail(errno, "%s: '%s': %s", name, path, strerror(errno));
	if (size == 0 && !o->readonly)
		return make(o, name, path);
	return check_header(o, name, path, (uint64_t)size);
}

/* Works on whatever bis_overlay_open has made so far. */
static void destroy(struct disk_overlay *o)
{
	if (o->fd >= 0)
		close(o->fd);
	free((void *)o->bits);
	free(o->saved);
	free(o->dirty);
	free(o->saving);
	free(o->bounce);
	pthread_mutex_destroy(&o->flushing);
	pthread_mutex_destroy(&o->allocating);
	free(o);
}

int bis_overlay_open(const char *name, const char *path, bool readonly, int base, uint64_t size,
		     struct disk_overlay **out)
{
	struct disk_overlay *o = calloc(1, sizeof(*o));
	int err;

	if (!o)
		return bis_fail(ENOMEM, "no memory for %s", name);
	o->fd = -1;
	o->base = base;
	o->readonly = readonly;
	o->size = size;
	o->clusters = round_up(size, CLUSTER_SIZE) / CLUSTER_SIZE;
	o->bitmap_size = round_up(round_up(o->clusters, 8) / 8, BLOCK_SIZE);
	o->data = round_up(BITMAP_OFFSET + o->bitmap_size, CLUSTER_SIZE);
	pthread_mutex_init(&o->allocating, NULL);
	pthread_mutex_init(&o->flushing, NULL);
	err = o->size > INT64_MAX - o->data ? bis_fail(EFBIG, "%s: the disk is too large for an overlay", name) : 0;
	if (!err)
		err = open_file(o, name, path);
	if (!err)
		err = allocate_memory(o, name, path);
	if (!err)
		err = load_bitmap(o, name, path);
	if (err) {
		destroy(o);
		return err;
	}
	*out = o;
	return 0;
}

void bis_overlay_close(struct disk_overlay *o)
{
	/* Nobody is left to be told of a failure; what was flushed before is safe. */
	if (!o->readonly && bis_overlay_flush(o))
		o->failed = -EIO;
	destroy(o);
}
