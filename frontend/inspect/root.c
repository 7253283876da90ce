/* The top of the tree: README, version, errstr, status, ctl, and the directories. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>

#include "frontend/inspect/inspect_internal.h"

static const char intro[] =
	"This directory is a machine that Biscuit runs.\n"
	"\n"
	"Every file holds one value and a newline, or a text to look at. Numbers are 0x and as many digits as the\n"
	"register is wide; what a read gives, a write takes. A read is of the state when the file was opened, and\n"
	"changes nothing in the machine. A write takes effect at once and as a whole, or fails; errstr then says why.\n"
	"Registers and the fields of devices can be changed while the machine is paused (EBUSY otherwise), memory at\n"
	"any time. A symbol of a loaded file may stand for an address.\n"
	"\n"
	"    cat regs                                   echo pause > ctl; echo 0x80001000 > cpu/0/pc; echo 'step 10' > "
	"ctl\n"
	"    xxd -s 0x80200000 -l 64 mem/phys           echo 0xffffffc000001000 > cpu/0/vm/walk; cat cpu/0/vm/walk\n"
	"    echo 'pc main' > break/add; cat wait       cp snapshots/new before.snap\n"
	"\n";

static int generate_readme(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	(void)in;
	inspect_put(out, "%s", intro);
	for (const struct inspect_row *r = n->parent->type->rows; r->name; r++)
		if (r->help)
			inspect_put(out, "%-10s %s\n", r->name, r->help);
	inspect_put(out, "\nThe verbs of ctl:\n");
	for (size_t i = 0;; i++) {
		const char *verb, *arguments, *help;

		if (!debug_verb_help(i, &verb, &arguments, &help))
			break;
		inspect_put(out, "    %s%s%s: %s\n", verb, *arguments ? " " : "", arguments, help);
	}
	return 0;
}

static int generate_version(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	(void)n;
	inspect_put(out, "%s\n", in->version);
	return 0;
}

static int generate_errstr(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	(void)n;
	pthread_mutex_lock(&in->lock);
	if (in->error)
		inspect_put(out, "%s\n", in->error);
	pthread_mutex_unlock(&in->lock);
	return 0;
}

static const char *state_name(struct inspect *in)
{
	static const char *const names[] = {
		[BIS_CREATED] = "created",
		[BIS_RUNNING] = "running",
		[BIS_PAUSED] = "paused",
		[BIS_STOPPED] = "stopped",
	};

	return names[bis_machine_state(in->machine)];
}

/* Million instructions a second, since the last look that is at least a tenth of a second ago. */
static double sample_mips(struct inspect *in, uint64_t now, uint64_t instret)
{
	const uint64_t interval = 100000000;
	double mips;

	pthread_mutex_lock(&in->lock);
	if (now < in->sample.time || instret < in->sample.instret) {
		in->sample.time = now;
		in->sample.instret = instret;
	} else if (now - in->sample.time >= interval) {
		in->sample.mips = (double)(instret - in->sample.instret) * 1000 / (double)(now - in->sample.time);
		in->sample.time = now;
		in->sample.instret = instret;
	}
	mips = in->sample.mips;
	pthread_mutex_unlock(&in->lock);
	return mips;
}

/* Takes no lock of the machine: it answers also while a long step is under way. */
static int generate_status(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	uint64_t now = bis_machine_now(in->machine), instret = 0;
	unsigned harts = bis_machine_harts(in->machine);

	(void)n;
	for (unsigned i = 0; i < harts; i++)
		instret += bis_hart_instret(bis_machine_hart(in->machine, i));
	inspect_put(out, "state %s\n", state_name(in));
	inspect_put(out, "harts %u\n", harts);
	inspect_put(out, "engine %s\n", bis_machine_engine(in->machine));
	inspect_put(out, "instret %" PRIu64 "\n", instret);
	inspect_put(out, "mips %.1f\n", sample_mips(in, now, instret));
	inspect_put(out, "uptime %" PRIu64 ".%03" PRIu64 "\n", now / 1000000000, now / 1000000 % 1000);
	return 0;
}

static int generate_verbs(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	const char *verb, *arguments, *help;

	(void)in;
	(void)n;
	for (size_t i = 0; debug_verb_help(i, &verb, &arguments, &help); i++)
		inspect_put(out, "%s%s%s\n", verb, *arguments ? " " : "", arguments);
	return 0;
}

static int accept_verb(struct inspect *in, const struct inspect_node *n, char *text, struct inspect_text *reply)
{
	struct inspect_text_stream s;
	FILE *f = inspect_text_open(&s, reply);
	int err;

	(void)n;
	if (!f)
		return inspect_text_result(reply);
	err = debug_verb(in->debug, text, f);
	inspect_text_close(&s);
	return err;
}

static int generate_regs_link(struct inspect *in, const struct inspect_node *n, struct inspect_text *out)
{
	(void)in;
	inspect_put(out, "cpu/0/%s", n->name);
	return 0;
}

static const struct inspect_type readme_type = {.kind = INSPECT_TEXT, .generate = generate_readme};
static const struct inspect_type version_type = {.kind = INSPECT_TEXT, .generate = generate_version};
static const struct inspect_type errstr_type = {.kind = INSPECT_TEXT, .generate = generate_errstr};
static const struct inspect_type status_type = {.kind = INSPECT_TEXT, .generate = generate_status};
static const struct inspect_type ctl_type = {
	.kind = INSPECT_TEXT,
	.apart = true,
	.generate = generate_verbs,
	.accept = accept_verb,
	.interrupt = inspect_end_step,
	.lines = true,
};
static const struct inspect_type link_type = {.kind = INSPECT_LINK, .generate = generate_regs_link};

static const struct inspect_row rows[] = {
	{"README", &readme_type, "this text"},
	{"version", &version_type, "of Biscuit"},
	{"errstr", &errstr_type, "the last error of these files, in words"},
	{"status", &status_type, "run state, instructions, speed, time: never waits"},
	{"ctl", &ctl_type, "verbs, a line each; what they answer is read from the same descriptor"},
	{"wait", &inspect_wait_type, "a read ends when the machine has come to rest, and says why"},
	{"events", &inspect_events_type, "what happens from now on, a JSON object a line; can be polled"},
	{"regs", &link_type, "-> cpu/0/regs: the quick look"},
	{"csr", &link_type, "-> cpu/0/csr"},
	{"cpu", &inspect_harts_type,
	 "N/{status,ctl,pc,priv,isa,regs,disasm,backtrace,blocks,x,f,csr,csr.fields,vm,…}: harts"},
	{"mem", &inspect_mem_type, "map; phys, by physical address; each RAM, and the path of the file behind it"},
	{"dev", &inspect_devices_type, "NAME/{info,irq,state,ctl} and a file for each field; in, out, log of consoles"},
	{"modules", &inspect_modules_type, "NAME/{info,options,attach,ctl}: everything the machine is made of"},
	{"magicfs", &inspect_magicfs_type, "exports, open, stats: shared folders"},
	{"break", &inspect_breaks_type, "add, list, remove; a file for each breakpoint, which rm removes"},
	{"symbols", &inspect_symbols_type,
	 "load: path of an ELF file; lookup: write a name or an address, read the answer"},
	{"snapshots", &inspect_snapshots_type, "new: the whole machine as it is when this is opened"},
	{"dt", &inspect_dt_type, "the device tree: dtb, dts"},
	{0},
};

const struct inspect_type inspect_root_type = {.kind = INSPECT_DIR, .rows = rows};
