/*
 * What runs, and in which mode: bare in M-mode, in S-mode on the built-in SBI, or behind a firmware file. Runs on the
 * main thread.
 */
#include "guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>
#include <biscuit/isa.h>

#include "frontend/run/crumb.h"
#include "frontend/run/message.h"

/* The ISA for a file of width `xlen`, 0 if it does not tell. */
static const char *isa_of_width(const struct run_options *o, unsigned xlen)
{
	if (o->isa || !xlen)
		return o->isa;
	return xlen == 32 ? "rv32" : "rv64";
}

int guest_isa(const struct run_options *o, const char *path, const char **isa)
{
	struct bis_image_info info;
	int err = o->isa ? 0 : bis_identify_kernel(path, &info);

	*isa = err ? NULL : isa_of_width(o, o->isa ? 0 : info.xlen);
	return err;
}

static bool firmware_is(const struct run_options *o, const char *word)
{
	return o->firmware && !strcmp(o->firmware, word);
}

static bool firmware_is_file(const struct run_options *o)
{
	return o->firmware && !firmware_is(o, "none") && !firmware_is(o, "sbi");
}

/* A kernel that lies where the next stage of a firmware lies expects one. */
static bool wants_sbi(const struct bis_image_info *kernel, uint64_t next_stage)
{
	if (kernel->kind == BIS_IMAGE_LINUX)
		return kernel->entry != BIS_RAM_BASE;
	return kernel->kind == BIS_IMAGE_ELF && kernel->entry == next_stage;
}

/* fw_dynamic is told what comes next, and has nothing to go on with otherwise. */
static void warn_of_nothing_next(const struct guest *g)
{
	const char *name = strrchr(g->firmware, '/');

	if (!g->kernel && strstr(name ? name : g->firmware, "fw_dynamic"))
		message("warning: %s gets no next stage, --kernel names it", g->firmware);
}

int guest_describe(const struct run_options *o, struct guest *out)
{
	struct bis_image_info kernel = {0}, firmware = {0};
	struct bis_isa_spec isa;
	uint64_t next_stage;
	int err = 0;

	*out = (struct guest){.firmware = firmware_is_file(o) ? o->firmware : NULL};
	if (out->firmware) {
		err = bis_identify_kernel(out->firmware, &firmware);
		if (err)
			(void)bis_fail_prefix(err, "--firmware");
	}
	if (!err && o->kernel)
		err = bis_identify_kernel(o->kernel, &kernel);
	if (err)
		return err;
	out->isa = isa_of_width(o, firmware.xlen ? firmware.xlen : kernel.xlen);
	err = bis_isa_parse(out->isa ? out->isa : "rv64", &isa);
	if (err)
		return err;
	next_stage = BIS_RAM_BASE + (isa.xlen == 32 ? BIS_NEXT_STAGE_RV32 : BIS_NEXT_STAGE_RV64);
	out->sbi = firmware_is(o, "sbi") || (o->kernel && !o->firmware && wants_sbi(&kernel, next_stage));
	out->raw_base = out->sbi || out->firmware ? next_stage : BIS_RAM_BASE;
	out->is_linux = o->linux_name || kernel.kind == BIS_IMAGE_LINUX;
	if (o->kernel && !(out->kernel = strdup(o->kernel)))
		return bis_fail(ENOMEM, "%s: out of memory", o->kernel);
	if (out->firmware)
		warn_of_nothing_next(out);
	return 0;
}

int guest_choose(const struct run_options *o, struct guest *out)
{
	struct bis_isa_spec isa;
	int err = guest_describe(o, out);

	if (err || out->kernel || out->firmware)
		return err;
	if (out->sbi)
		return bis_fail(EINVAL, "--firmware sbi: expected a kernel for it (crumb runs without firmware)");
	err = bis_isa_parse(o->isa ? o->isa : "rv64", &isa);
	return err ? err : crumb_find(isa.xlen, &out->kernel);
}

void guest_free(struct guest *g)
{
	free(g->kernel);
	free(g->dtb);
	*g = (struct guest){0};
}
