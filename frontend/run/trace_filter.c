/*
 * The filters of --trace: what their texts name, and which things they let through. Resolved on the main thread before
 * the machine starts, constant afterwards; asked on any thread.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/run/spec.h"
#include "frontend/run/trace_internal.h"

enum { CAUSES = 64, CSRS = 4096, NAMES_MAX = 256 };

/* --- Numbers and addresses --- */

/* The whole text as a number, decimal or 0x…. */
static bool is_number(const char *text, uint64_t *out)
{
	bool hex = text[0] == '0' && (text[1] | 0x20) == 'x';
	const char *digits = hex ? text + 2 : text;
	char *end;

	if (!*digits || strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
		return false;
	errno = 0;
	*out = strtoull(digits, &end, hex ? 16 : 10);
	return !errno;
}

/* FIRST-LAST, both of them addresses. */
static int read_range(const struct trace *t, const char *text, const char *dash, struct trace_filter *f)
{
	char *first = strndup(text, (size_t)(dash - text));
	int err = first ? debug_parse_address(t->debug, first, &f->low) : bis_fail(ENOMEM, "out of memory");

	free(first);
	if (!err)
		err = debug_parse_address(t->debug, dash + 1, &f->high);
	if (!err && f->high < f->low)
		err = bis_fail(EINVAL, "'%s' ends before it begins", text);
	return err;
}

/* ADDRESS, FIRST-LAST, or SYMBOL for all of it. */
static int read_addresses(const struct trace *t, struct trace_filter *f)
{
	const char *dash = strrchr(f->text, '-');
	uint64_t end;
	int err;

	if (dash && dash > f->text)
		return read_range(t, f->text, dash, f);
	if (strchr("0123456789", f->text[0]) || strchr(f->text, '+')) {
		err = debug_parse_address(t->debug, f->text, &f->low);
		f->high = f->low;
		return err;
	}
	err = debug_symbol_range(t->debug, f->text, &f->low, &end);
	if (!err)
		f->high = end > f->low ? end - 1 : f->low;
	return err;
}

/* --- Traps --- */

void trace_trap_name(bool interrupt, uint64_t cause, char *buf, size_t size)
{
	const char *name = interrupt ? debug_interrupt_name(cause) : debug_trap_name(cause);

	if (name)
		snprintf(buf, size, "%s", name);
	else
		snprintf(buf, size, "%s-%" PRIu64, interrupt ? "interrupt" : "exception", cause);
}

static int unknown_trap(const char *text)
{
	const char *names[2 * CAUSES + 2] = {"exception", "interrupt"};
	size_t count = 2;

	for (uint64_t cause = 0; cause < CAUSES; cause++) {
		if (debug_trap_name(cause))
			names[count++] = debug_trap_name(cause);
		if (debug_interrupt_name(cause))
			names[count++] = debug_interrupt_name(cause);
	}
	return spec_unknown("unknown trap", text, names, count,
			    "a name such as ecall-u or m-timer, a number, exception, interrupt, exception-N or "
			    "interrupt-N");
}

/* A name, the number of an exception, "exception" or "interrupt", or one of these with -N. */
static int read_trap(struct trace_filter *f)
{
	static const char *const sorts[] = {"exception", "interrupt"};
	char name[32];

	f->low = 0;
	f->high = UINT64_MAX;
	for (unsigned i = 0; i < 2; i++) {
		f->exceptions = i == 0;
		f->interrupts = i == 1;
		if (!strcmp(f->text, sorts[i]))
			return 0;
		for (uint64_t cause = 0; cause < CAUSES; cause++) {
			trace_trap_name(i == 1, cause, name, sizeof(name));
			f->low = f->high = cause;
			if (!strcmp(f->text, name))
				return 0;
			snprintf(name, sizeof(name), "%s-%" PRIu64, sorts[i], cause);
			if (!strcmp(f->text, name))
				return 0;
		}
		f->low = 0;
		f->high = UINT64_MAX;
	}
	f->exceptions = true;
	f->interrupts = false;
	if (!is_number(f->text, &f->low) || f->low >= CAUSES)
		return unknown_trap(f->text);
	f->high = f->low;
	return 0;
}

/* --- CSRs --- */

static int unknown_csr(const struct trace *t, const char *text)
{
	char(*names)[32] = calloc(CSRS, sizeof(*names));
	const char **list = calloc(CSRS, sizeof(*list));
	size_t count = 0;
	int err;

	for (unsigned n = 0; names && list && n < CSRS; n++)
		if (bis_hart_csr_name(bis_machine_hart(t->m, 0), n, names[n], sizeof(names[n])) > 0)
			list[count++] = names[n];
	err = spec_unknown("unknown CSR", text, list, count, "a name, or a number below 0x1000");
	free(list);
	free(names);
	return err;
}

static int read_csr(const struct trace *t, struct trace_filter *f)
{
	int number = bis_hart_csr_number(bis_machine_hart(t->m, 0), f->text);

	if (number >= 0)
		f->low = (uint64_t)number;
	else if (!is_number(f->text, &f->low) || f->low >= CSRS)
		return unknown_csr(t, f->text);
	f->high = f->low;
	return 0;
}

/* --- Devices --- */

static int unknown_module(const struct trace *t, const char *text)
{
	const char *names[NAMES_MAX];
	struct bis_module *mod;
	size_t count = 0;

	for (size_t i = 0; count < NAMES_MAX && (mod = bis_machine_module(t->m, i)); i++) {
		uint64_t base, size;

		if (bis_module_slot(mod) >= 0 || !bis_module_window(mod, 0, &base, &size))
			names[count++] = bis_module_name(mod);
	}
	return spec_unknown("unknown device", text, names, count, "its name in the machine, slotN, or FIRST-LAST");
}

/* The name of a device, slotN, or physical addresses. */
static int read_device(const struct trace *t, struct trace_filter *f)
{
	const char *dash = strrchr(f->text, '-');
	uint64_t number, last;
	char *first;

	if (bis_machine_find(t->m, f->text)) {
		f->module = f->text;
		return 0;
	}
	if (!strncmp(f->text, "slot", 4) && is_number(f->text + 4, &number) && number < BIS_DEVCSR_SLOTS) {
		f->slot = (int)number;
		return 0;
	}
	first = strndup(f->text, dash ? (size_t)(dash - f->text) : strlen(f->text));
	if (!first)
		return bis_fail(ENOMEM, "out of memory");
	if (!is_number(first, &number) || !is_number(dash ? dash + 1 : first, &last)) {
		free(first);
		return unknown_module(t, f->text);
	}
	free(first);
	f->low = number;
	f->high = last;
	return last < number ? bis_fail(EINVAL, "'%s' ends before it begins", f->text) : 0;
}

/* --- Shares --- */

/* The name of the share that instance `mod` is; false if it is none. */
static bool share_name(const struct bis_module *mod, char *buf, size_t size)
{
	const struct bis_module_class *class = bis_module_class_of(mod);
	const struct bis_field *name = class->fields ? bis_field_find(class->fields, "name") : NULL;

	if (strcmp(class->name, "share") != 0 || !name)
		return false;
	bis_field_format(name, bis_module_self(mod), buf, size);
	return true;
}

static int check_share(const struct trace *t, const char *wanted)
{
	const char *list[NAMES_MAX];
	char names[NAMES_MAX][64];
	struct bis_module *mod;
	size_t count = 0;

	for (size_t i = 0; count < NAMES_MAX && (mod = bis_machine_module(t->m, i)); i++) {
		if (!share_name(mod, names[count], sizeof(names[count])))
			continue;
		if (!strcmp(names[count], wanted))
			return 0;
		list[count] = names[count];
		count++;
	}
	return spec_unknown("unknown share", wanted, list, count, "a share's name, /PATH, or NAME:/PATH");
}

/* SHARE, /PATH, or SHARE:/PATH. */
static int read_path(const struct trace *t, struct trace_filter *f)
{
	char *colon = strchr(f->text, ':'), *path = f->text;
	size_t len;

	if (*path != '/') {
		path = colon ? colon + 1 : f->text + strlen(f->text);
		f->share = strndup(f->text, colon ? (size_t)(colon - f->text) : strlen(f->text));
		if (!f->share)
			return bis_fail(ENOMEM, "out of memory");
		if (check_share(t, f->share))
			return -EINVAL;
	}
	if (*path != '/' && (*path || colon))
		return bis_fail(EINVAL, "'%s': expected a path from the share's root, such as /src", f->text);
	len = strlen(path);
	while (len && path[len - 1] == '/')
		path[--len] = '\0';
	f->path = path;
	return 0;
}

int trace_filter_resolve(struct trace *t, struct trace_filter *f)
{
	int err = 0;

	f->low = 0;
	f->high = UINT64_MAX;
	f->exceptions = f->interrupts = true;
	f->path = "";
	if (!f->text)
		return 0;
	if (f->kind == TRACE_INSN)
		err = read_addresses(t, f);
	else if (f->kind == TRACE_TRAP)
		err = read_trap(f);
	else if (f->kind == TRACE_CSR)
		err = read_csr(t, f);
	else if (f->kind == TRACE_MMIO)
		err = read_device(t, f);
	else
		err = read_path(t, f);
	return err ? bis_fail_prefix(err, "--trace: %s", trace_kind_name(f->kind)) : 0;
}

/* --- Asking --- */

static bool is_in(const struct trace_filter *f, uint64_t number)
{
	return number >= f->low && number <= f->high;
}

bool trace_wants_insn(const struct trace *t, uint64_t pc)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->filters[i].kind == TRACE_INSN && is_in(&t->filters[i], pc))
			return true;
	return false;
}

bool trace_wants_trap(const struct trace *t, const struct bis_trap_seen *seen)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct trace_filter *f = &t->filters[i];

		if (f->kind == TRACE_TRAP && (seen->interrupt ? f->interrupts : f->exceptions) && is_in(f, seen->cause))
			return true;
	}
	return false;
}

bool trace_wants_csr(const struct trace *t, const struct bis_csr_seen *seen)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->filters[i].kind == TRACE_CSR && is_in(&t->filters[i], seen->number))
			return true;
	return false;
}

bool trace_wants_mmio(const struct trace *t, const struct bis_mmio_seen *seen)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct trace_filter *f = &t->filters[i];

		if (f->kind != TRACE_MMIO || (f->slot >= 0 && f->slot != seen->slot))
			continue;
		if (f->module && (!seen->module || strcmp(f->module, seen->module) != 0))
			continue;
		if (is_in(f, seen->address) && (!f->text || f->module || f->slot >= 0 || seen->slot < 0))
			return true;
	}
	return false;
}

/* Is it the path or something below it? */
static bool is_below(const char *path, const char *above)
{
	size_t len = strlen(above);

	return !strncmp(path, above, len) && (!path[len] || path[len] == '/');
}

bool trace_wants_fs(const struct trace *t, const struct bis_fs_seen *seen)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct trace_filter *f = &t->filters[i];

		if (f->kind != TRACE_FS || (f->share && strcmp(f->share, seen->share) != 0))
			continue;
		if (!*f->path || (seen->path && is_below(seen->path, f->path)) ||
		    (seen->other && is_below(seen->other, f->path)))
			return true;
	}
	return false;
}
