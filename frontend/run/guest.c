/* Getting the guest into memory. Runs on the main thread. */
#include "guest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/elf.h>

#include "frontend/run/crumb.h"

#define DTB_MAX	  ((size_t)2 << 20)
#define DTB_SLACK 256 /* more that the tree takes with an initial RAM disk in it */

/* --- Choice --- */

int guest_isa(const struct run_options *o, const char *path, const char **isa)
{
	struct bis_elf *elf;
	int err;

	*isa = o->isa;
	if (o->isa)
		return 0;
	err = bis_elf_open(path, &elf);
	if (err)
		return err == -ENOMSG ? 0 : err;
	*isa = bis_elf_xlen(elf) == 32 ? "rv32" : "rv64";
	bis_elf_close(elf);
	return 0;
}

static int choose_crumb(const struct run_options *o, struct guest *out)
{
	struct bis_isa_spec spec;
	int err = bis_isa_parse(o->isa ? o->isa : "rv64", &spec);

	out->isa = o->isa;
	return err ? err : crumb_find(spec.xlen, &out->kernel);
}

int guest_choose(const struct run_options *o, struct guest *out)
{
	*out = (struct guest){0};
	if (!o->kernel)
		return choose_crumb(o, out);
	out->kernel = strdup(o->kernel);
	if (!out->kernel)
		return bis_fail(ENOMEM, "%s: out of memory", o->kernel);
	return guest_isa(o, o->kernel, &out->isa);
}

void guest_free(struct guest *g)
{
	free(g->kernel);
	g->kernel = NULL;
}

/* --- Loading --- */

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

/* The end of the highest RAM region, as far as the harts' registers reach. */
static uint64_t ram_end(struct bis_machine *m)
{
	uint64_t end = 0, reach = UINT64_C(1) << 32;
	struct bis_mem_region r;

	for (size_t i = 0; !bis_mem_region(bis_machine_memory(m), i, &r); i++)
		end = r.base.v + r.size;
	return bis_hart_isa(bis_machine_hart(m, 0))->xlen == 32 && end > reach ? reach : end;
}

/* Places the initial RAM disk below what the device tree will need. */
static int load_initrd(struct bis_machine *m, const struct run_options *o, const struct bis_image *img, uint64_t *start,
		       uint64_t *end)
{
	uint64_t top = ram_end(m), room;
	size_t size;
	void *blob;
	int err;

	*start = *end = 0;
	if (!o->initrd)
		return 0;
	err = build_dtb(m, o, 0, 0, &blob, &size);
	if (err)
		return err;
	free(blob);
	room = (size + DTB_SLACK + BIS_PAGE_SIZE - 1) & ~(uint64_t)(BIS_PAGE_SIZE - 1);
	if (room >= top)
		return bis_fail(ENOSPC, "--initrd: no room in RAM");
	err = bis_load_initrd(m, o->initrd, top - room, start, end);
	if (!err && *start<img->end && * end> img->start)
		err = bis_fail(ENOSPC,
			       "--initrd: %s at 0x%" PRIx64 "-0x%" PRIx64 " would overlap the kernel at 0x%" PRIx64
			       "-0x%" PRIx64 "; the machine needs more --memory",
			       o->initrd, *start, *end - 1, img->start, img->end - 1);
	return err;
}

int guest_load(struct guest *g, struct bis_machine *m, const struct run_options *o)
{
	uint64_t initrd_start, initrd_end, where;
	struct bis_image img;
	size_t size;
	void *blob;
	int err = bis_load_kernel(m, g->kernel, BIS_RAM_BASE, &img);

	if (!err)
		err = add_htif(g, m, &img);
	if (!err)
		err = load_initrd(m, o, &img, &initrd_start, &initrd_end);
	if (!err)
		err = build_dtb(m, o, initrd_start, initrd_end, &blob, &size);
	if (err)
		return err;
	err = bis_place_dtb(m, blob, size, img.start, img.end, &where);
	free(blob);
	if (!err && where < initrd_end && where + size > initrd_start)
		err = bis_fail(ENOSPC,
			       "--initrd: no room beside kernel and device tree; the machine needs more --memory");
	if (!err)
		bis_machine_set_entry(m, img.entry, where, 0);
	return err;
}
