/* --list-modules and --help-module, from the tables of the classes. Runs on the main thread. */
#include "list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_NAMES 256

void list_modules(struct bis_machine *m)
{
	const struct bis_module_class *class;

	for (size_t i = 0; (class = bis_machine_class(m, i)); i++)
		printf("%-16s %s\n", class->name, class->summary);
}

static const char *type_text(const struct bis_option *o)
{
	static const char *const names[] = {[BIS_OPTION_TEXT] = "text",
					    [BIS_OPTION_U64] = "number",
					    [BIS_OPTION_SIZE] = "size",
					    [BIS_OPTION_BOOL] = "on|off"};

	return o->type == BIS_OPTION_ENUM ? o->choices : names[o->type];
}

static void print_option(const struct bis_option *o)
{
	printf("  %-12s %-8s %s", o->name, type_text(o), o->help);
	if (!o->def)
		printf(" (required)");
	else if (*o->def)
		printf(" (default %s)", o->def);
	putchar('\n');
}

static void print_field(const struct bis_field *f)
{
	static const char *const names[] = {
		[BIS_FIELD_U8] = "u8",	  [BIS_FIELD_U16] = "u16",   [BIS_FIELD_U32] = "u32",
		[BIS_FIELD_U64] = "u64",  [BIS_FIELD_BOOL] = "bool", [BIS_FIELD_BYTES] = "bytes",
		[BIS_FIELD_TEXT] = "text"};
	char type[24];

	if (f->count > 1)
		snprintf(type, sizeof(type), "%s[%u]", names[f->type], f->count);
	else
		snprintf(type, sizeof(type), "%s", names[f->type]);
	printf("  %-16s %-10s %s\n", f->name, type, f->help ? f->help : "");
}

static int unknown_class(struct bis_machine *m, const char *name)
{
	const char *names[MAX_NAMES], *near;
	const struct bis_module_class *class;
	size_t count = 0;

	while (count < MAX_NAMES && (class = bis_machine_class(m, count)))
		names[count++] = class->name;
	near = bis_nearest_name(name, names, count);
	return bis_fail(ENOENT, "unknown module '%s'%s%s%s (--list-modules shows them)", name,
			near ? ", did you mean '" : "", near ? near : "", near ? "'?" : "");
}

int list_module_help(struct bis_machine *m, const char *name)
{
	const struct bis_module_class *class = bis_machine_find_class(m, name);

	if (!class)
		return unknown_class(m, name);
	printf("%s, version %u: %s\n", class->name, class->version, class->summary);
	printf("\nOptions:\n");
	for (const struct bis_option *o = class->options; o && o->name; o++)
		print_option(o);
	printf("  %-12s %-8s %s\n", "name", "text", "name of the instance");
	printf("  %-12s %-8s %s\n", "at", "number", "address of its first register window");
	printf("  %-12s %-8s %s\n", "irq", "number", "input of the platform interrupt controller");
	printf("  %-12s %-8s %s\n", "slot", "number", "native control-register slot, 0 to 15");
	if (class->fields)
		printf("\nState:\n");
	for (const struct bis_field *f = class->fields; f && f->name; f++)
		print_field(f);
	return 0;
}
