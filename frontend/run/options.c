/*
 * The command line of biscuit-run: one table of options, from which parsing and --help come. Runs on the main thread
 * before anything else exists.
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <biscuit/error.h>
#include <biscuit/machine.h>
#include <biscuit/option.h>

#include "frontend/run/message.h"

/* Reads the value of one option. */
typedef int (*option_fn)(struct run_options *o, const char *value);

struct run_option {
	const char *name;
	char letter;	   /* 0: none */
	int argument;	   /* as getopt_long's has_arg */
	const char *value; /* what --help calls it */
	const char *help;  /* lines after the first are indented by the printer */
	option_fn read;
};

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

static int read_module(struct run_options *o, const char *value)
{
	const char **more = realloc(o->modules, (o->module_count + 1) * sizeof(*more));

	if (!more)
		return bis_fail(ENOMEM, "--module: out of memory");
	o->modules = more;
	o->modules[o->module_count++] = value;
	return 0;
}

static int read_console(struct run_options *o, const char *value)
{
	static const char *const names[] = {"stdio", "pty", "file", "null"};
	size_t len = strcspn(value, ",=");
	char word[16];
	const char *near;

	o->console = value;
	for (size_t i = 0; i < BIS_ARRAY_SIZE(names); i++)
		if (len == strlen(names[i]) && !strncmp(value, names[i], len))
			return 0;
	snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : sizeof(word)), value);
	near = bis_nearest_name(word, names, BIS_ARRAY_SIZE(names));
	return bis_fail(EINVAL,
			"--console: unknown kind '%s'%s%s%s, expected stdio, pty[,link=PATH], file=PATH or null", value,
			near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

static int read_drive(struct run_options *o, const char *value)
{
	if (o->drive)
		return bis_fail(EINVAL, "--drive: given twice, the machine has one native block device");
	if (!strncmp(value, "file=", 5) ? !value[5] : !strstr(value, ",file="))
		return bis_fail(EINVAL, "--drive: '%s', expected file=PATH[,readonly]", value);
	o->drive = value;
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
	o->trace = true;
	o->trace_file = value;
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

/* --- The table; a row without reader starts a group of --help --- */

static const struct run_option table[] = {
	{"Machine", 0, 0, NULL, NULL, NULL},
	{"memory", 'm', required_argument, "SIZE", "guest memory, such as 64M or 2G (default 128M)", read_memory},
	{"harts", 'n', required_argument, "N", "number of harts (default 1)", read_harts},
	{"isa", 0, required_argument, "STRING", "rv32, rv64 or such as rv64gc_zba (by the kernel)", read_isa},
	{"engine", 0, required_argument, "NAME", "what executes guest code", read_engine},
	{"module", 0, required_argument, "SPEC", "add CLASS[,key=value...] or PATH.so[,key=...]", read_module},
	{"drive", 0, required_argument, "file=PATH", "native block device; also file=PATH,readonly", read_drive},
	{"allow-guest-modules", 0, no_argument, NULL, "let the guest add modules by itself", read_allow},
	{"Guest", 0, 0, NULL, NULL, NULL},
	{"append", 0, required_argument, "TEXT", "command line for the kernel", read_append},
	{"initrd", 0, required_argument, "FILE", "initial RAM disk", read_initrd},
	{"dtb", 0, required_argument, "FILE", "device tree instead of the machine's own", read_dtb},
	{"Console and watching", 0, 0, NULL, NULL, NULL},
	{"console", 0, required_argument, "KIND", "stdio (default), pty[,link=PATH], file=PATH, null", read_console},
	{"log", 0, required_argument, "LEVEL|FILE", "error, warn (default), info, debug; or DIR/FILE", read_log},
	{"trace", 0, optional_argument, "FILE", "print every instruction (on standard error)", read_trace},
	{"timeout", 0, required_argument, "SECONDS", "end the machine then, with exit status 124", read_timeout},
	{"Instead of running", 0, 0, NULL, NULL, NULL},
	{"disasm", 0, required_argument, "FILE", "disassemble an ELF file or a raw image", read_disasm},
	{"dump-dtb", 0, required_argument, "FILE", "write the device tree (- is standard output)", read_dump_dtb},
	{"list-modules", 0, no_argument, NULL, "module classes", read_list},
	{"help-module", 0, required_argument, "NAME", "options and fields of a module class", read_help_module},
	{"help", 'h', no_argument, NULL, "this text", read_help},
	{"version", 'V', no_argument, NULL, "the version", read_version},
};

#define ROWS BIS_ARRAY_SIZE(table)

void run_help(void)
{
	fputs("Usage: biscuit-run [options] [kernel.elf]\n"
	      "Runs a RISC-V guest and exits with its status. Without a kernel: crumb.\n",
	      stdout);
	for (size_t i = 0; i < ROWS; i++) {
		const struct run_option *r = &table[i];
		char left[40], open = r->argument == optional_argument ? '[' : ' ';

		if (!r->read) {
			printf("\n%s:\n", r->name);
			continue;
		}
		snprintf(left, sizeof(left), "%c%c%c --%s%s%s%s%s", r->letter ? '-' : ' ', r->letter ? r->letter : ' ',
			 r->letter ? ',' : ' ', r->name, r->value ? (open == '[' ? "[=" : " ") : "",
			 r->value ? r->value : "", open == '[' ? "]" : "", "");
		printf("  %-27s %s\n", left, r->help);
	}
	fputs("\nExamples:\n"
	      "  biscuit-run                                 boot crumb\n"
	      "  biscuit-run --harts 2 --memory 64M os.elf   boot your own\n"
	      "  echo help | biscuit-run                     commands from a pipe\n"
	      "  biscuit-run --trace=/tmp/trace os.elf       what did it execute?\n"
	      "  biscuit-run --drive file=disk.img os.elf    with a disk\n"
	      "In a terminal: Ctrl-A x ends the machine, Ctrl-A h shows the keys.\n",
	      stdout);
}

/* --- Parsing --- */

static int unknown_option(const char *word)
{
	const char *names[ROWS], *near;
	size_t count = 0, len;
	char name[64];

	if (word[0] != '-' || word[1] != '-')
		return bis_fail(EINVAL, "unknown option '%s' (--help lists them)", word);
	for (size_t i = 0; i < ROWS; i++)
		if (table[i].read)
			names[count++] = table[i].name;
	len = strcspn(word + 2, "=");
	snprintf(name, sizeof(name), "%.*s", (int)(len < sizeof(name) ? len : sizeof(name)), word + 2);
	near = bis_nearest_name(name, names, count);
	return bis_fail(EINVAL, "unknown option '--%s'%s%s%s (--help lists them)", name,
			near ? ", did you mean '--" : "", near ? near : "", near ? "'?" : "");
}

/* getopt has refused argv's latest word: says why. */
static int refused(int why, char **argv)
{
	const char *word = argv[optind - 1];

	if (why == ':') {
		for (size_t i = 0; i < ROWS; i++)
			if (table[i].read && optopt == (int)i + 256)
				return bis_fail(EINVAL, "--%s: expected %s", table[i].name, table[i].value);
		return bis_fail(EINVAL, "-%c: expected a value", optopt);
	}
	if (optopt > 255)
		return bis_fail(EINVAL, "--%s takes no value", table[optopt - 256].name);
	if (optopt) {
		char letter[3] = {'-', (char)optopt, '\0'};

		return unknown_option(letter);
	}
	return unknown_option(word);
}

/* getopt's tables; the value of an option is 256 + its row. */
static void build_getopt(struct option *longs, char *letters)
{
	*letters++ = ':';
	for (size_t i = 0; i < ROWS; i++) {
		if (!table[i].read)
			continue;
		*longs++ = (struct option){.name = table[i].name, .has_arg = table[i].argument, .val = (int)i + 256};
		if (!table[i].letter)
			continue;
		*letters++ = table[i].letter;
		if (table[i].argument == required_argument)
			*letters++ = ':';
	}
	*longs = (struct option){0};
	*letters = '\0';
}

static const struct run_option *row_of(int code)
{
	if (code >= 256)
		return &table[code - 256];
	for (size_t i = 0; i < ROWS; i++)
		if (table[i].letter == code)
			return &table[i];
	return NULL;
}

static int check_together(const struct run_options *o)
{
	if (o->dtb && (o->append || o->initrd))
		return bis_fail(EINVAL, "--%s changes the machine's own device tree, which --dtb replaces",
				o->append ? "append" : "initrd");
	return 0;
}

int run_options_parse(int argc, char **argv, struct run_options *out)
{
	struct option longs[ROWS + 1];
	char letters[2 * ROWS + 2];
	int code, err = 0;

	*out = (struct run_options){.console = "stdio", .log_level = BIS_LOG_WARN, .timeout_ms = -1};
	build_getopt(longs, letters);
	opterr = 0;
	while (!err && (code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct run_option *row = code == '?' || code == ':' ? NULL : row_of(code);

		err = row ? row->read(out, optarg) : refused(code, argv);
	}
	if (err)
		return err;
	if (optind < argc)
		out->kernel = argv[optind++];
	if (optind < argc)
		return bis_fail(
			EINVAL,
			"unexpected '%s' behind the kernel '%s' (what the kernel is to know goes into --append)",
			argv[optind], out->kernel);
	return check_together(out);
}

void run_options_free(struct run_options *o)
{
	free(o->modules);
	o->modules = NULL;
}
