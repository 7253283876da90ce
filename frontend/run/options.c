/*
 * The command line of biscuit-run: its table of options, and a reader for each. Runs on the main thread before anything
 * else exists.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <biscuit/error.h>
#include <biscuit/machine.h>
#include <biscuit/option.h>

#include "frontend/run/cmdline.h"
#include "frontend/run/drive.h"
#include "frontend/run/message.h"
#include "frontend/run/net.h"
#include "frontend/run/profile.h"
#include "frontend/run/screen.h"
#include "frontend/run/share.h"
#include "frontend/run/spec.h"
#include "frontend/run/trace.h"

static int add_word(struct run_words *words, const char *text)
{
	const char **more = realloc(words->at, (words->count + 1) * sizeof(*more));

	if (!more)
		return bis_fail(ENOMEM, "out of memory for the command line");
	words->at = more;
	words->at[words->count++] = text;
	return 0;
}

const char *run_options_keep(struct run_options *o, char *text)
{
	char **more = realloc(o->kept, (o->kept_count + 1) * sizeof(*more));

	if (!more) {
		free(text);
		return NULL;
	}
	o->kept = more;
	o->kept[o->kept_count++] = text;
	return text;
}

/* --- One reader an option --- */

static int read_memory(struct run_options *o, const char *value)
{
	int err = bis_parse_size(value, &o->memory);

	if (err)
		return bis_fail_prefix(err, "--memory");
	return o->memory ? 0 : bis_fail(EINVAL, "--memory: 0 bytes, expected a size such as 128M");
}

static int read_harts(struct run_options *o, const char *value)
{
	char *end;
	unsigned long n = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end || n < 1 || n > BIS_MAX_HARTS)
		return bis_fail(EINVAL, "--harts: '%s', expected a number from 1 to %d", value, BIS_MAX_HARTS);
	o->harts = (unsigned)n;
	return 0;
}

static int read_isa(struct run_options *o, const char *value)
{
	o->isa = value;
	return 0;
}

static int read_engine(struct run_options *o, const char *value)
{
	o->engine = value;
	return 0;
}

static int read_clock(struct run_options *o, const char *value)
{
	static const char *const names[] = {[BIS_CLOCK_HOST] = "host", [BIS_CLOCK_VIRTUAL] = "virtual"};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(names); i++) {
		if (strcmp(value, names[i]))
			continue;
		o->clock = (enum bis_clock)i;
		o->clock_given = true;
		return 0;
	}
	return spec_unknown("--clock: unknown clock", value, names, BIS_ARRAY_SIZE(names), "host or virtual");
}

static int read_module(struct run_options *o, const char *value)
{
	return add_word(&o->modules, value);
}

static int read_console(struct run_options *o, const char *value)
{
	static const char *const names[] = {"stdio", "pty", "file", "null"};
	size_t len = strcspn(value, ",=");
	char word[64];

	o->console = value;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(names); i++)
		if (len == strlen(names[i]) && !strncmp(value, names[i], len))
			return 0;
	snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : sizeof(word)), value);
	return spec_unknown("--console: unknown kind", word, names, BIS_ARRAY_SIZE(names),
			    "stdio, pty[,link=PATH], file=PATH or null");
}

static int read_drive(struct run_options *o, const char *value)
{
	bool native;
	int err = drive_check(value, &native);

	if (err)
		return err;
	if (native && o->native_drive)
		return bis_fail(EINVAL, "--drive: if=native is given twice, the machine has one native block device");
	o->native_drive |= native;
	return add_word(&o->drives, value);
}

static int read_net(struct run_options *o, const char *value)
{
	bool none;
	int err = net_check(value, &none);

	return err ? err : add_word(&o->nets, value);
}

static int read_share(struct run_options *o, const char *value)
{
	int err = share_check(value);

	return err ? err : add_word(&o->shares, value);
}

/* A word that names no file is a slip. */
static int read_firmware(struct run_options *o, const char *value)
{
	static const char *const names[] = {"none", "sbi"};

	o->firmware = value;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(names); i++)
		if (!strcmp(value, names[i]))
			return 0;
	if (strchr(value, '/') || !access(value, F_OK))
		return 0;
	return spec_unknown("--firmware: there is no file", value, names, BIS_ARRAY_SIZE(names), "none, sbi or a file");
}

static int read_linux(struct run_options *o, const char *value)
{
	o->linux_name = value;
	return 0;
}

static int read_kernel(struct run_options *o, const char *value)
{
	o->kernel = value;
	return 0;
}

static int read_log(struct run_options *o, const char *value)
{
	if (!strchr(value, '/'))
		return message_log_level(value, &o->log_level);
	o->log_file = value;
	return 0;
}

static int read_trace(struct run_options *o, const char *value)
{
	int err = trace_check(value ? value : "insn");

	return err ? err : add_word(&o->traces, value ? value : "insn");
}

static int read_profile(struct run_options *o, const char *value)
{
	o->profile = true;
	o->profile_value = value;
	return profile_check(value);
}

static int read_mount(struct run_options *o, const char *value)
{
	o->mount = value;
	return 0;
}

static int read_mount_allow_other(struct run_options *o, const char *value)
{
	(void)value;
	o->mount_allow_other = true;
	return 0;
}

static int read_mount_readonly(struct run_options *o, const char *value)
{
	(void)value;
	o->mount_readonly = true;
	return 0;
}

/* ADDRESS[,nowait] */
static int read_gdb(struct run_options *o, const char *value)
{
	static const char nowait[] = ",nowait";
	size_t len = value ? strlen(value) : 0, tail = strlen(nowait);
	char *address;

	o->gdb_nowait = len >= tail && !strcmp(value + len - tail, nowait);
	len -= o->gdb_nowait ? tail : 0;
	if (!len) {
		o->gdb = ":1234";
		return 0;
	}
	address = strndup(value, len);
	o->gdb = address ? run_options_keep(o, address) : NULL;
	return o->gdb ? 0 : bis_fail(ENOMEM, "--gdb: out of memory");
}

static int read_restore(struct run_options *o, const char *value)
{
	o->restore = value;
	return 0;
}

static int read_code_cache(struct run_options *o, const char *value)
{
	int err = bis_parse_size(value, &o->code_cache);

	if (err)
		return bis_fail_prefix(err, "--code-cache");
	return o->code_cache ? 0 : bis_fail(EINVAL, "--code-cache: 0 bytes, expected a size such as 64M");
}

static int read_jit_background(struct run_options *o, const char *value)
{
	static const char *const names[] = {
		[BIS_BACKGROUND_AUTO] = "auto", [BIS_BACKGROUND_OFF] = "off", [BIS_BACKGROUND_ON] = "on"};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(names); i++) {
		if (strcmp(value, names[i]))
			continue;
		o->background = (enum bis_background)i;
		return 0;
	}
	return spec_unknown("--jit-background", value, names, BIS_ARRAY_SIZE(names), "auto, on or off");
}

static int read_jit_dump(struct run_options *o, const char *value)
{
	o->jit_dump = value;
	return 0;
}

static int read_jit_perf(struct run_options *o, const char *value)
{
	(void)value;
	o->jit_perf = true;
	return 0;
}

static int read_jit_gdb(struct run_options *o, const char *value)
{
	(void)value;
	o->jit_gdb = true;
	return 0;
}

static int read_jit_stats(struct run_options *o, const char *value)
{
	(void)value;
	o->jit_stats = true;
	return 0;
}

static int read_timeout(struct run_options *o, const char *value)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end || !isfinite(seconds) || seconds <= 0 || seconds > INT_MAX / 1000)
		return bis_fail(EINVAL, "--timeout: '%s', expected seconds above 0, up to %d", value, INT_MAX / 1000);
	o->timeout_ms = (int)ceil(seconds * 1000);
	return 0;
}

static int read_dtb(struct run_options *o, const char *value)
{
	o->dtb = value;
	return 0;
}

static int read_initrd(struct run_options *o, const char *value)
{
	o->initrd = value;
	return 0;
}

static int read_append(struct run_options *o, const char *value)
{
	o->append = value;
	return 0;
}

static int read_allow(struct run_options *o, const char *value)
{
	(void)value;
	o->allow_guest_modules = true;
	return 0;
}

/* The first of --help, --version and the like decides. */
static int choose(struct run_options *o, enum run_action action, const char *subject)
{
	if (o->action == RUN_GUEST) {
		o->action = action;
		o->subject = subject;
	}
	return 0;
}

static int read_dump_dtb(struct run_options *o, const char *value)
{
	return choose(o, RUN_DUMP_DTB, value);
}

static int read_disasm(struct run_options *o, const char *value)
{
	return choose(o, RUN_DISASSEMBLE, value);
}

static int read_list(struct run_options *o, const char *value)
{
	return choose(o, RUN_LIST_MODULES, value);
}

static int read_help_module(struct run_options *o, const char *value)
{
	return choose(o, RUN_HELP_MODULE, value);
}

static int read_help(struct run_options *o, const char *value)
{
	return choose(o, RUN_HELP, value);
}

static int read_version(struct run_options *o, const char *value)
{
	return choose(o, RUN_VERSION, value);
}

/* --- The table --- */

static const struct cmdline_option table[] = {
	{"Guest", 0, 0, NULL, NULL, NULL},
	{"kernel", 0, required_argument, "FILE", NULL, read_kernel},
	{"linux", 0, required_argument, "NAME|DIR", "kernel, initrd and defaults from a folder", read_linux},
	{"firmware", 0, required_argument, "FILE", "M-mode: none, sbi or a file (default: as kernel)", read_firmware},
	{"initrd", 0, required_argument, "FILE", "initial RAM disk", read_initrd},
	{"restore", 0, required_argument, "FILE", "go on where a snapshot was taken", read_restore},
	{"append", 0, required_argument, "TEXT", "command line for the kernel", read_append},
	{"dtb", 0, required_argument, "FILE", "device tree instead of the machine's own", read_dtb},
	{"Machine", 0, 0, NULL, NULL, NULL},
	{"memory", 'm', required_argument, "SIZE", "guest memory, such as 64M or 2G (default 128M)", read_memory},
	{"harts", 'n', required_argument, "N", "number of harts (default 1)", read_harts},
	{"isa", 0, required_argument, "STRING", "such as rv32 or rv64gc_zba (default: as kernel)", read_isa},
	{"engine", 0, required_argument, "NAME", "interp, jit, or check: both in lockstep", read_engine},
	{"clock", 0, required_argument, "host|virtual", "guest time: real (default), or by instructions", read_clock},
	{"share", 0, required_argument, "DIR", "directory in the guest; ,ro ,name=NAME ,root", read_share},
	{"drive", 0, required_argument, "file=PATH", "disk; ,readonly ,overlay=PATH ,if=native", read_drive},
	{"net", 0, required_argument, "KIND", "user[,hostfwd=RULE]..., tap,ifname=NAME, none", read_net},
	{"module", 0, required_argument, "SPEC", "add CLASS[,key=value...] or PATH.so[,key=...]", read_module},
	{"allow-guest-modules", 0, no_argument, NULL, "let the guest add modules by itself", read_allow},
	{"Console and watching", 0, 0, NULL, NULL, NULL},
	{"console", 0, required_argument, "KIND", "stdio (default), pty[,link=PATH], file=PATH, null", read_console},
	{"window", 0, optional_argument, "WxH", "the guest's screen in a window; ,scale=N", screen_read_window},
	{"vnc", 0, required_argument, ":N", "the same by VNC, port 5900+N; ,password=FILE", screen_read_vnc},
	{"log", 0, required_argument, "LEVEL|FILE", "error, warn (default), info, debug; or DIR/FILE", read_log},
	{"trace", 0, optional_argument, "KINDS", "insn,trap,mmio,csr,fs[:FILTER] ,file= ,format=", read_trace},
	{"profile", 0, optional_argument, "FILE", "where the guest spends its time (biscuit.prof)", read_profile},
	{"mount", 0, required_argument, "DIR", "the machine as files (--mount-readonly: to read)", read_mount},
	{"mount-allow-other", 0, no_argument, NULL, NULL, read_mount_allow_other},
	{"mount-readonly", 0, no_argument, NULL, NULL, read_mount_readonly},
	{"gdb", 0, optional_argument, "ADDRESS", "serve gdb there (:1234); ,nowait runs at once", read_gdb},
	{"code-cache", 0, required_argument, "SIZE", NULL, read_code_cache},
	{"jit-dump", 0, required_argument, "FILE", NULL, read_jit_dump},
	{"jit-background", 0, required_argument, NULL, NULL, read_jit_background},
	{"jit-gdb", 0, no_argument, NULL, NULL, read_jit_gdb},
	{"jit-perf", 0, no_argument, NULL, NULL, read_jit_perf},
	{"jit-stats", 0, no_argument, NULL, NULL, read_jit_stats},
	{"timeout", 0, required_argument, "SECONDS", "end the machine then, with exit status 124", read_timeout},
	{"Instead of running", 0, 0, NULL, NULL, NULL},
	{"disasm", 0, required_argument, "FILE", "disassemble an ELF file or a raw image", read_disasm},
	{"dump-dtb", 0, required_argument, "FILE", "write the device tree (- is standard output)", read_dump_dtb},
	{"list-modules", 0, no_argument, NULL, "module classes", read_list},
	{"help-module", 0, required_argument, "NAME", "options and fields of a module class", read_help_module},
	{"help", 'h', no_argument, NULL, "this text", read_help},
	{"version", 'V', no_argument, NULL, "the version", read_version},
};

_Static_assert(BIS_ARRAY_SIZE(table) <= CMDLINE_MAX, "more options than the parser takes");

static const struct cmdline cmdline = {.rows = table, .count = BIS_ARRAY_SIZE(table)};

void run_help(void)
{
	puts("Usage: biscuit-run [options] [kernel]\n"
	     "Runs a RISC-V guest and exits with its status. Without a kernel: crumb.\n");
	cmdline_print(&cmdline);
	fputs("\nExamples:\n"
	      "  biscuit-run -n 2 -m 64M --share ./src os.elf   boot it, with a directory\n"
	      "  biscuit-run --mount /mnt/biscuit os.elf        then: cat /mnt/biscuit/regs\n"
	      "  biscuit-run --gdb os.elf                       target remote :1234\n"
	      "  biscuit-run --linux debian                     after tools/debian-guest fetch\n"
	      "In a terminal: Ctrl-A x ends the machine, Ctrl-A h shows the keys.\n",
	      stdout);
}

/* --- Parsing --- */

/* What a snapshot says by itself. */
static const char *said_by_snapshot(const struct run_options *o)
{
	const struct {
		bool given;
		const char *option;
	} all[] = {
		{o->memory != 0, "memory"},
		{o->harts != 0, "harts"},
		{o->isa != NULL, "isa"},
		{o->firmware != NULL, "firmware"},
		{o->linux_name != NULL, "linux"},
		{o->initrd != NULL, "initrd"},
		{o->append != NULL, "append"},
		{o->dtb != NULL, "dtb"},
		{o->shares.count != 0, "share"},
		{o->drives.count != 0, "drive"},
		{o->nets.count != 0, "net"},
		{o->clock_given, "clock"},
		{o->action == RUN_DUMP_DTB, "dump-dtb"},
	};

	for (size_t i = 0; i < BIS_ARRAY_SIZE(all); i++)
		if (all[i].given)
			return all[i].option;
	return NULL;
}

static int check_together(const struct run_options *o)
{
	const char *what = o->append ? "append" : o->initrd ? "initrd" : o->linux_name ? "linux" : NULL;

	if (o->restore && said_by_snapshot(o))
		return bis_fail(EINVAL, "--%s does not go with --restore: the machine is that of the snapshot",
				said_by_snapshot(o));
	if (!o->mount && (o->mount_allow_other || o->mount_readonly))
		return bis_fail(EINVAL, "--mount-%s: expected --mount DIR, too",
				o->mount_readonly ? "readonly" : "allow-other");
	if (o->dtb && what)
		return bis_fail(EINVAL, "--%s changes the machine's own device tree, which --dtb replaces", what);
	return 0;
}

/* From a desktop standard input is the null device, whose end would be the end of the guest's input. */
static const char *default_console(const struct run_options *o)
{
	struct stat st;

	if ((!o->window && !o->vnc) || isatty(STDIN_FILENO) || fstat(STDIN_FILENO, &st) || !S_ISCHR(st.st_mode))
		return "stdio";
	return "null";
}

int run_options_parse(int argc, char **argv, struct run_options *out)
{
	int rest, err;

	*out = (struct run_options){.log_level = BIS_LOG_WARN, .timeout_ms = -1};
	err = cmdline_parse(&cmdline, argc, argv, out, &rest);
	if (err)
		return err;
	if (rest < argc && out->kernel)
		return bis_fail(EINVAL, "unexpected '%s', the kernel is '%s' by --kernel", argv[rest], out->kernel);
	if (rest < argc)
		out->kernel = argv[rest++];
	if (rest < argc)
		return bis_fail(
			EINVAL,
			"unexpected '%s' behind the kernel '%s' (what the kernel is to know goes into --append)",
			argv[rest], out->kernel);
	if (!out->console)
		out->console = default_console(out);
	err = check_together(out);
	return err ? err : share_check_all(out);
}

void run_options_free(struct run_options *o)
{
	while (o->kept_count)
		free(o->kept[--o->kept_count]);
	free(o->kept);
	free(o->modules.at);
	free(o->drives.at);
	free(o->nets.at);
	free(o->shares.at);
	free(o->traces.at);
	*o = (struct run_options){0};
}
