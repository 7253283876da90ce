/*
 * Getting the guest into memory: the firmware at the start of RAM, the kernel where its file or the firmware's next
 * stage lies, and high in RAM the device tree, below it what fw_dynamic reads, below that the initial RAM disk. Runs on
 * the main thread.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <biscuit/error.h>

#include "frontend/run/guest.h"

#define DTB_MAX ((size_t)2 << 20)

/* Where things lie; all ends are exclusive, and nothing is there where start and end are the same. */
struct layout {
	struct bis_image firmware, kernel;
	uint64_t low, high; /* around both */
	void *dtb;
	size_t dtb_size;
	uint64_t dtb_at;
	uint64_t info_at; /* 0: there is none */
	uint64_t initrd_start, initrd_end;
};

/* --- The device tree --- */

static int read_dtb(const char *path, void **blob, size_t *size)
{
	FILE *f = fopen(path, "re");
	char *buf;
	int err = 0;

	if (!f)
		return bis_fail(errno, "--dtb: %s: %s", path, strerror(errno));
	buf = malloc(DTB_MAX + 1);
	*size = buf ? fread(buf, 1, DTB_MAX + 1, f) : 0;
	if (!buf)
		err = bis_fail(ENOMEM, "--dtb: out of memory");
	else if (ferror(f))
		err = bis_fail(EIO, "--dtb: %s: %s", path, strerror(errno));
	else
		err = bis_check_dtb(buf, *size);
	fclose(f);
	if (err) {
		free(buf);
		return bis_fail_prefix(err, "%s", path);
	}
	*blob = buf;
	return 0;
}

static int build_dtb(struct bis_machine *m, const struct run_options *o, uint64_t initrd_start, uint64_t initrd_end,
		     void **blob, size_t *size)
{
	struct bis_dt_config cfg = {.bootargs = o->append, .initrd_start = initrd_start, .initrd_end = initrd_end};

	return o->dtb ? read_dtb(o->dtb, blob, size) : bis_build_dtb(m, &cfg, blob, size);
}

int guest_device_tree(struct bis_machine *m, const struct run_options *o, void **blob, size_t *size)
{
	return build_dtb(m, o, 0, 0, blob, size);
}

/* --- Firmware and kernel --- */

/* Bare test programs talk to the host through words in memory that their symbols name. */
static int add_htif(struct guest *g, struct bis_machine *m, const struct bis_image *img)
{
	struct bis_module *mod;
	char spec[96];

	if (g->htif || !img->tohost)
		return 0;
	snprintf(spec, sizeof(spec), "htif,tohost=0x%" PRIx64 ",fromhost=0x%" PRIx64, img->tohost, img->fromhost);
	g->htif = true;
	return bis_machine_add(m, spec, &mod);
}

static int load_image(struct guest *g, struct bis_machine *m, const char *path, uint64_t raw_base,
		      struct bis_image *out)
{
	const struct bis_load_progress progress = {.report = progress_report, .arg = &g->progress};
	int err;

	if (!path)
		return 0;
	err = bis_load_kernel(m, path, raw_base, &progress, out);
	progress_erase(&g->progress);
	return err ? err : add_htif(g, m, out);
}

static int load_images(struct guest *g, struct bis_machine *m, struct layout *l)
{
	const struct bis_image *fw = &l->firmware, *k = &l->kernel;
	int err = load_image(g, m, g->firmware, BIS_RAM_BASE, &l->firmware);

	if (!err)
		err = load_image(g, m, g->kernel, g->raw_base, &l->kernel);
	if (err)
		return err;
	if (g->firmware && g->kernel && fw->start < k->end && k->start < fw->end)
		return bis_fail(ENOEXEC,
				"%s at 0x%" PRIx64 "-0x%" PRIx64 " overlaps the firmware %s at 0x%" PRIx64
				"-0x%" PRIx64,
				g->kernel, k->start, k->end - 1, g->firmware, fw->start, fw->end - 1);
	l->low = !g->kernel || (g->firmware && fw->start < k->start) ? fw->start : k->start;
	l->high = fw->end > k->end ? fw->end : k->end;
	return 0;
}

/* --- What lies beside them --- */

/* Finds its place with an initial RAM disk in it that lies somewhere: where that lies does not change the size. */
static int place_dtb(struct bis_machine *m, const struct run_options *o, struct layout *l)
{
	int err = build_dtb(m, o, 0, o->initrd != NULL, &l->dtb, &l->dtb_size);

	return err ? err : bis_place_dtb(m, l->dtb, l->dtb_size, l->low, l->high, &l->dtb_at);
}

static int place_info(const struct guest *g, struct bis_machine *m, struct layout *l)
{
	return g->firmware ? bis_place_fw_dynamic(m, l->kernel.entry, l->dtb_at, l->low, l->high, &l->info_at) : 0;
}

static int load_initrd(struct guest *g, struct bis_machine *m, const struct run_options *o, struct layout *l)
{
	const struct bis_load_progress progress = {.report = progress_report, .arg = &g->progress};
	int err = bis_load_initrd(m, o->initrd, l->info_at ? l->info_at : l->dtb_at, &progress, &l->initrd_start,
				  &l->initrd_end);

	progress_erase(&g->progress);
	if (err)
		return bis_fail_prefix(err, "--initrd");
	if (l->initrd_start < l->high && l->initrd_end > l->low)
		return bis_fail(ENOSPC,
				"--initrd: %s at 0x%" PRIx64 "-0x%" PRIx64 " would overlap the kernel at 0x%" PRIx64
				"-0x%" PRIx64 "; the machine needs more --memory",
				o->initrd, l->initrd_start, l->initrd_end - 1, l->low, l->high - 1);
	free(l->dtb);
	l->dtb = NULL;
	err = build_dtb(m, o, l->initrd_start, l->initrd_end, &l->dtb, &l->dtb_size);
	return err ? err : bis_place_dtb(m, l->dtb, l->dtb_size, l->low, l->high, &l->dtb_at);
}

static void keep_dtb(struct guest *g, struct layout *l)
{
	free(g->dtb);
	g->dtb = l->dtb;
	g->dtb_size = l->dtb_size;
	l->dtb = NULL;
}

int guest_copy_device_tree(const struct guest *g, struct bis_machine *m, void **blob, size_t *size)
{
	struct bis_dt_config cfg = {0};

	if (!g->dtb)
		return bis_build_dtb(m, &cfg, blob, size);
	*blob = malloc(g->dtb_size);
	if (!*blob)
		return bis_fail(ENOMEM, "no memory for the device tree");
	*size = g->dtb_size;
	memcpy(*blob, g->dtb, g->dtb_size);
	return 0;
}

int guest_load(struct guest *g, struct bis_machine *m, const struct run_options *o)
{
	struct layout l = {0};
	int err;

	g->progress.enabled = isatty(STDERR_FILENO);
	err = load_images(g, m, &l);
	if (!err)
		err = place_dtb(m, o, &l);
	if (!err)
		err = place_info(g, m, &l);
	if (!err && o->initrd)
		err = load_initrd(g, m, o, &l);
	if (!err) {
		keep_dtb(g, &l);
		bis_machine_set_entry(m, g->firmware ? l.firmware.entry : l.kernel.entry, l.dtb_at, l.info_at);
	}
	free(l.dtb);
	return err;
}
