/*
 * Field tables: the one description of a module's state. Snapshot, migration, the inspection files, the gdb register
 * description and --list-modules read the same rows.
 */
#ifndef BISCUIT_FIELD_H
#define BISCUIT_FIELD_H

#include <biscuit/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum bis_field_type {
	BIS_FIELD_U8,
	BIS_FIELD_U16,
	BIS_FIELD_U32,
	BIS_FIELD_U64,
	BIS_FIELD_BOOL,
	BIS_FIELD_BYTES, /* `count` raw bytes */
	BIS_FIELD_TEXT	 /* NUL-terminated text in `count` bytes */
};

enum bis_field_flags {
	BIS_FIELD_HEX = 1,	/* shown as 0x…, padded to its width; decimal otherwise */
	BIS_FIELD_READONLY = 2, /* cannot be set from outside (it still goes into a snapshot) */
	BIS_FIELD_DERIVED = 4,	/* can be computed from the others: not in a snapshot */
	BIS_FIELD_COUNTER = 8,	/* a statistic: not compared by replay checks */
	BIS_FIELD_CONSTANT = 16 /* as the options say, for good: a snapshot goes only where it has the same value */
};

/* One row: `count` values of `type` at `offset` of the instance (count 1 for a scalar). A table ends with a NULL name.
 */
struct bis_field {
	const char *name;
	enum bis_field_type type;
	uint32_t offset;
	uint32_t count;
	uint32_t flags;
	const char *help;
};

/* A row for member `member` of `struct_type`; `kind` is the part of the type name behind BIS_FIELD_. */
#define BIS_FIELD(struct_type, member, kind, flags_, help_)                                                            \
	{                                                                                                              \
		.name = #member, .type = BIS_FIELD_##kind, .offset = offsetof(struct_type, member), .count = 1,        \
		.flags = (flags_), .help = (help_)                                                                     \
	}
#define BIS_FIELD_ARRAY(struct_type, member, kind, count_, flags_, help_)                                              \
	{                                                                                                              \
		.name = #member, .type = BIS_FIELD_##kind, .offset = offsetof(struct_type, member), .count = (count_), \
		.flags = (flags_), .help = (help_)                                                                     \
	}
#define BIS_FIELD_END                                                                                                  \
	{                                                                                                              \
		.name = NULL                                                                                           \
	}

/* Size of one value of the type in bytes. */
size_t bis_field_unit(enum bis_field_type type);

/* The row of that name, or NULL. */
const struct bis_field *bis_field_find(const struct bis_field *table, const char *name);

/*
 * Writes the field's value as text without newline (array elements separated by spaces). Returns the length as snprintf
 * does. The caller holds whatever lock guards the instance.
 */
int bis_field_format(const struct bis_field *f, const void *self, char *buf, size_t size);

/* Parses what bis_field_format writes. -EINVAL (with message) leaves the instance unchanged; -EPERM for a read-only
 * field. */
BIS_MUST_CHECK int bis_field_parse(const struct bis_field *f, void *self, const char *text);

#ifdef __cplusplus
}
#endif
#endif
