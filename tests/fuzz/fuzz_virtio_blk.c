/* Fuzz target: the virtio block device, on a disk with an overlay, both files in memory and kept from input to input.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/virtio_fuzz.h"

#define DISK_SIZE (5u * 65536u + 1024u)

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13, CONFIG_WRITEBACK = 32 };

/* Where in guest memory requests have their parts. */
enum { HEADER = VF_DATA, STATUS = VF_DATA + 0x100, SEGMENTS = VF_DATA + 0x200, BYTES = VF_DATA + 0x1000 };

static void make_spec(char *spec, size_t size)
{
	int disk = memfd_create("disk", MFD_CLOEXEC), overlay = memfd_create("overlay", MFD_CLOEXEC);

	vf_require(disk >= 0 && overlay >= 0 && ftruncate(disk, DISK_SIZE) == 0, "no files");
	snprintf(spec, size, "virtio-blk,file=/proc/self/fd/%d,overlay=/proc/self/fd/%d,serial=fuzz", disk, overlay);
}

static void request(struct vf_program *p, unsigned n, uint32_t type, uint64_t sector, struct vf_range data)
{
	struct {
		uint32_t type, reserved;
		uint64_t sector;
	} h = {type, 0, sector};
	uint32_t header = HEADER + n * 16;

	vf_data(p, header, &h, sizeof(h));
	vf_chain(p, 0, VF_OUT(header, sizeof(h)), data, VF_IN(STATUS + n, 1));
}

/* Requests that are right or nearly so, in an order that `index` chooses. */
static void random_requests(struct vf_program *p, unsigned index)
{
	static const uint32_t types[] = {T_IN, T_OUT, T_FLUSH, T_GET_ID, T_DISCARD, T_WRITE_ZEROES, T_IN, T_OUT};
	uint64_t rng = 0x9e3779b97f4a7c15u * (index + 1);

	vf_start(p, xorshift(&rng), 64);
	for (unsigned n = 0; n < 20; n++) {
		uint64_t r = xorshift(&rng);
		uint32_t type = types[r % 8], len = (uint32_t)(r >> 8 & 15) * (r >> 16 & 7 ? 512 : 4096);
		bool out = type == T_OUT || type == T_DISCARD || type == T_WRITE_ZEROES;
		struct {
			uint64_t sector;
			uint32_t sectors, flags;
		} segment = {r >> 32 & 1023, (uint32_t)(r >> 48 & 255), r >> 60 & 1};

		if (type == T_DISCARD || type == T_WRITE_ZEROES) {
			vf_data(p, SEGMENTS + n * 16, &segment, sizeof(segment));
			request(p, n, type, 0, VF_OUT(SEGMENTS + n * 16, 16));
		} else {
			request(p, n, type, r >> 32 & 1023, (struct vf_range){BYTES + n * 0x800, len, !out});
		}
		if (r >> 20 & 1)
			vf_notify(p, 0);
		if (!(r >> 24 & 15))
			vf_settle(p);
	}
	vf_notify(p, 0);
}

static bool seed(struct vf_program *p, unsigned index)
{
	static const struct {
		uint64_t sector;
		uint32_t sectors, flags;
	} segments[] = {{0, 100, 0}, {DISK_SIZE / 512 - 1, 1, 0}, {127, 3, 1}};

	if (index > 3) {
		random_requests(p, index);
		return index < 100;
	}
	vf_start(p, index & 1 ? UINT64_MAX : 0, 64);
	vf_data(p, SEGMENTS, segments, sizeof(segments));
	request(p, 0, T_OUT, 1, VF_OUT(BYTES, 0x2000));
	request(p, 1, T_IN, 126, VF_IN(BYTES, 0x1000));
	request(p, 2, T_GET_ID, 0, VF_IN(BYTES + 0x4000, 20));
	if (index & 2)
		vf_notify(p, 0);
	request(p, 3, T_DISCARD, 0, VF_OUT(SEGMENTS, 32));
	request(p, 4, T_WRITE_ZEROES, 0, VF_OUT(SEGMENTS, 48));
	request(p, 5, T_FLUSH, 0, VF_OUT(BYTES, 0));
	vf_write_config(p, CONFIG_WRITEBACK, 1, 0);
	request(p, 6, T_OUT, DISK_SIZE / 512 - 2, VF_OUT(BYTES, 1024));
	request(p, 7, T_IN, 0, VF_IN(BYTES, 0x10000));
	vf_notify(p, 0);
	request(p, 8, T_IN, UINT64_MAX / 512, VF_IN(BYTES, 512));
	request(p, 9, 99, 0, VF_IN(BYTES, 512));
	vf_notify(p, 0);
	if (index & 2)
		vf_settle(p);
	return true;
}

static const struct virtio_fuzz_target target = {.make_spec = make_spec, .seed = seed};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return virtio_fuzz_run(&target, data, size);
}

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	return virtio_fuzz_seed(&target, index, buf, max);
}
