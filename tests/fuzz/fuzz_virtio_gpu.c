/*
 * Fuzz target: the virtio GPU, with a viewer that reads all that is shown, snapshots of itself and wishes for other
 * sizes.
 */
#include <biscuit/display.h>

#include "modules/virtio/gpu.h"
#include "tests/fuzz/virtio_fuzz.h"

#define MEMORY	  (1u << 20) /* that resources may take */
#define STATE_MAX (4u << 20)

enum poke { POKE_LOOK, POKE_WISH, POKE_SNAPSHOT, POKE_DAMAGED, POKES };

static struct bis_viewer *viewer;

/* What a screenshot does. */
static void look(void)
{
	static uint32_t pixels[MEMORY / 4];
	static struct bis_cursor cursor;
	struct bis_view view;

	bis_viewer_update(viewer, &view);
	vf_require(view.n_rects <= BIS_VIEW_RECTS, "too many parts have changed");
	for (size_t i = 0; i < view.n_rects; i++) {
		const struct bis_rect *r = &view.rects[i];

		vf_require(r->x <= view.width && r->width <= view.width - r->x, "a change is outside");
		vf_require((uint64_t)r->width * r->height <= MEMORY / 4, "more is shown than there may be");
		if (bis_viewer_read(viewer, r, pixels, r->width * sizeof(*pixels)))
			continue; /* the driver was faster */
	}
	bis_viewer_cursor(viewer, &cursor);
	vf_require(cursor.width <= BIS_DISPLAY_CURSOR_MAX && cursor.height <= BIS_DISPLAY_CURSOR_MAX,
		   "the pointer is too large");
}

struct state {
	size_t len;
	uint8_t data[STATE_MAX];
};

static void put(void *arg, const void *data, size_t len)
{
	struct state *s = arg;

	vf_require(len <= sizeof(s->data) - s->len, "the state is larger than the memory allows");
	if (len)
		memcpy(s->data + s->len, data, len);
	s->len += len;
}

/* Saves and restores, perhaps with a byte that is another; device lock held. */
static void snapshot(struct bis_module *mod, uint64_t value, bool damaged)
{
	static struct state s;
	const struct bis_module_class *class = bis_module_class_of(mod);
	void *self = bis_module_self(mod);

	class->pause(self);
	s.len = 0;
	vf_require(!class->save(self, put, &s), "it cannot be saved");
	if (damaged)
		s.data[value % s.len % 256] ^= (uint8_t)(value >> 32 | 1);
	if (class->restore(self, s.data, s.len))
		vf_require(damaged, "what was saved cannot be restored");
	class->resume(self);
}

static void poke(struct bis_machine *m, struct bis_module *mod, uint64_t value)
{
	switch (value % POKES) {
	case POKE_LOOK:
		look();
		break;
	case POKE_WISH:
		bis_viewer_wish(viewer, (uint32_t)(value >> 8 & 0x1fff), (uint32_t)(value >> 32));
		break;
	default:
		bis_machine_lock_devices(m);
		snapshot(mod, value / POKES, value % POKES == POKE_DAMAGED);
		bis_machine_unlock_devices(m);
		break;
	}
}

/* --- Seeds --- */

#define REQUEST(n) (VF_DATA + (n)*128u)
#define ANSWER	   (VF_DATA + 0x8000u)
#define PIXELS	   (VF_DATA + 0x10000u)

struct writer {
	struct vf_program *p;
	unsigned n;
};

static void request(struct writer *w, unsigned queue, const uint32_t *words, size_t count)
{
	uint32_t bytes[32] = {words[0], w->n % 2};
	uint32_t at = REQUEST(w->n++);

	memcpy(bytes + 6, words + 1, (count - 1) * sizeof(*words));
	vf_data(w->p, at, bytes, (uint32_t)(24 + (count - 1) * 4));
	vf_chain(w->p, queue, VF_OUT(at, (uint32_t)(24 + (count - 1) * 4)), VF_IN(ANSWER, 0x600));
}
#define request(w, queue, ...)                                                                                         \
	(request)((w), (queue), (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4)

static bool seed(struct vf_program *p, unsigned index)
{
	static const uint32_t formats[] = {2, 121, 67, 3};
	uint32_t pa = (uint32_t)BIS_RAM_BASE + PIXELS;
	struct writer w = {.p = p};

	if (index >= BIS_ARRAY_SIZE(formats))
		return false;
	vf_start(p, UINT64_MAX, 64);
	request(&w, GPU_CONTROL, GPU_GET_DISPLAY_INFO);
	request(&w, GPU_CONTROL, GPU_GET_EDID, 0, 0);
	request(&w, GPU_CONTROL, GPU_RESOURCE_CREATE_2D, 1, formats[index], 96, 64);
	request(&w, GPU_CONTROL, GPU_RESOURCE_ATTACH_BACKING, 1, 3, pa, 0, 0x1003, 0, pa + 0x2001, 0, 0x3000, 0, pa, 0,
		0x3000, 0);
	request(&w, GPU_CONTROL, GPU_SET_SCANOUT, 8, 4, 80, 60, 0, 1);
	request(&w, GPU_CONTROL, GPU_TRANSFER_TO_HOST_2D, 0, 0, 96, 64, 0, 0, 1, 0);
	request(&w, GPU_CONTROL, GPU_TRANSFER_TO_HOST_2D, 3, 5, 9, 50, 0x101, 0, 1, 0);
	request(&w, GPU_CONTROL, GPU_RESOURCE_FLUSH, 0, 0, 96, 64, 1, 0);
	request(&w, GPU_CONTROL, GPU_RESOURCE_CREATE_2D, 2, 1, 64, 64);
	request(&w, GPU_CONTROL, GPU_RESOURCE_CREATE_2D, 3, 1, 0x10000, 0x4000);
	vf_notify(p, GPU_CONTROL);
	vf_settle(p);
	vf_poke(p, POKE_LOOK);
	request(&w, GPU_CURSOR, GPU_UPDATE_CURSOR, 0, 10, 20, 0, 2, 3, 4, 0);
	request(&w, GPU_CURSOR, GPU_MOVE_CURSOR, 0, 11, 21, 0, 0, 0, 0, 0);
	vf_notify(p, GPU_CURSOR);
	vf_settle(p);
	vf_poke(p, POKE_SNAPSHOT);
	vf_poke(p, POKE_WISH | 0x12c00 | UINT64_C(900) << 32);
	vf_write_config(p, 4, 4, 1);
	request(&w, GPU_CONTROL, GPU_RESOURCE_DETACH_BACKING, 1, 0);
	request(&w, GPU_CONTROL, GPU_RESOURCE_UNREF, 1, 0);
	vf_notify(p, GPU_CONTROL);
	vf_settle(p);
	vf_poke(p, POKE_DAMAGED | 0x30);
	vf_poke(p, POKE_LOOK);
	return true;
}

static void prepare(struct bis_machine *m)
{
	struct bis_display *display;

	vf_require(!bis_display_open(m, "gpu", &display), "no display");
	vf_require(!bis_viewer_create(display, NULL, NULL, &viewer), "no viewer");
}

static const struct virtio_fuzz_target target = {.spec = "virtio-gpu,memory=1M,resources=16",
						 .queues = GPU_QUEUES,
						 .prepare = prepare,
						 .poke = poke,
						 .seed = seed};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int result = virtio_fuzz_run(&target, data, size);
	struct bis_view view;

	bis_viewer_update(viewer, &view);
	vf_require(view.width == 0, "something is shown after a reset");
	return result;
}

size_t fuzz_seed(unsigned index, uint8_t *buf, size_t max)
{
	return virtio_fuzz_seed(&target, index, buf, max);
}
