/*
 * A driver for tests of the virtio block device: a disk of SECTORS sectors with a pattern on it, guest memory for one
 * request, and requests that wait for their end.
 */
#ifndef BISCUIT_UNIT_BLK_RIG_H
#define BISCUIT_UNIT_BLK_RIG_H

#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/virtio_rig.h"

#define SECTORS	 2000u
#define SIZE	 (SECTORS * 512u)
#define BUF_SIZE 0x40000u

/* Virtio 1.2, section 5.2. */
enum { F_SEG_MAX = 1 << 2, F_RO = 1 << 5, F_BLK_SIZE = 1 << 6, F_FLUSH = 1 << 9, F_TOPOLOGY = 1 << 10 };
enum { F_CONFIG_WCE = 1 << 11, F_DISCARD = 1 << 13, F_WRITE_ZEROES = 1 << 14 };
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2, S_NONE = 0xff };

#define F_ALL (F_FLUSH | F_CONFIG_WCE | F_DISCARD | F_WRITE_ZEROES | F_SEG_MAX)

struct header {
	uint32_t type, reserved;
	uint64_t sector;
};

struct segment {
	uint64_t sector;
	uint32_t sectors, flags;
};

struct fixture {
	struct vrig *r;
	char dir[32], file[64], overlay[64];
	uint64_t header, status, data; /* guest memory; data has BUF_SIZE bytes */
};

static inline uint8_t pattern(size_t at)
{
	return (uint8_t)(at * 7 + at / 512);
}

/* `more` are options behind file=. */
static inline void open_device(struct fixture *f, const char *more)
{
	char spec[256];

	snprintf(spec, sizeof(spec), "virtio-blk,file=%s%s", f->file, more);
	f->r = vrig_open(spec);
	f->header = vrig_alloc(f->r, 4096);
	f->status = vrig_alloc(f->r, 4096);
	f->data = vrig_alloc(f->r, BUF_SIZE);
}

static inline void reopen(struct fixture *f, const char *more, uint64_t features)
{
	vrig_close(f->r);
	open_device(f, more);
	vrig_start(f->r, features, 1, 64);
}

static inline int blk_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint8_t *bytes = malloc(SIZE);
	int fd;

	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = pattern(i);
	strcpy(f->dir, "/tmp/biscuit-blk-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->file, sizeof(f->file), "%s/disk", f->dir);
	snprintf(f->overlay, sizeof(f->overlay), "%s/overlay", f->dir);
	fd = open(f->file, O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, bytes, SIZE), SIZE);
	close(fd);
	free(bytes);
	open_device(f, ",serial=biscuit-1");
	vrig_start(f->r, F_ALL, 1, 64);
	*state = f;
	return 0;
}

static inline int blk_teardown(void **state)
{
	struct fixture *f = *state;

	if (f->r)
		vrig_close(f->r);
	unlink(f->file);
	unlink(f->overlay);
	rmdir(f->dir);
	free(f);
	return 0;
}

static inline void put_header(struct fixture *f, uint64_t pa, uint32_t type, uint64_t sector)
{
	struct header h = {type, 0, sector};
	uint8_t none = S_NONE;

	vrig_put(f->r, pa, &h, sizeof(h));
	vrig_put(f->r, f->status, &none, 1);
}

static inline unsigned get_status(struct fixture *f)
{
	uint8_t status;

	vrig_get(f->r, f->status, &status, 1);
	return status;
}

/* A request with `len` bytes of data at f->data; its status, and the length told to the driver. */
static inline unsigned request_len(struct fixture *f, uint32_t type, uint64_t sector, uint32_t len, uint32_t *used)
{
	bool out = type == T_OUT || type == T_DISCARD || type == T_WRITE_ZEROES;

	put_header(f, f->header, type, sector);
	*used = vrig_request(f->r, 0, VRIG_OUT(f->header, 16), ((struct vrig_range){f->data, len, !out}),
			     VRIG_IN(f->status, 1));
	return get_status(f);
}

static inline unsigned request(struct fixture *f, uint32_t type, uint64_t sector, uint32_t len)
{
	uint32_t used;

	return request_len(f, type, sector, len, &used);
}

static inline void fill(struct fixture *f, uint8_t byte, size_t len)
{
	assert_ok(bis_mem_fill(bis_machine_memory(f->r->m), (bis_gpa){f->data}, byte, len));
}

/* The guest's memory at `pa` is what a fresh disk has from `sector` on. */
static inline void assert_pattern(struct fixture *f, uint64_t pa, uint64_t sector, size_t len)
{
	uint8_t *got = malloc(len);

	vrig_get(f->r, pa, got, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(got[i], pattern(sector * 512 + i));
	free(got);
}

/* All of a sector of the file is `byte`. */
static inline void assert_file_sector(struct fixture *f, uint64_t sector, uint8_t byte)
{
	uint8_t got[512];
	int fd = open(f->file, O_RDONLY);

	assert_int_equal(pread(fd, got, 512, (off_t)sector * 512), 512);
	for (size_t i = 0; i < 512; i++)
		assert_int_equal(got[i], byte);
	close(fd);
}

#endif
